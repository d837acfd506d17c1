/* Leader election against an API server that keeps one Lease. */
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
#include "kube/lease.h"
#include "kube/lease_record.h"
#include "kube/timing.h"
#include "kube_rig.h"

#define COLLECTION "/apis/coordination.k8s.io/v1/namespaces/ns/leases"

/* The server's side: one object, its resourceVersion as precondition, and what it is told to do. */
struct server {
	json_t *object;
	int version;
	int writes;
	bool down;            /* answers 500 */
	bool mute;            /* does not answer at all */
	bool deny_writes;     /* 409 whatever the precondition */
	int slow_ms;          /* the next write is answered so late, and nothing after it */
	int64_t slow_from_ms; /* when it came */
	char *text;
};

static struct fake_answer answer_object(struct server *server, int status)
{
	free(server->text);
	server->text = json_dumps(server->object, 0);
	return (struct fake_answer){.status = status, .body = server->text};
}

static void store(struct server *server, json_t *object)
{
	auto_free char *version = xasprintf("%d", ++server->version);

	json_object_set_new(json_object_get(object, "metadata"), "resourceVersion", json_string(version));
	json_decref(server->object);
	server->object = object;
	server->writes++;
}

static struct fake_answer on_request(void *ctx, const struct fake_request *request)
{
	struct server *server = ctx;
	json_t *body = json_loads(request->body, 0, NULL);
	const char *sent = kube_object_resource_version(body);
	const char *have = kube_object_resource_version(server->object);
	auto_json *owned = body;

	if (server->mute) {
		return (struct fake_answer){.end = FAKE_MUTE};
	}
	if (server->down) {
		return (struct fake_answer){.status = 500, .body = "{}"};
	}
	if (strcmp(request->line, "GET " COLLECTION "/l") == 0) {
		return server->object != NULL ? answer_object(server, 200)
		                              : (struct fake_answer){.status = 404, .body = "{}"};
	}
	if (strcmp(request->line, "POST " COLLECTION) == 0) {
		if (server->object != NULL || server->deny_writes) {
			return (struct fake_answer){.status = 409, .body = "{}"};
		}
		store(server, json_incref(body));
		return answer_object(server, 201);
	}
	assert_string_equal(request->line, "PUT " COLLECTION "/l");
	if (server->slow_ms > 0) {
		server->slow_from_ms = clock_monotonic_ms();
		while (clock_monotonic_ms() - server->slow_from_ms < server->slow_ms) {
		}
		server->slow_ms = 0;
		server->mute = true;
	}
	if (server->object == NULL) {
		return (struct fake_answer){.status = 404, .body = "{}"};
	}
	if (strcmp(sent, have) != 0 || server->deny_writes) {
		return (struct fake_answer){.status = 409, .body = "{}"};
	}
	store(server, json_incref(body));
	return answer_object(server, 200);
}

struct candidate {
	struct kube_lease *lease;
	int started, stopped;
	bool closed;
	bool close_on_stop;
	int64_t stopped_ms;
};

static void on_closed(void *ctx)
{
	((struct candidate *)ctx)->closed = true;
}

static void on_started(void *ctx)
{
	struct candidate *candidate = ctx;

	assert_true(kube_lease_held(candidate->lease));
	candidate->started++;
}

static void on_stopped(void *ctx)
{
	struct candidate *candidate = ctx;

	assert_false(kube_lease_held(candidate->lease));
	candidate->stopped++;
	candidate->stopped_ms = clock_monotonic_ms();
	if (candidate->close_on_stop) {
		kube_lease_close(candidate->lease, on_closed, candidate);
	}
}

static const struct lease_timing quick = {.duration_ms = 1000,
	.deadline_ms = 400,
	.retry_ms = 20,
	.candidate_ms = 20,
	.release_ms = 1000};

struct test {
	struct kube_rig rig;
	struct server server;
	struct candidate a, b;
	int want_writes;
};

static void test_open(struct test *test)
{
	memset(test, 0, sizeof(*test));
	rig_open(&test->rig, on_request, &test->server, NULL);
}

