/*
 * The informer against an API server that follows a script.
 *
 * Where the streaming list is not the subject, the server is an old one that refuses it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "kube/informer.h"
#include "kube/pace.h"
#include "kube_rig.h"

static const struct kube_resource services = {"", "v1", "services", "Service", true};

#define LIST "GET /api/v1/services[?]limit=500"
#define WATCH(rv)                                                                                  \
	"GET "                                                                                     \
	"/api/v1/"                                                                                 \
	"services[?]watch=true&allowWatchBookmarks=true&timeoutSeconds=*&resourceVersion=" rv

#define STREAM                                                                                     \
	"GET "                                                                                     \
	"/api/v1/"                                                                                 \
	"services[?]watch=true&allowWatchBookmarks=true&timeoutSeconds=*"                          \
	"&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"

#define META(name, rv)                                                                             \
	"{\"metadata\":{\"namespace\":\"d\",\"name\":\"" name "\",\"resourceVersion\":\"" rv "\"}" \
	"}"
#define EVENT(type, name, rv) "{\"type\":\"" type "\",\"object\":" META(name, rv) "}\n"
#define BOOKMARK(rv)                                                                               \
	"{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"" rv "\"}}}\n"
#define END_OF_LIST(rv)                                                                            \
	"{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"" rv                 \
	"\",\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}}\n"
#define ERROR_EVENT(code, reason)                                                                  \
	"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":" code                       \
	",\"reason\":\"" reason "\",\"message\":\"said so\"}}\n"
#define STATUS(reason, message)                                                                    \
	"{\"kind\":\"Status\",\"reason\":\"" reason "\",\"message\":\"" message "\"}"
#define ITEMS(rv, items) "{\"metadata\":{\"resourceVersion\":\"" rv "\"},\"items\":" items "}"
#define EMPTY(rv) ITEMS(rv, "[]")

struct test {
	struct kube_rig rig;
	struct kube_informer *informer;
	struct strbuf seen; /* "+a ~a -a !state" in the order they came */
	char *first_error;
	const char *want;
	int64_t progress_ms;
	size_t before; /* requests that are not counted */
	bool close_on_change;
	bool closed;
};

static void on_closed(void *ctx)
{
	((struct test *)ctx)->closed = true;
}

static void on_changed(void *ctx, struct kube_informer *informer, enum kube_event_type type,
		       const json_t *object)
{
	struct test *test = ctx;

	assert_string_equal(kube_object_namespace(object), "d");
	strbuf_addf(&test->seen, "%c%s ", "+~-"[type], kube_object_name(object));
	/* The cache took the change before we are told. */
	assert_int_equal(
		kube_cache_has(kube_informer_cache(informer), "d", kube_object_name(object)),
		type != KUBE_DELETED);
	if (test->close_on_change) {
		test->close_on_change = false;
		kube_informer_close(informer, on_closed, test);
	}
}

static void on_state(void *ctx, struct kube_informer *informer)
{
	struct test *test = ctx;
	const struct error *err = kube_informer_error(informer);

	if (err && !test->first_error)
		test->first_error = xstrdup(err->message);
	strbuf_addf(&test->seen, "!%s ",
		    err				      ? error_kind_name(err->kind)
		    : kube_informer_missing(informer) ? "missing"
		    : kube_informer_synced(informer)  ? "synced"
						      : "waiting");
}

static const struct informer_pace quick = {.backoff_ms = 1,
					   .missing_ms = 1,
					   .short_ms = 1000,
					   .margin_ms = 30000,
					   .min_timeout_s = 300,
					   .silence_ms = 30000,
					   .relist_ms = 3600000};

static void open_new(struct test *test, const struct fake_step *steps, size_t count,
		     const struct informer_pace *pace)
{
	struct kube_informer_hooks hooks = {.changed = on_changed, .state = on_state, .ctx = test};

	memset(test, 0, sizeof(*test));
	strbuf_init(&test->seen);
	rig_open(&test->rig, NULL, NULL, NULL);
	fake_script(test->rig.fake, steps, count);
	test->informer = kube_informer_new(test->rig.client, &services, NULL, NULL, &hooks);
	informer_set_pace(test->informer, pace);
	kube_informer_start(test->informer);
}

#define OPEN_NEW(test, steps) open_new(test, steps, ARRAY_LEN(steps), &quick)

