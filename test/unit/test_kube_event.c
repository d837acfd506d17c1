/* Recording Events: few requests, well-formed, and never anybody's failure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "kube/event.h"
#include "kube/timing.h"
#include "kube_rig.h"

#define COLLECTION "/apis/events.k8s.io/v1/namespaces/ns/events"

struct server {
	int creates;
	int patches;
	bool mute;       /* answer nothing */
	int refuse;      /* answer with this HTTP status; 0 = take it */
	json_t *created; /* the last */
	bool seen[4106]; /* by the number in the uid of whom an Event was made about */
	json_t *patch;   /* the last */
	char *patched;   /* its target */
};

struct rig {
	struct kube_rig kube;
	struct server server;
	struct kube_recorder *recorder;
	json_t *object;
};

static void note_uid(struct server *server, const char *uid)
{
	int number;

	if (sscanf(uid, "many-%d", &number) == 1 && (size_t)number < ARRAY_LEN(server->seen)) {
		server->seen[number] = true;
	}
}

static struct fake_answer on_request(void *ctx, const struct fake_request *request)
{
	struct server *server = ctx;
	json_t *body = json_loads(request->body, 0, NULL);

	assert_non_null(body);
	if (strcmp(request->line, "POST " COLLECTION) == 0) {
		server->creates++;
		json_decref(server->created);
		server->created = body;
		note_uid(server, json_path_string(body, "regarding.uid", ""));
	} else {
		assert_ptr_equal(strstr(request->line, "PATCH " COLLECTION "/"), request->line);
		server->patches++;
		json_decref(server->patch);
		server->patch = body;
		free(server->patched);
		server->patched = xstrdup(request->line + strlen("PATCH " COLLECTION "/"));
	}
	if (server->mute) {
		return (struct fake_answer){.end = FAKE_MUTE};
	}
	if (server->refuse != 0) {
		return (struct fake_answer){.status = server->refuse, .body = "{}"};
	}
	return (struct fake_answer){.status = 200, .body = "{\"kind\":\"Event\"}"};
}

static int setup(void **state)
{
	struct rig *rig = xcalloc(1, sizeof(*rig));

	rig_open(&rig->kube, on_request, &rig->server, NULL);
	rig->recorder = kube_recorder_new(rig->kube.client, "tester", "tester-0");
	rig->object = json_pack("{s:s, s:s, s:{s:s, s:s, s:s}}", "apiVersion", "example.com/v1", "kind", "Thing",
		"metadata", "name", "thing", "namespace", "ns", "uid", "u-1");
	*state = rig;
	return 0;
}

static void on_closed(void *ctx)
{
	*(bool *)ctx = true;
}

static bool is_true(void *ctx)
{
	return *(bool *)ctx;
}

static int teardown(void **state)
{
	struct rig *rig = *state;
	bool closed = false;

	kube_recorder_close(rig->recorder, on_closed, &closed);
	assert_true(run_until(&rig->kube.loop, is_true, &closed));
	json_decref(rig->server.created);
	json_decref(rig->server.patch);
	free(rig->server.patched);
	json_decref(rig->object);
	assert_int_equal(rig_close(&rig->kube), 0);
	free(rig);
	return 0;
}

static void report(struct rig *rig, const char *reason, const char *note)
{
	kube_recorder_report(rig->recorder, rig->object,
		&(struct kube_event){.warning = true, .reason = reason, .action = "Check", .note = note});
}

/* No Warning. */
static void report_news(struct rig *rig, const char *note)
{
	kube_recorder_report(rig->recorder, rig->object,
		&(struct kube_event){.reason = "Works", .action = "Check", .note = note});
}

struct goal {
	const int *value;
	int want;
};

static bool reached(void *ctx)
{
	const struct goal *goal = ctx;

	return *goal->value >= goal->want;
}

static void wait_for(struct rig *rig, const int *value, int want)
{
	assert_true(run_until(&rig->kube.loop, reached, &(struct goal){value, want}));
}

/* Lets the loop deliver what is on its way. */
static void settle(struct rig *rig)
{
	run_for(&rig->kube.loop, 150);
}