static void candidate_start(struct test *test, struct candidate *candidate, const char *identity)
{
	struct kube_lease_hooks hooks = {on_started, on_stopped, candidate};

	*candidate = (struct candidate){0};
	candidate->lease = kube_lease_new(test->rig.client, "ns", "l", identity, &hooks);
	assert_int_equal(lease_set_timing(candidate->lease, &quick), 0);
	kube_lease_start(candidate->lease);
}

static bool has_started(void *ctx)
{
	return ((struct candidate *)ctx)->started > 0;
}

static bool has_stopped(void *ctx)
{
	return ((struct candidate *)ctx)->stopped > 0;
}

static bool has_closed(void *ctx)
{
	return ((struct candidate *)ctx)->closed;
}

static bool has_writes(void *ctx)
{
	const struct test *test = ctx;

	return test->server.writes >= test->want_writes;
}

static bool has_requests(void *ctx)
{
	const struct test *test = ctx;

	return fake_requests(test->rig.fake) >= (size_t)test->want_writes;
}

#define AWAIT(test, condition, ctx) assert_true(run_until(&(test)->rig.loop, condition, ctx))

static void candidate_close(struct test *test, struct candidate *candidate)
{
	kube_lease_close(candidate->lease, on_closed, candidate);
	AWAIT(test, has_closed, candidate);
}

static void test_close(struct test *test)
{
	json_decref(test->server.object);
	test->server.object = NULL;
	free(test->server.text);
	assert_int_equal(rig_close(&test->rig), 0);
}

static const char *spec(const struct test *test, const char *field)
{
	return json_path_string(json_object_get(test->server.object, "spec"), field, "");
}

static json_int_t number(const struct test *test, const char *field)
{
	return json_path_int(json_object_get(test->server.object, "spec"), field, -1);
}

/* Somebody else's record, put there without asking. */
static void put_record(struct test *test, const char *holder, int duration_s)
{
	store(&test->server, json_pack("{s:{s:s, s:s}, s:{s:s, s:i, s:i, s:s}}", "metadata", "name", "l", "namespace",
				     "ns", "spec", "holderIdentity", holder, "leaseDurationSeconds", duration_s,
				     "leaseTransitions", 4, "renewTime", "2001-01-01T00:00:00.000000Z"));
}

static void test_create_renew_release(void **state)
{
	struct test test;
	auto_free char *first = NULL;
	auto_free char *acquired = NULL;

	(void)state;
	test_open(&test);
	candidate_start(&test, &test.a, "a");
	assert_false(kube_lease_held(test.a.lease));
	AWAIT(&test, has_started, &test.a);
	assert_string_equal(spec(&test, "holderIdentity"), "a");
	assert_int_equal(number(&test, "leaseDurationSeconds"), 1);
	assert_int_equal(number(&test, "leaseTransitions"), 0);
	assert_true(clock_parse_rfc3339(spec(&test, "renewTime")) > 0);
	first = xstrdup(spec(&test, "renewTime"));
	acquired = xstrdup(spec(&test, "acquireTime"));
	test.want_writes = 4;
	AWAIT(&test, has_writes, &test);
	assert_string_not_equal(spec(&test, "renewTime"), first);
	assert_string_equal(spec(&test, "acquireTime"), acquired);
	/* One request a try: only the first try looked. */
	assert_int_equal(fake_requests(test.rig.fake), test.server.writes + 1);
	candidate_close(&test, &test.a);
	assert_int_equal(test.a.started, 1);
	assert_int_equal(test.a.stopped, 1);
	assert_string_equal(spec(&test, "holderIdentity"), "");
	assert_int_equal(number(&test, "leaseDurationSeconds"), 1);
	test_close(&test);
}

static void test_a_release_hands_over_at_once(void **state)
{
	struct test test;
	int64_t start;

	(void)state;
	test_open(&test);
	candidate_start(&test, &test.a, "a");
	AWAIT(&test, has_started, &test.a);
	candidate_start(&test, &test.b, "b");
	test.want_writes = test.server.writes + 20;
	AWAIT(&test, has_writes, &test);
	assert_int_equal(test.b.started, 0);
	candidate_close(&test, &test.a);
	start = clock_monotonic_ms();
	AWAIT(&test, has_started, &test.b);
	/* Much sooner than the lease's second. */
	assert_true(clock_monotonic_ms() - start < 500);
	assert_int_equal(number(&test, "leaseTransitions"), 1);
	candidate_close(&test, &test.b);
	test_close(&test);
}

