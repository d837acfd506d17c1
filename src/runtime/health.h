/*
 * /healthz and /readyz: what a kubelet asks, without credentials.
 */
#ifndef RUNTIME_HEALTH_H
#define RUNTIME_HEALTH_H

#include <stdbool.h>

#include "kube/lease.h"
#include "net/http_server.h"
#include "runtime/controller.h"
#include "runtime/metrics_server.h"

/* Borrows all; `lease` NULL = no leader election, `metrics_server` NULL = none is served. */
struct health {
	const struct controller *controller;
	const struct kube_lease *lease;
	const struct metrics_server *metrics_server;
};

/* The replica waits for the Lease. It is a stand-by, which is ready even when it does not see all, unless it serves. */
bool health_standing_by(const struct health *health);
/* Answers the two paths; false: it is another one, and nothing is answered yet. */
bool health_answer(const struct health *health, struct http_exchange *exchange);

#endif
