/* One client of the TLS server: its requests and the replies to them, one after the other. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "certificate_parts.h"
#include "net/request_head.h"
#include "tls_exchange.h"
#include "tls_server_parts.h"

#define READ_CHUNK 16384U
#define CHECKED_MS 60000 /* so long a client's certificate need not be checked again */
#define END_MS 1000      /* for the client to close as well */

/* What the connection waits for; each has its time. */
enum phase {
	PHASE_HEAD,    /* the handshake and the first head, or the rest of a head */
	PHASE_HANDLER, /* the reply, for which the handler has its own time */
	PHASE_SENDING, /* the client, who is to read the reply */
	PHASE_IDLE,    /* the next request */
	PHASE_END,     /* the client, who is to close */
};

struct tls_connection {
	struct peer_entry entry; /* moved: accepted, a request came, or a reply was given */
	struct tls_server *server;
	struct tls_stream stream;
	uv_timer_t timer; /* of the phase */
	int handles;      /* not yet closed */
	enum phase phase;
	struct strbuf bytes; /* decrypted: of a request that is not whole, or that waits */
	size_t scanned;      /* of them */
	struct tls_exchange *exchange;
	bool working; /* work() is under way */
	bool last;    /* no request is taken any more */
	bool closing;
	const char *untrusted;                   /* why the client is not believed; NULL = it is. As it was found: */
	uint64_t checked_generation, checked_ms; /* 0 = never; loop time */
	int64_t good_until_ms;                   /* the client's certificate, if it has one */
};

/* Its end ------------------------------------------------------------------------------------- */

struct tls_connection *tls_connection_of(struct peer_entry *entry)
{
	return container_of(entry, struct tls_connection, entry);
}

static void part_closed(void *ctx)
{
	struct tls_connection *c = ctx;
	struct tls_server *server = c->server;

	if (--c->handles == 0) {
		strbuf_release(&c->bytes);
		free(c);
		server->part_closed(server);
	}
}

static void on_timer_closed(uv_handle_t *handle)
{
	part_closed(handle->data);
}

void tls_connection_close(struct tls_connection *c, bool reset)
{
	struct tls_exchange *x = c->exchange;

	if (c->closing) {
		return;
	}
	c->closing = true;
	peer_list_remove(&c->server->connections, &c->entry);
	uv_close((uv_handle_t *)&c->timer, on_timer_closed);
	tls_stream_close(&c->stream, reset);
	c->exchange = NULL;
	if (x != NULL) {
		x->connection = NULL;
		if (x->gone != NULL) {
			x->gone(x->gone_ctx);
		}
	}
}

/* Phases -------------------------------------------------------------------------------------- */

static void on_time(uv_timer_t *timer);

static enum phase phase_of(const struct tls_connection *c)
{
	if (c->exchange != NULL) {
		return PHASE_HANDLER;
	}
	if (tls_stream_has_unsent(&c->stream)) {
		/* Not before there was a request: what TLS itself sends is for the handshake. */
		return c->phase == PHASE_HEAD ? PHASE_HEAD : PHASE_SENDING;
	}
	if (c->last) {
		return PHASE_END;
	}
	return c->bytes.len > 0 || c->phase == PHASE_HEAD ? PHASE_HEAD : PHASE_IDLE;
}

/* The time of a phase begins when it is entered, and does not begin anew while it lasts. */
static void enter(struct tls_connection *c, enum phase phase)
{
	const uint64_t times[] = {[PHASE_HEAD] = c->server->head_ms,
		[PHASE_SENDING] = c->server->head_ms,
		[PHASE_IDLE] = c->server->idle_ms,
		[PHASE_END] = END_MS};

	if (phase == c->phase) {
		return;
	}
	c->phase = phase;
	if (phase == PHASE_HANDLER) {
		uv_timer_stop(&c->timer);
		return;
	}
	uv_timer_start(&c->timer, on_time, times[phase], 0);
	if (phase == PHASE_END) {
		tls_stream_end(&c->stream);
	}
}

