/* Answers that take work are made as they are taken, beside the loop's other work, and not for nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "event_loop.h"
#include "net/http_client.h"
#include "net/http_server.h"
#include "runtime/answers.h"

/* A path is "/NAME/STEPS": an answer of so many steps, each a millisecond of work and a KiB of text. */
#define STEP 1024

struct world {
	struct event_loop loop;
	struct http_server *server;
	struct answers *answers;
	struct http_client *client;
	int made; /* answers that were finished */
	int steps;
	int asked; /* what takes work */
	int begun;
	int done;
	int quick;   /* of `done`, those to "/quick" */
	size_t held; /* of an answer at a time, at most */
	int status;
	int broken;    /* replies that broke off */
	int sent_away; /* at the end */
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
	for (int i = 0; i < STEP; i++) {
		strbuf_addch(text, 'x');
	}
	w->held = text->len > w->held ? text->len : w->held;
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
		w->asked++;
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
	w->broken += response->error != NULL ? 1 : 0;
	w->sent_away += strcmp(w->body, "the operator is stopping\n") == 0 ? 1 : 0;
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

static void an_answer_comes_whole(void **state)
{
	struct world *w = *state;

	start(w, "/a/100");
	wait_done(w, 1);
	assert_int_equal(w->status, 200);
	assert_int_equal(strlen(w->body), 100 * STEP);
	assert_in_range(w->held, STEP, 9 * STEP);
	start(w, "/b/1");
	wait_done(w, 2);
	assert_int_equal(strlen(w->body), STEP);
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

/* A client at an address of its own, with room for little, which reads nothing by itself. */
static int connect_from(struct world *w, const char *address, const char *path)
{
	auto_free char *bytes = xasprintf("GET %s HTTP/1.0\r\nHost: x\r\n\r\n", path);
	struct sockaddr_in from = {.sin_family = AF_INET};
	struct sockaddr_in where = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)http_server_port(w->server)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int room = 4096;

	assert_int_equal(inet_pton(AF_INET, address, &from.sin_addr), 1);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	assert_int_equal(bind(fd, (const struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&where, sizeof(where)), 0);
	assert_int_equal(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
	return fd;
}

/* Whoever has many connections gets no more of the time than another address with one. */
static void each_address_has_its_share(void **state)
{
	struct world *w = *state;
	int steps;
	int fd;

	for (int i = 0; i < 10; i++) {
		start(w, "/many/300");
	}
	assert_true(event_loop_wait(&w->loop, &w->begun, 10));
	steps = w->steps;
	fd = connect_from(w, "127.0.0.9", "/one/40");
	while (w->made == 0) {
		event_loop_turn(&w->loop.uv);
	}
	/* Its 40, as many for all the others, and what is under way. */
	assert_in_range(w->steps - steps, 40, 120);
	assert_int_equal(w->done, 0);
	close(fd);
}

static void what_is_not_taken_is_not_made(void **state)
{
	struct world *w = *state;
	int never = 0;
	int steps;
	int fd = connect_from(w, "127.0.0.9", "/long/100000");

	assert_true(event_loop_wait(&w->loop, &w->steps, 1));
	while (steps = w->steps, assert_false(event_loop_wait_for(&w->loop, &never, 1, 200)), w->steps > steps) {
	}
	assert_in_range(steps, 1, 400); /* KiB, of which the kernel keeps most */
	start(w, "/a/20");
	wait_done(w, 1);
	assert_int_equal(w->steps, steps + 20);
	close(fd);
	assert_true(event_loop_wait(&w->loop, &released, 2));
}

static void who_leaves_is_forgotten(void **state)
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
	assert_true(event_loop_wait(&w->loop, &w->begun, 3));
	http_transfer_cancel(transfer);
	wait_done(w, 3);
	assert_int_equal(w->status, 200);
	assert_int_equal(strlen(w->body), 100 * STEP);
}

static void at_the_end_who_waits_is_sent_away_and_the_rest_is_cut(void **state)
{
	struct world *w = *state;
	int before;

	start(w, "/long/1000");
	assert_true(event_loop_wait(&w->loop, &w->steps, 20));
	start(w, "/other/1000");
	before = w->asked;
	assert_true(event_loop_wait(&w->loop, &w->asked, before + 1));
	close_answers(w);
	wait_done(w, 2);
	assert_int_equal(w->broken, 1);
	assert_int_equal(w->sent_away, 1);
	assert_int_equal(w->made, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_comes_whole),
		TEST(the_loop_goes_on_meanwhile),
		TEST(different_answers_share_the_time),
		TEST(each_address_has_its_share),
		TEST(what_is_not_taken_is_not_made),
		TEST(who_leaves_is_forgotten),
		TEST(at_the_end_who_waits_is_sent_away_and_the_rest_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
