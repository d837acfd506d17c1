/* The HTTP server, asked by our own client and by raw bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "event_loop.h"
#include "net/http_client.h"
#include "net/http_server.h"

struct world {
	struct event_loop loop;
	struct http_server *server;
	struct http_client *client;
	struct http_exchange *held; /* the request to '/held' */
	int asked;                  /* requests the handler saw */
	int gone;                   /* clients of '/held' that left */
	int done;
	char *method, *path, *request_body, *bearer;
	int status;
	char *body, *content_type, *message;
	size_t body_len;
};

static void on_gone(void *ctx)
{
	struct world *w = ctx;

	w->gone++;
	http_reply(w->held, 200, "text/plain", "x", 1);
	w->held = NULL;
}

static void handle(void *ctx, struct http_exchange *exchange)
{
	struct world *w = ctx;
	size_t len;
	const char *body = http_exchange_body(exchange, &len);

	w->asked++;
	free(w->method);
	free(w->path);
	free(w->request_body);
	free(w->bearer);
	w->bearer = xstrdup(http_exchange_bearer(exchange));
	w->method = xstrdup(http_exchange_method(exchange));
	w->path = xstrdup(http_exchange_path(exchange));
	w->request_body = xstrndup(body, len);
	if (strcmp(w->path, "/held") == 0) {
		w->held = exchange;
	} else if (strcmp(w->path, "/large") == 0) {
		size_t large = (size_t)5 << 20;
		char *text = xcalloc(1, large);

		memset(text, 'x', large);
		http_reply(exchange, 200, "text/plain", text, large);
		free(text);
	} else if (strcmp(w->path, "/closed") == 0) {
		http_reply(exchange, 401, "text/plain", "", 0);
	} else {
		http_reply(exchange, 200, "text/plain", "hello\n", 6);
	}
}

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	auto_error err = ERROR_INIT;

	event_loop_init(&w->loop);
	w->client = http_client_new(&w->loop.uv);
	w->server = http_server_new(&w->loop.uv, "127.0.0.1:0", handle, w, &err);
	*state = w;
	return w->server != NULL ? 0 : -1;
}

static void close_server(struct world *w)
{
	int closed = 0;

	http_server_close(w->server, event_loop_count, &closed);
	w->server = NULL;
	assert_int_equal(closed, 0);
	assert_true(event_loop_wait(&w->loop, &closed, 1));
}

static int teardown(void **state)
{
	struct world *w = *state;
	int closed = 0;
	bool ok;

	if (w->server != NULL) {
		close_server(w);
	}
	http_client_close(w->client, event_loop_count, &closed);
	ok = event_loop_wait(&w->loop, &closed, 1) && event_loop_end(&w->loop);
	free(w->method);
	free(w->path);
	free(w->request_body);
	free(w->bearer);
	free(w->body);
	free(w->content_type);
	free(w->message);
	free(w);
	return ok ? 0 : -1;
}

static void on_done(void *ctx, const struct http_response *response)
{
	struct world *w = ctx;

	free(w->body);
	free(w->content_type);
	free(w->message);
	w->status = response->status;
	w->body = xstrdup(response->body);
	w->body_len = response->body_len;
	w->content_type = xstrdup(response->content_type);
	w->message = xstrdup(response->error != NULL ? response->error->message : "");
	w->done++;
}

static struct http_transfer *start(struct world *w, const char *method, const char *path, const char *body, size_t len)
{
	auto_free char *url = xasprintf("http://127.0.0.1:%d%s", http_server_port(w->server), path);
	struct http_request request =
		{.method = method, .url = url, .body = body, .body_len = len, .proxy = "", .done = on_done, .ctx = w};

	return http_client_start(w->client, &request);
}

static void ask(struct world *w, const char *method, const char *path, const char *body, size_t len)
{
	int before = w->done;

	start(w, method, path, body, len);
	assert_true(event_loop_wait(&w->loop, &w->done, before + 1));
	assert_string_equal(w->message, "");
}

/* Sends raw bytes on a connection of its own, from an address of the loopback; the descriptor. */
static int send_from(struct world *w, const char *address, const char *bytes)
{
	struct sockaddr_in from = {.sin_family = AF_INET};
	struct sockaddr_in where = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)http_server_port(w->server)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval patience = {.tv_sec = 5};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(inet_pton(AF_INET, address, &from.sin_addr), 1);
	assert_int_equal(bind(fd, (const struct sockaddr *)&from, sizeof(from)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (const struct sockaddr *)&where, sizeof(where)), 0);
	assert_int_equal(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
	return fd;
}