/* Between two looks too: a crashed leader is followed in the moment its time is up. */
static void test_expiry_is_not_waited_past(void **state)
{
	struct lease_timing rare = quick;
	struct kube_lease_hooks hooks = {on_started, on_stopped, NULL};
	struct test test;
	int64_t start;

	(void)state;
	rare.candidate_ms = 800;
	test_open(&test);
	put_record(&test, "gone", 1);
	hooks.ctx = &test.a;
	test.a.lease = kube_lease_new(test.rig.client, "ns", "l", "a", &hooks);
	assert_int_equal(lease_set_timing(test.a.lease, &rare), 0);
	start = clock_monotonic_ms();
	kube_lease_start(test.a.lease);
	AWAIT(&test, has_started, &test.a);
	assert_in_range(clock_monotonic_ms() - start, 990, 1300);
	candidate_close(&test, &test.a);
	test_close(&test);
}

static void test_expiry_is_counted_from_our_own_sight(void **state)
{
	struct test test;
	int64_t start;

	(void)state;
	test_open(&test);
	/* Its renewTime is decades old, and its duration is not ours: only what we see counts. */
	put_record(&test, "gone", 2);
	candidate_start(&test, &test.a, "a");
	start = clock_monotonic_ms();
	AWAIT(&test, has_started, &test.a);
	assert_true(clock_monotonic_ms() - start >= 1990);
	assert_int_equal(number(&test, "leaseTransitions"), 5);
	candidate_close(&test, &test.a);
	test_close(&test);
}

static void test_no_renewal_ends_leadership(void **state)
{
	const struct {
		bool down, mute;
	} rows[] = {{true, false}, {false, true}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct test test;
		int64_t start;

		test_open(&test);
		candidate_start(&test, &test.a, "a");
		AWAIT(&test, has_started, &test.a);
		start = clock_monotonic_ms();
		test.server.down = rows[i].down;
		test.server.mute = rows[i].mute;
		AWAIT(&test, has_stopped, &test.a);
		/* Before anybody else can have the lease, and not at the first failure. */
		assert_true(test.a.stopped_ms - start < 1000);
		assert_true(test.a.stopped_ms - start > 200);
		/* It goes on trying, and finds the lease still its own. */
		test.server.down = test.server.mute = false;
		test.a.started = 0;
		AWAIT(&test, has_started, &test.a);
		assert_int_equal(number(&test, "leaseTransitions"), 0);
		candidate_close(&test, &test.a);
		test_close(&test);
	}
}

/* A process that was stopped, or a machine that slept: no timer has fired yet, but the time is over. */
static void test_it_is_not_held_past_its_time(void **state)
{
	struct test test;
	int64_t start;

	(void)state;
	test_open(&test);
	candidate_start(&test, &test.a, "a");
	AWAIT(&test, has_started, &test.a);
	assert_true(kube_lease_held(test.a.lease));
	start = clock_monotonic_ms();
	while (clock_monotonic_ms() - start <= quick.deadline_ms) {
	}
	assert_false(kube_lease_held(test.a.lease));
	assert_int_equal(test.a.stopped, 0);
	candidate_close(&test, &test.a);
	test_close(&test);
}

/* Another candidate counts from what the server stored, which may be as early as our write was sent. */
static void test_leadership_counts_from_when_the_write_was_sent(void **state)
{
	struct test test;

	(void)state;
	test_open(&test);
	candidate_start(&test, &test.a, "a");
	AWAIT(&test, has_started, &test.a);
	test.server.slow_ms = 300;
	AWAIT(&test, has_stopped, &test.a);
	assert_in_range(test.a.stopped_ms - test.server.slow_from_ms, 300, quick.deadline_ms + 200);
	candidate_close(&test, &test.a);
	test_close(&test);
}

