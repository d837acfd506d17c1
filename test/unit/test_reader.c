/* Pages read when asked for: bounds of what they take, and what is kept of them. */
#include <malloc.h>
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
#include "base/yaml.h"
#include "kube_rig.h"
#include "serving/reader.h"

#define MANY 64
#define RUNNING "vllm:num_requests_running"
#define METRIC "vllm_num_requests_running"
#define MIB ((size_t)1024 * 1024)
/* The server of the pages is in the same loop. A sanitizer makes all of it some times slower. */
#ifdef __SANITIZE_ADDRESS__
#define TURN_MAX_NS INT64_C(500000000)
#else
#define TURN_MAX_NS INT64_C(50000000)
#endif

struct bench;

struct want {
	struct reader_ask ask;
	struct bench *bench;
	const struct view *pod;
};

struct bench {
	struct kube_rig kube;
	struct reader *reader;
	struct questions *questions;
	struct want wants[MANY + 1];
	size_t count;
	struct strbuf small, large;
	int64_t port;
	int waiting;
	bool holds; /* a large page has no end */
	size_t heap_before, heap_most;
	uv_check_t after_poll;
	uv_prepare_t before_poll;
	int64_t turn_ns, longest_ns; /* CPU time of one turn of the loop */
};

static size_t heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* A page is large when its path says so. */
static struct fake_answer on_request(void *ctx, const struct fake_request *request)
{
	struct bench *bench = ctx;
	bool sick = strstr(request->line, "/sick") != NULL;
	bool large = sick || strstr(request->line, "/large") != NULL;

	return (struct fake_answer){.status = sick ? 500 : 200,
		.body = large ? bench->large.buf : bench->small.buf,
		.end = large && bench->holds ? FAKE_HOLD : FAKE_REPLY};
}

static void on_after_poll(uv_check_t *check)
{
	struct bench *bench = check->data;

	bench->turn_ns = clock_worked_ns();
}

static void on_before_poll(uv_prepare_t *prepare)
{
	struct bench *bench = prepare->data;
	int64_t took_ns = bench->turn_ns != 0 ? clock_worked_ns() - bench->turn_ns : 0;
	size_t heap = heap_bytes();

	bench->longest_ns = took_ns > bench->longest_ns ? took_ns : bench->longest_ns;
	bench->heap_most = heap > bench->heap_most ? heap : bench->heap_most;
}

static void open_bench(struct bench *bench)
{
	*bench = (struct bench){.small = STRBUF_INIT, .large = STRBUF_INIT};
	rig_open(&bench->kube, on_request, bench, NULL);
	bench->port = atoi(strrchr(fake_url(bench->kube.fake), ':') + 1);
	bench->reader = reader_new(&bench->kube.loop, bench->kube.http, true);
	reader_set_patience(bench->reader, 60000); /* what is measured is no wall time */
	bench->questions = questions_of_engine(engine_by_type("VLLM"));
	strbuf_addstr(&bench->small, RUNNING "{engine=\"0\"} 3\n");
	uv_check_init(&bench->kube.loop, &bench->after_poll);
	uv_prepare_init(&bench->kube.loop, &bench->before_poll);
	bench->after_poll.data = bench->before_poll.data = bench;
	uv_check_start(&bench->after_poll, on_after_poll);
	uv_prepare_start(&bench->before_poll, on_before_poll);
}

static void on_closed(void *ctx)
{
	*(bool *)ctx = true;
}

static bool is_true(void *ctx)
{
	return *(bool *)ctx;
}

static void leave_all(struct bench *bench)
{
	for (size_t i = 0; i < bench->count; i++) {
		reader_leave(bench->reader, &bench->wants[i].ask);
		view_unref(bench->wants[i].pod);
	}
	bench->count = 0;
}

static void close_bench(struct bench *bench)
{
	bool closed = false;

	leave_all(bench);
	reader_close(bench->reader, on_closed, &closed);
	uv_close((uv_handle_t *)&bench->after_poll, NULL);
	uv_close((uv_handle_t *)&bench->before_poll, NULL);
	assert_true(run_until(&bench->kube.loop, is_true, &closed));
	questions_unref(bench->questions);
	assert_int_equal(rig_close(&bench->kube), 0);
	strbuf_release(&bench->small);
	strbuf_release(&bench->large);
}

static void on_done(struct reader_ask *ask)
{
	container_of(ask, struct want, ask)->bench->waiting--;
}

