/* The HTTP client against a listener that sends what the test says, or nothing at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "event_loop.h"
#include "net/http_client.h"
#include "net/http_server.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

/* Answers every request on a connection with `answer` (NULL: never). */
struct listener {
	uv_tcp_t tcp;
	const char *answer;
	bool hang_up; /* after the answer */
	int connections, requests, open;
	struct strbuf seen; /* the requests' bytes */
	char url[64];
};

struct peer {
	uv_tcp_t tcp;
	uv_write_t write;
	struct listener *listener;
	char buf[65536];
};

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct peer *peer = handle->data;

	(void)size;
	*buf = uv_buf_init(peer->buf, sizeof(peer->buf));
}

static void on_peer_closed(uv_handle_t *handle)
{
	struct peer *peer = handle->data;

	peer->listener->open--;
	free(peer);
}

static void on_written(uv_write_t *write, int status)
{
	struct peer *peer = write->handle->data;

	(void)status;
	if (peer->listener->hang_up && !uv_is_closing((uv_handle_t *)&peer->tcp)) {
		uv_close((uv_handle_t *)&peer->tcp, on_peer_closed);
	}
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	struct peer *peer = stream->data;
	struct listener *listener = peer->listener;

	if (len < 0) {
		uv_close((uv_handle_t *)stream, on_peer_closed);
		return;
	}
	strbuf_add(&listener->seen, buf->base, (size_t)len);
	listener->requests++;
	if (listener->answer != NULL) {
		/* libuv never writes to what it sends; its struct knows no const. */
		uv_buf_t out = {.len = strlen(listener->answer)};

		memcpy(&out.base, &listener->answer, sizeof(out.base));
		uv_write(&peer->write, stream, &out, 1, on_written);
	}
}

static void on_connection(uv_stream_t *stream, int status)
{
	struct listener *listener = stream->data;
	struct peer *peer = xcalloc(1, sizeof(*peer));

	assert_int_equal(status, 0);
	peer->listener = listener;
	uv_tcp_init(stream->loop, &peer->tcp);
	peer->tcp.data = peer;
	assert_int_equal(uv_accept(stream, (uv_stream_t *)&peer->tcp), 0);
	uv_read_start((uv_stream_t *)&peer->tcp, on_alloc, on_read);
	listener->connections++;
	listener->open++;
}

/* What one test has. */
struct world {
	struct event_loop loop;
	struct listener listener;
	struct http_client *client;
	int done; /* transfers that ended */
	int data; /* calls of on_data */
	/* of the transfer that ended last */
	int status;
	enum error_kind kind;
	int64_t retry_after_ms;
	char *message, *body, *content_type;
	struct strbuf streamed;
	struct http_transfer *victim; /* cancelled by a callback that says so */
	int64_t started_ms;
};

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	struct sockaddr_in where;
	int len = sizeof(where);

	event_loop_init(&w->loop);
	strbuf_init(&w->streamed);
	strbuf_init(&w->listener.seen);
	uv_ip4_addr("127.0.0.1", 0, &where);
	uv_tcp_init(&w->loop.uv, &w->listener.tcp);
	w->listener.tcp.data = &w->listener;
	uv_tcp_bind(&w->listener.tcp, (const struct sockaddr *)&where, 0);
	uv_listen((uv_stream_t *)&w->listener.tcp, 16, on_connection);
	uv_tcp_getsockname(&w->listener.tcp, (struct sockaddr *)&where, &len);
	snprintf(w->listener.url, sizeof(w->listener.url), "http://127.0.0.1:%d", ntohs(where.sin_port));
	w->client = http_client_new(&w->loop.uv);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	int closed = 0;
	bool ok = true;

	if (w->client != NULL) {
		http_client_close(w->client, event_loop_count, &closed);
		ok = event_loop_wait(&w->loop, &closed, 1);
	}
	uv_close((uv_handle_t *)&w->listener.tcp, NULL);
	ok = event_loop_end(&w->loop) && ok && w->listener.open == 0;
	strbuf_release(&w->listener.seen);
	strbuf_release(&w->streamed);
	free(w->message);
	free(w->body);
	free(w->content_type);
	free(w);
	return ok ? 0 : -1;
}