static int send_raw(struct world *w, const char *bytes)
{
	return send_from(w, "127.0.0.1", bytes);
}

static void stop(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

/* Runs the loop for so long: that something does not happen has no event to wait for. */
static void run_for(uv_loop_t *loop, uint64_t ms)
{
	uv_timer_t timer;

	uv_timer_init(loop, &timer);
	uv_timer_start(&timer, stop, ms, 0);
	uv_run(loop, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(loop, UV_RUN_NOWAIT);
}

static void parts_of_a_request(void **state)
{
	struct world *w = *state;

	ask(w, "GET", "/a%20b/c?x=1%262&flag&y=%C3%A9&z=a=b", NULL, 0);
	assert_int_equal(w->status, 200);
	assert_string_equal(w->body, "hello\n");
	assert_string_equal(w->content_type, "text/plain");
	assert_string_equal(w->method, "GET");
	assert_string_equal(w->path, "/a b/c");
	assert_string_equal(w->request_body, "");
	ask(w, "GET", "/", NULL, 0);
	assert_string_equal(w->path, "/");
}

/* What the server answers, up to its end of the connection; heap. */
static char *answer_to(struct world *w, const char *request)
{
	char answer[1024] = "";
	int before = w->asked;
	int fd = send_raw(w, request);

	assert_true(event_loop_wait(&w->loop, &w->asked, before + 1));
	run_for(&w->loop.uv, 20);
	assert_true(read(fd, answer, sizeof(answer) - 1) > 0);
	close(fd);
	return xstrdup(answer);
}

/* The time of one request on a connection that stays, in microseconds: until its whole reply has come. */
static int64_t time_of_a_reply(struct world *w, int fd)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	char answer[1024] = "";
	struct timespec begin, end;
	size_t len = 0;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	assert_int_equal(write(fd, request, strlen(request)), (ssize_t)strlen(request));
	while (strstr(answer, "hello\n") == NULL) {
		ssize_t got = recv(fd, answer + len, sizeof(answer) - 1 - len, MSG_DONTWAIT);

		assert_int_not_equal(got, 0);
		len += got > 0 ? (size_t)got : 0;
		uv_run(&w->loop.uv, UV_RUN_NOWAIT);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	return (int64_t)(end.tv_sec - begin.tv_sec) * 1000000 + (end.tv_nsec - begin.tv_nsec) / 1000;
}

/* A reply's body does not wait until the client's kernel confirms the header, which it does after 40 ms. The machine does other
 * things too: the fastest counts, and not the first ones, which a kernel confirms at once. */
static void replies_do_not_wait_for_the_kernel(void **state)
{
	struct world *w = *state;
	int fd = send_raw(w, "");
	int64_t fastest = INT64_MAX;

	for (int i = 0; i < 40; i++) {
		int64_t time = time_of_a_reply(w, fd);

		fastest = i >= 20 && time < fastest ? time : fastest;
	}
	assert_true(fastest < 20000);
	close(fd);
}

static void a_bearer_token(void **state)
{
	struct world *w = *state;
	auto_free char *large = xcalloc(9001, 1);
	auto_free char *request = NULL;
	auto_free char *answer = answer_to(w, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
					      "authorization: bearer  a.b-c_d\r\n\r\n");
	auto_free char *basic = NULL;
	auto_free char *refused = NULL;
	auto_free char *none = NULL;

	assert_string_equal(w->bearer, "a.b-c_d");
	assert_null(strstr(answer, "401"));
	basic = answer_to(w, "GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic abc\r\n\r\n");
	assert_null(w->bearer);
	none = answer_to(w, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	assert_null(w->bearer);
	refused = answer_to(w, "GET /closed HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	assert_non_null(strstr(refused, "401"));
	assert_non_null(strstr(refused, "Bearer"));
	/* As long as one that names many groups. */
	memset(large, 'x', 9000);
	request =
		xasprintf("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer %s\r\n\r\n", large);
	free_indirect(&answer);
	answer = answer_to(w, request);
	assert_string_equal(w->bearer, large);
}

static void every_method(void **state)
{
	static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		bool body = methods[i][0] == 'P';

		ask(w, methods[i], "/m", body ? "abc" : NULL, body ? 3 : 0);
		assert_int_equal(w->status, 200);
		assert_string_equal(w->method, methods[i]);
		assert_string_equal(w->request_body, body ? "abc" : "");
	}
	ask(w, "POST", "/m", "", 0);
	assert_int_equal(w->status, 200);
	assert_string_equal(w->request_body, "");
	ask(w, "HEAD", "/m", NULL, 0);
	assert_int_equal(w->status, 200);
	assert_int_equal(w->body_len, 0);
	assert_string_equal(w->method, "HEAD");
}

static void bodies_up_to_a_mebibyte(void **state)
{
	struct world *w = *state;
	size_t limit = (size_t)1 << 20;
	char *body = xcalloc(1, limit + 1);
	int asked;

	memset(body, 'b', limit + 1);
	ask(w, "POST", "/", body, limit);
	assert_int_equal(w->status, 200);
	assert_int_equal(strlen(w->request_body), limit);
	asked = w->asked;
	ask(w, "POST", "/", body, limit + 1);
	assert_int_equal(w->status, 413);
	assert_string_equal(w->body, "request body is larger than 1 MiB\n");
	assert_int_equal(w->asked, asked);
	free(body);
	ask(w, "GET", "/", NULL, 0);
	assert_int_equal(w->status, 200);
}

static void large_reply(void **state)
{
	struct world *w = *state;

	ask(w, "GET", "/large", NULL, 0);
	assert_int_equal(w->status, 200);
	assert_int_equal(w->body_len, (size_t)5 << 20);
	assert_int_equal(strspn(w->body, "x"), w->body_len);
}

static void reply_may_come_later(void **state)
{
	struct world *w = *state;

	start(w, "POST", "/held", "abc", 3);
	assert_true(event_loop_wait(&w->loop, &w->asked, 1));
	ask(w, "GET", "/", NULL, 0); /* others are not held up */
	assert_int_equal(w->done, 1);
	http_reply(w->held, 503, "application/json", "{}", 2);
	assert_true(event_loop_wait(&w->loop, &w->done, 2));
	assert_int_equal(w->status, 503);
	assert_string_equal(w->body, "{}");
	assert_string_equal(w->content_type, "application/json");
}

static void reply_to_a_client_that_left_is_dropped(void **state)
{
	struct world *w = *state;

	http_transfer_cancel(start(w, "GET", "/", NULL, 0));
	assert_true(event_loop_wait(&w->loop, &w->done, 1));
	w->asked = 0;
	http_transfer_cancel(start(w, "GET", "/held", NULL, 0));
	start(w, "GET", "/held", NULL, 0);
	assert_true(event_loop_wait(&w->loop, &w->asked, 1));
	http_reply(w->held, 200, "text/plain", "x", 1);
	assert_true(event_loop_wait(&w->loop, &w->done, 3));
}

static void reply_after_the_connection_broke(void **state)
{
	struct world *w = *state;
	int fd = send_raw(w, "GET /held HTTP/1.1\r\nHost: x\r\n\r\n");

	assert_true(event_loop_wait(&w->loop, &w->asked, 1));
	close(fd);
	ask(w, "GET", "/", NULL, 0); /* the server has seen the end by now */
	ask(w, "GET", "/", NULL, 0);
	http_reply(w->held, 200, "text/plain", "x", 1);
	ask(w, "GET", "/", NULL, 0);
	assert_int_equal(w->status, 200);
}

static void client_that_leaves_is_notified(void **state)
{
	static const char *const requests[] = {"GET /held HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab"};
	struct world *w = *state;

	for (int i = 0; i < 2; i++) {
		int fd = send_raw(w, requests[i]);

		assert_true(event_loop_wait(&w->loop, &w->asked, i + 1));
		http_exchange_watch(w->held, on_gone, w);
		close(fd);
		assert_true(event_loop_wait(&w->loop, &w->gone, i + 1));
	}
}

static void reply_after_the_server_closed(void **state)
{
	struct world *w = *state;
	int fd = send_raw(w, "GET /held HTTP/1.1\r\nHost: x\r\n\r\n");

	assert_true(event_loop_wait(&w->loop, &w->asked, 1));
	close_server(w);
	http_reply(w->held, 200, "text/plain", "x", 1);
	close(fd);
}

static void close_ends_connections(void **state)
{
	struct world *w = *state;

	start(w, "GET", "/held", NULL, 0);
	assert_true(event_loop_wait(&w->loop, &w->asked, 1));
	http_reply(w->held, 200, "text/plain", "x", 1); /* not yet written when the server closes */
	close_server(w);
	assert_true(event_loop_wait(&w->loop, &w->done, 1));
	assert_int_equal(w->status, 200);
	assert_string_equal(w->body, "x");
}

static void count_turn(uv_prepare_t *prepare)
{
	++*(int *)prepare->data;
}

/* The server waits a second for a client that does not read its reply, and the loop has nothing to do. */
static void close_does_not_keep_the_loop_busy(void **state)
{
	struct world *w = *state;
	int fd = send_raw(w, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
	uv_prepare_t prepare;
	int turns = 0;

	assert_true(event_loop_wait(&w->loop, &w->asked, 1));
	uv_prepare_init(&w->loop.uv, &prepare);
	prepare.data = &turns;
	uv_prepare_start(&prepare, count_turn);
	close_server(w);
	/* What fits is written piece by piece, and libwebsockets takes its turns to leave. */
	assert_true(turns < 100);
	uv_close((uv_handle_t *)&prepare, NULL);
	uv_run(&w->loop.uv, UV_RUN_NOWAIT);
	close(fd);
}

static void close_waits_no_longer_than_for_the_last_reply(void **state)
{
	struct world *w = *state;
	uint64_t start_ns = uv_hrtime();

	start(w, "GET", "/large", NULL, 0);
	assert_true(event_loop_wait(&w->loop, &w->asked, 1));
	close_server(w);
	assert_true(uv_hrtime() - start_ns < UINT64_C(900000000));
	assert_true(event_loop_wait(&w->loop, &w->done, 1));
	assert_int_equal(w->body_len, (size_t)5 << 20);
}

static void connection_close_is_honoured(void **state)
{
	struct world *w = *state;
	char answer[512];
	size_t len = 0;
	ssize_t got;
	int fd = send_raw(w, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

	ask(w, "GET", "/", NULL, 0);
	while ((got = read(fd, answer + len, sizeof(answer) - 1 - len)) > 0) {
		len += (size_t)got;
	}
	assert_int_equal(got, 0); /* the end, not our patience */
	answer[len] = '\0';
	assert_non_null(strstr(answer, "\r\nconnection: close\r\n"));
	assert_non_null(strstr(answer, "\r\n\r\nhello\n"));
	close(fd);
}

static void body_of_unknown_length_is_refused(void **state)
{
	struct world *w = *state;
	char answer[512] = "";
	ssize_t len;
	int fd = send_raw(w, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n");

	ask(w, "GET", "/", NULL, 0);
	ask(w, "GET", "/", NULL, 0);
	len = read(fd, answer, sizeof(answer) - 1);
	assert_true(len > 0);
	assert_non_null(strstr(answer, "HTTP/1.1 411 "));
	assert_non_null(strstr(answer, "request body without a Content-Length\n"));
	assert_string_equal(w->method, "GET");
	close(fd);
}

static void garbage_harms_nobody(void **state)
{
	static const char *const garbage[] = {"\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02", "BREW / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
		"HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"GET /held HTTP/1.1\r\nHost: x\r\n\r\nGET /held HTTP/1.1\r\nHost: x\r\n\r\n"};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(garbage); i++) {
		int fd = send_raw(w, garbage[i]);

		ask(w, "GET", "/", NULL, 0);
		close(fd);
		ask(w, "GET", "/", NULL, 0);
		assert_int_equal(w->status, 200);
	}
	if (w->held != NULL) {
		http_reply(w->held, 200, "text/plain", "x", 1);
	}
}

/* The end of a connection whose client reads nothing but waits for it: true when it came in time. */
static bool was_dropped(struct world *w, int fd)
{
	for (int i = 0; i < 400; i++) {
		char byte;
		ssize_t got;

		run_for(&w->loop.uv, 10);
		got = recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
		if (got == 0 || (got < 0 && errno != EAGAIN)) {
			return true;
		}
	}
	return false;
}

static void client_that_does_not_send_is_dropped(void **state)
{
	static const char *const begun[] = {"", "GET / HT", "GET / HTTP/1.1\r\nHost: x\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab"};
	struct world *w = *state;

	http_server_set_patience(w->server, 100);
	for (size_t i = 0; i < ARRAY_LEN(begun); i++) {
		int fd = send_raw(w, begun[i]);

		assert_true(was_dropped(w, fd));
		close(fd);
	}
}

/* Each byte in time is no request in time. */
static void client_that_drips_is_dropped(void **state)
{
	struct world *w = *state;
	int fd = send_raw(w, "GET / HTTP/1.1\r\nX: ");
	int sent = 0;

	http_server_set_patience(w->server, 300);
	while (sent < 400 && send(fd, "x", 1, MSG_NOSIGNAL) == 1) {
		run_for(&w->loop.uv, 10);
		sent++;
	}
	assert_in_range(sent, 20, 300);
	close(fd);
}

static void client_that_does_not_read_is_dropped(void **state)
{
	struct world *w = *state;
	int fd = send_raw(w, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
	char buffer[65536];
	size_t got = 0;
	ssize_t n;

	http_server_set_patience(w->server, 100);
	assert_true(event_loop_wait(&w->loop, &w->asked, 1));
	run_for(&w->loop.uv, 2500);
	while ((n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
		got += (size_t)n;
	}
	assert_true(n == 0 || errno != EAGAIN);
	assert_true(got < (size_t)5 << 20);
	close(fd);
	/* One whose reply the handler still owes is not to blame. */
	fd = send_raw(w, "GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_true(event_loop_wait(&w->loop, &w->asked, 2));
	run_for(&w->loop.uv, 2500);
	http_reply(w->held, 200, "text/plain", "x", 1);
	run_for(&w->loop.uv, 50);
	assert_true(recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT) > 0);
	close(fd);
}

static void one_too_many_takes_the_place_of_the_oldest(void **state)
{
	struct world *w = *state;
	int fds[20];

	http_server_limit(w->server, 4);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = send_raw(w, i % 2 ? "" : "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
		run_for(&w->loop.uv, 5);
	}
	for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
		char buffer[65536];
		ssize_t n;

		while ((n = recv(fds[i], buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
		}
		assert_int_equal(n < 0 && errno == EAGAIN, i >= ARRAY_LEN(fds) - 4);
		close(fds[i]);
	}
	ask(w, "GET", "/", NULL, 0);
	assert_int_equal(w->status, 200);
}

/* A flood of one peer is no reason to drop another's. */
static void who_holds_most_is_dropped_first(void **state)
{
	struct world *w = *state;
	const char *bytes = "";
	int few = send_from(w, "127.0.0.2", bytes), many[10], dropped = 0;
	char byte;

	http_server_limit(w->server, 4);
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		many[i] = send_from(w, "127.0.0.3", bytes);
		run_for(&w->loop.uv, 5);
	}
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		dropped += !(recv(many[i], &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN);
		close(many[i]);
	}
	assert_int_equal(dropped, 7);
	assert_true(recv(few, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN);
	close(few);
}

static void a_held_exchange_may_lose_its_connection_to_another(void **state)
{
	struct world *w = *state;
	int first, second;

	http_server_limit(w->server, 1);
	first = send_raw(w, "GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_true(event_loop_wait(&w->loop, &w->asked, 1));
	http_exchange_watch(w->held, on_gone, w);
	second = send_raw(w, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_true(event_loop_wait(&w->loop, &w->asked, 2));
	assert_int_equal(w->gone, 1);
	close(first);
	close(second);
}

/* The wait of 40 ms for a confirmation that the client does not send: at each of them, but for the first. */
static void replies_on_a_kept_connection_do_not_wait(void **state)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	struct world *w = *state;
	uint64_t best = UINT64_MAX;
	int fd = send_raw(w, request);

	for (int i = 0; i < 10; i++) {
		char answer[512];
		size_t len = 0;
		uint64_t start = uv_hrtime(), took;

		if (i > 0) {
			assert_int_equal(write(fd, request, strlen(request)), (ssize_t)strlen(request));
		}
		for (answer[0] = '\0'; strstr(answer, "hello\n") == NULL; answer[len] = '\0') {
			ssize_t got = recv(fd, answer + len, sizeof(answer) - 1 - len, MSG_DONTWAIT);

			assert_true(got > 0 || (got < 0 && errno == EAGAIN));
			len += got > 0 ? (size_t)got : 0;
			uv_run(&w->loop.uv, UV_RUN_NOWAIT);
		}
		took = uv_hrtime() - start;
		best = i >= 5 && took < best ? took : best;
	}
	assert_true(best < UINT64_C(30000000));
	close(fd);
}

static double cpu_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A connection that cannot be accepted stays, and must not keep the loop busy. */
static void no_descriptor_is_no_work(void **state)
{
	struct world *w = *state;
	int fd = send_raw(w, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	int spare = dup(fd);
	struct rlimit before, none;
	double start;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)spare; /* the next descriptor would be higher */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	start = cpu_s();
	run_for(&w->loop.uv, 500);
	assert_true(cpu_s() - start < 0.1);
	assert_int_equal(w->asked, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true(event_loop_wait(&w->loop, &w->asked, 1));
	close(spare);
	close(fd);
}

static void unusable_address_is_reported(void **state)
{
	struct world *w = *state;
	auto_free char *taken = xasprintf("127.0.0.1:%d", http_server_port(w->server));
	auto_free char *taken_message = xasprintf("cannot listen on '%s': Address already in use: stop what listens "
						  "there, or choose another port",
		taken);
	const struct {
		const char *address, *message;
	} cases[] = {
		{taken, taken_message},
		{"8080", "cannot listen on '8080': give an IP address and a port, as in 0.0.0.0:8080 or [::]:8080"},
		{":8080", NULL},
		{"localhost:http", NULL},
		{"127.0.0.1:", NULL},
		{"127.0.0.1:65536", NULL},
		{"127.0.0.1:-1", NULL},
		{"127.0.0.1:8x", NULL},
		{"::1:0x", NULL},
		{"192.0.2.1:0", "cannot listen on '192.0.2.1:0': Cannot assign requested address: choose an address of "
				"this machine, or 0.0.0.0"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_error err = ERROR_INIT;

		assert_null(http_server_new(&w->loop.uv, cases[i].address, handle, w, &err));
		assert_int_equal(err.kind, ERROR_INVALID);
		if (cases[i].message != NULL) {
			assert_string_equal(err.message, cases[i].message);
		} else {
			assert_non_null(strstr(err.message, "give an IP address and a port"));
		}
	}
}

static void two_servers_share_a_loop(void **state)
{
	struct world *w = *state;
	auto_error err = ERROR_INIT;
	struct http_server *other = http_server_new(&w->loop.uv, "0.0.0.0:0", handle, w, &err);
	int closed = 0;

	assert_non_null(other);
	assert_int_not_equal(http_server_port(other), http_server_port(w->server));
	ask(w, "GET", "/", NULL, 0);
	http_server_close(other, event_loop_count, &closed);
	assert_true(event_loop_wait(&w->loop, &closed, 1));
	ask(w, "GET", "/", NULL, 0);
	assert_int_equal(w->status, 200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(parts_of_a_request),
		TEST(replies_do_not_wait_for_the_kernel),
		TEST(a_bearer_token),
		TEST(every_method),
		TEST(bodies_up_to_a_mebibyte),
		TEST(large_reply),
		TEST(reply_may_come_later),
		TEST(reply_to_a_client_that_left_is_dropped),
		TEST(reply_after_the_connection_broke),
		TEST(client_that_leaves_is_notified),
		TEST(reply_after_the_server_closed),
		TEST(close_ends_connections),
		TEST(close_does_not_keep_the_loop_busy),
		TEST(close_waits_no_longer_than_for_the_last_reply),
		TEST(connection_close_is_honoured),
		TEST(body_of_unknown_length_is_refused),
		TEST(garbage_harms_nobody),
		TEST(client_that_does_not_send_is_dropped),
		TEST(client_that_drips_is_dropped),
		TEST(client_that_does_not_read_is_dropped),
		TEST(one_too_many_takes_the_place_of_the_oldest),
		TEST(who_holds_most_is_dropped_first),
		TEST(a_held_exchange_may_lose_its_connection_to_another),
		TEST(replies_on_a_kept_connection_do_not_wait),
		TEST(no_descriptor_is_no_work),
		TEST(unusable_address_is_reported),
		TEST(two_servers_share_a_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
