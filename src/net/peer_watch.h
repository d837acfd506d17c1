/* Tells when the other side of a socket is gone, also while nobody reads from it. */
#ifndef NET_PEER_WATCH_H
#define NET_PEER_WATCH_H

#include <uv.h>

struct peer_watch;

/* gone(ctx) is called once from the loop, unless the watch is closed before. The descriptor stays the
 * caller's. NULL when the process has no descriptor left. */
struct peer_watch *peer_watch_new(uv_loop_t *loop, int fd, void (*gone)(void *ctx), void *ctx);
/* Fine from inside gone(), and on NULL. */
void peer_watch_close(struct peer_watch *watch);

#endif