static void on_done(void *ctx, const struct http_response *response)
{
	struct world *w = ctx;

	free(w->message);
	free(w->body);
	free(w->content_type);
	w->message = xstrdup(response->error != NULL ? response->error->message : "");
	w->kind = response->error != NULL ? response->error->kind : ERROR_NONE;
	w->body = xstrndup(response->body, response->body_len);
	w->content_type = xstrdup(response->content_type);
	w->status = response->status;
	w->retry_after_ms = response->retry_after_ms;
	w->done++;
}

static struct http_request get(struct world *w)
{
	return (struct http_request){.method = "GET", .url = w->listener.url, .proxy = "", .done = on_done, .ctx = w};
}

/* Starts it and waits for its end. */
static void run(struct world *w, const struct http_request *request)
{
	int before = w->done;

	http_client_start(w->client, request);
	assert_int_equal(w->done, before); /* never from inside start() */
	assert_true(event_loop_wait(&w->loop, &w->done, before + 1));
}

/* Answers ------------------------------------------------------------------------------------- */

static void answer_arrives(void **state)
{
	struct world *w = *state;
	const char *headers[] = {"X-One: 1", NULL};
	auto_free char *url = xasprintf("%s/a?token=secret", w->listener.url);
	struct http_request request = get(w);

	w->listener.answer = OK_HEAD "Content-Length: 2\r\n\r\n{}";
	request.url = url;
	request.headers = headers;
	run(w, &request);
	assert_int_equal(w->kind, ERROR_NONE);
	assert_int_equal(w->status, 200);
	assert_string_equal(w->body, "{}");
	assert_string_equal(w->content_type, "application/json");
	assert_int_equal(w->retry_after_ms, -1);
	assert_non_null(strstr(w->listener.seen.buf, "GET /a?token=secret HTTP/1.1\r\n"));
	assert_non_null(strstr(w->listener.seen.buf, "\r\nX-One: 1\r\n"));
}

static void connection_is_used_again(void **state)
{
	struct world *w = *state;
	struct http_request request = get(w);

	w->listener.answer = OK_HEAD "Content-Length: 2\r\n\r\n{}";
	run(w, &request);
	run(w, &request);
	assert_int_equal(w->listener.requests, 2);
	assert_int_equal(w->listener.connections, 1);
}

static void body_is_sent_as_it_is(void **state)
{
	struct world *w = *state;
	struct http_request request = get(w);
	char body[] = "{\"a\":1}";

	w->listener.answer = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";
	request.method = "PATCH";
	request.body = body;
	request.body_len = strlen(body);
	http_client_start(w->client, &request);
	memset(body, 'x', strlen(body)); /* it was copied */
	assert_true(event_loop_wait(&w->loop, &w->done, 1));
	assert_int_equal(w->status, 201);
	assert_non_null(strstr(w->listener.seen.buf, "PATCH / HTTP/1.1\r\n"));
	assert_non_null(strstr(w->listener.seen.buf, "\r\n\r\n{\"a\":1}"));
	assert_null(strstr(w->listener.seen.buf, "Expect"));
	assert_null(strstr(w->listener.seen.buf, "form-urlencoded"));
}

