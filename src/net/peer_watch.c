/* A second descriptor of the socket, because libuv watches a descriptor only once. */
#include "peer_watch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"

struct peer_watch {
	uv_poll_t poll;
	int fd;
	void (*gone)(void *ctx);
	void *ctx;
};

static void on_disconnect(uv_poll_t *poll, int status, int events)
{
	struct peer_watch *watch = poll->data;

	(void)status; /* an error is an end as well */
	(void)events;
	uv_poll_stop(poll);
	watch->gone(watch->ctx);
}

static void on_closed(uv_handle_t *handle)
{
	struct peer_watch *watch = handle->data;

	close(watch->fd);
	free(watch);
}

struct peer_watch *peer_watch_new(uv_loop_t *loop, int fd, void (*gone)(void *ctx), void *ctx)
{
	struct peer_watch *watch;
	int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (own < 0) {
		return NULL;
	}
	watch = xcalloc(1, sizeof(*watch));
	watch->fd = own;
	watch->gone = gone;
	watch->ctx = ctx;
	if (uv_poll_init_socket(loop, &watch->poll, own) < 0) {
		close(own);
		free(watch);
		return NULL;
	}
	watch->poll.data = watch;
	uv_poll_start(&watch->poll, UV_DISCONNECT, on_disconnect);
	return watch;
}

void peer_watch_close(struct peer_watch *watch)
{
	if (watch != NULL) {
		uv_close((uv_handle_t *)&watch->poll, on_closed);
	}
}
