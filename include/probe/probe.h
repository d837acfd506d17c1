/*
 * Probing the chain from outside: the target's pods, one pod's /metrics page, Prometheus, the
 * metrics API. What was seen becomes evidence (evidence/evidence.h) and the key is reported.
 *
 * A probe goes along the chain and stops at the first link that shows nothing, since what lies
 * behind it cannot be checked; where the chain forks into signals, each goes on by itself. A healthy
 * autoscaler is probed every 30 s ± 20 %, a broken one after 2 s, then ever later up to 30 s, or up
 * to 5 s while it only waits for something young, one that became healthy within 1 s; a changed probe request is
 * probed at once, and a healthy one when Prometheus has news. When a pod of its changes, one is probed at once too,
 * a second after the last probe began at the earliest. At most 16 pages are fetched at once, the rest wait in line, as
 * all do while the pods are awaited. Answers of Prometheus are shared by all
 * keys: a healthy one's evidence may rest on one that is 5 s old, a broken one's on one of 2 s.
 *
 * The metrics API is asked only in doubt: a new HPA is let read its metric first, 20 s long, and what its status tells
 * is the proof; while it goes on to read it, and all else agrees, the last good answer stands for some ten minutes
 * (src/probe/metric_trust.h). So does the page for two, while Prometheus' samples of it are fresh
 * (src/probe/page_trust.h).
 *
 * What is not believed at once stands in the evidence as `unconfirmed`: a pod that misses something, until the probe
 * after missed it too, since it may have gone after it was listed; a page of before, because the read after it failed
 * for the first time; a metric's answer of before, until Prometheus was asked 2 s after the failure and is not to
 * blame. A pod misses a sample when it has been ready for three intervals and 30 s, a value when for three intervals
 * and 90 s.
 */
#ifndef PROBE_PROBE_H
#define PROBE_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "chain/hpa_says.h"
#include "evidence/evidence.h"
#include "kube/client.h"
#include "net/http_client.h"
#include "pods/pods.h"
#include "probe/access.h"

struct prober;

/* What the status of an autoscaler's HPA says of a metric now. */
typedef struct hpa_says probe_hpa_fn(void *ctx, const char *ns, const char *name, const char *metric);

struct prober_hooks {
	/* From the loop, after each probe of an autoscaler that ends; `before`: the evidence of the probe before, borrowed,
	 * NULL = none. Whether a pass is to come of it, which then says prober_want(): the next probe waits for that, so that
	 * while passes wait for their turn nothing is probed twice for one of them. */
	bool (*seen)(void *ctx, const char *key, const struct evidence *before);
	/* Likewise of what is shared. */
	bool (*shared_seen)(void *ctx, const char *key, const struct shared_evidence *before);
	probe_hpa_fn *hpa;
	bool loopback; /* see pods/pod_address.h */
	void *ctx;
};

/* Borrows client, http, access and pods; copies the hooks. */
struct prober *prober_new(struct kube_client *client, struct http_client *http, struct access *access,
	struct pods *pods, const struct prober_hooks *hooks);
/* Probes under way end unreported; closed(ctx) from the loop, freed after it. */
void prober_close(struct prober *prober, void (*closed)(void *ctx), void *ctx);

enum probe_interval {
	PROBE_BROKEN,
	PROBE_LATER, /* another interval is about to come: until then, or for 20 s, a changed request is not probed */
	PROBE_WAITING,
	PROBE_HEALTHY
};

/* What to probe for this key from now on, and how often. Keeps a reference, or the one that it has when that is equal:
 * the evidence of an equal request names it by the same pointer. */
void prober_want(struct prober *prober, const char *key, const struct probe_request *request,
	enum probe_interval interval);
/* Likewise of what is shared. A key is of one of the two kinds for ever. */
void prober_want_shared(struct prober *prober, const char *key, const struct shared_request *request,
	enum probe_interval interval);
/* Something moved: probes at once, or again when a probe is under way. */
void prober_wake(struct prober *prober, const char *key);
/* Something that may be awaited is there: probes soon, unless all is well or a probe is under way. */
void prober_notify(struct prober *prober, const char *key);
void prober_forget(struct prober *prober, const char *key);
/* The state of the pods is another (pods/pods.h): probes everybody soon, and begins what waited for them. */
void prober_pods_known(struct prober *prober);
/* Borrowed until the next loop turn; NULL when no probe has ended yet. */
const struct evidence *prober_evidence(const struct prober *prober, const char *key);
const struct shared_evidence *prober_shared_evidence(const struct prober *prober, const char *key);

#endif