static void status_429_reports_retry_after(void **state)
{
	struct world *w = *state;
	struct http_request request = get(w);
	char date[64], answer[256];
	time_t later = time(NULL) + 90;
	struct tm tm;

	w->listener.answer = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\nContent-Length: 3\r\n\r\nno\n";
	run(w, &request);
	assert_int_equal(w->kind, ERROR_NONE);
	assert_int_equal(w->status, 429);
	assert_string_equal(w->body, "no\n");
	assert_int_equal(w->retry_after_ms, 7000);

	gmtime_r(&later, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	snprintf(answer, sizeof(answer),
		"HTTP/1.1 503 Service Unavailable\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", date);
	w->listener.answer = answer;
	run(w, &request);
	assert_int_equal(w->status, 503);
	assert_in_range(w->retry_after_ms, 80000, 90000);

	w->listener.answer = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n";
	run(w, &request);
	assert_int_equal(w->retry_after_ms, 0);
	w->listener.answer = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n";
	run(w, &request);
	assert_int_equal(w->retry_after_ms, -1);
}

static void redirect_is_not_followed(void **state)
{
	struct world *w = *state;
	struct http_request request = get(w);

	w->listener.answer = "HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n";
	run(w, &request);
	assert_int_equal(w->status, 302);
	assert_int_equal(w->listener.requests, 1);
}

/* Bounds -------------------------------------------------------------------------------------- */

static void too_large_is_an_error(void **state)
{
	struct world *w = *state;
	struct http_request request = get(w);

	w->listener.answer = OK_HEAD "Content-Length: 10\r\n\r\n0123456789";
	request.max_body = 10;
	run(w, &request);
	assert_int_equal(w->kind, ERROR_NONE);
	request.max_body = 9;
	run(w, &request);
	assert_int_equal(w->kind, ERROR_INTERNAL);
	assert_int_equal(w->status, 200);
	assert_non_null(strstr(w->message, "' is larger than 9 bytes"));
}

static void cut_answer_is_an_error(void **state)
{
	struct world *w = *state;
	struct http_request request = get(w);

	w->listener.hang_up = true;
	w->listener.answer = OK_HEAD "Content-Length: 10\r\n\r\nhalf";
	run(w, &request);
	assert_int_equal(w->kind, ERROR_UNAVAILABLE);
	assert_int_equal(w->status, 200);
	assert_non_null(strstr(w->message, "was cut short"));
	w->listener.answer = "";
	run(w, &request);
	assert_int_equal(w->kind, ERROR_UNAVAILABLE);
	assert_non_null(strstr(w->message, "closed the connection without an answer"));
	w->listener.answer = "nonsense\r\n\r\n";
	run(w, &request);
	assert_int_equal(w->kind, ERROR_INTERNAL);
	assert_non_null(strstr(w->message, "is not HTTP"));
}

/* Silence ------------------------------------------------------------------------------------- */

/* The trap of libcurl with libuv: the transfer that times out last has none running beside it. */
static void timeouts_are_delivered_also_the_last(void **state)
{
	struct world *w = *state;
	struct http_request request = get(w);

	for (int i = 1; i <= 5; i++) {
		request.timeout_ms = 50 * i;
		http_client_start(w->client, &request);
	}
	assert_true(event_loop_wait_for(&w->loop, &w->done, 5, 3000));
	assert_int_equal(w->kind, ERROR_UNAVAILABLE);
	assert_int_equal(w->status, 0);
	assert_non_null(strstr(w->message, "no answer from 'http://127.0.0.1:"));
	assert_non_null(strstr(w->message, "within 250 ms"));
}

static void idle_transfer_fails(void **state)
{
	struct world *w = *state;
	struct http_request request = get(w);

	request.idle_timeout_ms = 80;
	run(w, &request);
	assert_int_equal(w->kind, ERROR_UNAVAILABLE);
	assert_non_null(strstr(w->message, "no data from 'http://127.0.0.1:"));
	assert_non_null(strstr(w->message, "for 80 ms"));

	/* Also once a part has arrived. */
	w->listener.answer = OK_HEAD "Content-Length: 100\r\n\r\nhalf";
	run(w, &request);
	assert_int_equal(w->kind, ERROR_UNAVAILABLE);
	assert_int_equal(w->status, 200);
	/* and the connection that went silent is not used again */
	w->listener.answer = OK_HEAD "Content-Length: 2\r\n\r\n{}";
	run(w, &request);
	assert_int_equal(w->kind, ERROR_NONE);
	assert_int_equal(w->listener.connections, 3);
}

static bool is_ours(const struct world *w, int fd)
{
	struct sockaddr_in peer, where;
	socklen_t peer_len = sizeof(peer);
	int len = sizeof(where);

	if (getpeername(fd, (struct sockaddr *)&peer, &peer_len) < 0 || peer.sin_family != AF_INET) {
		return false;
	}
	uv_tcp_getsockname(&w->listener.tcp, (struct sockaddr *)&where, &len);
	return peer.sin_port == where.sin_port;
}

static int option_of(int fd, int level, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, option, &value, &len), 0);
	return value;
}

/* A peer that vanished answers neither probes nor data: after 20 s, less than a request may take, the connection is an error. With
 * packets that really vanish: test/integration/test_client.py. */