static void test_a_stolen_lease_ends_leadership(void **state)
{
	struct test test;

	(void)state;
	test_open(&test);
	candidate_start(&test, &test.a, "a");
	AWAIT(&test, has_started, &test.a);
	put_record(&test, "thief", 60);
	AWAIT(&test, has_stopped, &test.a);
	candidate_close(&test, &test.a);
	/* What is not ours is not released. */
	assert_string_equal(spec(&test, "holderIdentity"), "thief");
	test_close(&test);
}

static void test_a_deleted_lease_is_made_again(void **state)
{
	struct test test;

	(void)state;
	test_open(&test);
	candidate_start(&test, &test.a, "a");
	AWAIT(&test, has_started, &test.a);
	json_decref(test.server.object);
	test.server.object = NULL;
	test.want_writes = test.server.writes + 2;
	AWAIT(&test, has_writes, &test);
	assert_string_equal(spec(&test, "holderIdentity"), "a");
	assert_int_equal(test.a.stopped, 0);
	candidate_close(&test, &test.a);
	test_close(&test);
}

static void test_a_foreign_write_is_survived(void **state)
{
	struct test test;

	(void)state;
	test_open(&test);
	candidate_start(&test, &test.a, "a");
	AWAIT(&test, has_started, &test.a);
	/* Somebody labels the Lease: our next write is in conflict, the one after a look is not. */
	{
		json_t *labelled = json_deep_copy(test.server.object);

		json_object_set_new(json_object_get(labelled, "metadata"), "labels", json_pack("{s:s}", "x", "y"));
		store(&test.server, labelled);
	}
	test.want_writes = test.server.writes + 3;
	AWAIT(&test, has_writes, &test);
	assert_int_equal(test.a.stopped, 0);
	assert_string_equal(kube_object_label(test.server.object, "x"), "y");
	candidate_close(&test, &test.a);
	test_close(&test);
}

static void test_endless_conflicts_do_not_spin(void **state)
{
	struct test test;
	size_t before;

	(void)state;
	test_open(&test);
	candidate_start(&test, &test.a, "a");
	AWAIT(&test, has_started, &test.a);
	before = fake_requests(test.rig.fake);
	test.server.deny_writes = true;
	AWAIT(&test, has_stopped, &test.a);
	/* At most three requests in each 20 ms of the deadline of 400 ms. */
	assert_true(fake_requests(test.rig.fake) - before <= 3 * 25);
	test.server.deny_writes = false;
	candidate_close(&test, &test.a);
	assert_string_equal(spec(&test, "holderIdentity"), "");
	test_close(&test);
}

static void test_closing_at_any_time(void **state)
{
	struct test test;

	(void)state;
	/* Never started. */
	test_open(&test);
	{
		struct kube_lease_hooks none = {0};

		test.a.lease = kube_lease_new(test.rig.client, "ns", "l", "a", &none);
	}
	candidate_close(&test, &test.a);
	/* While the first look is under way. */
	test.server.mute = true;
	candidate_start(&test, &test.a, "a");
	test.want_writes = 1;
	AWAIT(&test, has_requests, &test);
	candidate_close(&test, &test.a);
	test.server.mute = false;
	/* While leading, of a server that no longer answers: the release is given up. */
	candidate_start(&test, &test.a, "a");
	AWAIT(&test, has_started, &test.a);
	test.server.mute = true;
	candidate_close(&test, &test.a);
	assert_int_equal(test.a.stopped, 1);
	test.server.mute = false;
	/* From the hook that tells the end of leadership. */
	candidate_start(&test, &test.b, "a");
	AWAIT(&test, has_started, &test.b);
	test.b.close_on_stop = true;
	put_record(&test, "thief", 60);
	AWAIT(&test, has_closed, &test.b);
	test_close(&test);
}

