/*
 * The operator's own HTTP endpoint: /metrics, /healthz, /readyz, and /explain (JSON, with what the probes
 * saw) and /explain.txt (for people) of the autoscalers, or of one at /explain/NAMESPACE/NAME.
 *
 * Everybody in the cluster can reach it, and it shares the loop with the Lease: what takes work is shared by all who
 * ask (answers.h), pages have a length, and connections a number.
 */
#ifndef RUNTIME_ENDPOINT_H
#define RUNTIME_ENDPOINT_H

#include <uv.h>

#include "base/error.h"
#include "kube/lease.h"
#include "runtime/controller.h"

struct endpoint;

/* `lease` NULL = no leader election. A replica that waits for the Lease is ready: it is a stand-by. */
struct endpoint *endpoint_new(uv_loop_t *loop, const char *address, const struct controller *controller,
	const struct kube_lease *lease, struct error *err);
void endpoint_close(struct endpoint *endpoint, void (*closed)(void *ctx), void *ctx);

#endif
