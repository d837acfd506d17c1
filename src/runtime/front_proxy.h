/*
 * Whom the API server asks other API servers as: the ConfigMap extension-apiserver-authentication in kube-system, watched,
 * as what a TLS server trusts.
 *
 * The API server writes it and turns its certificates over there. Private to src/runtime.
 */
#ifndef RUNTIME_FRONT_PROXY_H
#define RUNTIME_FRONT_PROXY_H

#include <stdbool.h>

#include "kube/client.h"
#include "net/peer_trust.h"

struct front_proxy;

/* The trust is another: borrowed. NULL = nobody is trusted. */
typedef void front_proxy_fn(void *ctx, const struct peer_trust *trust);

/* Borrows the client. Nothing is sent before start. */
struct front_proxy *front_proxy_new(struct kube_client *client, front_proxy_fn *changed, void *ctx);
void front_proxy_start(struct front_proxy *proxy);
/* closed(ctx) from the loop; freed after it. */
void front_proxy_close(struct front_proxy *proxy, void (*closed)(void *ctx), void *ctx);

/* Whether somebody is trusted: else each request is answered 401. */
bool front_proxy_known(const struct front_proxy *proxy);

#endif
