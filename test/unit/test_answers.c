/* Answers that take work are shared, made beside the loop's other work, and not made for nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "event_loop.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "runtime/answers.h"

/* A path is "/NAME/STEPS": an answer of so many steps, each a millisecond of work. */
struct world {
	struct event_loop loop;
	struct http_server *server;
	struct answers *answers;
	struct http_client *client;
	int made; /* answers that were finished */
	int steps;
	int begun;
	int done;
	int quick; /* of `done`, those to "/quick" */
	int status;
	char *body;
};

/* Of this process' own time, however busy the machine. */
static void work_for(int64_t ns)
{
	struct timespec start, now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
	do {
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	} while ((now.tv_sec - start.tv_sec) * 1000000000 + now.tv_nsec - start.tv_nsec < ns);
}

static bool make(void *ctx, const char *path, void **state, struct strbuf *text)
{
	struct world *w = ctx;
	int *left = *state;

	if (left == NULL) {
		left = xcalloc(1, sizeof(*left));
		*left = atoi(strrchr(path, '/') + 1);
		*state = left;
		w->begun++;
	}
	work_for(1000000);
	w->steps++;
	strbuf_addstr(text, "x");
	w->made += --*left == 0 ? 1 : 0;
	return *left == 0;
}

/* The state has no world in it. */
static int released;

static void release(void *state)
{
	released++;
	free(state);
}

static void handle(void *ctx, struct http_exchange *exchange)
{
	struct world *w = ctx;

	if (strcmp(http_exchange_path(exchange), "/quick") == 0) {
		http_reply(exchange, 200, "text/plain", "q", 1);
	} else if (w->answers == NULL) {
		http_reply(exchange, 503, "text/plain", "", 0);
	} else {
		answers_give(w->answers, exchange, http_exchange_path(exchange), "text/plain");
	}
}

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	const struct answers_hooks hooks = {.make = make, .release = release, .ctx = w};

	released = 0;
	event_loop_init(&w->loop);
	w->client = http_client_new(&w->loop.uv);
	w->server = http_server_new(&w->loop.uv, "127.0.0.1:0", handle, w, NULL);
	w->answers = answers_new(&w->loop.uv, &hooks);
	*state = w;
	return w->server != NULL ? 0 : -1;
}

static void close_answers(struct world *w)
{
	struct answers *answers = w->answers;
	int closed = 0;

	w->answers = NULL;
	answers_close(answers, event_loop_count, &closed);
	assert_true(event_loop_wait(&w->loop, &closed, 1));
}

static int teardown(void **state)
{
	struct world *w = *state;
	int closed = 0;
	bool ok;

	if (w->answers != NULL) {
		close_answers(w);
	}
	http_server_close(w->server, event_loop_count, &closed);
	http_client_close(w->client, event_loop_count, &closed);
	ok = event_loop_wait(&w->loop, &closed, 2) && event_loop_end(&w->loop) && released == w->begun;
	free(w->body);
	free(w);
	return ok ? 0 : -1;
}

static void on_done(void *ctx, const struct http_response *response)
{
	struct world *w = ctx;

	free(w->body);
	w->status = response->status;
	w->body = xstrdup(response->body);
	w->quick += strcmp(w->body, "q") == 0 ? 1 : 0;
	w->done++;
}

static struct http_transfer *start(struct world *w, const char *path)
{
	auto_free char *url = xasprintf("http://127.0.0.1:%d%s", http_server_port(w->server), path);
	struct http_request request = {.method = "GET", .url = url, .proxy = "", .done = on_done, .ctx = w};

	return http_client_start(w->client, &request);
}

static void wait_done(struct world *w, int count)
{
	assert_true(event_loop_wait(&w->loop, &w->done, count));
}

static void all_who_ask_share_one(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 30; i++) {
		start(w, "/a/20");
	}
	wait_done(w, 30);
	assert_string_equal(w->body, "xxxxxxxxxxxxxxxxxxxx");
	start(w, "/a/20"); /* while it is fresh */
	wait_done(w, 31);
	assert_int_equal(w->status, 200);
	assert_int_equal(w->made, 1);
	start(w, "/b/1"); /* another one */
	wait_done(w, 32);
	assert_string_equal(w->body, "x");
	assert_int_equal(w->made, 2);
}

