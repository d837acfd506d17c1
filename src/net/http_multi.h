/*
 * libcurl's multi handle on a libuv loop: watches libcurl's sockets, keeps its timeouts, and reports the transfers
 * that end. Private to src/net.
 *
 * libcurl forbids adding and removing transfers from inside its callbacks: http_multi_add and _remove are for
 * everywhere else, ended() included.
 */
#ifndef NET_HTTP_MULTI_H
#define NET_HTTP_MULTI_H

#include <curl/curl.h>
#include <stdbool.h>
#include <uv.h>

struct http_multi;

/* ended(ctx, easy, code): libcurl is done with this one. From the loop, outside libcurl; not for closing in it. */
struct http_multi *http_multi_new(uv_loop_t *loop, void (*ended)(void *ctx, CURL *easy, CURLcode code), void *ctx);
/* look(ctx) is called each time before bytes move. */
void http_multi_look_first(struct http_multi *multi, void (*look)(void *ctx), void *ctx);
/* While it is held no socket is read. */
void http_multi_hold(struct http_multi *multi, bool held);
/* No transfer may be left. closed(ctx) is called from the loop; freed after it. */
void http_multi_close(struct http_multi *multi, void (*closed)(void *ctx), void *ctx);

void http_multi_add(struct http_multi *multi, CURL *easy);
void http_multi_remove(struct http_multi *multi, CURL *easy);

#endif