static void sockets_are_probed_for_a_vanished_peer(void **state)
{
	struct world *w = *state;
	struct http_request request = get(w);
	int found = 0;

	http_client_start(w->client, &request);
	assert_true(event_loop_wait(&w->loop, &w->listener.requests, 1));
	for (int fd = 3; fd < 256; fd++) {
		if (!is_ours(w, fd)) {
			continue;
		}
		found++;
		assert_int_equal(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
		assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE), 10);
		assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL), 5);
		assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 20000);
	}
	assert_int_equal(found, 1);
}

/* Proxies ------------------------------------------------------------------------------------- */

static void clear_proxies(void)
{
	static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
		"no_proxy", "NO_PROXY"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		unsetenv(names[i]);
	}
}

static void a_proxy_is_used(void **state)
{
	struct world *w = *state;
	struct http_request request = get(w);

	w->listener.answer = OK_HEAD "Content-Length: 2\r\n\r\n{}";
	request.url = "http://h.invalid/x";
	request.proxy = w->listener.url;
	run(w, &request);
	assert_int_equal(w->kind, ERROR_NONE);
	assert_ptr_equal(strstr(w->listener.seen.buf, "GET http://h.invalid/x HTTP/1.1\r\n"), w->listener.seen.buf);

	/* TLS goes through it end to end, and what it refuses is no answer of the server's. */
	strbuf_reset(&w->listener.seen);
	w->listener.answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
	request.url = "https://h.invalid:6443/x";
	run(w, &request);
	assert_int_equal(w->kind, ERROR_UNAVAILABLE);
	assert_int_equal(w->status, 0);
	assert_ptr_equal(strstr(w->listener.seen.buf, "CONNECT h.invalid:6443 HTTP/1.1\r\n"), w->listener.seen.buf);
}

/* The environment's proxy, except for what NO_PROXY names: a host, a domain, a block of addresses. */
static void the_environments_proxy_and_its_exceptions(void **state)
{
	static const struct {
		const char *url, *no_proxy;
		bool through;
	} rows[] = {
		{"https://127.0.0.1:1/", NULL, true},
		{"https://127.0.0.1:1/", "127.0.0.1", false},
		{"https://127.0.0.1:1/", "10.96.0.0/12,127.0.0.0/8", false},
		{"https://127.0.0.1:1/", "10.96.0.0/12", true},
		{"https://127.0.0.1:1/", "*", false},
		{"https://h.svc.invalid:1/", ".svc.invalid", false},
		{"https://h.other.invalid:1/", ".svc.invalid", true},
	};
	struct world *w = *state;
	struct http_request request = get(w);

	w->listener.answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
	request.proxy = NULL;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int before = w->listener.requests;

		clear_proxies();
		setenv("HTTPS_PROXY", w->listener.url, 1);
		if (rows[i].no_proxy != NULL) {
			setenv("NO_PROXY", rows[i].no_proxy, 1);
		}
		request.url = rows[i].url;
		run(w, &request);
		assert_int_equal(w->listener.requests - before, rows[i].through);
	}
	/* "" = none, whatever the environment says. */
	unsetenv("NO_PROXY");
	request.proxy = "";
	request.url = rows[0].url;
	run(w, &request);
	assert_string_equal(w->message, "cannot reach 'https://127.0.0.1:1': Connection refused");
	clear_proxies();
}

static void on_look(void *ctx)
{
	struct world *w = ctx;

	/* The first time nothing has been sent. */
	if (w->data++ == 0) {
		assert_int_equal(w->listener.connections, 0);
	}
}

static void one_may_look_before_bytes_move(void **state)
{
	struct world *w = *state;
	struct http_request request = get(w);

	w->listener.answer = OK_HEAD "Content-Length: 2\r\n\r\n{}";
	http_client_look_first(w->client, on_look, w);
	run(w, &request);
	assert_int_equal(w->kind, ERROR_NONE);
	/* Before it connected, before it wrote, before it read. */
	assert_true(w->data >= 3);
}

/* Unreachable --------------------------------------------------------------------------------- */

