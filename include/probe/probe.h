/*
 * Looking at the chain from outside: the target's pods, one pod's /metrics page, Prometheus, the
 * metrics API. What was seen becomes evidence (chain/facts.h) and the key is reported.
 *
 * A round goes along the chain and stops at the first link that shows nothing, since what lies
 * behind it cannot be judged. A healthy autoscaler is looked at every 30 s ± 20 %, a broken one
 * after 2 s, then ever later up to 30 s; a changed wish is looked at at once.
 */
#ifndef PROBE_PROBE_H
#define PROBE_PROBE_H

#include <jansson.h>
#include <stdbool.h>

#include "kube/client.h"
#include "net/http_client.h"

struct prober;

/* `seen` is called from the loop after each round that ends. Borrows client and http. */
struct prober *prober_new(struct kube_client *client, struct http_client *http, void (*seen)(void *ctx, const char *key),
	void *ctx);
/* Rounds under way end unreported; closed(ctx) from the loop, freed after it. */
void prober_close(struct prober *prober, void (*closed)(void *ctx), void *ctx);

/* What to look at for this key from now on:
 * {namespace, name, selector, port, path, scheme, metric, series: […], prometheus?: base URL, intervalMs}. */
void prober_want(struct prober *prober, const char *key, const json_t *wish, bool healthy);
/* Something moved: looks at once, or again when a round is under way. */
void prober_kick(struct prober *prober, const char *key);
void prober_forget(struct prober *prober, const char *key);
/* Borrowed until the next loop turn; NULL when no round has ended yet. */
const json_t *prober_evidence(const struct prober *prober, const char *key);

#endif
