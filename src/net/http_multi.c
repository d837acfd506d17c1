/* libcurl's multi handle on the loop. */
#include "http_multi.h"

#include <assert.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"

#define MULTI_MAGIC 0x6863636dU
#define SOCKET_MAGIC 0x68636b74U
#define CACHED_CONNECTIONS 64L
/* Of one turn of the loop, once for sockets and once for timers: pages of a list, each of which is parsed at once, end
 * many at a time. */
#define TURN_NS INT64_C(5000000)
#define STREAMS 1000L /* of one HTTP/2 connection; the server's own limit is lower */

struct http_multi {
	unsigned magic;
	uv_loop_t *loop;
	CURLM *curl;
	uv_timer_t deadline; /* libcurl's next timeout */
	bool in_deadline;
	uv_timer_t rest;  /* runs while what has ended waits to be reported */
	uint64_t turn_ms; /* the loop's time in the last turn that reported */
	int64_t turn_ns;  /* what it took of that turn */
	uv_prepare_t check;
	struct multi_socket *changed; /* what is watched of them is another since the last poll */
	size_t handles;               /* uv handles not yet closed; freed after the last */
	void (*ended)(void *ctx, CURL *easy, CURLcode code);
	void *ctx;
	void (*look)(void *ctx); /* NULL = none */
	void *look_ctx;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

/* A socket of libcurl's, watched by the loop. */
struct multi_socket {
	unsigned magic;
	struct http_multi *multi;
	curl_socket_t fd;
	uv_poll_t poll;
	bool is_changed;
	struct multi_socket *next_changed;
};

static struct http_multi *multi_cast(void *p)
{
	struct http_multi *multi = p;

	assert(multi != NULL && multi->magic == MULTI_MAGIC);
	return multi;
}

static void handle_closed(struct http_multi *multi)
{
	void (*closed)(void *ctx) = multi->closed;
	void *ctx = multi->closed_ctx;

	if (--multi->handles > 0) {
		return;
	}
	multi->magic = 0;
	free(multi);
	closed(ctx);
}

static void on_own_closed(uv_handle_t *handle)
{
	handle_closed(multi_cast(handle->data));
}

static void on_rest(uv_timer_t *timer);

static bool has_time(struct http_multi *multi)
{
	if (multi->turn_ms != uv_now(multi->loop)) {
		multi->turn_ms = uv_now(multi->loop);
		multi->turn_ns = 0;
	}
	return multi->turn_ns < TURN_NS;
}

/*
 * Reports what has ended, as much as the turn has time for. Called after every action whatever libcurl says of running
 * handles: the transfer that ends last leaves none running.
 */
static void reap(struct http_multi *multi)
{
	CURLMsg *msg;
	int left;

	while (has_time(multi) && (msg = curl_multi_info_read(multi->curl, &left)) != NULL) {
		int64_t start = clock_worked_ns();

		if (msg->msg == CURLMSG_DONE) {
			multi->ended(multi->ctx, msg->easy_handle, msg->data.result);
		}
		multi->turn_ns += clock_worked_ns() - start;
	}
	if (!has_time(multi)) {
		/* A timer of no time at all would fire before the loop goes on. */
		uv_timer_start(&multi->rest, on_rest, 1, 0);
	}
}

static void on_rest(uv_timer_t *timer)
{
	reap(multi_cast(timer->data));
}

static void act(struct http_multi *multi, curl_socket_t fd, int flags)
{
	int running;

	if (multi->look != NULL) {
		multi->look(multi->look_ctx);
	}
	curl_multi_socket_action(multi->curl, fd, flags, &running);
	reap(multi);
}

static void on_deadline(uv_timer_t *timer)
{
	struct http_multi *multi = multi_cast(timer->data);

	multi->in_deadline = true;
	act(multi, CURL_SOCKET_TIMEOUT, 0);
	multi->in_deadline = false;
}

static int on_timeout_wanted(CURLM *curl, long timeout_ms, void *ctx)
{
	struct http_multi *multi = multi_cast(ctx);

	(void)curl;
	if (timeout_ms < 0) {
		uv_timer_stop(&multi->deadline);
	} else {
		/* libcurl asks so for the rest of what a server sends fast, and a timer of no time that is started by itself
		 * fires again before the loop goes on. */
		long wait_ms = timeout_ms == 0 && multi->in_deadline ? 1 : timeout_ms;

		uv_timer_start(&multi->deadline, on_deadline, (uint64_t)wait_ms, 0);
	}
	return 0;
}

static void on_socket_closed(uv_handle_t *handle)
{
	struct multi_socket *socket = handle->data;
	struct http_multi *multi = socket->multi;
	struct multi_socket **at = &multi->changed;

	assert(socket->magic == SOCKET_MAGIC);
	while (*at != NULL && *at != socket) {
		at = &(*at)->next_changed;
	}
	if (*at != NULL) {
		*at = socket->next_changed;
	}
	socket->magic = 0;
	free(socket);
	handle_closed(multi);
}

static void on_socket_ready(uv_poll_t *poll, int status, int events)
{
	struct multi_socket *socket = poll->data;
	int flags = status < 0 ? CURL_CSELECT_ERR : 0;

	assert(socket->magic == SOCKET_MAGIC);
	if (events & UV_READABLE) {
		flags |= CURL_CSELECT_IN;
	}
	if (events & UV_WRITABLE) {
		flags |= CURL_CSELECT_OUT;
	}
	act(socket->multi, socket->fd, flags);
}

static struct multi_socket *socket_new(struct http_multi *multi, curl_socket_t fd)
{
	struct multi_socket *socket = xcalloc(1, sizeof(*socket));

