/*
 * The inside of the running operator, shared by controller.c (changes, keys and passes), cached_world.c (the caches as a
 * world) and controller_report.c (what it tells of itself). Private to src/runtime.
 */
#ifndef RUNTIME_CONTROLLER_PARTS_H
#define RUNTIME_CONTROLLER_PARTS_H

#include "adapter_watch.h"
#include "base/map.h"
#include "kube/event.h"
#include "kube/informer.h"
#include "pass.h"
#include "pods/pods.h"
#include "probe/probe.h"
#include "reconcile/needs.h"
#include "reconcile/reconcile.h"
#include "routes.h"
#include "runtime/controller.h"
#include "runtime/queue.h"
#include "trim.h"

struct controller {
	struct kube_client *client;
	const struct settings *settings;
	struct kube_informer *informers[KIND_COUNT];
	struct queue *queue;
	struct pods *pods;
	struct prober *prober;
	struct kube_recorder *recorder;
	struct routes routes;
	struct adapter_watch adapter;
	struct trim trim;
	struct needs needs; /* of all autoscalers in the cache */
	struct shared_state shared;
	struct map passes; /* key → struct pass, see pass.h */
	unsigned running;  /* passes whose runner is at work */
	bool leading;
	bool synced;              /* all caches are filled */
	bool missing[KIND_COUNT]; /* types, as the autoscalers were checked with last */

	uint64_t count_passes;
	uint64_t count_failures;
	uint64_t count_writes;

	/* Who is told of changes of what concerns our own metrics API; NULL = nobody. */
	void (*notify)(void *ctx);
	void *notify_ctx;
	char *ca_bundle; /* of the world; NULL = none */
	int64_t ca_bundle_since_ms;
	char *forward_failure;      /* of the world; NULL = none */
	int64_t forward_failure_ms; /* monotonic: when it was */
	int64_t hpa_period_s;       /* of the world; 0 = not known */

	unsigned closing; /* parts still to close */
	bool stopped;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

/* Passes that write at once. An API server carries 100 requests on one HTTP/2 connection (its default, as Go's clients
 * expect it), watches have another. A pass has at most three writes under way: 28 passes, and what the probes read at
 * once (probe/api_read.h), fill it. Who has more under way only waits in the server's own line, with one more connection
 * to keep up. */
#define CONTROLLER_PARALLEL 28
#define CONTROLLER_BUSY (CONTROLLER_PARALLEL / 4) /* passes that write: more than come by chance */
/* So long a metrics API that was given back, since nothing could be passed on, is not taken over again. */
#define CONTROLLER_GIVEN_BACK_MS (60 * 60 * 1000)

/* The cache of a kind. */
const struct kube_cache *controller_cache(const struct controller *controller, enum kind kind);
/* Whether all caches are filled but that of the adapter's ConfigMap, which is found by the others. */
bool controller_finds_adapter(const struct controller *controller);
/* Whether there are passes: it leads, and all caches are filled. */
bool controller_acts(const struct controller *controller);
/* The world as the caches show it now. Borrows the controller. */
struct world cached_world(struct controller *controller);

#endif