static void drop(struct tls_connection *c)
{
	c->server->counts.dropped++;
	tls_connection_close(c, true);
}

static void on_time(uv_timer_t *timer)
{
	struct tls_connection *c = timer->data;

	if (c->phase == PHASE_IDLE) {
		tls_connection_finish(c);
	} else if (c->phase == PHASE_END) {
		tls_connection_close(c, false);
	} else {
		drop(c);
	}
}

/* Replies ------------------------------------------------------------------------------------- */

static const struct {
	int status;
	const char *phrase; /* of HTTP */
	const char *reason; /* of metav1.Status, where the server itself answers so */
} statuses[] = {
	{200, "OK", NULL},
	{304, "Not Modified", NULL},
	{400, "Bad Request", "BadRequest"},
	{401, "Unauthorized", "Unauthorized"},
	{403, "Forbidden", NULL},
	{404, "Not Found", NULL},
	{405, "Method Not Allowed", "MethodNotAllowed"},
	{406, "Not Acceptable", NULL},
	{413, "Content Too Large", "RequestEntityTooLarge"},
	{414, "URI Too Long", "BadRequest"},
	{429, "Too Many Requests", NULL},
	{431, "Request Header Fields Too Large", "BadRequest"},
	{500, "Internal Server Error", NULL},
	{503, "Service Unavailable", NULL},
	{504, "Gateway Timeout", NULL},
	{505, "HTTP Version Not Supported", "BadRequest"},
};

static size_t status_row(int status)
{
	size_t i = 0;

	while (i < ARRAY_LEN(statuses) - 1 && statuses[i].status != status) {
		i++;
	}
	return i;
}

static void send_reply(struct tls_connection *c, int status, const char *content_type, const char *body, size_t len,
	bool only_head)
{
	size_t row = status_row(status);
	auto_strbuf text = STRBUF_INIT;

	c->last = c->last || c->server->draining;
	strbuf_addf(&text, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n", status,
		statuses[row].status == status ? statuses[row].phrase : "", content_type, len);
	strbuf_addstr(&text, status == 405 ? "Allow: GET, HEAD\r\n" : "");
	strbuf_addstr(&text, c->last ? "Connection: close\r\n\r\n" : "\r\n");
	strbuf_add(&text, body, only_head ? 0 : len);
	tls_stream_send(&c->stream, text.buf, text.len);
	c->entry.moved_ms = uv_now(c->server->loop);
}

/* What the server answers itself. The message needs no escapes in JSON. */
static void send_status(struct tls_connection *c, int status, const char *message, bool only_head)
{
	auto_strbuf body = STRBUF_INIT;

	strbuf_addf(&body,
		"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":\"%s\","
		"\"reason\":\"%s\",\"code\":%d}\n",
		message, statuses[status_row(status)].reason, status);
	send_reply(c, status, "application/json", body.buf, body.len, only_head);
}

/* Requests ------------------------------------------------------------------------------------ */

/* Why the client of this connection is not believed; NULL = it is. */
static const char *untrusted(struct tls_connection *c)
{
	const struct tls_server *server = c->server;
	X509 *leaf = SSL_get0_peer_certificate(c->stream.ssl);
	int64_t now_ms = clock_wall_ms();

	if (c->checked_generation == server->trust_generation && uv_now(server->loop) - c->checked_ms < CHECKED_MS &&
		(leaf == NULL || now_ms < c->good_until_ms)) {
		return c->untrusted;
	}
	c->untrusted = peer_trust_check(server->trust, leaf, SSL_get_peer_cert_chain(c->stream.ssl), now_ms);
	c->checked_generation = server->trust_generation;
	c->checked_ms = uv_now(server->loop);
	c->good_until_ms = leaf != NULL ? certificate_end_ms(leaf) : 0;
	return c->untrusted;
}