static void test_times_that_are_set_must_be_safe(void **state)
{
	static const struct {
		struct kube_lease_times times;
		const char *words; /* NULL = good */
	} cases[] = {
		{{15000, 10000, 2000}, NULL},
		{{137000, 107000, 26000}, NULL}, /* as an API server on one slow disk is given */
		{{15000, 15000, 2000}, "each has to be less"},
		{{10000, 15000, 2000}, "each has to be less"},
		{{15000, 10000, 10000}, "each has to be less"},
		{{15000, 10000, 9000}, "each has to be less"},
		{{1500, 1000, 200}, "whole seconds"},
		{{7200000, 10000, 2000}, "3600 at most"},
		{{15000, 10000, 1}, "every 100 ms is enough"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_error err = ERROR_INIT;
		int result = kube_lease_check_times(&cases[i].times, &err);

		assert_int_equal(result, cases[i].words == NULL ? 0 : -1);
		if (cases[i].words != NULL) {
			assert_non_null(strstr(err.message, cases[i].words));
		}
	}
}

/* What is set is what others read in the Lease. */
static void test_times_that_are_set_are_used(void **state)
{
	static const struct kube_lease_times times = {.duration_ms = 40000, .deadline_ms = 30000, .retry_ms = 5000};
	struct kube_lease_hooks hooks = {on_started, on_stopped, NULL};
	struct test test;

	(void)state;
	test_open(&test);
	hooks.ctx = &test.a;
	test.a.lease = kube_lease_new(test.rig.client, "ns", "l", "a", &hooks);
	kube_lease_set_times(test.a.lease, &times);
	kube_lease_start(test.a.lease);
	AWAIT(&test, has_started, &test.a);
	assert_int_equal(number(&test, "leaseDurationSeconds"), 40);
	candidate_close(&test, &test.a);
	test_close(&test);
}

static void test_the_timing_must_be_safe(void **state)
{
	static const struct lease_timing wrong[] = {
		{.duration_ms = 1000, .deadline_ms = 1000, .retry_ms = 10},
		{.duration_ms = 1000, .deadline_ms = 120, .retry_ms = 100},
	};
	struct kube_lease_hooks none = {0};
	struct test test;

	(void)state;
	test_open(&test);
	test.a.lease = kube_lease_new(test.rig.client, "ns", "l", "a", &none);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_int_equal(lease_set_timing(test.a.lease, &wrong[i]), -1);
	}
	candidate_close(&test, &test.a);
	test_close(&test);
}

/* The Lease is what somebody wrote: the API server keeps 32 bits, another store any number. */
static void test_a_duration_may_be_any_number(void **state)
{
	static const struct {
		json_int_t seconds;
		bool expired;
	} rows[] = {{15, false}, {INT32_MAX, false}, {INT64_MAX, false}, {INT64_MAX / 1000 + 1, false}, {0, true},
		{-1, true}, {INT64_MIN, true}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct lease_record record = {0};
		auto_json *object = json_pack("{s:{s:s, s:I}}", "spec", "holderIdentity", "a", "leaseDurationSeconds",
			rows[i].seconds);

		lease_record_observe(&record, object);
		assert_int_equal(lease_record_expires_ms(&record, 15000) <= record.changed_ms, rows[i].expired);
		assert_true(lease_record_expires_ms(&record, 15000) >= record.changed_ms);
		lease_record_release(&record);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create_renew_release),
		cmocka_unit_test(test_a_release_hands_over_at_once),
		cmocka_unit_test(test_expiry_is_not_waited_past),
		cmocka_unit_test(test_expiry_is_counted_from_our_own_sight),
		cmocka_unit_test(test_no_renewal_ends_leadership),
		cmocka_unit_test(test_it_is_not_held_past_its_time),
		cmocka_unit_test(test_leadership_counts_from_when_the_write_was_sent),
		cmocka_unit_test(test_a_stolen_lease_ends_leadership),
		cmocka_unit_test(test_a_deleted_lease_is_made_again),
		cmocka_unit_test(test_a_foreign_write_is_survived),
		cmocka_unit_test(test_endless_conflicts_do_not_spin),
		cmocka_unit_test(test_closing_at_any_time),
		cmocka_unit_test(test_times_that_are_set_must_be_safe),
		cmocka_unit_test(test_times_that_are_set_are_used),
		cmocka_unit_test(test_the_timing_must_be_safe),
		cmocka_unit_test(test_a_duration_may_be_any_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
