/* An API server that says what a test wants it to. */
#include "fake_apiserver.h"

#include <fnmatch.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "event_loop.h"

struct connection {
	struct fake_apiserver *fake;
	uv_tcp_t tcp;
	struct strbuf in;
	struct connection *next;
	bool closing;
};

struct fake_apiserver {
	uv_loop_t *loop;
	uv_tcp_t *listener;
	int port;
	char *url;
	fake_handler_fn *handler;
	void *ctx;
	const struct fake_step *steps;
	size_t step_count, step;
	size_t requests, unexpected;
	char *last_line, *last_head, *last_body;
	struct connection *connections;
	struct connection *held;
	bool closed;
};

struct write {
	uv_write_t request;
	char *data;
};

static void must(int rc)
{
	if (rc < 0) {
		fprintf(stderr, "fake API server: %s\n", uv_strerror(rc));
		abort();
	}
}

static void on_written(uv_write_t *request, int status)
{
	struct write *write = container_of(request, struct write, request);

	(void)status; /* a client that went away is what some tests are about */
	free(write->data);
	free(write);
}

static void send_bytes(struct connection *connection, const char *data, size_t len)
{
	struct write *write = xcalloc(1, sizeof(*write));
	uv_buf_t buf;

	write->data = xcalloc(len + 1, 1);
	memcpy(write->data, data, len);
	buf = uv_buf_init(write->data, (unsigned int)len);
	must(uv_write(&write->request, (uv_stream_t *)&connection->tcp, &buf, 1, on_written));
}

static void send_chunks(struct connection *connection, const char *text, size_t piece)
{
	size_t len = strlen(text);

	for (size_t at = 0; at < len;) {
		size_t size = piece > 0 && piece < len - at ? piece : len - at;
		auto_strbuf chunk = STRBUF_INIT;

		strbuf_addf(&chunk, "%zx\r\n", size);
		strbuf_add(&chunk, text + at, size);
		strbuf_addstr(&chunk, "\r\n");
		send_bytes(connection, chunk.buf, chunk.len);
		at += size;
	}
}

static void send_answer(struct connection *connection, const struct fake_answer *answer)
{
	const char *body = answer->body != NULL ? answer->body : "";
	auto_strbuf head = STRBUF_INIT;

	if (answer->end == FAKE_MUTE) {
		return;
	}
	strbuf_addf(&head, "HTTP/1.1 %d Fake\r\nContent-Type: application/json\r\n%s", answer->status,
		answer->headers != NULL ? answer->headers : "");
	if (answer->end == FAKE_REPLY) {
		strbuf_addf(&head, "Content-Length: %zu\r\n\r\n", strlen(body));
		strbuf_addstr(&head, body);
		send_bytes(connection, head.buf, head.len);
		return;
	}
	strbuf_addstr(&head, "Transfer-Encoding: chunked\r\n\r\n");
	send_bytes(connection, head.buf, head.len);
	send_chunks(connection, body, answer->piece);
	connection->fake->held = connection;
	if (answer->end == FAKE_END) {
		fake_end(connection->fake);
	}
}

static struct fake_answer script_answer(struct fake_apiserver *fake, const char *line)
{
	const struct fake_step *step;

	if (fake->step < fake->step_count) {
		step = &fake->steps[fake->step];
		if (fnmatch(step->expect, line, 0) == 0) {
			fake->step++;
			return step->answer;
		}
		fprintf(stderr, "fake API server: step %zu expects '%s', got '%s'\n", fake->step, step->expect, line);
	} else {
		fprintf(stderr, "fake API server: after the last step: '%s'\n", line);
	}
	fake->unexpected++;
	return (struct fake_answer){.status = 500, .body = "{}"};
}