static void refusal_names_the_host_and_no_secret(void **state)
{
	struct world *w = *state;
	struct http_request request = get(w);

	request.url = "https://127.0.0.1:1/api?token=secret";
	run(w, &request);
	assert_int_equal(w->kind, ERROR_UNAVAILABLE);
	assert_string_equal(w->message, "cannot reach 'https://127.0.0.1:1': Connection refused");
}

static void unusable_url_is_invalid(void **state)
{
	static const struct {
		const char *url, *message;
	} cases[] = {
		{"http://u:pw@[bad?token=secret", "URL '[bad' cannot be used: "},
		{"ftp://127.0.0.1/x?token=secret", "URL scheme 'ftp' cannot be used: give http or https"},
		{"file:///etc/passwd", "URL "},
		{"", "URL '' cannot be used: "},
	};
	struct world *w = *state;
	struct http_request request = get(w);

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		request.url = cases[i].url;
		run(w, &request);
		assert_int_equal(w->kind, ERROR_INVALID);
		assert_ptr_equal(strstr(w->message, cases[i].message), w->message);
		assert_null(strstr(w->message, "secret"));
		assert_null(strstr(w->message, "pw"));
	}
}

static void tls_to_a_plain_listener_fails(void **state)
{
	struct world *w = *state;
	struct http_request request = get(w);
	auto_free char *url = xasprintf("https%s", w->listener.url + strlen("http"));

	w->listener.answer = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
	request.url = url;
	run(w, &request);
	assert_int_equal(w->kind, ERROR_UNAVAILABLE);
	assert_non_null(strstr(w->message, "cannot reach 'https://127.0.0.1:"));
	assert_non_null(strstr(w->message, "over TLS: "));
}

static void unreadable_ca_is_invalid(void **state)
{
	struct world *w = *state;
	struct http_tls tls = {.ca_file = "/nonexistent/ca.crt"};
	struct http_request request = get(w);
	auto_free char *url = xasprintf("https%s", w->listener.url + strlen("http"));

	request.url = url;
	request.tls = &tls;
	run(w, &request);
	assert_int_equal(w->kind, ERROR_INVALID);
	assert_non_null(strstr(w->message, "cannot read the CA certificate for 'https://127.0.0.1:"));
}

/* Names --------------------------------------------------------------------------------------- */

/* In place of libc's: it knows no name, and while it hangs it needs long to say so, as when no DNS server answers. */
#define RESOLVER_GIVES_UP_S 4

static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	int asked;   /* so many times */
	int waiting; /* for the answer */
	bool hangs;
} resolver = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
	struct timespec end;

	(void)name;
	(void)service;
	(void)hints;
	*found = NULL;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += RESOLVER_GIVES_UP_S;
	pthread_mutex_lock(&resolver.mutex);
	resolver.asked++;
	resolver.waiting++;
	while (resolver.hangs && pthread_cond_timedwait(&resolver.changed, &resolver.mutex, &end) == 0) {
	}
	resolver.waiting--;
	pthread_cond_broadcast(&resolver.changed);
	pthread_mutex_unlock(&resolver.mutex);
	return EAI_NONAME;
}

static int times_asked(void)
{
	int asked;

	pthread_mutex_lock(&resolver.mutex);
	asked = resolver.asked;
	pthread_mutex_unlock(&resolver.mutex);
	return asked;
}

static void let_resolver_end(void)
{
	pthread_mutex_lock(&resolver.mutex);
	resolver.hangs = false;
	pthread_cond_broadcast(&resolver.changed);
	while (resolver.waiting > 0) {
		pthread_cond_wait(&resolver.changed, &resolver.mutex);
	}
	pthread_mutex_unlock(&resolver.mutex);
}

/* Whether its time is over or it is cancelled: the thread that asks for the name is not waited for. */
static void a_name_that_is_not_resolved_does_not_hold_the_loop(void **state)
{
	struct world *w = *state;
	struct http_request request = get(w);
	int64_t start = clock_monotonic_ms();
	struct http_transfer *t;
	int asked;

	resolver.hangs = true;
	request.url = "http://name.invalid/";
	request.timeout_ms = 100;
	run(w, &request);
	assert_int_equal(w->kind, ERROR_UNAVAILABLE);
	request.timeout_ms = 0;
	asked = times_asked();
	t = http_client_start(w->client, &request);
	while (times_asked() == asked) {
		uv_run(&w->loop.uv, UV_RUN_NOWAIT);
	}
	http_transfer_cancel(t);
	assert_true(event_loop_wait(&w->loop, &w->done, 2));
	assert_int_equal(w->kind, ERROR_CANCELLED);
	assert_true(clock_monotonic_ms() - start < RESOLVER_GIVES_UP_S * 1000);
	let_resolver_end();
}

