/* What the TLS server costs: memory of a connection that waits, CPU time of a request and of a handshake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "net/tls_server.h"
#include "tls_rig.h"

#define CONNECTIONS 200
#define REQUESTS 5000
#define HANDSHAKES 300
#define BODY 8192 /* the answer for some thirty pods */

/* Most of each, a multiple of what was measured: the machine does other things too. */
#define HEAP_MAX 24576
#define REQUEST_MAX_US 500
#define HANDSHAKE_MAX_US 5000

struct world {
	struct event_loop loop;
	struct tls_server *server;
	struct certificate *certificate;
	struct tls_identity authority, front_proxy;
	char body[BODY];
	/* The clients' thread, whose time and memory do not count. */
	pthread_t thread;
	uv_async_t done;
	bool fresh; /* a connection for each request */
	int requests;
	int answered;
	int ended;
};

static void handle(void *ctx, struct tls_exchange *exchange)
{
	struct world *w = ctx;

	tls_reply(exchange, 200, "application/json", w->body, sizeof(w->body));
}

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	const struct tls_server_options options = {.address = "127.0.0.1:0", .connections = CONNECTIONS};
	auto_error err = ERROR_INIT;
	struct peer_trust *trust;

	event_loop_init(&w->loop);
	w->server = tls_server_new(&w->loop.uv, &options, handle, w, &err);
	w->certificate = certificate_make("m.ns.svc", clock_wall_ms(), 3600000, &err);
	w->authority = tls_authority("ca");
	w->front_proxy = tls_identity(&w->authority, "front-proxy-client", 3600, "clientAuth");
	trust = peer_trust_new(w->authority.pem, NULL, 0, &err);
	assert_non_null(trust);
	tls_server_present(w->server, w->certificate);
	tls_server_trust(w->server, trust);
	peer_trust_free(trust);
	memset(w->body, 'x', sizeof(w->body));
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	int closed = 0;
	bool ok;

	tls_server_close(w->server, event_loop_count, &closed);
	ok = event_loop_wait(&w->loop, &closed, 1) && event_loop_end(&w->loop);
	certificate_free(w->certificate);
	tls_identity_release(&w->authority);
	tls_identity_release(&w->front_proxy);
	free(w);
	return ok ? 0 : -1;
}

/* Of the heap in use, what the server's side of a connection has: the clients' is measured alone before. */
static void test_heap_of_an_idle_connection(void **state)
{
	struct world *w = *state;
	const struct tls_client_options options = {.identity = &w->front_proxy};
	struct tls_client clients[CONNECTIONS];
	size_t before, with_clients, with_both;

	clients[0] = tls_client_open(&w->loop, tls_server_port(w->server), &options);
	assert_int_equal(tls_client_get(&clients[0], "/", NULL), 200);
	before = mallinfo2().uordblks;
	for (size_t i = 1; i < CONNECTIONS; i++) {
		clients[i] = tls_client_open(&w->loop, tls_server_port(w->server), &options);
		assert_int_equal(tls_client_get(&clients[i], "/", NULL), 200);
	}
	with_both = mallinfo2().uordblks;
	assert_int_equal(tls_server_counts(w->server).connections, CONNECTIONS);
	for (size_t i = 0; i < CONNECTIONS; i++) {
		/* The server's side goes, the clients stay. */
		shutdown(clients[i].fd, SHUT_WR);
	}
	while (tls_server_counts(w->server).connections > 0) {
		uv_run(&w->loop.uv, UV_RUN_NOWAIT);
	}
	uv_run(&w->loop.uv, UV_RUN_NOWAIT);
	with_clients = mallinfo2().uordblks;
	print_message("heap of an idle connection: %zu bytes of the server's, %zu with the client's\n",
		(with_both - with_clients) / CONNECTIONS, (with_both - before) / (CONNECTIONS - 1));
#if !defined(__SANITIZE_ADDRESS__)
	assert_true((with_both - with_clients) / CONNECTIONS < HEAP_MAX);
#endif
	for (size_t i = 0; i < CONNECTIONS; i++) {
		tls_client_close(&clients[i]);
	}
}

/* CPU time ------------------------------------------------------------------------------------ */

/* Blocking, on a thread and a loop of its own. */
static void *ask(void *ctx)
{
	struct world *w = ctx;
	const struct tls_client_options options = {.identity = &w->front_proxy};
	struct event_loop loop;
	struct tls_client client;

	event_loop_init(&loop);
	for (int i = 0; i < w->requests; i++) {
		if (i == 0 || w->fresh) {
			client = tls_client_connect(&loop, tls_server_port(w->server), &options);
			fcntl(client.fd, F_SETFL, 0);
		}
		w->answered += tls_client_get(&client, "/", NULL) == 200;
		if (i + 1 == w->requests || w->fresh) {
			tls_client_close(&client);
		}
	}
	event_loop_end(&loop);
	uv_async_send(&w->done);
	return NULL;
}

static void on_done(uv_async_t *done)
{
	struct world *w = done->data;

	w->ended++;
}

/* Of the server's thread, in microseconds a request. */
static double time_of_requests(struct world *w, int requests, bool fresh)
{
	int64_t begin_ns, begin_ms = clock_monotonic_ms();
	double us;

	w->requests = requests;
	w->fresh = fresh;
	uv_async_init(&w->loop.uv, &w->done, on_done);
	w->done.data = w;
	begin_ns = clock_worked_ns();
	assert_int_equal(pthread_create(&w->thread, NULL, ask, w), 0);
	assert_true(event_loop_wait_for(&w->loop, &w->ended, 1, 60000));
	us = (double)(clock_worked_ns() - begin_ns) / 1000 / requests;
	pthread_join(w->thread, NULL);
	uv_close((uv_handle_t *)&w->done, NULL);
	assert_int_equal(w->answered, requests);
	print_message("%s: %.0f us of CPU each, %.0f a second by one client\n",
		fresh ? "requests with a connection each" : "requests on one connection", us,
		requests * 1000.0 / (double)(clock_monotonic_ms() - begin_ms));
	return us;
}

static void test_time_of_a_request(void **state)
{
	double us = time_of_requests(*state, REQUESTS, false);

#if !defined(__SANITIZE_ADDRESS__)
	assert_true(us < REQUEST_MAX_US);
#endif
	(void)us;
}

static void test_time_of_a_handshake(void **state)
{
	double us = time_of_requests(*state, HANDSHAKES, true);

#if !defined(__SANITIZE_ADDRESS__)
	assert_true(us < HANDSHAKE_MAX_US);
#endif
	(void)us;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_heap_of_an_idle_connection, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time_of_a_request, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time_of_a_handshake, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