	socket->magic = SOCKET_MAGIC;
	socket->multi = multi;
	socket->fd = fd;
	if (uv_poll_init_socket(multi->loop, &socket->poll, fd) < 0) {
		abort(); /* a socket that cannot be watched would hang its transfers */
	}
	socket->poll.data = socket;
	multi->handles++;
	curl_multi_assign(multi->curl, fd, socket);
	return socket;
}

static void socket_close(struct multi_socket *socket)
{
	if (!uv_is_closing((uv_handle_t *)&socket->poll)) {
		if (socket->multi->curl != NULL) {
			curl_multi_assign(socket->multi->curl, socket->fd, NULL);
		}
		uv_close((uv_handle_t *)&socket->poll, on_socket_closed);
	}
}

/* Right before the poll. A socket that libcurl gives up while it connects it may close without a word, and libuv ends
 * the program when it is to watch a descriptor that is closed. */
static void on_check(uv_prepare_t *check)
{
	struct http_multi *multi = multi_cast(check->data);

	while (multi->changed != NULL) {
		struct multi_socket *socket = multi->changed;

		multi->changed = socket->next_changed;
		socket->is_changed = false;
		if (fcntl(socket->fd, F_GETFD) < 0) {
			socket_close(socket);
		}
	}
	uv_prepare_stop(check);
}

static void note_changed(struct multi_socket *socket)
{
	struct http_multi *multi = socket->multi;

	if (!socket->is_changed) {
		socket->is_changed = true;
		socket->next_changed = multi->changed;
		multi->changed = socket;
	}
	uv_prepare_start(&multi->check, on_check);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
	struct http_multi *multi = multi_cast(ctx);
	struct multi_socket *socket = socket_ctx;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (socket != NULL) {
			socket_close(socket);
		}
		return 0;
	}
	if (what & CURL_POLL_IN) {
		events |= UV_READABLE;
	}
	if (what & CURL_POLL_OUT) {
		events |= UV_WRITABLE;
	}
	if (socket == NULL) {
		socket = socket_new(multi, fd);
	}
	uv_poll_start(&socket->poll, events, on_socket_ready);
	note_changed(socket);
	return 0;
}

struct http_multi *http_multi_new(uv_loop_t *loop, void (*ended)(void *ctx, CURL *easy, CURLcode code), void *ctx)
{
	struct http_multi *multi = xcalloc(1, sizeof(*multi));

	*multi = (struct http_multi){.magic = MULTI_MAGIC, .loop = loop, .ended = ended, .ctx = ctx, .handles = 3};
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (multi->curl = curl_multi_init()) == NULL) {
		abort(); /* out of memory */
	}
	curl_multi_setopt(multi->curl, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(multi->curl, CURLMOPT_SOCKETDATA, multi);
	curl_multi_setopt(multi->curl, CURLMOPT_TIMERFUNCTION, on_timeout_wanted);
	curl_multi_setopt(multi->curl, CURLMOPT_TIMERDATA, multi);
	curl_multi_setopt(multi->curl, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	curl_multi_setopt(multi->curl, CURLMOPT_MAX_CONCURRENT_STREAMS, STREAMS);
	curl_multi_setopt(multi->curl, CURLMOPT_MAXCONNECTS, CACHED_CONNECTIONS);
	uv_timer_init(loop, &multi->deadline);
	multi->deadline.data = multi;
	uv_timer_init(loop, &multi->rest);
	multi->rest.data = multi;
	uv_prepare_init(loop, &multi->check);
	multi->check.data = multi;
	return multi;
}

void http_multi_look_first(struct http_multi *multi, void (*look)(void *ctx), void *ctx)
{
	multi->look = look;
	multi->look_ctx = ctx;
}

void http_multi_close(struct http_multi *multi, void (*closed)(void *ctx), void *ctx)
{
	multi->closed = closed;
	multi->closed_ctx = ctx;
	curl_multi_cleanup(multi->curl); /* closes its sockets, through on_socket() */
	curl_global_cleanup();
	multi->curl = NULL;
	on_check(&multi->check);
	uv_close((uv_handle_t *)&multi->deadline, on_own_closed);
	uv_close((uv_handle_t *)&multi->rest, on_own_closed);
	uv_close((uv_handle_t *)&multi->check, on_own_closed);
}

void http_multi_add(struct http_multi *multi, CURL *easy)
{
	if (curl_multi_add_handle(multi->curl, easy) != CURLM_OK) {
		abort(); /* out of memory: nothing else is left to fail */
	}
}

void http_multi_remove(struct http_multi *multi, CURL *easy)
{
	curl_multi_remove_handle(multi->curl, easy);
}