/* Streams and cancelling ---------------------------------------------------------------------- */

static int on_data(void *ctx, const char *data, size_t len)
{
	struct world *w = ctx;

	w->data++;
	strbuf_add(&w->streamed, data, len);
	if (w->victim != NULL) {
		http_transfer_cancel(w->victim);
	}
	return 0;
}

static int on_data_refused(void *ctx, const char *data, size_t len)
{
	(void)data;
	(void)len;
	((struct world *)ctx)->data++;
	return -1;
}

static void stream_is_handed_over(void **state)
{
	struct world *w = *state;
	struct http_request request = get(w);

	w->listener.answer = OK_HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nab\n\r\n3\r\ncd\n\r\n0\r\n\r\n";
	request.on_data = on_data;
	request.max_body = 1; /* does not bound a stream */
	run(w, &request);
	assert_int_equal(w->kind, ERROR_NONE);
	assert_string_equal(w->streamed.buf, "ab\ncd\n");
	assert_string_equal(w->body, "");

	/* What is not 2xx is a message, not the stream. */
	strbuf_reset(&w->streamed);
	w->listener.answer = "HTTP/1.1 410 Gone\r\nContent-Length: 4\r\n\r\ngone";
	request.max_body = 0;
	run(w, &request);
	assert_string_equal(w->streamed.buf, "");
	assert_string_equal(w->body, "gone");
}

static void refused_stream_ends(void **state)
{
	struct world *w = *state;
	struct http_request request = get(w);

	w->listener.answer = OK_HEAD "Content-Length: 1000\r\n\r\nhalf";
	request.on_data = on_data_refused;
	run(w, &request);
	assert_int_equal(w->kind, ERROR_CANCELLED);
	assert_int_equal(w->data, 1);
}

static void cancel_from_inside_on_data(void **state)
{
	struct world *w = *state;
	struct http_request request = get(w);

	w->listener.answer = OK_HEAD "Content-Length: 1000\r\n\r\nhalf";
	request.on_data = on_data;
	w->victim = http_client_start(w->client, &request);
	assert_true(event_loop_wait(&w->loop, &w->done, 1));
	assert_int_equal(w->kind, ERROR_CANCELLED);
	assert_int_equal(w->data, 1);
	assert_non_null(strstr(w->message, "was cancelled"));
}

static void cancel_is_notified_once_and_later(void **state)
{
	struct world *w = *state;
	struct http_request request = get(w);
	struct http_transfer *early, *late;

	early = http_client_start(w->client, &request);
	http_transfer_cancel(early); /* before it was begun */
	http_transfer_cancel(early);
	assert_int_equal(w->done, 0);
	late = http_client_start(w->client, &request);
	assert_true(event_loop_wait(&w->loop, &w->listener.requests, 1));
	assert_int_equal(w->done, 1);
	http_transfer_cancel(late); /* under way */
	assert_int_equal(w->done, 1);
	assert_true(event_loop_wait(&w->loop, &w->done, 2));
	assert_int_equal(w->kind, ERROR_CANCELLED);
}

/* Cancels the other one and itself from inside its own end, and starts a third. */
static void on_done_meddling(void *ctx, const struct http_response *response)
{
	struct world *w = ctx;
	struct http_request request = get(w);

	on_done(ctx, response);
	http_transfer_cancel(w->victim);
	request.url = "http://127.0.0.1:1/";
	http_client_start(w->client, &request);
}

static void cancel_from_inside_another_end(void **state)
{
	struct world *w = *state;
	struct http_request request = get(w);

	w->victim = http_client_start(w->client, &request); /* nobody answers */
	request.url = "http://127.0.0.1:1/";
	request.done = on_done_meddling;
	http_client_start(w->client, &request);
	assert_true(event_loop_wait(&w->loop, &w->done, 3));
}

