/* However many probes read of the API server, few do at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "event_loop.h"
#include "kube_rig.h"
#include "probe/api_read.h"

#define MANY 10000

struct bench {
	struct kube_rig kube;
	struct api_reads *reads;
	struct api_read *read[MANY];
	bool mute; /* the server does not answer */
	int asked; /* of it */
	int done, served, cancelled;
};

static struct fake_answer on_request(void *ctx, const struct fake_request *request)
{
	struct bench *bench = ctx;

	(void)request;
	bench->asked++;
	/* Whose turn comes before earlier ones are answered is one too many. */
	assert_true(bench->mute || bench->asked <= bench->done + API_READS_MAX);
	return bench->mute ? (struct fake_answer){.end = FAKE_MUTE} : (struct fake_answer){.status = 200, .body = "{}"};
}

static void on_done(void *ctx, json_t *result, const struct error *err)
{
	struct bench *bench = ctx;

	bench->done++;
	bench->served += result != NULL ? 1 : 0;
	bench->cancelled += err != NULL && err->kind == ERROR_CANCELLED ? 1 : 0;
}

static void open_bench(struct bench *bench, bool mute)
{
	*bench = (struct bench){.mute = mute};
	rig_open(&bench->kube, on_request, bench, NULL);
	bench->reads = api_reads_new(bench->kube.client);
	for (int i = 0; i < MANY; i++) {
		bench->read[i] = api_read_start(bench->reads, "/apis/custom.metrics.k8s.io/v1beta1", on_done, bench);
	}
}

static void on_closed(void *ctx)
{
	*(bool *)ctx = true;
}

static bool is_true(void *ctx)
{
	return *(bool *)ctx;
}

static void close_bench(struct bench *bench)
{
	bool closed = false;

	api_reads_close(bench->reads, on_closed, &closed);
	assert_true(run_until(&bench->kube.loop, is_true, &closed));
	rig_close(&bench->kube);
}

static bool all_done(void *ctx)
{
	return ((struct bench *)ctx)->done == MANY;
}

static bool slots_full(void *ctx)
{
	return ((struct bench *)ctx)->asked == API_READS_MAX;
}

static void ten_thousand_are_served_a_few_at_once(void **state)
{
	static struct bench bench;

	(void)state;
	open_bench(&bench, false);
	assert_true(run_until(&bench.kube.loop, all_done, &bench));
	assert_int_equal(bench.served, MANY);
	assert_int_equal(bench.asked, MANY);
	close_bench(&bench);
}

static void one_that_waits_is_cancelled_without_a_request(void **state)
{
	static struct bench bench;

	(void)state;
	open_bench(&bench, true);
	assert_true(run_until(&bench.kube.loop, slots_full, &bench));
	for (int i = MANY - 1; i >= 0; i--) {
		api_read_cancel(bench.read[i]);
	}
	assert_true(run_until(&bench.kube.loop, all_done, &bench));
	assert_int_equal(bench.cancelled, MANY);
	assert_int_equal(bench.asked, API_READS_MAX);
	close_bench(&bench);
}

/* An adapter that hangs keeps nobody from finding that out for as long as the first ones wait for it. */
static void those_that_hang_pass_their_slots_on(void **state)
{
	static struct bench bench;

	(void)state;
	open_bench(&bench, true);
	assert_true(run_until(&bench.kube.loop, slots_full, &bench));
	run_for(&bench.kube.loop, API_READ_QUICK_MS / 2);
	assert_int_equal(bench.asked, API_READS_MAX);
	run_for(&bench.kube.loop, 2 * API_READ_QUICK_MS);
	assert_in_range(bench.asked, 2 * API_READS_MAX, 4 * API_READS_MAX);
	for (int i = MANY - 1; i >= 0; i--) {
		api_read_cancel(bench.read[i]);
	}
	assert_true(run_until(&bench.kube.loop, all_done, &bench));
	close_bench(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_thousand_are_served_a_few_at_once),
		cmocka_unit_test(those_that_hang_pass_their_slots_on),
		cmocka_unit_test(one_that_waits_is_cancelled_without_a_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
