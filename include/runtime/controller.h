/*
 * The running operator: informers fill the caches, changes become keys, a pass turns a key's world
 * into a plan and a runner carries it out.
 *
 * Every replica watches, so that it is warm when it leads; passes, probes, Events and writes are the leader's alone.
 * Nothing is written before every informer has synced (a missing resource type counts as synced), so that a half-seen
 * world is never acted on.
 */
#ifndef RUNTIME_CONTROLLER_H
#define RUNTIME_CONTROLLER_H

#include <stdbool.h>
#include <stdint.h>

#include "api/settings.h"
#include "base/strbuf.h"
#include "kube/client.h"
#include "net/http_client.h"
#include "probe/access.h"
#include "view/autoscaler.h"

struct controller;

/* Borrows all but `identity`, which of the replicas this is. Nothing is sent before watch. */
struct controller *controller_new(struct kube_client *client, struct http_client *http, struct access *access,
	const struct settings *settings, const char *identity);
/* Begins to fill the caches: nothing is written. */
void controller_watch(struct controller *controller);
/* From now on this replica acts; after watch. */
void controller_lead(struct controller *controller);
/* Acts no more: no pass, probe or write begins, and retired(ctx) comes from the loop when nothing is under way. The caches
 * are kept up as before; of the rest only close may be called. */
void controller_retire(struct controller *controller, void (*retired)(void *ctx), void *ctx);
/* After it retired: closed(ctx) from the loop; freed after it. */
void controller_close(struct controller *controller, void (*closed)(void *ctx), void *ctx);

/* Tells of each change of an APIService, and when the caches are filled; `changed` NULL = nobody is told. */
void controller_notify(struct controller *controller, void (*changed)(void *ctx), void *ctx);
/* The certificates by which the API server is to know our own metrics API, PEM; copied. NULL = none. */
void controller_set_ca_bundle(struct controller *controller, const char *pem);
/* How often the HPA's controller reads a metric of ours: once in so many seconds, or more seldom. */
void controller_set_hpa_period(struct controller *controller, int64_t seconds);
/* What others ask of a metrics API that was taken over cannot be passed on: it is given back, for an hour. */
void controller_set_forward_failure(struct controller *controller, const char *why);

/* Every informer has synced. */
bool controller_ready(const struct controller *controller);
/* Each watch made progress within the last 15 minutes. */
bool controller_live(const struct controller *controller);
/* The first autoscaler whose key, "namespace/name", comes after this one in the order of strcmp(); NULL as the key = the first
 * of all. Borrowed, valid until the loop goes on. NULL when it was the last, and while the replica waits for the Lease, as
 * with the next three: what there is to tell of them is the leader's to tell. */
const struct view_autoscaler *controller_next(const struct controller *controller, const char *key);
/* One of them as the cache has it; borrowed, valid until the loop goes on. NULL when it is not there. */
const struct view_autoscaler *controller_autoscaler(const struct controller *controller, const char *key);
bool controller_has(const struct controller *controller, const char *key);
/* Its diagnosis (report/diagnosis.h), and under `evidence` what the probes saw last: to be read at once, since the
 * evidence is theirs. New reference; NULL when it is not there. */
json_t *controller_explain(const struct controller *controller, const char *key);
/* The operator's own metrics in the Prometheus text format; those of the autoscalers' links are not among them. */
void controller_metrics(const struct controller *controller, struct strbuf *page);

#endif