static void close_cancels_all(void **state)
{
	struct world *w = *state;
	struct http_request request = get(w);
	int closed = 0;

	for (int i = 0; i < 10; i++) {
		http_client_start(w->client, &request);
	}
	assert_true(event_loop_wait(&w->loop, &w->listener.requests, 10));
	http_client_start(w->client, &request);
	http_client_close(w->client, event_loop_count, &closed);
	w->client = NULL;
	assert_int_equal(w->done, 0);
	assert_int_equal(closed, 0);
	assert_true(event_loop_wait(&w->loop, &closed, 1));
	assert_int_equal(w->done, 11);
	assert_int_equal(w->kind, ERROR_CANCELLED);
}

/* With our own server ------------------------------------------------------------------------- */

static void echo(void *ctx, struct http_exchange *exchange)
{
	size_t len;
	const char *body = http_exchange_body(exchange, &len);

	(void)ctx;
	http_reply(exchange, 200, "text/plain", body, len);
}

/* Asks this many addresses where nobody listens. */
static void ask_addresses(struct world *w, int first, int count)
{
	int before = w->done;

	for (int i = first; i < first + count; i++) {
		struct http_request request = get(w);
		auto_free char *url = xasprintf("http://127.3.%d.%d:1/", i / 250, 1 + i % 250);

		request.url = url;
		http_client_start(w->client, &request);
		assert_true(event_loop_wait(&w->loop, &w->done, before + 1 + i - first));
	}
}

/* Of each of many thousand pods the client would keep what its address resolves to, for a minute. */
static void nothing_is_kept_of_an_address(void **state)
{
	struct world *w = *state;
	size_t before;

	ask_addresses(w, 0, 50);
	before = mallinfo2().uordblks;
	ask_addresses(w, 50, 300);
	assert_int_equal(w->kind, ERROR_UNAVAILABLE);
	/* Sanitizers have a heap of their own: there it is always the same. */
	assert_true(mallinfo2().uordblks < before + 300 * 64);
}

static void a_hundred_at_once(void **state)
{
	struct world *w = *state;
	struct http_request request = get(w);
	struct http_server *server;
	auto_error err = ERROR_INIT;
	auto_free char *url = NULL;
	int closed = 0;

	server = http_server_new(&w->loop.uv, "127.0.0.1:0", echo, NULL, &err);
	assert_non_null(server);
	url = xasprintf("http://127.0.0.1:%d/", http_server_port(server));
	request.url = url;
	request.method = "POST";
	request.body = "hello";
	request.body_len = 5;
	for (int i = 0; i < 100; i++) {
		http_client_start(w->client, &request);
	}
	assert_true(event_loop_wait(&w->loop, &w->done, 100));
	assert_int_equal(w->kind, ERROR_NONE);
	assert_string_equal(w->body, "hello");
	http_server_close(server, event_loop_count, &closed);
	assert_true(event_loop_wait(&w->loop, &closed, 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answer_arrives),
		TEST(connection_is_used_again),
		TEST(body_is_sent_as_it_is),
		TEST(status_429_reports_retry_after),
		TEST(redirect_is_not_followed),
		TEST(too_large_is_an_error),
		TEST(cut_answer_is_an_error),
		TEST(timeouts_are_delivered_also_the_last),
		TEST(idle_transfer_fails),
		TEST(sockets_are_probed_for_a_vanished_peer),
		TEST(a_proxy_is_used),
		TEST(the_environments_proxy_and_its_exceptions),
		TEST(one_may_look_before_bytes_move),
		TEST(refusal_names_the_host_and_no_secret),
		TEST(unusable_url_is_invalid),
		TEST(tls_to_a_plain_listener_fails),
		TEST(unreadable_ca_is_invalid),
		TEST(a_name_that_is_not_resolved_does_not_hold_the_loop),
		TEST(stream_is_handed_over),
		TEST(refused_stream_ends),
		TEST(cancel_from_inside_on_data),
		TEST(cancel_is_notified_once_and_later),
		TEST(cancel_from_inside_another_end),
		TEST(close_cancels_all),
		TEST(nothing_is_kept_of_an_address),
		TEST(a_hundred_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