static void an_event_says_what_about_whom_and_by_whom(void **state)
{
	struct rig *rig = *state;
	const json_t *event;

	report(rig, "Broken", "it broke");
	wait_for(rig, &rig->server.creates, 1);
	event = rig->server.created;
	assert_string_equal(json_path_string(event, "type", ""), "Warning");
	assert_string_equal(json_path_string(event, "reason", ""), "Broken");
	assert_string_equal(json_path_string(event, "action", ""), "Check");
	assert_string_equal(json_path_string(event, "note", ""), "it broke");
	assert_string_equal(json_path_string(event, "reportingController", ""), "tester");
	assert_string_equal(json_path_string(event, "reportingInstance", ""), "tester-0");
	assert_string_equal(json_path_string(event, "regarding.apiVersion", ""), "example.com/v1");
	assert_string_equal(json_path_string(event, "regarding.kind", ""), "Thing");
	assert_string_equal(json_path_string(event, "regarding.name", ""), "thing");
	assert_string_equal(json_path_string(event, "regarding.uid", ""), "u-1");
	assert_string_equal(json_path_string(event, "metadata.namespace", ""), "ns");
	assert_true(clock_parse_rfc3339(json_path_string(event, "eventTime", "")) > 0);
	assert_null(json_object_get(event, "series"));
}

static void what_repeats_is_one_event_that_counts(void **state)
{
	struct rig *rig = *state;

	report(rig, "Broken", "it broke");
	wait_for(rig, &rig->server.creates, 1);
	settle(rig);
	report(rig, "Broken", "it broke");
	wait_for(rig, &rig->server.patches, 1);
	settle(rig);
	report(rig, "Broken", "it broke");
	wait_for(rig, &rig->server.patches, 2);
	assert_int_equal(rig->server.creates, 1);
	assert_int_equal(json_path_int(rig->server.patch, "series.count", 0), 3);
	assert_true(clock_parse_rfc3339(json_path_string(rig->server.patch, "series.lastObservedTime", "")) > 0);
	/* Everything but the series is immutable. */
	assert_int_equal(json_object_size(rig->server.patch), 1);
	assert_string_equal(rig->server.patched, json_path_string(rig->server.created, "metadata.name", ""));
}

static void what_repeats_while_the_first_is_under_way_is_counted_after(void **state)
{
	struct rig *rig = *state;

	for (int i = 0; i < 5; i++) {
		report(rig, "Broken", "it broke");
	}
	wait_for(rig, &rig->server.patches, 1);
	settle(rig);
	assert_int_equal(rig->server.creates, 1);
	assert_int_equal(rig->server.patches, 1);
	assert_int_equal(json_path_int(rig->server.patch, "series.count", 0), 5);
}

static void another_note_is_another_event(void **state)
{
	struct rig *rig = *state;
	auto_free char *first = NULL;

	report(rig, "Broken", "one way");
	wait_for(rig, &rig->server.creates, 1);
	first = xstrdup(json_path_string(rig->server.created, "metadata.name", ""));
	report(rig, "Broken", "another way");
	wait_for(rig, &rig->server.creates, 2);
	assert_string_not_equal(first, json_path_string(rig->server.created, "metadata.name", ""));
	assert_int_equal(rig->server.patches, 0);
}

static void an_object_cannot_flood_the_server(void **state)
{
	struct rig *rig = *state;

	for (int i = 0; i < 200; i++) {
		auto_free char *note = xasprintf("note %d", i);

		report(rig, "Broken", note);
	}
	wait_for(rig, &rig->server.creates, 25);
	settle(rig);
	assert_int_equal(rig->server.creates, 25);
	/* Another object has a budget of its own. */
	json_object_set_new(json_object_get(rig->object, "metadata"), "uid", json_string("u-2"));
	report(rig, "Broken", "note 0");
	wait_for(rig, &rig->server.creates, 26);
}

static void a_refused_event_is_reported_again_as_a_first_one(void **state)
{
	struct rig *rig = *state;

	rig->server.refuse = 403;
	report(rig, "Broken", "it broke");
	wait_for(rig, &rig->server.creates, 1);
	settle(rig);
	rig->server.refuse = 0;
	report(rig, "Broken", "it broke");
	wait_for(rig, &rig->server.creates, 2);
	assert_int_equal(rig->server.patches, 0);
}