static void ask(struct bench *bench, const char *ns, const char *path)
{
	auto_free char *text =
		xasprintf("{metadata: {namespace: %s, name: pod-%zu}, status: {podIP: 127.0.0.1}}", ns, bench->count);
	auto_json *object = yaml_parse(text, strlen(text), NULL);
	struct want *want = &bench->wants[bench->count++];

	*want = (struct want){.ask = {.done = on_done}, .bench = bench};
	want->pod = view_decode_as(&view_pod_type, object);
	bench->waiting += reader_ask(bench->reader,
		&(struct reader_order){.pod = view_pod(want->pod),
			.scheme = "http",
			.port = bench->port,
			.path = path,
			.questions = bench->questions},
		&want->ask);
}

static bool none_waits(void *ctx)
{
	return ((struct bench *)ctx)->waiting == 0;
}

/* -1 = none. */
static int64_t milli_of(const struct bench *bench, size_t number)
{
	int64_t milli;
	int64_t read_ms;

	return reader_figure(&bench->wants[number].ask, METRIC, 60000, &milli, &read_ms) ? milli : -1;
}

/* Known before, so that as many as there may be are under way at once. */
static void get_to_know(struct bench *bench)
{
	for (int i = 0; i < MANY; i++) {
		ask(bench, i % 2 == 0 ? "one" : "two", "/large");
	}
	assert_true(run_until(&bench->kube.loop, none_waits, bench));
	leave_all(bench);
	run_for(&bench->kube.loop, READER_FRESH_MS + 50);
}

/* Asks for all pages again, which are large now; tells what that took. */
static void read_large_pages(struct bench *bench, size_t *read)
{
	bench->heap_before = bench->heap_most = heap_bytes();
	bench->longest_ns = 0;
	for (int i = 0; i < MANY; i++) {
		ask(bench, i % 2 == 0 ? "one" : "two", "/large");
	}
	ask(bench, "three", "/small");
	assert_true(run_until(&bench->kube.loop, none_waits, bench));
	*read = 0;
	for (size_t i = 0; i < MANY; i++) {
		*read += milli_of(bench, i) >= 0 ? 1 : 0;
	}
	print_message("%d pages of %zu KiB: %zu read, %zu KiB of heap more than before, longest turn %lld us\n", MANY,
		bench->large.len / 1024, *read, (bench->heap_most - bench->heap_before) / 1024,
		(long long)bench->longest_ns / 1000);
	assert_int_equal(milli_of(bench, MANY), 3000);
}

static void large_pages_are_not_held(void **state)
{
	struct bench bench;
	size_t read;

	(void)state;
	open_bench(&bench);
	strbuf_addstr(&bench.large, bench.small.buf);
	get_to_know(&bench);
	while (bench.large.len < 128 * 1024) {
		strbuf_addf(&bench.large, "vllm:request_latency_seconds_bucket{engine=\"0\",le=\"%zu\"} 1.0\n",
			bench.large.len);
	}
	read_large_pages(&bench, &read);
	assert_int_equal(read, MANY);
	assert_true(bench.heap_most - bench.heap_before < 6 * MIB);
	assert_true(bench.longest_ns < TURN_MAX_NS);
	close_bench(&bench);
}

static bool few_wait(void *ctx)
{
	return ((struct bench *)ctx)->waiting <= (int)(READER_KEPT_BEYOND_MAX / (512 * 1024));
}

/* All of each would be kept, and all are under way at once. */
static void pages_made_to_be_kept_have_a_bound_together(void **state)
{
	struct bench bench;
	auto_free char *filler = xcalloc(1, 901);
	size_t refused = 0;

	(void)state;
	memset(filler, 'x', 900);
	open_bench(&bench);
	strbuf_addstr(&bench.large, bench.small.buf);
	get_to_know(&bench);
	for (int i = 0; i < 900; i++) {
		strbuf_addf(&bench.large, RUNNING "{engine=\"%d\",x=\"%s\"} 1\n", i, filler);
	}
	bench.holds = true;
	bench.heap_before = bench.heap_most = heap_bytes();
	for (int i = 0; i < MANY; i++) {
		ask(&bench, i % 2 == 0 ? "one" : "two", "/large");
	}
	assert_true(run_until(&bench.kube.loop, few_wait, &bench));
	/* one that needs little is read beside them */
	ask(&bench, "three", "/small");
	while (milli_of(&bench, MANY) < 0) {
		uv_run(&bench.kube.loop, UV_RUN_ONCE);
	}
	for (size_t i = 0; i < MANY; i++) {
		const char *failure = reader_failure(&bench.wants[i].ask);

		refused += failure != NULL && strstr(failure, "has too many samples to be read beside others") != NULL;
	}
	print_message("%d pages of %zu KiB without an end: %zu refused, %zu KiB of heap more than before\n", MANY,
		bench.large.len / 1024, refused, (bench.heap_most - bench.heap_before) / 1024);
	assert_in_range(refused, MANY - 16, MANY - 8);
	/* what the server has not sent yet is among it */
	assert_true(bench.heap_most - bench.heap_before < 32 * MIB);
	close_bench(&bench);
}