static void take_request(struct connection *connection, char *head, char *body)
{
	struct fake_apiserver *fake = connection->fake;
	struct fake_answer answer;
	struct fake_request request;
	char *version = strstr(head, " HTTP/1.1\r\n");

	if (version == NULL) {
		fprintf(stderr, "fake API server: no request line in '%s'\n", head);
		abort();
	}
	free(fake->last_line);
	free(fake->last_head);
	free(fake->last_body);
	fake->last_line = xstrndup(head, (size_t)(version - head));
	fake->last_head = head;
	fake->last_body = body;
	fake->requests++;
	request = (struct fake_request){fake->last_line, head, body};
	answer = fake->handler != NULL ? fake->handler(fake->ctx, &request) : script_answer(fake, fake->last_line);
	send_answer(connection, &answer);
}

static size_t content_length(const char *head)
{
	const char *line = strstr(head, "\r\nContent-Length:");

	return line != NULL ? (size_t)strtoul(line + strlen("\r\nContent-Length:"), NULL, 10) : 0;
}

static void take_requests(struct connection *connection)
{
	struct strbuf *in = &connection->in;
	char *end;

	while ((end = strstr(in->buf, "\r\n\r\n")) != NULL) {
		size_t head_len = (size_t)(end - in->buf) + 4, body_len;
		auto_free char *head = xstrndup(in->buf, head_len);

		body_len = content_length(head);
		if (in->len < head_len + body_len) {
			return;
		}
		take_request(connection, xstrdup(head), xstrndup(in->buf + head_len, body_len));
		strbuf_consume(in, head_len + body_len);
	}
}

static void on_connection_closed(uv_handle_t *handle)
{
	struct connection *connection = handle->data, **link = &connection->fake->connections;

	while (*link != connection) {
		link = &(*link)->next;
	}
	*link = connection->next;
	strbuf_release(&connection->in);
	free(connection);
}

static void drop(struct connection *connection, bool reset)
{
	if (connection->closing) {
		return;
	}
	connection->closing = true;
	if (connection->fake->held == connection) {
		connection->fake->held = NULL;
	}
	if (!reset || uv_tcp_close_reset(&connection->tcp, on_connection_closed) < 0) {
		uv_close((uv_handle_t *)&connection->tcp, on_connection_closed);
	}
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	(void)handle;
	*buf = uv_buf_init(xcalloc(1, suggested), (unsigned int)suggested);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
	struct connection *connection = stream->data;

	if (got > 0) {
		strbuf_add(&connection->in, buf->base, (size_t)got);
		take_requests(connection);
	} else if (got < 0) {
		drop(connection, false);
	}
	free(buf->base);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct fake_apiserver *fake = listener->data;
	struct connection *connection = xcalloc(1, sizeof(*connection));

	must(status);
	connection->fake = fake;
	connection->next = fake->connections;
	fake->connections = connection;
	strbuf_init(&connection->in);
	must(uv_tcp_init(fake->loop, &connection->tcp));
	connection->tcp.data = connection;
	must(uv_accept(listener, (uv_stream_t *)&connection->tcp));
	must(uv_tcp_nodelay(&connection->tcp, 1));
	must(uv_read_start((uv_stream_t *)&connection->tcp, on_alloc, on_read));
}

/* At fake->port, or at any when that is 0. */
static void start_listening(struct fake_apiserver *fake)
{
	struct sockaddr_in address;
	int size = sizeof(address);

	fake->listener = xcalloc(1, sizeof(*fake->listener));
	must(uv_ip4_addr("127.0.0.1", fake->port, &address));
	must(uv_tcp_init(fake->loop, fake->listener));
	fake->listener->data = fake;
	must(uv_tcp_bind(fake->listener, (const struct sockaddr *)&address, 0));
	must(uv_listen((uv_stream_t *)fake->listener, SOMAXCONN, on_connection));
	must(uv_tcp_getsockname(fake->listener, (struct sockaddr *)&address, &size));
	fake->port = ntohs(address.sin_port);
}

static void on_listener_freed(uv_handle_t *handle)
{
	free(handle);
}

void fake_refuse(struct fake_apiserver *fake, bool refuse)
{
	if (!refuse) {
		start_listening(fake);
		return;
	}
	uv_close((uv_handle_t *)fake->listener, on_listener_freed);
	fake->listener = NULL;
	for (struct connection *c = fake->connections; c != NULL; c = c->next) {
		drop(c, true);
	}
}