static void an_event_that_expired_is_made_anew(void **state)
{
	struct rig *rig = *state;

	report(rig, "Broken", "it broke");
	wait_for(rig, &rig->server.creates, 1);
	settle(rig);
	rig->server.refuse = 404;
	report(rig, "Broken", "it broke");
	wait_for(rig, &rig->server.creates, 2);
	assert_int_equal(rig->server.patches, 1);
}

static void a_long_note_is_cut_between_characters(void **state)
{
	struct rig *rig = *state;
	char note[2048];

	/* 'x', then 'é's of two bytes, 510 of which leave room for the 3 bytes of "…". */
	note[0] = 'x';
	for (size_t i = 1; i + 1 < sizeof(note); i += 2) {
		memcpy(note + i, "\xC3\xA9", 2);
	}
	note[sizeof(note) - 1] = '\0';
	report(rig, "Broken", note);
	wait_for(rig, &rig->server.creates, 1);
	assert_int_equal(strlen(json_path_string(rig->server.created, "note", "")), 1024);
	assert_non_null(strstr(json_path_string(rig->server.created, "note", ""), "é…"));
}

static void a_note_that_is_not_utf8_is_reported_readably(void **state)
{
	struct rig *rig = *state;

	report(rig, "Broken", "caf\xe9");
	wait_for(rig, &rig->server.creates, 1);
	assert_string_equal(json_path_string(rig->server.created, "note", ""), "caf?");
}

static bool is_forgotten(void *ctx)
{
	return recorder_kept(ctx) == 0;
}

/* Nothing is reported after it: nobody but the clock can see to it. */
static void at_rest_nothing_is_remembered(void **state)
{
	struct rig *rig = *state;

	recorder_set_timing(rig->recorder,
		&(struct recorder_timing){.series_ms = 100, .news_ms = 100, .refill_ms = 100, .sweep_ms = 20});
	report(rig, "Broken", "it broke");
	wait_for(rig, &rig->server.creates, 1);
	assert_true(recorder_kept(rig->recorder) > 0);
	assert_true(run_until(&rig->kube.loop, is_forgotten, rig->recorder));
}

/* Each of many thousand healthy objects has one. */
static void what_is_no_warning_is_remembered_for_less_long(void **state)
{
	struct rig *rig = *state;

	recorder_set_timing(rig->recorder,
		&(struct recorder_timing){.series_ms = 60000, .news_ms = 100, .refill_ms = 100, .sweep_ms = 20});
	report_news(rig, "it works");
	wait_for(rig, &rig->server.creates, 1);
	assert_true(recorder_kept(rig->recorder) > 0);
	assert_true(run_until(&rig->kube.loop, is_forgotten, rig->recorder));
	report_news(rig, "it works");
	wait_for(rig, &rig->server.creates, 2);
}

/* Each about another object, so that no budget holds them back. */
static void report_as(struct rig *rig, int number, bool warning)
{
	auto_free char *uid = xasprintf("many-%d", number);

	json_object_set_new(json_object_get(rig->object, "metadata"), "uid", json_string(uid));
	if (warning) {
		report(rig, "Broken", "it broke");
	} else {
		report_news(rig, "it works");
	}
}

static void report_many(struct rig *rig, int count)
{
	for (int i = 0; i < count; i++) {
		report_as(rig, i, true);
	}
}

static void be_busy(struct rig *rig, int64_t calm_ms, int64_t hold_ms)
{
	recorder_set_timing(rig->recorder, &(struct recorder_timing){.series_ms = 60000,
						   .news_ms = 60000,
						   .refill_ms = 60000,
						   .sweep_ms = 60000,
						   .calm_ms = calm_ms,
						   .hold_ms = hold_ms});
	kube_recorder_busy(rig->recorder);
}

static void what_is_no_warning_waits_while_others_are_busy(void **state)
{
	struct rig *rig = *state;

	be_busy(rig, 60000, 60000);
	report_news(rig, "it works");
	settle(rig);
	assert_int_equal(rig->server.creates, 0);
	report(rig, "Broken", "it broke");
	wait_for(rig, &rig->server.creates, 1);
	settle(rig);
	assert_int_equal(rig->server.creates, 1);
	assert_string_equal(json_path_string(rig->server.created, "type", ""), "Warning");
}