static void refuse(struct tls_connection *c, int status)
{
	c->server->counts.refused++;
	c->last = true;
	send_status(c, status, "this server takes requests of HTTP/1.1 with GET or HEAD, and without a body", false);
}

static void take_request(struct tls_connection *c, const struct request_head *head)
{
	struct tls_exchange *x = tls_exchange_new(c, head);
	const char *why = untrusted(c);

	c->last = head->last;
	strbuf_consume(&c->bytes, head->len);
	c->scanned = 0;
	c->entry.moved_ms = uv_now(c->server->loop);
	c->entry.proven = why == NULL;
	if (why != NULL) {
		auto_free char *message = xasprintf("Unauthorized: %s", why);

		c->server->counts.unauthorized++;
		send_status(c, 401, message, x->only_head);
		tls_exchange_free(x);
		return;
	}
	c->server->counts.requests++;
	c->exchange = x;
	c->server->handler(c->server->ctx, x);
}

/* False when there is nothing to do until something else happens. */
static bool work_once(struct tls_connection *c)
{
	struct request_head head;
	int found = request_head_read(&head, c->bytes.buf, c->bytes.len, &c->scanned);
	char chunk[READ_CHUNK];
	ssize_t len;

	if (found == REQUEST_HEAD_WHOLE) {
		enter(c, PHASE_HANDLER);
		take_request(c, &head);
		return true;
	}
	if (found != REQUEST_HEAD_MORE) {
		enter(c, PHASE_HANDLER);
		refuse(c, found);
		return false;
	}
	len = tls_stream_read(&c->stream, chunk, sizeof(chunk));
	if (len > 0) {
		strbuf_add(&c->bytes, chunk, (size_t)len);
	}
	c->last = c->last || len < 0;
	return len > 0;
}

static bool can_take(const struct tls_connection *c)
{
	return !c->closing && !c->last && c->exchange == NULL && !tls_stream_has_unsent(&c->stream);
}

static void work(struct tls_connection *c)
{
	if (c->working) {
		return;
	}
	c->working = true;
	while (can_take(c) && work_once(c)) {
	}
	c->working = false;
	if (c->closing) {
		return;
	}
	if (c->bytes.len == 0 || c->last) {
		strbuf_release(&c->bytes);
	}
	enter(c, phase_of(c));
}

/* Connections --------------------------------------------------------------------------------- */

static void on_ready(void *ctx)
{
	work(ctx);
}

static void on_gone(void *ctx)
{
	tls_connection_close(ctx, false);
}

static const struct tls_stream_events events = {on_ready, on_gone, part_closed};

void tls_connection_open(struct tls_server *server, int fd)
{
	struct tls_connection *c = xcalloc(1, sizeof(*c));

	c->server = server;
	c->entry.moved_ms = uv_now(server->loop);
	c->handles = 2;
	c->phase = PHASE_HEAD;
	strbuf_init(&c->bytes);
	peer_list_add(&server->connections, &c->entry, fd);
	server->open++;
	uv_timer_init(server->loop, &c->timer);
	c->timer.data = c;
	uv_timer_start(&c->timer, on_time, server->head_ms, 0);
	tls_stream_open(&c->stream, server->loop, server->context, fd, &events, c);
}

void tls_connection_finish(struct tls_connection *c)
{
	if (c->phase == PHASE_HEAD) {
		tls_connection_close(c, true);
		return;
	}
	c->last = true;
	work(c);
}

/* The handler's side -------------------------------------------------------------------------- */

void tls_reply(struct tls_exchange *x, int status, const char *content_type, const char *body, size_t len)
{
	struct tls_connection *c = x->connection;

	assert(x->magic == EXCHANGE_MAGIC);
	if (c != NULL) {
		c->exchange = NULL;
		send_reply(c, status, content_type, body, len, x->only_head);
	}
	tls_exchange_free(x);
	if (c != NULL) {
		work(c);
	}
}