struct fake_apiserver *fake_new(uv_loop_t *loop, fake_handler_fn *handler, void *ctx)
{
	struct fake_apiserver *fake = xcalloc(1, sizeof(*fake));

	fake->loop = loop;
	fake->handler = handler;
	fake->ctx = ctx;
	start_listening(fake);
	fake->url = xasprintf("http://127.0.0.1:%d", fake->port);
	return fake;
}

void fake_script(struct fake_apiserver *fake, const struct fake_step *steps, size_t count)
{
	fake->steps = steps;
	fake->step_count = count;
	fake->step = 0;
}

const char *fake_url(const struct fake_apiserver *fake)
{
	return fake->url;
}

size_t fake_requests(const struct fake_apiserver *fake)
{
	return fake->requests;
}

const char *fake_last_line(const struct fake_apiserver *fake)
{
	return fake->last_line != NULL ? fake->last_line : "";
}

const char *fake_last_head(const struct fake_apiserver *fake)
{
	return fake->last_head != NULL ? fake->last_head : "";
}

const char *fake_last_body(const struct fake_apiserver *fake)
{
	return fake->last_body != NULL ? fake->last_body : "";
}

static struct connection *held(struct fake_apiserver *fake)
{
	if (fake->held == NULL) {
		fprintf(stderr, "fake API server: no stream is held\n");
		abort();
	}
	return fake->held;
}

void fake_push(struct fake_apiserver *fake, const char *text)
{
	send_chunks(held(fake), text, 0);
}

void fake_reset(struct fake_apiserver *fake)
{
	drop(held(fake), true);
}

void fake_drop(struct fake_apiserver *fake)
{
	drop(held(fake), false);
}

void fake_end(struct fake_apiserver *fake)
{
	send_bytes(held(fake), "0\r\n\r\n", 5);
	fake->held = NULL;
}

static void on_listener_closed(uv_handle_t *handle)
{
	((struct fake_apiserver *)handle->data)->closed = true;
	free(handle);
}

static bool all_closed(void *ctx)
{
	const struct fake_apiserver *fake = ctx;

	return fake->closed && fake->connections == NULL;
}

size_t fake_close(struct fake_apiserver *fake)
{
	size_t wrong = fake->unexpected + (fake->step_count - fake->step);

	for (struct connection *c = fake->connections; c != NULL; c = c->next) {
		drop(c, false);
	}
	uv_close((uv_handle_t *)fake->listener, on_listener_closed);
	if (!run_until(fake->loop, all_closed, fake)) {
		abort();
	}
	if (fake->step < fake->step_count) {
		fprintf(stderr, "fake API server: nobody asked for step %zu '%s'\n", fake->step,
			fake->steps[fake->step].expect);
	}
	free(fake->url);
	free(fake->last_line);
	free(fake->last_head);
	free(fake->last_body);
	free(fake);
	return wrong;
}

static void on_timer_closed(uv_handle_t *handle)
{
	*(bool *)handle->data = true;
}

static void close_timer(uv_timer_t *timer)
{
	bool closed = false;

	timer->data = &closed;
	uv_close((uv_handle_t *)timer, on_timer_closed);
	while (!closed) {
		uv_run(timer->loop, UV_RUN_NOWAIT);
	}
}

bool run_until(uv_loop_t *loop, bool (*holds)(void *ctx), void *ctx)
{
	uv_timer_t deadline;
	bool late = false, held_true;

	uv_timer_init(loop, &deadline);
	deadline.data = &late;
	uv_timer_start(&deadline, event_loop_on_deadline, EVENT_LOOP_DEADLINE_MS, 0);
	while (!(held_true = holds(ctx)) && !late) {
		event_loop_turn(loop);
	}
	close_timer(&deadline);
	return held_true;
}

void run_for(uv_loop_t *loop, int ms)
{
	uv_timer_t timer;
	bool over = false;

	uv_timer_init(loop, &timer);
	timer.data = &over;
	uv_update_time(loop);
	uv_timer_start(&timer, event_loop_on_deadline, (uint64_t)ms, 0);
	while (!over) {
		event_loop_turn(loop);
	}
	close_timer(&timer);
}
