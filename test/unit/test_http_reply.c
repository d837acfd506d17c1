/* A reply that is given piece by piece, as the client takes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "event_loop.h"
#include "net/http_client.h"
#include "net/http_server.h"

#define PIECE 20000 /* more than is written at a time */

/* "/N" is a reply of so many pieces, "/endless" of as many as are taken, "/whole" one that is not in pieces. */
struct world {
	struct event_loop loop;
	struct http_server *server;
	struct http_client *client;
	struct http_exchange *exchange;
	char *piece;
	int left;
	int given;
	int gone;
	int done;
	int status;
	size_t body_len;
	bool same; /* the body is the pieces, one after the other */
	char *message;
};

static void give(void *ctx)
{
	struct world *w = ctx;

	w->left--;
	w->given++;
	w->piece[0] = (char)('a' + w->given % 26);
	http_reply_piece(w->exchange, w->piece, PIECE, w->left == 0);
}

static void on_gone(void *ctx)
{
	struct world *w = ctx;

	w->gone++;
	http_reply_cut(w->exchange);
	w->exchange = NULL;
}

static void handle(void *ctx, struct http_exchange *exchange)
{
	struct world *w = ctx;
	const char *path = http_exchange_path(exchange);

	if (strcmp(path, "/whole") == 0) {
		http_reply(exchange, 200, "text/plain", "whole", 5);
		return;
	}
	w->left = strcmp(path, "/endless") == 0 ? -1 : atoi(path + 1);
	w->given = 0;
	w->exchange = exchange;
	http_exchange_watch(exchange, on_gone, w);
	http_reply_begin(exchange, 200, "text/plain", give, w);
	give(w);
}

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	event_loop_init(&w->loop);
	w->client = http_client_new(&w->loop.uv);
	w->server = http_server_new(&w->loop.uv, "127.0.0.1:0", handle, w, NULL);
	w->piece = xcalloc(1, PIECE);
	memset(w->piece, '.', PIECE);
	*state = w;
	return w->server != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	struct world *w = *state;
	int closed = 0;
	bool ok;

	http_server_close(w->server, event_loop_count, &closed);
	http_client_close(w->client, event_loop_count, &closed);
	ok = event_loop_wait(&w->loop, &closed, 2) && event_loop_end(&w->loop);
	free(w->piece);
	free(w->message);
	free(w);
	return ok ? 0 : -1;
}

static bool is_whole(const char *body, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (body[i] != (i % PIECE == 0 ? (char)('a' + (i / PIECE + 1) % 26) : '.')) {
			return false;
		}
	}
	return true;
}

static void on_done(void *ctx, const struct http_response *response)
{
	struct world *w = ctx;

	free(w->message);
	w->status = response->status;
	w->body_len = response->body_len;
	w->same = is_whole(response->body, response->body_len);
	w->message = xstrdup(response->error != NULL ? response->error->message : "");
	w->done++;
}

static struct http_transfer *start(struct world *w, const char *method, const char *path)
{
	auto_free char *url = xasprintf("http://127.0.0.1:%d%s", http_server_port(w->server), path);
	struct http_request request = {.method = method, .url = url, .proxy = "", .done = on_done, .ctx = w};

	return http_client_start(w->client, &request);
}

static void ask(struct world *w, const char *method, const char *path)
{
	int before = w->done;

	start(w, method, path);
	assert_true(event_loop_wait(&w->loop, &w->done, before + 1));
}

/* A client that sends these bytes, and has room for little; the descriptor. */
static int send_raw(struct world *w, const char *bytes)
{
	struct sockaddr_in where = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)http_server_port(w->server)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval patience = {.tv_sec = 5};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int room = 4096;

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (const struct sockaddr *)&where, sizeof(where)), 0);
	assert_int_equal(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
	return fd;
}

static void run_for(struct world *w, uint64_t ms)
{
	int never = 0;

	assert_false(event_loop_wait_for(&w->loop, &never, 1, ms));
}

static void all_pieces_come_in_their_order(void **state)
{
	struct world *w = *state;

	ask(w, "GET", "/1");
	assert_string_equal(w->message, "");
	assert_int_equal(w->body_len, PIECE);
	/* On the same connection. */
	ask(w, "GET", "/200");
	assert_string_equal(w->message, "");
	assert_int_equal(w->status, 200);
	assert_int_equal(w->body_len, 200 * PIECE);
	assert_true(w->same);
	ask(w, "GET", "/whole");
	assert_int_equal(w->body_len, 5);
	ask(w, "GET", "/2");
	assert_int_equal(w->body_len, 2 * PIECE);
	assert_true(w->same);
	assert_int_equal(w->gone, 0);
}