static void a_page_over_the_limit_is_refused(void **state)
{
	struct bench bench;
	auto_free char *wanted = NULL;

	(void)state;
	open_bench(&bench);
	while (bench.large.len <= MIB) {
		strbuf_addstr(&bench.large, "x 1\n");
	}
	ask(&bench, "one", "/large");
	assert_true(run_until(&bench.kube.loop, none_waits, &bench));
	wanted = xasprintf(
		"at 'http://127.0.0.1:%d/large' is larger than 1024 KiB, the most that is read: let the engine "
		"report it with fewer labels",
		(int)bench.port);
	assert_string_equal(reader_failure(&bench.wants[0].ask), wanted);
	assert_int_equal(milli_of(&bench, 0), -1);
	close_bench(&bench);
}

static void of_a_refusal_only_the_status_is_read(void **state)
{
	struct bench bench;
	auto_free char *wanted = NULL;

	(void)state;
	open_bench(&bench);
	while (bench.large.len <= MIB) {
		strbuf_addstr(&bench.large, "x 1\n");
	}
	ask(&bench, "one", "/sick");
	assert_true(run_until(&bench.kube.loop, none_waits, &bench));
	wanted = xasprintf("at 'http://127.0.0.1:%d/sick' is refused with the status 500", (int)bench.port);
	assert_string_equal(reader_failure(&bench.wants[0].ask), wanted);
	assert_int_equal(reader_counts(bench.reader).bytes, 0);
	close_bench(&bench);
}

static void a_routers_page_is_none_of_its_pod(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	strbuf_addf(&bench.large, "%s{%s=\"http://10.9.9.9:8000\"} 1\n", routers[0].series,
		routers[0].label != NULL ? routers[0].label : "x");
	ask(&bench, "one", "/large");
	assert_true(run_until(&bench.kube.loop, none_waits, &bench));
	assert_non_null(strstr(reader_failure(&bench.wants[0].ask), "is that of a router"));
	close_bench(&bench);
}

static void figures_are_forgotten_a_minute_after_they_were_asked_for(void **state)
{
	struct bench bench;
	int64_t asked_ms;

	(void)state;
	open_bench(&bench);
	ask(&bench, "one", "/small");
	ask(&bench, "two", "/small");
	asked_ms = clock_monotonic_ms();
	assert_true(run_until(&bench.kube.loop, none_waits, &bench));
	assert_int_equal(reader_pages(bench.reader), 2);
	reader_forget(bench.reader, asked_ms + 600000); /* they are held still */
	assert_int_equal(reader_pages(bench.reader), 2);
	leave_all(&bench);
	reader_forget(bench.reader, asked_ms + 59000);
	assert_int_equal(reader_pages(bench.reader), 2);
	reader_forget(bench.reader, asked_ms + 61000);
	assert_int_equal(reader_pages(bench.reader), 0);
	close_bench(&bench);
}

static void an_address_that_no_pod_has_is_not_read(void **state)
{
	struct bench bench;
	auto_json *object = json_pack("{s:{s:s, s:s}, s:{s:s}}", "metadata", "namespace", "one", "name", "evil",
		"status", "podIP", "169.254.169.254");
	struct want *want;

	(void)state;
	open_bench(&bench);
	want = &bench.wants[bench.count++];
	want->pod = view_decode_as(&view_pod_type, object);
	assert_false(reader_ask(bench.reader,
		&(struct reader_order){.pod = view_pod(want->pod),
			.scheme = "http",
			.port = 80,
			.path = "/latest",
			.questions = bench.questions},
		&want->ask));
	assert_string_equal(reader_failure(&want->ask),
		"is not read at 'http://169.254.169.254:80/latest', which is no address that a pod can have");
	close_bench(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_pages_are_not_held),
		cmocka_unit_test(pages_made_to_be_kept_have_a_bound_together),
		cmocka_unit_test(a_page_over_the_limit_is_refused),
		cmocka_unit_test(of_a_refusal_only_the_status_is_read),
		cmocka_unit_test(a_routers_page_is_none_of_its_pod),
		cmocka_unit_test(figures_are_forgotten_a_minute_after_they_were_asked_for),
		cmocka_unit_test(an_address_that_no_pod_has_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