static bool saw_it(void *ctx)
{
	const struct test *test = ctx;

	return strcmp(test->seen.buf, test->want) == 0;
}

static void expect_seen(struct test *test, const char *want)
{
	test->want = want;
	if (!run_until(&test->rig.loop, saw_it, test))
		assert_string_equal(test->seen.buf, want);
}

static bool asked_enough(void *ctx)
{
	const struct test *test = ctx;

	return fake_requests(test->rig.fake) - test->before >=
	       (size_t)strtoul(test->want, NULL, 10);
}

static void expect_requests(struct test *test, const char *count)
{
	test->want = count;
	if (!run_until(&test->rig.loop, asked_enough, test))
		fail_msg("%zu requests instead of %s; last '%s'",
			 fake_requests(test->rig.fake) - test->before, count,
			 fake_last_line(test->rig.fake));
}

#define REFUSED                                                                                    \
	{                                                                                          \
		.status = 422,                                                                     \
		.body = STATUS("Invalid", "sendInitialEvents is forbidden for watch unless the "   \
					  "WatchList feature gate is enabled"),                    \
	}

static void open_paced(struct test *test, const struct fake_step *steps, size_t count,
		       const struct informer_pace *pace)
{
	static const struct fake_step refusal = {STREAM, REFUSED};

	open_new(test, &refusal, 1, pace);
	expect_requests(test, "1");
	test->before = 1;
	fake_script(test->rig.fake, steps, count);
}

#define OPEN(test, steps) open_paced(test, steps, ARRAY_LEN(steps), &quick)

static bool has_progress(void *ctx)
{
	const struct test *test = ctx;

	return kube_informer_progress_ms(test->informer) > test->progress_ms;
}

static bool is_closed(void *ctx)
{
	return ((struct test *)ctx)->closed;
}

static void finish(struct test *test)
{
	if (test->informer)
		kube_informer_close(test->informer, on_closed, test);
	assert_true(run_until(&test->rig.loop, is_closed, test));
	strbuf_release(&test->seen);
	free(test->first_error);
	assert_int_equal(rig_close(&test->rig), 0);
}

static void test_list_comes_in_pages(void **state)
{
	static const struct fake_step steps[] = {
		{LIST,
		 {.status = 200,
		  .body = "{\"metadata\":{\"resourceVersion\":\"9\",\"continue\":\"t/"
			  "1\"},\"items\":[" META("a", "1") "]}"}},
		{LIST "&continue=t%2F1",
		 {.status = 200,
		  .body = "{\"metadata\":{\"resourceVersion\":\"10\",\"continue\":\"\"},\"items\":"
			  "[" META("b", "2") "]}"}},
		{WATCH("10"), {.status = 200, .end = FAKE_HOLD}},
	};
	struct test test;
	auto_json *first = NULL;

	(void)state;
	OPEN(&test, steps);
	assert_false(kube_informer_synced(test.informer));
	expect_seen(&test, "+a +b !synced ");
	expect_requests(&test, "3");
	first = kube_cache_get(kube_informer_cache(test.informer), "d", "a");
	assert_string_equal(json_string_value(json_object_get(first, "kind")), "Service");
	assert_string_equal(json_string_value(json_object_get(first, "apiVersion")), "v1");
	assert_true(kube_informer_progress_ms(test.informer) > 0);
	assert_ptr_equal(kube_informer_resource(test.informer), &services);
	finish(&test);
}

