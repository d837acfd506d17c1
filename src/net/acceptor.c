/* A listening socket on a libuv loop, and the connections that come to it. */
#include "acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "listen.h"

/* Of a turn of the loop: those that queue in the kernel are soon let in, and far fewer than a server has room for: who is
 * let in has the two turns that an answer takes. */
#define ACCEPTS 16
#define PAUSE_MS 100 /* until a descriptor is tried for again */
/* Of the kernel's memory for one client, which counts as the pod's: by itself it grows to megabytes. The kernel
 * takes twice the number. */
#define SEND_BUFFER 65536

static void pause_listening(struct acceptor *acceptor, int reason);

static void prepare(int fd)
{
	int one = 1, buffer = SEND_BUFFER;

	/* A program that we run is not to hold it. */
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	/* A reply's last piece is not to wait until the client confirms the one before it. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
	struct acceptor *acceptor = poll->data;

	(void)events;
	for (int i = 0; i < ACCEPTS && status >= 0; i++) {
		int fd = accept(acceptor->fd, NULL, NULL);

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
				pause_listening(acceptor, errno);
			}
			return;
		}
		acceptor->starved = false;
		prepare(fd);
		acceptor->accepted(acceptor->ctx, fd);
	}
}

static void on_pause_over(uv_timer_t *timer)
{
	struct acceptor *acceptor = timer->data;

	uv_poll_start(&acceptor->listener, UV_READABLE, on_connection);
}

/* The connection stays in the kernel's queue, and the socket readable: to go on at once would be to do nothing else. */
static void pause_listening(struct acceptor *acceptor, int reason)
{
	if (!acceptor->starved) {
		log_event(LOG_WARN, "a connection cannot be accepted, trying again ten times a second", "error",
			strerror(reason), NULL);
	}
	acceptor->starved = true;
	uv_poll_stop(&acceptor->listener);
	uv_timer_start(&acceptor->pause, on_pause_over, PAUSE_MS, 0);
}

int acceptor_open(struct acceptor *acceptor, uv_loop_t *loop, const char *address, acceptor_fn *accepted, void *ctx,
	struct error *err)
{
	int port;
	int fd = listen_on(address, &port, err);

	if (fd < 0) {
		return -1;
	}
	*acceptor = (struct acceptor){.fd = fd, .port = port, .accepted = accepted, .ctx = ctx, .handles = 2};
	uv_poll_init_socket(loop, &acceptor->listener, fd);
	uv_timer_init(loop, &acceptor->pause);
	acceptor->listener.data = acceptor;
	acceptor->pause.data = acceptor;
	uv_poll_start(&acceptor->listener, UV_READABLE, on_connection);
	return 0;
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct acceptor *acceptor = handle->data;

	if (handle == (uv_handle_t *)&acceptor->listener) {
		close(acceptor->fd);
	}
	if (--acceptor->handles == 0) {
		acceptor->closed(acceptor->ctx);
	}
}

void acceptor_close(struct acceptor *acceptor, void (*closed)(void *ctx))
{
	acceptor->closed = closed;
	uv_close((uv_handle_t *)&acceptor->listener, on_handle_closed);
	uv_close((uv_handle_t *)&acceptor->pause, on_handle_closed);
}