static void nothing_is_made_that_is_not_taken(void **state)
{
	struct world *w = *state;
	int fd = send_raw(w, "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
	int given;

	assert_true(event_loop_wait(&w->loop, &w->given, 1));
	run_for(w, 100);
	given = w->given;
	assert_in_range(given, 1, 20); /* what the kernel keeps */
	run_for(w, 200);
	assert_int_equal(w->given, given);
	/* Others are not held up, and the end of the client is the end of the reply. */
	ask(w, "GET", "/whole");
	close(fd);
	assert_true(event_loop_wait(&w->loop, &w->gone, 1));
}

static void who_does_not_read_is_dropped(void **state)
{
	struct world *w = *state;
	int fd;

	http_server_set_patience(w->server, 300);
	fd = send_raw(w, "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_true(event_loop_wait_for(&w->loop, &w->gone, 1, 5000));
	close(fd);
}

/* Longer in all than anybody's patience, but never for one piece. */
static void who_reads_slowly_gets_all(void **state)
{
	struct world *w = *state;
	auto_free char *bytes = xcalloc(1, 1 << 20);
	size_t len = 0;
	ssize_t got;
	uint64_t start_ns = uv_hrtime();
	int fd;

	http_server_set_patience(w->server, 1000);
	fd = send_raw(w, "GET /400 HTTP/1.0\r\nHost: x\r\n\r\n");
	assert_true(event_loop_wait(&w->loop, &w->given, 1));
	while (w->gone == 0 && (got = recv(fd, bytes, 1 << 20, MSG_DONTWAIT)) != 0) {
		len += got > 0 ? (size_t)got : 0;
		run_for(w, got > 0 ? 2 : 20);
	}
	assert_true(uv_hrtime() - start_ns > UINT64_C(1000000000));
	assert_int_equal(w->gone, 0);
	assert_true(len > (size_t)400 * PIECE);
	close(fd);
}

/* All that comes until the end of the connection; heap. */
static char *read_all(struct world *w, int fd)
{
	struct strbuf text = STRBUF_INIT;
	char some[4096];
	ssize_t got;

	while ((got = recv(fd, some, sizeof(some), MSG_DONTWAIT)) != 0) {
		strbuf_add(&text, some, got > 0 ? (size_t)got : 0);
		run_for(w, 1);
	}
	return strbuf_take(&text);
}

static void http_1_0_has_no_chunks(void **state)
{
	struct world *w = *state;
	int fd = send_raw(w, "GET /3 HTTP/1.0\r\nHost: x\r\n\r\n");
	auto_free char *text = NULL;
	const char *body;

	text = read_all(w, fd);
	body = strstr(text, "\r\n\r\n") + 4;
	assert_null(strstr(text, "chunked"));
	assert_null(strstr(text, "content-length"));
	assert_int_equal(strlen(body), 3 * PIECE);
	assert_true(is_whole(body, strlen(body)));
	close(fd);
}

static void a_head_has_no_body(void **state)
{
	struct world *w = *state;

	ask(w, "HEAD", "/3");
	assert_string_equal(w->message, "");
	assert_int_equal(w->status, 200);
	assert_int_equal(w->body_len, 0);
	ask(w, "GET", "/whole");
	assert_int_equal(w->body_len, 5);
}

/* Nobody takes a part for the whole. */
static void a_reply_that_is_cut_is_broken(void **state)
{
	struct world *w = *state;
	struct http_exchange *exchange;
	auto_free char *text = NULL;
	int fd = send_raw(w, "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");

	assert_true(event_loop_wait(&w->loop, &w->given, 2));
	exchange = w->exchange;
	http_reply_cut(exchange);
	text = read_all(w, fd);
	assert_null(strstr(text, "\r\n0\r\n"));
	assert_int_equal(w->gone, 0);
	close(fd);
	start(w, "GET", "/endless");
	w->given = 0;
	assert_true(event_loop_wait(&w->loop, &w->given, 2));
	http_reply_cut(w->exchange);
	assert_true(event_loop_wait(&w->loop, &w->done, 1));
	assert_string_not_equal(w->message, "");
	/* Also instead of a reply that has not begun. */
	ask(w, "GET", "/whole");
	assert_string_equal(w->message, "");
}

static void a_second_request_meanwhile_harms_nobody(void **state)
{
	struct world *w = *state;
	int fd = send_raw(w, "GET /endless HTTP/1.1\r\nHost: x\r\n\r\nGET /whole HTTP/1.1\r\nHost: x\r\n\r\n");

	assert_true(event_loop_wait(&w->loop, &w->given, 1));
	run_for(w, 100);
	ask(w, "GET", "/whole");
	close(fd);
	assert_true(event_loop_wait(&w->loop, &w->gone, 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_pieces_come_in_their_order),
		TEST(nothing_is_made_that_is_not_taken),
		TEST(who_does_not_read_is_dropped),
		TEST(who_reads_slowly_gets_all),
		TEST(http_1_0_has_no_chunks),
		TEST(a_head_has_no_body),
		TEST(a_reply_that_is_cut_is_broken),
		TEST(a_second_request_meanwhile_harms_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
