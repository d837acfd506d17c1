/* The informer's lists, and its watches. */
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
#include "informer_rig.h"
#include "json_cache.h"
#include "kube/informer_parts.h"

static bool has_progress(void *ctx)
{
	const struct test *test = ctx;

	return kube_informer_progress_ms(test->informer) > test->progress_ms;
}

/* However it is cut, and whatever is in its objects. */
static void test_the_first_list_is_taken_as_it_comes(void **state)
{
	static const struct fake_step steps[] = {
		{FIRST, {.status = 200,
				.body = "{\"kind\":\"ServiceList\",\"items\":[" META("a",
					"1") ",\n "
					     "{\"spec\":{\"items\":[{\"a]\\\"},{\":[1,2]}]},"
					     "\"metadata\":{\"namespace\":\"d\",\"name\":\"b\",\"resourceVersion\":\"2\"}}"
					     "],\"metadata\":{\"resourceVersion\":\"10\"}}",
				.piece = 7}},
		{WATCH("10"), {.status = 200, .end = FAKE_HOLD}},
	};
	struct test test;
	const json_t *first;

	(void)state;
	OPEN(&test, steps);
	assert_false(kube_informer_synced(test.informer));
	expect_seen(&test, "+a +b !synced ");
	expect_requests(&test, "2");
	first = kube_cache_get(kube_informer_cache(test.informer), "d", "a");
	assert_string_equal(kube_object_resource_version(first), "1");
	assert_true(kube_informer_progress_ms(test.informer) > 0);
	assert_ptr_equal(kube_informer_resource(test.informer), &services);
	finish(&test);
}

/* Nothing of it stays, and after the second time etcd is asked, in pages. */
static void test_a_first_list_that_is_not_whole_is_none(void **state)
{
	static const struct fake_answer failures[] = {
		{.status = 429, .body = STATUS("TooManyRequests", "storage is (re)initializing")},
		{.status = 504, .body = STATUS("Timeout", "Too large resource version")},
		{.status = 200, .body = "{\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[" META("x", "1") ","},
		{.status = 200, .body = ITEMS("9", "[" META("x", "1") ",{\"metadata\":{}}]")},
		{.status = 200, .body = ITEMS("9", "[" META("x", "1") ",7]")},
		{.status = 200, .body = ITEMS("0", "[" META("x", "1") "]")},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
		const struct fake_step steps[] = {
			{FIRST, failures[i]},
			{FIRST, failures[i]},
			{LIST, {.status = 200,
				       .body = "{\"metadata\":{\"resourceVersion\":\"9\",\"continue\":\"t/1\"},\"items\":["
					       "]}"}},
			{LIST "&continue=t%2F1", {.status = 200, .body = ITEMS("10", "[" META("a", "1") "]")}},
			{WATCH("10"), {.status = 200, .end = FAKE_HOLD}},
		};
		struct test test;

		OPEN(&test, steps);
		expect_requests(&test, "5");
		assert_int_equal(kube_cache_count(kube_informer_cache(test.informer)), 1);
		assert_null(strstr(test.seen.buf, "x"));
		assert_true(kube_informer_synced(test.informer));
		finish(&test);
	}
}