static void test_a_snapshot_lost_between_pages_is_listed_whole(void **state)
{
	static const struct fake_step steps[] = {
		{LIST,
		 {.status = 200,
		  .body = "{\"metadata\":{\"resourceVersion\":\"9\",\"continue\":\"t\"},\"items\":"
			  "[" META("a", "1") "]}"}},
		{LIST "&continue=t", {.status = 410, .body = STATUS("Expired", "too old")}},
		{"GET /api/v1/services",
		 {.status = 200, .body = ITEMS("12", "[" META("b", "2") "]")}},
		{WATCH("12"), {.status = 200, .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN(&test, steps);
	expect_seen(&test, "+a +b -a !synced ");
	expect_requests(&test, "4");
	finish(&test);
}

static void test_events_may_be_cut_anywhere(void **state)
{
	static const struct fake_step steps[] = {
		{LIST, {.status = 200, .body = EMPTY("10")}},
		{WATCH("10"),
		 {.status = 200,
		  .body = EVENT("ADDED", "a", "11") BOOKMARK("12") EVENT("MODIFIED", "a", "13")
			  EVENT("MODIFIED", "a", "13") EVENT("ADDED", "b", "14")
				  EVENT("DELETED", "a", "15") EVENT("DELETED", "never", "16"),
		  .end = FAKE_HOLD,
		  .piece = 7}},
	};
	struct test test;

	(void)state;
	OPEN(&test, steps);
	expect_seen(&test, "!synced +a ~a +b -a ");
	assert_int_equal(kube_cache_count(kube_informer_cache(test.informer)), 1);
	/* One byte at a time, and the rest of a line later. */
	fake_push(test.rig.fake, "{\"type\":\"ADDED\",\"object\":");
	fake_push(test.rig.fake, META("c", "17") "}");
	fake_push(test.rig.fake, "\n");
	expect_seen(&test, "!synced +a ~a +b -a +c ");
	finish(&test);
}

static void test_the_next_watch_starts_at_the_bookmark(void **state)
{
	static const struct fake_step steps[] = {
		{LIST, {.status = 200, .body = EMPTY("10")}},
		{WATCH("10"), {.status = 200, .body = BOOKMARK("50"), .end = FAKE_END}},
		{WATCH("50"), {.status = 200, .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN(&test, steps);
	expect_requests(&test, "3");
	assert_string_equal(test.seen.buf, "!synced ");
	finish(&test);
}

static void test_a_reset_connection_resumes_at_the_same_place(void **state)
{
	static const struct fake_step steps[] = {
		{LIST, {.status = 200, .body = EMPTY("10")}},
		{WATCH("10"), {.status = 200, .body = EVENT("ADDED", "a", "11"), .end = FAKE_HOLD}},
		{WATCH("11"), {.status = 200, .body = EVENT("ADDED", "b", "12"), .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN(&test, steps);
	expect_seen(&test, "!synced +a ");
	fake_push(test.rig.fake, "{\"type\":\"MODI");
	fake_reset(test.rig.fake);
	expect_seen(&test, "!synced +a +b ");
	finish(&test);
}

static void test_expired_in_the_stream_lists_again(void **state)
{
	static const struct fake_step steps[] = {
		{LIST,
		 {.status = 200, .body = ITEMS("10", "[" META("a", "1") "," META("b", "2") "]")}},
		{WATCH("10"),
		 {.status = 200, .body = ERROR_EVENT("410", "Expired"), .end = FAKE_HOLD}},
		{LIST,
		 {.status = 200, .body = ITEMS("20", "[" META("b", "15") "," META("c", "16") "]")}},
		{WATCH("20"), {.status = 200, .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN(&test, steps);
	/* a was deleted between the two lists. */
	expect_seen(&test, "+a +b !synced ~b +c -a ");
	expect_requests(&test, "4");
	finish(&test);
}

static void test_expired_as_http_status_lists_again(void **state)
{
	static const struct fake_step steps[] = {
		{LIST, {.status = 200, .body = EMPTY("10")}},
		{WATCH("10"), {.status = 410, .body = STATUS("Expired", "too old")}},
		{LIST, {.status = 200, .body = EMPTY("20")}},
		{WATCH("20"), {.status = 200, .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN(&test, steps);
	expect_requests(&test, "4");
	finish(&test);
}

/* After etcd was restored from an older snapshot. */
static void test_too_large_resource_version_lists_again(void **state)
{
	static const struct fake_step steps[] = {
		{LIST, {.status = 200, .body = EMPTY("20")}},
		{WATCH("20"),
		 {.status = 504,
		  .body = "{\"kind\":\"Status\",\"reason\":\"Timeout\",\"message\":\"Too large "
			  "resource "
			  "version\",\"details\":{\"causes\":[{\"reason\":"
			  "\"ResourceVersionTooLarge\"}]}"
			  "}"}},
		{LIST, {.status = 200, .body = EMPTY("5")}},
		{WATCH("5"), {.status = 200, .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN(&test, steps);
	expect_requests(&test, "4");
	finish(&test);
}

static void test_refused_connections_resume_at_the_same_place(void **state)
{
	static const struct fake_step steps[] = {
		{LIST, {.status = 200, .body = EMPTY("10")}},
		{WATCH("10"), {.status = 200, .body = EVENT("ADDED", "a", "11"), .end = FAKE_HOLD}},
		{WATCH("11"), {.status = 200, .body = EVENT("ADDED", "b", "12"), .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN(&test, steps);
	expect_seen(&test, "!synced +a ");
	fake_refuse(test.rig.fake, true);
	/* The reset, then at least one refusal: from there on it is a state. */
	expect_seen(&test, "!synced +a !Unavailable ");
	fake_refuse(test.rig.fake, false);
	expect_seen(&test, "!synced +a !Unavailable +b !synced ");
	finish(&test);
}

static void test_an_old_list_is_compared_with_a_new_one(void **state)
{
	static const struct fake_step steps[] = {
		{LIST, {.status = 200, .body = ITEMS("10", "[" META("a", "1") "]")}},
		{WATCH("10"), {.status = 200, .body = BOOKMARK("11"), .end = FAKE_END}},
		/* a went, and no event told so. */
		{LIST, {.status = 200, .body = EMPTY("20")}},
		{WATCH("20"), {.status = 200, .end = FAKE_HOLD}},
	};
	struct informer_pace pace = quick;
	struct test test;

	(void)state;
	pace.relist_ms = 0;
	open_paced(&test, steps, ARRAY_LEN(steps), &pace);
	expect_seen(&test, "+a !synced -a ");
	expect_requests(&test, "4");
	finish(&test);
}

static void test_events_bookmarks_and_reconnects_are_progress(void **state)
{
	static const struct fake_step steps[] = {
		{LIST, {.status = 200, .body = EMPTY("10")}},
		{WATCH("10"), {.status = 200, .end = FAKE_HOLD}},
		{WATCH("12"), {.status = 200, .end = FAKE_HOLD}},
	};
	static const char *const news[] = {EVENT("ADDED", "a", "11"), BOOKMARK("12")};
	struct test test;
	int64_t last;

	(void)state;
	OPEN(&test, steps);
	expect_requests(&test, "2");
	for (size_t i = 0; i < ARRAY_LEN(news) + 1; i++) {
		last = kube_informer_progress_ms(test.informer);
		while (clock_monotonic_ms() <= last)
			;
		if (i < ARRAY_LEN(news))
			fake_push(test.rig.fake, news[i]);
		else
			fake_end(test.rig.fake);
		test.progress_ms = last;
		assert_true(run_until(&test.rig.loop, has_progress, &test));
	}
	expect_requests(&test, "3");
	finish(&test);
}

/* ---- the streaming list ---- */

static void test_the_list_comes_as_a_stream(void **state)
{
	static const struct fake_step steps[] = {
		{STREAM,
		 {.status = 200,
		  .body = EVENT("ADDED", "b", "9") EVENT("ADDED", "a", "4") EVENT("ADDED", "c", "7")
			  /* Changes meanwhile are told before the end. */
			  EVENT("MODIFIED", "a", "11") EVENT("DELETED", "c", "12"),
		  .end = FAKE_HOLD,
		  .piece = 7}},
		{WATCH("21"), {.status = 200, .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN_NEW(&test, steps);
	expect_requests(&test, "1");
	/* Until it is whole, it is nothing. */
	assert_string_equal(test.seen.buf, "");
	fake_push(test.rig.fake, BOOKMARK("13"));
	fake_push(test.rig.fake, END_OF_LIST("20"));
	expect_seen(&test, "+a +b !synced ");
	assert_int_equal(kube_cache_count(kube_informer_cache(test.informer)), 2);
	/* It goes on as the watch. */
	fake_push(test.rig.fake, EVENT("DELETED", "a", "21"));
	expect_seen(&test, "+a +b !synced -a ");
	fake_end(test.rig.fake);
	expect_requests(&test, "2");
	finish(&test);
}

/* kube-rs#1882: a stream's objects come in the order of their keys. */
static void test_resource_versions_in_a_stream_are_not_ours(void **state)
{
	static const struct fake_step steps[] = {
		{STREAM,
		 {.status = 200,
		  .body = EVENT("ADDED", "a", "900") BOOKMARK("800"),
		  .end = FAKE_HOLD}},
		{WATCH("20"), {.status = 200, .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN_NEW(&test, steps);
	expect_requests(&test, "1");
	fake_push(test.rig.fake, EVENT("ADDED", "b", "950"));
	assert_string_equal(kube_informer_resource_version(test.informer), "");
	fake_push(test.rig.fake, END_OF_LIST("20"));
	expect_seen(&test, "+a +b !synced ");
	assert_string_equal(kube_informer_resource_version(test.informer), "20");
	fake_end(test.rig.fake);
	expect_requests(&test, "2");
	finish(&test);
}

/* Any failure of a stream leads to pages, and nothing of the stream stays. */
static void test_a_failed_stream_falls_back_to_pages(void **state)
{
	static const struct fake_answer failures[] = {
		REFUSED,
		{.status = 400, .body = STATUS("BadRequest", "unknown parameter")},
		{.status = 403, .body = STATUS("Forbidden", "no watch")},
		{.status = 404, .body = "404 page not found"},
		{.status = 429, .body = STATUS("TooManyRequests", "slow down")},
		{.status = 500, .body = "{}"},
		{.status = 200, .body = EVENT("ADDED", "x", "1"), .end = FAKE_END},
		{.status = 200, .body = ERROR_EVENT("410", "Expired"), .end = FAKE_HOLD},
		/* An old etcd: "the required storage feature RequestWatchProgress is disabled" */
		{.status = 200, .body = ERROR_EVENT("500", "InternalError"), .end = FAKE_END},
		{.status = 200, .body = EVENT("ADDED", "x", "1") "not JSON\n", .end = FAKE_HOLD},
		/* A server that never tells the end. */
		{.status = 200, .body = EVENT("ADDED", "x", "1") BOOKMARK("2"), .end = FAKE_HOLD},
		{.end = FAKE_MUTE},
	};
	struct informer_pace pace = quick;

	(void)state;
	pace.silence_ms = 50;
	for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
		const struct fake_step steps[] = {
			{STREAM, failures[i]},
			{LIST, {.status = 200, .body = ITEMS("10", "[" META("a", "1") "]")}},
			{WATCH("10"), {.status = 200, .end = FAKE_HOLD}},
		};
		struct test test;

		open_new(&test, steps, ARRAY_LEN(steps), &pace);
		expect_seen(&test, "+a !synced ");
		expect_requests(&test, "3");
		finish(&test);
	}
}

static void test_a_refused_stream_is_not_asked_for_again(void **state)
{
	static const struct fake_step steps[] = {
		{STREAM, REFUSED},
		{LIST, {.status = 200, .body = EMPTY("10")}},
		{WATCH("10"), {.status = 410, .body = STATUS("Expired", "too old")}},
		{LIST, {.status = 200, .body = EMPTY("20")}},
		{WATCH("20"), {.status = 200, .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN_NEW(&test, steps);
	expect_requests(&test, "5");
	finish(&test);
}

static void test_after_expiry_the_list_is_streamed_again(void **state)
{
	static const struct fake_step steps[] = {
		{STREAM,
		 {.status = 200,
		  .body = EVENT("ADDED", "a", "1") EVENT("ADDED", "b", "2") END_OF_LIST("10"),
		  .end = FAKE_END}},
		{WATCH("10"),
		 {.status = 200, .body = ERROR_EVENT("410", "Expired"), .end = FAKE_HOLD}},
		{STREAM,
		 {.status = 200,
		  .body = EVENT("ADDED", "b", "15") EVENT("ADDED", "c", "16"),
		  .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN_NEW(&test, steps);
	expect_requests(&test, "3");
	/* The old state stays until the new one is whole. */
	assert_string_equal(test.seen.buf, "+a +b !synced ");
	fake_push(test.rig.fake, END_OF_LIST("20"));
	expect_seen(&test, "+a +b !synced ~b +c -a ");
	finish(&test);
}

static void test_closing_during_a_stream(void **state)
{
	static const struct fake_step steps[] = {
		{STREAM,
		 {.status = 200,
		  .body = EVENT("ADDED", "a", "1") EVENT("ADDED", "b", "2"),
		  .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN_NEW(&test, steps);
	expect_requests(&test, "1");
	finish(&test);
	/* From the hook of its first object. */
	OPEN_NEW(&test, steps);
	expect_requests(&test, "1");
	test.close_on_change = true;
	fake_push(test.rig.fake, END_OF_LIST("10"));
	expect_seen(&test, "+a ");
	test.informer = NULL;
	finish(&test);
}

static void test_a_failing_watch_does_not_list(void **state)
{
	static const struct fake_step steps[] = {
		{LIST, {.status = 200, .body = EMPTY("10")}},
		{WATCH("10"), {.status = 503, .body = STATUS("ServiceUnavailable", "later")}},
		{WATCH("10"),
		 {.status = 200, .body = ERROR_EVENT("500", "InternalError"), .end = FAKE_END}},
		{WATCH("10"), {.status = 429, .body = STATUS("TooManyRequests", "slow down")}},
		{WATCH("10"), {.status = 200, .body = EVENT("ADDED", "a", "11"), .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN(&test, steps);
	/* From the second in a row failures are a state; the next event ends it. */
	expect_seen(&test, "!synced !Unavailable !Unavailable +a !synced ");
	finish(&test);
}

static void test_retry_after_is_honoured(void **state)
{
	static const struct fake_step steps[] = {
		{LIST,
		 {.status = 429,
		  .headers = "Retry-After: 1\r\n",
		  .body = STATUS("TooManyRequests", "slow down")}},
		{LIST, {.status = 200, .body = EMPTY("10")}},
		{WATCH("10"),
		 {.status = 429,
		  .headers = "Retry-After: 1\r\n",
		  .body = STATUS("TooManyRequests", "slow down")}},
		{WATCH("10"), {.status = 200, .end = FAKE_HOLD}},
	};
	struct test test;
	uint64_t start = uv_hrtime();

	(void)state;
	OPEN(&test, steps);
	expect_requests(&test, "4");
	assert_true(uv_hrtime() - start >= UINT64_C(1990000000));
	finish(&test);
}

static void test_a_watch_that_tells_nothing_is_a_failure(void **state)
{
	static const struct fake_step steps[] = {
		{LIST, {.status = 200, .body = EMPTY("10")}},
		{WATCH("10"), {.status = 200, .end = FAKE_END}},
		{WATCH("10"), {.status = 200, .end = FAKE_END}},
		{WATCH("10"), {.status = 200, .body = BOOKMARK("11"), .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN(&test, steps);
	expect_seen(&test, "!synced !Unavailable !synced ");
	finish(&test);
}

static void test_a_dead_watch_is_given_up_an_idle_one_is_not(void **state)
{
	static const struct fake_step steps[] = {
		{LIST, {.status = 200, .body = EMPTY("10")}},
		{WATCH("10"), {.status = 200, .end = FAKE_HOLD}},
		{WATCH("10"), {.status = 200, .body = EVENT("ADDED", "a", "11"), .end = FAKE_HOLD}},
	};
	struct informer_pace pace = quick;
	struct test test;

	(void)state;
	pace.min_timeout_s = 0;
	pace.margin_ms = 200;
	open_paced(&test, steps, ARRAY_LEN(steps), &pace);
	/* Only the deadline can bring the third request. */
	expect_seen(&test, "!synced +a ");
	expect_requests(&test, "3");
	finish(&test);
}

static void test_timeouts_are_five_to_ten_minutes(void **state)
{
	static const struct fake_step steps[] = {
		{LIST, {.status = 200, .body = EMPTY("10")}},
		{WATCH("10"), {.status = 200, .end = FAKE_HOLD}},
	};
	struct test test;
	const char *timeout;

	(void)state;
	OPEN(&test, steps);
	expect_requests(&test, "2");
	timeout = strstr(fake_last_line(test.rig.fake), "timeoutSeconds=");
	assert_non_null(timeout);
	assert_in_range(strtoul(timeout + strlen("timeoutSeconds="), NULL, 10), 300, 600);
	finish(&test);
}

static void test_a_missing_type_is_a_state_not_an_error(void **state)
{
	static const struct fake_step steps[] = {
		{LIST, {.status = 404, .body = "404 page not found"}},
		{LIST,
		 {.status = 404,
		  .body = STATUS("NotFound", "could not find the requested resource")}},
		{LIST, {.status = 200, .body = ITEMS("10", "[" META("a", "1") "]")}},
		{WATCH("10"), {.status = 404, .body = "404 page not found"}},
		{LIST, {.status = 404, .body = "404 page not found"}},
		{LIST, {.status = 200, .body = EMPTY("20")}},
		{WATCH("20"), {.status = 200, .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN(&test, steps);
	expect_seen(&test, "!missing +a !synced -a !missing !synced ");
	assert_true(kube_informer_synced(test.informer));
	assert_false(kube_informer_missing(test.informer));
	finish(&test);
}

static void test_refused_access_is_told_and_ends(void **state)
{
	static const struct fake_step steps[] = {
		{LIST, {.status = 403, .body = STATUS("Forbidden", "services is forbidden")}},
		{LIST, {.status = 403, .body = STATUS("Forbidden", "services is forbidden")}},
		{LIST, {.status = 200, .body = EMPTY("10")}},
		{WATCH("10"), {.status = 403, .body = STATUS("Forbidden", "no watch")}},
		{WATCH("10"), {.status = 200, .body = BOOKMARK("11"), .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN(&test, steps);
	assert_false(kube_informer_synced(test.informer));
	expect_seen(&test, "!Forbidden !synced !Forbidden !synced ");
	assert_string_equal(test.first_error, "cannot list Service objects: services is forbidden");
	assert_null(kube_informer_error(test.informer));
	finish(&test);
}

static void test_what_cannot_be_read_does_not_stall(void **state)
{
	static const struct fake_step steps[] = {
		{LIST, {.status = 200, .body = ITEMS("10", "null")}},
		{WATCH("10"),
		 {.status = 200,
		  .body = "not JSON\n{\"type\":\"ADDED\"}\n{\"type\":\"MODIFIED\",\"object\":{}}\n"
			  "{\"type\":\"NEWS\",\"object\":{}}\n\n[]\n" EVENT("ADDED", "a", "11"),
		  .end = FAKE_HOLD}},
		/* One of these may have been a change: so it is compared with a list afterwards. */
		{LIST,
		 {.status = 200, .body = ITEMS("20", "[" META("a", "11") "," META("b", "12") "]")}},
		{WATCH("20"), {.status = 200, .body = BOOKMARK("21"), .end = FAKE_END}},
		{WATCH("21"), {.status = 200, .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN(&test, steps);
	expect_seen(&test, "!synced +a ");
	fake_end(test.rig.fake);
	expect_seen(&test, "!synced +a +b ");
	expect_requests(&test, "5");
	finish(&test);
}

static void test_a_list_without_resource_version_is_an_error(void **state)
{
	static const struct fake_step steps[] = {
		{LIST, {.status = 200, .body = "{\"items\":[]}"}},
		{LIST, {.status = 200, .body = "no JSON"}},
		{LIST, {.status = 200, .body = EMPTY("10")}},
		{WATCH("10"), {.status = 200, .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN(&test, steps);
	expect_seen(&test, "!Internal !Internal !synced ");
	assert_string_equal(
		test.first_error,
		"cannot list Service objects: the server's list has no resourceVersion");
	expect_requests(&test, "4");
	expect_requests(&test, "4");
	finish(&test);
}

static void test_namespace_and_field_selector(void **state)
{
	static const struct fake_step steps[] = {
		{"GET /api/v1/namespaces/d/services[?]watch=true*&sendInitialEvents=true*"
		 "fieldSelector=metadata.name%3Da",
		 REFUSED},
		{"GET /api/v1/namespaces/d/services[?]limit=500&fieldSelector=metadata.name%3Da",
		 {.status = 200, .body = EMPTY("10")}},
		{"GET /api/v1/namespaces/d/services[?]watch=true*fieldSelector=metadata.name%3Da",
		 {.status = 200, .end = FAKE_HOLD}},
	};
	struct kube_informer_hooks none = {0};
	struct test test = {.seen = STRBUF_INIT};

	(void)state;
	rig_open(&test.rig, NULL, NULL, NULL);
	fake_script(test.rig.fake, steps, ARRAY_LEN(steps));
	test.informer =
		kube_informer_new(test.rig.client, &services, "d", "metadata.name=a", &none);
	kube_informer_start(test.informer);
	expect_requests(&test, "3");
	finish(&test);
}

static void test_closing_from_a_hook(void **state)
{
	static const struct fake_step in_list[] = {
		{LIST,
		 {.status = 200, .body = ITEMS("10", "[" META("a", "1") "," META("b", "2") "]")}},
	};
	static const struct fake_step in_watch[] = {
		{LIST, {.status = 200, .body = EMPTY("10")}},
		{WATCH("10"),
		 {.status = 200,
		  .body = EVENT("ADDED", "a", "11") EVENT("ADDED", "b", "12"),
		  .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN(&test, in_list);
	test.close_on_change = true;
	expect_seen(&test, "+a ");
	test.informer = NULL;
	finish(&test);

	OPEN(&test, in_watch);
	test.close_on_change = true;
	expect_seen(&test, "!synced +a ");
	test.informer = NULL;
	finish(&test);
}

static void test_closing_at_any_time(void **state)
{
	static const struct fake_step mute[] = {{LIST, {.end = FAKE_MUTE}}};
	static const struct fake_step waiting[] = {{LIST, {.status = 500, .body = "{}"}}};
	struct informer_pace slow = quick;
	struct test test;

	(void)state;
	OPEN(&test, mute);
	expect_requests(&test, "1");
	finish(&test);

	slow.backoff_ms = 60000;
	open_paced(&test, waiting, ARRAY_LEN(waiting), &slow);
	expect_seen(&test, "!Unavailable ");
	finish(&test);

	/* Before the first request went out. */
	OPEN(&test, mute);
	fake_script(test.rig.fake, NULL, 0);
	finish(&test);
}

static void test_an_unreachable_server_is_told(void **state)
{
	struct kube_informer_hooks hooks = {.changed = on_changed, .state = on_state};
	struct test test = {.seen = STRBUF_INIT};
	struct fake_apiserver *gone;

	(void)state;
	hooks.ctx = &test;
	rig_open(&test.rig, NULL, NULL, NULL);
	gone = test.rig.fake;
	assert_int_equal(fake_close(gone), 0);
	test.rig.fake = fake_new(&test.rig.loop, NULL, NULL);
	test.informer = kube_informer_new(test.rig.client, &services, NULL, NULL, &hooks);
	informer_set_pace(test.informer, &quick);
	kube_informer_start(test.informer);
	expect_seen(&test, "!Unavailable ");
	assert_non_null(strstr(test.first_error, "cannot list Service objects: "));
	finish(&test);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_comes_in_pages),
		cmocka_unit_test(test_a_snapshot_lost_between_pages_is_listed_whole),
		cmocka_unit_test(test_events_may_be_cut_anywhere),
		cmocka_unit_test(test_the_next_watch_starts_at_the_bookmark),
		cmocka_unit_test(test_a_reset_connection_resumes_at_the_same_place),
		cmocka_unit_test(test_expired_in_the_stream_lists_again),
		cmocka_unit_test(test_expired_as_http_status_lists_again),
		cmocka_unit_test(test_too_large_resource_version_lists_again),
		cmocka_unit_test(test_refused_connections_resume_at_the_same_place),
		cmocka_unit_test(test_an_old_list_is_compared_with_a_new_one),
		cmocka_unit_test(test_events_bookmarks_and_reconnects_are_progress),
		cmocka_unit_test(test_the_list_comes_as_a_stream),
		cmocka_unit_test(test_resource_versions_in_a_stream_are_not_ours),
		cmocka_unit_test(test_a_failed_stream_falls_back_to_pages),
		cmocka_unit_test(test_a_refused_stream_is_not_asked_for_again),
		cmocka_unit_test(test_after_expiry_the_list_is_streamed_again),
		cmocka_unit_test(test_closing_during_a_stream),
		cmocka_unit_test(test_a_failing_watch_does_not_list),
		cmocka_unit_test(test_retry_after_is_honoured),
		cmocka_unit_test(test_a_watch_that_tells_nothing_is_a_failure),
		cmocka_unit_test(test_a_dead_watch_is_given_up_an_idle_one_is_not),
		cmocka_unit_test(test_timeouts_are_five_to_ten_minutes),
		cmocka_unit_test(test_a_missing_type_is_a_state_not_an_error),
		cmocka_unit_test(test_refused_access_is_told_and_ends),
		cmocka_unit_test(test_what_cannot_be_read_does_not_stall),
		cmocka_unit_test(test_a_list_without_resource_version_is_an_error),
		cmocka_unit_test(test_namespace_and_field_selector),
		cmocka_unit_test(test_closing_from_a_hook),
		cmocka_unit_test(test_closing_at_any_time),
		cmocka_unit_test(test_an_unreachable_server_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
