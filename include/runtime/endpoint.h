/*
 * The operator's own HTTP endpoint: /metrics, /healthz, /readyz, and /explain (JSON, with what the probes
 * saw) and /explain.txt (for people) of the autoscalers, of those of one namespace at /explain/NAMESPACE, or of one at
 * /explain/NAMESPACE/NAME.
 *
 * Everybody in the cluster can reach it, and it shares the loop with the Lease: what takes work is made piece by piece, as
 * it is taken (answers.h), and connections have a number. /explain is for those who may get
 * InferenceAutoscalers (gate.h), by the token that they show.
 */
#ifndef RUNTIME_ENDPOINT_H
#define RUNTIME_ENDPOINT_H

#include <stdbool.h>
#include <uv.h>

#include "base/error.h"
#include "kube/client.h"
#include "kube/lease.h"
#include "runtime/controller.h"
#include "runtime/metrics_server.h"

struct endpoint;

/* All borrowed. */
struct endpoint_options {
	const char *listen;
	const char *health_listen;  /* of /healthz and /readyz alone; NULL = they are at `listen` too */
	bool metrics_need_token;    /* /metrics is for those who may get this path */
	struct kube_client *client; /* to ask about callers; nothing guards it */
	const struct controller *controller;
	const struct kube_lease *lease;              /* NULL = no leader election */
	const struct metrics_server *metrics_server; /* NULL = the metrics API is not served */
};

/* NULL and `err` on failure. */
struct endpoint *endpoint_new(uv_loop_t *loop, const struct endpoint_options *options, struct error *err);
void endpoint_close(struct endpoint *endpoint, void (*closed)(void *ctx), void *ctx);

#endif