static void what_waited_is_written_when_it_is_calm(void **state)
{
	struct rig *rig = *state;

	be_busy(rig, 100, 60000);
	report_news(rig, "it works");
	wait_for(rig, &rig->server.creates, 1);
	assert_string_equal(json_path_string(rig->server.created, "type", ""), "Normal");
}

static void who_stays_busy_cannot_hold_it_for_ever(void **state)
{
	struct rig *rig = *state;

	be_busy(rig, 60000, 100);
	rig->server.mute = true;
	for (int i = 0; i < 5; i++) {
		report_as(rig, i, false);
	}
	settle(rig);
	settle(rig);
	assert_int_equal(rig->server.creates, 1); /* one by one */
}

static void all_that_is_overdue_is_written_in_the_end(void **state)
{
	struct rig *rig = *state;

	be_busy(rig, 60000, 100);
	for (int i = 0; i < 50; i++) {
		report_as(rig, i, false);
	}
	wait_for(rig, &rig->server.creates, 50);
}

/* As many as may wait, and some more. */
static void of_too_many_the_oldest_is_dropped(void **state)
{
	struct rig *rig = *state;

	be_busy(rig, 60000, 60000);
	for (int i = 0; i < 4096 + 10; i++) {
		report_as(rig, i, false);
	}
	assert_int_equal(recorder_kept(rig->recorder), 4096 + 4106); /* budgets too */
	assert_int_equal(kube_recorder_dropped(rig->recorder), 10);
	/* A Warning takes the place of another. */
	report_as(rig, 1, true);
	wait_for(rig, &rig->server.creates, 1);
	assert_int_equal(kube_recorder_dropped(rig->recorder), 11);
	be_busy(rig, 0, 60000);
	report_as(rig, 1, true); /* once more: now it is calm */
	wait_for(rig, &rig->server.creates, 4096);
	for (int i = 0; i < 11; i++) {
		assert_int_equal(rig->server.seen[i], i == 1); /* that was the Warning */
	}
	assert_true(rig->server.seen[11]);
	assert_true(rig->server.seen[4105]);
}

static void no_more_than_eight_are_under_way(void **state)
{
	struct rig *rig = *state;

	rig->server.mute = true;
	report_many(rig, 100);
	wait_for(rig, &rig->server.creates, 8);
	settle(rig);
	assert_int_equal(rig->server.creates, 8);
}

static void those_in_line_are_written_too(void **state)
{
	struct rig *rig = *state;

	report_many(rig, 1000);
	wait_for(rig, &rig->server.creates, 1000);
	assert_int_equal(rig->server.patches, 0);
}

static void closing_takes_back_what_is_under_way(void **state)
{
	struct rig *rig = *state;

	report(rig, "Broken", "one");
	report(rig, "Broken", "two");
	report(rig, "Broken", "one");
	/* teardown: the recorder closes, and the loop holds nothing of it */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_event_says_what_about_whom_and_by_whom),
		TEST(what_repeats_is_one_event_that_counts),
		TEST(what_repeats_while_the_first_is_under_way_is_counted_after),
		TEST(another_note_is_another_event),
		TEST(an_object_cannot_flood_the_server),
		TEST(a_refused_event_is_reported_again_as_a_first_one),
		TEST(an_event_that_expired_is_made_anew),
		TEST(a_long_note_is_cut_between_characters),
		TEST(a_note_that_is_not_utf8_is_reported_readably),
		TEST(at_rest_nothing_is_remembered),
		TEST(what_is_no_warning_is_remembered_for_less_long),
		TEST(no_more_than_eight_are_under_way),
		TEST(those_in_line_are_written_too),
		TEST(what_is_no_warning_waits_while_others_are_busy),
		TEST(what_waited_is_written_when_it_is_calm),
		TEST(who_stays_busy_cannot_hold_it_for_ever),
		TEST(all_that_is_overdue_is_written_in_the_end),
		TEST(of_too_many_the_oldest_is_dropped),
		TEST(closing_takes_back_what_is_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