static void test_a_later_list_comes_in_pages(void **state)
{
	static const struct fake_step steps[] = {
		{FIRST, {.status = 200, .body = EMPTY("5")}},
		{WATCH("5"), {.status = 410, .body = STATUS("Expired", "too old")}},
		{LIST, {.status = 200,
			       .body = "{\"metadata\":{\"resourceVersion\":\"9\",\"continue\":\"t/"
				       "1\"},\"items\":[" META("a", "1") "]}"}},
		{LIST "&continue=t%2F1",
			{.status = 200,
				.body = "{\"metadata\":{\"resourceVersion\":\"10\",\"continue\":\"\"},\"items\":"
					"[" META("b", "2") "]}"}},
		{WATCH("10"), {.status = 200, .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN(&test, steps);
	expect_seen(&test, "!synced +a +b ");
	expect_requests(&test, "5");
	finish(&test);
}

static void test_a_snapshot_lost_between_pages_is_listed_whole(void **state)
{
	static const struct fake_step steps[] = {
		{FIRST, {.status = 200, .body = EMPTY("5")}},
		{WATCH("5"), {.status = 410, .body = STATUS("Expired", "too old")}},
		{LIST, {.status = 200,
			       .body = "{\"metadata\":{\"resourceVersion\":\"9\",\"continue\":\"t\"},\"items\":"
				       "[" META("a", "1") "]}"}},
		{LIST "&continue=t", {.status = 410, .body = STATUS("Expired", "too old")}},
		{"GET /api/v1/services", {.status = 200, .body = ITEMS("12", "[" META("b", "2") "]")}},
		{WATCH("12"), {.status = 200, .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN(&test, steps);
	/* What was lost leaves no trace. */
	expect_seen(&test, "!synced +b ");
	expect_requests(&test, "6");
	finish(&test);
}

static void test_events_may_be_cut_anywhere(void **state)
{
	static const struct fake_step steps[] = {
		{FIRST, {.status = 200, .body = EMPTY("10")}},
		{WATCH("10"), {.status = 200,
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
		{FIRST, {.status = 200, .body = EMPTY("10")}},
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
		{FIRST, {.status = 200, .body = EMPTY("10")}},
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
		{FIRST, {.status = 200, .body = ITEMS("10", "[" META("a", "1") "," META("b", "2") "]")}},
		{WATCH("10"), {.status = 200, .body = ERROR_EVENT("410", "Expired"), .end = FAKE_HOLD}},
		{LIST, {.status = 200, .body = ITEMS("20", "[" META("b", "15") "," META("c", "16") "]")}},
		{WATCH("20"), {.status = 200, .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN(&test, steps);
	/* a was deleted between the two lists. */
	expect_seen(&test, "+a +b !synced -a ~b +c ");
	expect_requests(&test, "4");
	finish(&test);
}

static void test_expired_as_http_status_lists_again(void **state)
{
	static const struct fake_step steps[] = {
		{FIRST, {.status = 200, .body = EMPTY("10")}},
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
		{FIRST, {.status = 200, .body = EMPTY("20")}},
		{WATCH("20"), {.status = 504,
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
		{FIRST, {.status = 200, .body = EMPTY("10")}},
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
		{FIRST, {.status = 200, .body = ITEMS("10", "[" META("a", "1") "]")}},
		{WATCH("10"), {.status = 200, .body = BOOKMARK("11"), .end = FAKE_END}},
		/* a went, and no event told so. */
		{LIST, {.status = 200, .body = EMPTY("20")}},
		{WATCH("20"), {.status = 200, .end = FAKE_HOLD}},
	};
	struct informer_timing timing = quick;
	struct test test;

	(void)state;
	timing.relist_ms = 0;
	open_with_timing(&test, steps, ARRAY_LEN(steps), &timing);
	expect_seen(&test, "+a !synced -a ");
	expect_requests(&test, "4");
	finish(&test);
}

static void test_events_bookmarks_and_reconnects_are_progress(void **state)
{
	static const struct fake_step steps[] = {
		{FIRST, {.status = 200, .body = EMPTY("10")}},
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
		while (clock_monotonic_ms() <= last) {
		}
		if (i < ARRAY_LEN(news)) {
			fake_push(test.rig.fake, news[i]);
		} else {
			fake_end(test.rig.fake);
		}
		test.progress_ms = last;
		assert_true(run_until(&test.rig.loop, has_progress, &test));
	}
	expect_requests(&test, "3");
	finish(&test);
}

static void test_a_failing_watch_does_not_list(void **state)
{
	static const struct fake_step steps[] = {
		{FIRST, {.status = 200, .body = EMPTY("10")}},
		{WATCH("10"), {.status = 503, .body = STATUS("ServiceUnavailable", "later")}},
		{WATCH("10"), {.status = 200, .body = ERROR_EVENT("500", "InternalError"), .end = FAKE_END}},
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
		{FIRST, {.status = 429,
				.headers = "Retry-After: 1\r\n",
				.body = STATUS("TooManyRequests", "slow down")}},
		{FIRST, {.status = 200, .body = EMPTY("10")}},
		{WATCH("10"), {.status = 429,
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

/* A server may not send an informer away for good, and that it did so is reported. */
static void test_who_is_sent_away_says_so_and_is_back_in_a_minute(void **state)
{
	static const struct fake_answer later = {.status = 503,
		.headers = "Retry-After: 3600\r\n",
		.body = STATUS("ServiceUnavailable", "later")};
	const struct fake_step list[] = {{FIRST, later}};
	const struct fake_step watch[] = {{FIRST, {.status = 200, .body = EMPTY("10")}}, {WATCH("10"), later}};
	const struct fake_step stream[] = {{STREAM, later}};
	struct test test;

	(void)state;
	for (int i = 0; i < 3; i++) {
		if (i == 0) {
			OPEN(&test, list);
		} else if (i == 1) {
			OPEN(&test, watch);
		} else {
			OPEN_NEW(&test, stream);
		}
		expect_seen(&test, i == 1 ? "!synced !Unavailable " : "!Unavailable ");
		assert_null(test.informer->call);
		assert_in_range(uv_timer_get_due_in(&test.informer->timer), 50000, 60000);
		assert_non_null(strstr(kube_informer_error(test.informer)->message, "later"));
		finish(&test);
	}
}

static void test_a_watch_that_reports_nothing_is_a_failure(void **state)
{
	static const struct fake_step steps[] = {
		{FIRST, {.status = 200, .body = EMPTY("10")}},
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
		{FIRST, {.status = 200, .body = EMPTY("10")}},
		{WATCH("10"), {.status = 200, .end = FAKE_HOLD}},
		{WATCH("10"), {.status = 200, .body = EVENT("ADDED", "a", "11"), .end = FAKE_HOLD}},
	};
	struct informer_timing timing = quick;
	struct test test;

	(void)state;
	timing.min_timeout_s = 0;
	timing.margin_ms = 200;
	open_with_timing(&test, steps, ARRAY_LEN(steps), &timing);
	/* Only the deadline can bring the third request. */
	expect_seen(&test, "!synced +a ");
	expect_requests(&test, "3");
	finish(&test);
}

static void test_timeouts_are_five_to_ten_minutes(void **state)
{
	static const struct fake_step steps[] = {
		{FIRST, {.status = 200, .body = EMPTY("10")}},
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
		{FIRST, {.status = 404, .body = "404 page not found"}},
		{FIRST, {.status = 404, .body = STATUS("NotFound", "could not find the requested resource")}},
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

static void test_refused_access_is_reported_and_ends(void **state)
{
	static const struct fake_step steps[] = {
		{FIRST, {.status = 403, .body = STATUS("Forbidden", "services is forbidden")}},
		{FIRST, {.status = 403, .body = STATUS("Forbidden", "services is forbidden")}},
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
		{FIRST, {.status = 200, .body = ITEMS("10", "null")}},
		{WATCH("10"), {.status = 200,
				      .body = "not JSON\n{\"type\":\"ADDED\"}\n{\"type\":\"MODIFIED\",\"object\":{}}\n"
					      "{\"type\":\"NEWS\",\"object\":{}}\n\n[]\n" EVENT("ADDED", "a", "11"),
				      .end = FAKE_HOLD}},
		/* One of these may have been a change: so it is compared with a list afterwards. */
		{LIST, {.status = 200, .body = ITEMS("20", "[" META("a", "11") "," META("b", "12") "]")}},
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
		{FIRST, {.status = 200, .body = "{\"items\":[]}"}},
		{FIRST, {.status = 200, .body = "no JSON"}},
		{LIST, {.status = 200, .body = "{\"items\":[]}"}},
		{LIST, {.status = 200, .body = "no JSON"}},
		{LIST, {.status = 200, .body = EMPTY("10")}},
		{WATCH("10"), {.status = 200, .end = FAKE_HOLD}},
	};
	struct test test;

	(void)state;
	OPEN(&test, steps);
	expect_seen(&test, "!Internal !Internal !Internal !Internal !synced ");
	assert_string_equal(test.first_error, "cannot list Service objects: the server's list has no resourceVersion");
	expect_requests(&test, "6");
	expect_requests(&test, "4");
	finish(&test);
}

static void test_namespace_and_field_selector(void **state)
{
	static const struct fake_step steps[] = {
		{"GET /api/v1/namespaces/d/services[?]watch=true*&sendInitialEvents=true*"
		 "fieldSelector=metadata.name%3Da",
			REFUSED},
		{"GET /api/v1/namespaces/d/services[?]resourceVersion=0&fieldSelector=metadata.name%3Da",
			{.status = 200, .body = EMPTY("10")}},
		{"GET /api/v1/namespaces/d/services[?]watch=true*fieldSelector=metadata.name%3Da",
			{.status = 200, .end = FAKE_HOLD}},
	};
	struct kube_informer_hooks none = {.form = json_cache_form(NULL)};
	struct test test = {.seen = STRBUF_INIT};

	(void)state;
	rig_open(&test.rig, NULL, NULL, NULL);
	fake_script(test.rig.fake, steps, ARRAY_LEN(steps));
	test.informer = kube_informer_new(test.rig.client, &services, "d", "metadata.name=a", &none);
	kube_informer_start(test.informer);
	expect_requests(&test, "3");
	finish(&test);
}

static void test_closing_from_a_hook(void **state)
{
	static const struct fake_step in_list[] = {
		{FIRST, {.status = 200, .body = ITEMS("10", "[" META("a", "1") "," META("b", "2") "]")}},
	};
	static const struct fake_step in_watch[] = {
		{FIRST, {.status = 200, .body = EMPTY("10")}},
		{WATCH("10"),
			{.status = 200, .body = EVENT("ADDED", "a", "11") EVENT("ADDED", "b", "12"), .end = FAKE_HOLD}},
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
	static const struct fake_step mute[] = {{FIRST, {.end = FAKE_MUTE}}};
	static const struct fake_step waiting[] = {{FIRST, {.status = 500, .body = "{}"}}};
	struct informer_timing slow = quick;
	struct test test;

	(void)state;
	OPEN(&test, mute);
	expect_requests(&test, "1");
	finish(&test);

	slow.backoff_ms = 60000;
	open_with_timing(&test, waiting, ARRAY_LEN(waiting), &slow);
	expect_seen(&test, "!Unavailable ");
	finish(&test);

	/* Before the first request went out. */
	OPEN(&test, mute);
	fake_script(test.rig.fake, NULL, 0);
	finish(&test);
}

static void test_an_unreachable_server_is_reported(void **state)
{
	struct test test = {.seen = STRBUF_INIT};
	struct kube_informer_hooks hooks = seeing(&test);
	struct fake_apiserver *gone;

	(void)state;
	rig_open(&test.rig, NULL, NULL, NULL);
	gone = test.rig.fake;
	assert_int_equal(fake_close(gone), 0);
	test.rig.fake = fake_new(&test.rig.loop, NULL, NULL);
	test.informer = kube_informer_new(test.rig.client, &services, NULL, NULL, &hooks);
	informer_set_timing(test.informer, &quick);
	kube_informer_start(test.informer);
	expect_seen(&test, "!Unavailable ");
	assert_non_null(strstr(test.first_error, "cannot list Service objects: "));
	finish(&test);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_list_is_taken_as_it_comes),
		cmocka_unit_test(test_a_first_list_that_is_not_whole_is_none),
		cmocka_unit_test(test_a_later_list_comes_in_pages),
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
		cmocka_unit_test(test_a_failing_watch_does_not_list),
		cmocka_unit_test(test_retry_after_is_honoured),
		cmocka_unit_test(test_who_is_sent_away_says_so_and_is_back_in_a_minute),
		cmocka_unit_test(test_a_watch_that_reports_nothing_is_a_failure),
		cmocka_unit_test(test_a_dead_watch_is_given_up_an_idle_one_is_not),
		cmocka_unit_test(test_timeouts_are_five_to_ten_minutes),
		cmocka_unit_test(test_a_missing_type_is_a_state_not_an_error),
		cmocka_unit_test(test_refused_access_is_reported_and_ends),
		cmocka_unit_test(test_what_cannot_be_read_does_not_stall),
		cmocka_unit_test(test_a_list_without_resource_version_is_an_error),
		cmocka_unit_test(test_namespace_and_field_selector),
		cmocka_unit_test(test_closing_from_a_hook),
		cmocka_unit_test(test_closing_at_any_time),
		cmocka_unit_test(test_an_unreachable_server_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
