/*
 * The running operator: informers fill the caches, changes become keys, a pass turns a key's world
 * into a plan and a runner carries it out.
 *
 * Nothing is written before every informer has synced (a missing resource type counts as synced),
 * so that a half-seen world is never acted on.
 */
#ifndef RUNTIME_CONTROLLER_H
#define RUNTIME_CONTROLLER_H

#include <stdbool.h>

#include "api/settings.h"
#include "base/strbuf.h"
#include "kube/client.h"
#include "net/http_client.h"
#include "probe/access.h"

struct controller;

/* Borrows all but `identity`, which of the replicas this is. Nothing is sent before start. */
struct controller *controller_new(struct kube_client *client, struct http_client *http, struct access *access,
	const struct settings *settings, const char *identity);
void controller_start(struct controller *controller);
/* closed(ctx) from the loop when nothing is under way; freed after it. */
void controller_close(struct controller *controller, void (*closed)(void *ctx), void *ctx);

/* Every informer has synced. */
bool controller_ready(const struct controller *controller);
/* Each watch made progress within the last 15 minutes. */
bool controller_live(const struct controller *controller);
/* Every autoscaler's diagnosis (reconcile/diagnosis.h), and under `evidence` what the probes saw last; new
 * reference to an array. */
json_t *controller_explain(const struct controller *controller);
/* The operator's own metrics in the Prometheus text format. */
void controller_metrics(const struct controller *controller, struct strbuf *page);

#endif
