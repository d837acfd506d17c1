/* How many pages are fetched at once, and who comes next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "kube_rig.h"
#include "probe/page_fetch.h"

#define MANY 60

struct bench {
	struct kube_rig kube;
	struct page_fetches *fetches;
	struct page_fetch *fetch[MANY];
	int asked;      /* of the server */
	int last_asked; /* the number in the last path */
	int done, served, cancelled;
};

static struct fake_answer on_request(void *ctx, const struct fake_request *request)
{
	struct bench *bench = ctx;
	bool drips = strncmp(request->line, "GET /drip", 9) == 0;

	bench->asked++;
	bench->last_asked = atoi(strrchr(request->line, '/') + 1);
	return drips ? (struct fake_answer){.status = 200, .body = "x 1\n", .end = FAKE_HOLD}
	             : (struct fake_answer){.status = 200, .body = "x 1\n"};
}

static void on_done(void *ctx, const struct http_response *response)
{
	struct bench *bench = ctx;

	bench->done++;
	bench->served += response->error == NULL ? 1 : 0;
	bench->cancelled += response->error != NULL && response->error->kind == ERROR_CANCELLED ? 1 : 0;
}

static void open_bench(struct bench *bench)
{
	*bench = (struct bench){.asked = 0};
	rig_open(&bench->kube, on_request, bench, NULL);
	bench->fetches = page_fetches_new(bench->kube.http, true);
}

static void close_bench(struct bench *bench)
{
	page_fetches_free(bench->fetches);
	assert_int_equal(rig_close(&bench->kube), 0);
}

static void fetch(struct bench *bench, int number, const char *path, int64_t timeout_ms, int64_t *spent_ms)
{
	auto_free char *url = xasprintf("%s/%s/%d", fake_url(bench->kube.fake), path, number);

	bench->fetch[number] = page_fetch_start(bench->fetches, &(struct page_fetch_order){.url = url,
									.timeout_ms = timeout_ms,
									.connect_timeout_ms = timeout_ms,
									.max_body = 1024,
									.spent_ms = spent_ms,
									.done = on_done,
									.ctx = bench});
}

static bool all_asked(void *ctx)
{
	return ((struct bench *)ctx)->asked >= PAGE_FETCHES_MAX;
}

static bool all_done(void *ctx)
{
	return ((struct bench *)ctx)->done == MANY;
}

static void no_more_are_fetched_at_once_than_there_is_room_for(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	for (int i = 0; i < MANY; i++) {
		fetch(&bench, i, "drip", 60000, NULL);
	}
	assert_true(run_until(&bench.kube.loop, all_asked, &bench));
	run_for(&bench.kube.loop, 100);
	assert_int_equal(bench.asked, PAGE_FETCHES_MAX);
	assert_int_equal(bench.done, 0);
	/* one that waits is given up without a request, and one under way makes room */
	page_fetch_cancel(bench.fetch[MANY - 1]);
	page_fetch_cancel(bench.fetch[PAGE_FETCHES_MAX]);
	run_for(&bench.kube.loop, 100);
	assert_int_equal(bench.asked, PAGE_FETCHES_MAX);
	assert_int_equal(bench.cancelled, 2);
	page_fetch_cancel(bench.fetch[0]);
	run_for(&bench.kube.loop, 100);
	assert_int_equal(bench.cancelled, 3);
	assert_int_equal(bench.asked, PAGE_FETCHES_MAX + 1);
	assert_int_equal(bench.last_asked, PAGE_FETCHES_MAX + 1);
	for (int i = 1; i < MANY - 1; i++) {
		if (i != PAGE_FETCHES_MAX) {
			page_fetch_cancel(bench.fetch[i]);
		}
	}
	assert_true(run_until(&bench.kube.loop, all_done, &bench));
	assert_int_equal(bench.cancelled, MANY);
	assert_int_equal(bench.asked, PAGE_FETCHES_MAX + 1);
	close_bench(&bench);
}

static void those_in_line_are_served_when_pages_that_drip_are_given_up(void **state)
{
	struct bench bench;
	int64_t spent_ms = 0;
	int drips = 2 * PAGE_FETCHES_MAX;

	(void)state;
	open_bench(&bench);
	for (int i = 0; i < MANY; i++) {
		fetch(&bench, i, i < drips ? "drip" : "page", 300, i == MANY - 1 ? &spent_ms : NULL);
	}
	assert_true(run_until(&bench.kube.loop, all_done, &bench));
	assert_int_equal(bench.asked, MANY);
	assert_int_equal(bench.served, MANY - drips);
	assert_int_equal(bench.cancelled, 0);
	/* the last one's own time is not that of those before it, which is 600 ms */
	assert_in_range(spent_ms, 0, 299);
	close_bench(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_more_are_fetched_at_once_than_there_is_room_for),
		cmocka_unit_test(those_in_line_are_served_when_pages_that_drip_are_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