static void an_old_answer_is_made_anew(void **state)
{
	struct world *w = *state;
	int never = 0;

	start(w, "/a/1");
	wait_done(w, 1);
	assert_false(event_loop_wait_for(&w->loop, &never, 1, 1100));
	start(w, "/a/1");
	wait_done(w, 2);
	assert_int_equal(w->made, 2);
}

/* Steps between two turns of the loop. */
struct turns {
	uv_prepare_t prepare;
	const struct world *world;
	int before;
	int most;
};

static void on_turn(uv_prepare_t *prepare)
{
	struct turns *turns = prepare->data;
	int steps = turns->world->steps - turns->before;

	turns->before = turns->world->steps;
	turns->most = steps > turns->most ? steps : turns->most;
}

/* 300 ms of work, in slices of 5 ms of which each is followed by a pause of four times its length. */
static void the_loop_goes_on_meanwhile(void **state)
{
	struct world *w = *state;
	struct turns turns = {.world = w};
	uint64_t start_ns = uv_hrtime();
	int asked = 0;

	uv_prepare_init(&w->loop.uv, &turns.prepare);
	turns.prepare.data = &turns;
	uv_prepare_start(&turns.prepare, on_turn);
	start(w, "/long/300");
	assert_true(event_loop_wait(&w->loop, &w->begun, 1));
	while (w->made == 0) {
		start(w, "/quick");
		asked++;
		assert_true(event_loop_wait(&w->loop, &w->quick, asked));
	}
	wait_done(w, asked + 1);
	uv_close((uv_handle_t *)&turns.prepare, NULL);
	uv_run(&w->loop.uv, UV_RUN_NOWAIT);
	assert_true(asked > 2);
	/* The loop of a test looks at its timers twice a turn. */
	assert_in_range(turns.most, 2, 12);
	assert_true(uv_hrtime() - start_ns >= UINT64_C(1200000000));
}

/* Many cheap ones together have the same share of the time. */
static void different_answers_share_the_time(void **state)
{
	struct world *w = *state;
	uint64_t start_ns = uv_hrtime();

	for (int i = 0; i < 60; i++) {
		auto_free char *path = xasprintf("/%d/1", i);

		start(w, path);
	}
	wait_done(w, 60);
	assert_int_equal(w->made, 60);
	assert_true(uv_hrtime() - start_ns >= UINT64_C(180000000));
}

static void what_nobody_waits_for_is_not_made(void **state)
{
	struct world *w = *state;
	int never = 0;
	struct http_transfer *transfer = start(w, "/long/1000");

	assert_true(event_loop_wait(&w->loop, &w->begun, 1));
	http_transfer_cancel(transfer);
	assert_true(event_loop_wait(&w->loop, &released, 1));
	w->steps = 0;
	assert_false(event_loop_wait_for(&w->loop, &never, 1, 100));
	assert_int_equal(w->steps, 0);
	/* One of two that leaves takes nothing from the other. */
	transfer = start(w, "/two/100");
	start(w, "/two/100");
	assert_true(event_loop_wait(&w->loop, &w->begun, 2));
	http_transfer_cancel(transfer);
	wait_done(w, 3);
	assert_int_equal(w->status, 200);
	assert_int_equal(w->made, 1);
}

static void who_waits_at_the_end_is_sent_away(void **state)
{
	struct world *w = *state;

	start(w, "/long/1000");
	start(w, "/long/1000");
	start(w, "/other/1000");
	assert_true(event_loop_wait(&w->loop, &w->begun, 1));
	start(w, "/quick");
	assert_true(event_loop_wait(&w->loop, &w->quick, 1));
	close_answers(w);
	wait_done(w, 4);
	assert_int_equal(w->status, 503);
	assert_string_equal(w->body, "the operator is stopping\n");
	assert_int_equal(w->made, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_who_ask_share_one),
		TEST(an_old_answer_is_made_anew),
		TEST(the_loop_goes_on_meanwhile),
		TEST(different_answers_share_the_time),
		TEST(what_nobody_waits_for_is_not_made),
		TEST(who_waits_at_the_end_is_sent_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
