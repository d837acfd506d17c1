/* The informer's streaming list, and what it does where there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "informer_rig.h"

static void test_the_list_comes_as_a_stream(void **state)
{
	static const struct fake_step steps[] = {
		{STREAM, {.status = 200,
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
		{STREAM, {.status = 200, .body = EVENT("ADDED", "a", "900") BOOKMARK("800"), .end = FAKE_HOLD}},
		{WATCH("20"), {.status = 200, .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN_NEW(&test, steps);
	expect_requests(&test, "1");
	fake_push(test.rig.fake, EVENT("ADDED", "b", "950"));
	assert_string_equal(kube_informer_resource_version(test.informer, 0), "");
	fake_push(test.rig.fake, END_OF_LIST("20"));
	expect_seen(&test, "+a +b !synced ");
	assert_string_equal(kube_informer_resource_version(test.informer, 0), "20");
	fake_end(test.rig.fake);
	expect_requests(&test, "2");
	finish(&test);
}

/* Any failure of a stream leads to a list, and nothing of the stream stays. */
static void test_a_failed_stream_falls_back_to_a_list(void **state)
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
	struct informer_timing timing = quick;

	(void)state;
	timing.silence_ms = 50;
	for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
		const struct fake_step steps[] = {
			{STREAM, failures[i]},
			{FIRST, {.status = 200, .body = ITEMS("10", "[" META("a", "1") "]")}},
			{WATCH("10"), {.status = 200, .end = FAKE_HOLD}},
		};
		struct test test;

		open_new(&test, steps, ARRAY_LEN(steps), &timing);
		expect_seen(&test, "+a !synced ");
		expect_requests(&test, "3");
		finish(&test);
	}
}

static void test_a_refused_stream_is_not_asked_for_again(void **state)
{
	static const struct fake_step steps[] = {
		{STREAM, REFUSED},
		{FIRST, {.status = 200, .body = EMPTY("10")}},
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

/* A server that is stopped ends its streams in order: the next one is asked for a stream again. */
static void test_one_stream_that_ends_early_is_no_refusal(void **state)
{
	static const struct fake_answer ends[] = {
		{.status = 200, .body = EVENT("ADDED", "x", "1"), .end = FAKE_END},
		{.status = 200, .body = ERROR_EVENT("500", "InternalError"), .end = FAKE_END},
		{.end = FAKE_MUTE},
	};
	struct informer_timing timing = quick;

	(void)state;
	timing.silence_ms = 50;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		const struct fake_step steps[] = {
			{STREAM, ends[i]},
			{FIRST, {.status = 200, .body = EMPTY("10")}},
			{WATCH("10"), {.status = 410, .body = STATUS("Expired", "too old")}},
			{STREAM, {.status = 200, .body = END_OF_LIST("20"), .end = FAKE_END}},
			{WATCH("20"), {.status = 200, .end = FAKE_HOLD}},
		};
		struct test test;

		open_new(&test, steps, ARRAY_LEN(steps), &timing);
		expect_requests(&test, "5");
		finish(&test);
	}
}

/* Nor is one a day: a stream that comes whole in between begins the count anew. */
static void test_streams_that_end_early_are_counted_in_a_row(void **state)
{
	static const struct fake_answer early = {.status = 200, .body = EVENT("ADDED", "x", "1"), .end = FAKE_END};
	static const struct fake_answer expired = {.status = 410, .body = STATUS("Expired", "too old")};
	const struct fake_step steps[] = {
		{STREAM, early},
		{FIRST, {.status = 200, .body = EMPTY("10")}},
		{WATCH("10"), expired},
		{STREAM, {.status = 200, .body = END_OF_LIST("20"), .end = FAKE_END}},
		{WATCH("20"), expired},
		{STREAM, early},
		{LIST, {.status = 200, .body = EMPTY("30")}},
		{WATCH("30"), expired},
		{STREAM, early},
		{LIST, {.status = 200, .body = EMPTY("40")}},
		{WATCH("40"), expired},
		/* The second in a row: this server has no streams. */
		{LIST, {.status = 200, .body = EMPTY("50")}},
		{WATCH("50"), {.status = 200, .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN_NEW(&test, steps);
	expect_requests(&test, "13");
	finish(&test);
}

static void test_after_expiry_the_list_is_streamed_again(void **state)
{
	static const struct fake_step steps[] = {
		{STREAM, {.status = 200,
				 .body = EVENT("ADDED", "a", "1") EVENT("ADDED", "b", "2") END_OF_LIST("10"),
				 .end = FAKE_END}},
		{WATCH("10"), {.status = 200, .body = ERROR_EVENT("410", "Expired"), .end = FAKE_HOLD}},
		{STREAM,
			{.status = 200, .body = EVENT("ADDED", "b", "15") EVENT("ADDED", "c", "16"), .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN_NEW(&test, steps);
	expect_requests(&test, "3");
	/* The old state stays until the new one is whole. */
	assert_string_equal(test.seen.buf, "+a +b !synced ");
	fake_push(test.rig.fake, END_OF_LIST("20"));
	expect_seen(&test, "+a +b !synced -a ~b +c ");
	finish(&test);
}

static void test_closing_during_a_stream(void **state)
{
	static const struct fake_step steps[] = {
		{STREAM, {.status = 200, .body = EVENT("ADDED", "a", "1") EVENT("ADDED", "b", "2"), .end = FAKE_HOLD}},
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_list_comes_as_a_stream),
		cmocka_unit_test(test_resource_versions_in_a_stream_are_not_ours),
		cmocka_unit_test(test_a_failed_stream_falls_back_to_a_list),
		cmocka_unit_test(test_a_refused_stream_is_not_asked_for_again),
		cmocka_unit_test(test_one_stream_that_ends_early_is_no_refusal),
		cmocka_unit_test(test_streams_that_end_early_are_counted_in_a_row),
		cmocka_unit_test(test_after_expiry_the_list_is_streamed_again),
		cmocka_unit_test(test_closing_during_a_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
