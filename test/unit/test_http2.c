/* The HTTP client over HTTP/2: requests share a connection, unless it went silent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "event_loop.h"
#include "http2_rig.h"
#include "net/http_client.h"

#define IDLE_MS 80

struct world {
	struct event_loop loop;
	struct http2_server server;
	struct http_client *client;
	int done; /* transfers that ended */
	int answered;
	int silent; /* of which nothing was heard */
};

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	event_loop_init(&w->loop);
	http2_open(&w->server, &w->loop.uv);
	w->client = http_client_new(&w->loop.uv);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	int closed = 0;
	bool ok;

	http_client_close(w->client, event_loop_count, &closed);
	ok = event_loop_wait(&w->loop, &closed, 1);
	http2_close(&w->server);
	ok = event_loop_end(&w->loop) && ok && w->server.open == 0;
	free(w);
	return ok ? 0 : -1;
}

static void on_done(void *ctx, const struct http_response *response)
{
	struct world *w = ctx;

	w->done++;
	w->answered += response->status == 200;
	w->silent += response->error != NULL && response->error->kind == ERROR_UNAVAILABLE;
}

/* `idle_ms` 0 = for ever. */
static void start(struct world *w, int64_t idle_ms)
{
	static const struct http_tls tls = {.insecure = true};

	http_client_start(w->client, &(struct http_request){.method = "GET",
					     .url = w->server.url,
					     .tls = &tls,
					     .idle_timeout_ms = idle_ms,
					     .proxy = "",
					     .done = on_done,
					     .ctx = w});
}

static void run(struct world *w)
{
	start(w, IDLE_MS);
	assert_true(event_loop_wait(&w->loop, &w->done, w->done + 1));
}

static void requests_share_a_connection(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 10; i++) {
		start(w, 0);
	}
	assert_true(event_loop_wait(&w->loop, &w->done, 10));
	assert_int_equal(w->answered, 10);
	assert_int_equal(w->server.connections, 1);
}

static void a_connection_that_went_silent_is_not_used_again(void **state)
{
	struct world *w = *state;

	run(w);
	run(w);
	assert_int_equal(w->answered, 2);
	assert_int_equal(w->server.connections, 1);
	w->server.silent = true;
	run(w);
	assert_int_equal(w->silent, 1);
	w->server.silent = false;
	run(w);
	assert_int_equal(w->answered, 3);
	assert_int_equal(w->server.connections, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(requests_share_a_connection),
		TEST(a_connection_that_went_silent_is_not_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
