/*
 * /healthz and /readyz: what a kubelet asks, without credentials.
 */
#ifndef RUNTIME_HEALTH_H
#define RUNTIME_HEALTH_H

#include <stdbool.h>

#include "kube/lease.h"
#include "net/http_server.h"
#include "runtime/controller.h"

/* Borrows both; `lease` NULL = no leader election. */
struct health {
	const struct controller *controller;
	const struct kube_lease *lease;
};

/* The replica waits for the Lease. It is ready and well: it is a stand-by. */
bool health_standing_by(const struct health *health);
/* Answers the two paths; false: it is another one, and nothing is answered yet. */
bool health_answer(const struct health *health, struct http_exchange *exchange);

#endif
