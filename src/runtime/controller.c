/* The running operator: from changes to keys, from keys to passes, from passes to writes. */
#include "runtime/controller.h"

#include <stdlib.h>
#include <string.h>

#include "api/kinds.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "changes.h"
#include "chain/links.h"
#include "chain/lints.h"
#include "controller_parts.h"
#include "object_event.h"
#include "reconcile/handover.h"
#include "runtime/runner.h"
#include "settle.h"

#define FEW 2 /* passes that write: more than that, and Events wait */

static bool on_seen(void *ctx, const char *key, const struct evidence *before)
{
	struct controller *c = ctx;
	const struct pass *pass = pass_of(&c->passes, c, key);

	/* Of a chain that is not whole the time alone may change what is said. */
	if (pass->whole && links_evidence_alike(before, prober_evidence(c->prober, key))) {
		return false;
	}
	queue_add(c->queue, key);
	return true;
}

static bool on_shared_seen(void *ctx, const char *key, const struct shared_evidence *before)
{
	struct controller *c = ctx;

	queue_add(c->queue, key);
	if (!links_gpu_alike(before, prober_shared_evidence(c->prober, key))) {
		routes_all(&c->routes, false); /* the shared chain is a part of theirs */
	}
	return true;
}

static struct hpa_says hpa_now(void *ctx, const char *ns, const char *name, const char *metric)
{
	/* It has the autoscaler's name. */
	const struct view *view = kube_cache_get(controller_cache(ctx, KIND_HPA), ns, name);
	struct hpa_says says = hpa_says(view_hpa(view), metric);

	says.reported = hpa_says_reported(kube_cache_get(controller_cache(ctx, KIND_AUTOSCALER), ns, name), metric);
	return says;
}

/* From keys to passes. */

static void finish_close(struct controller *c);

static void on_run(void *ctx, struct run_result *result)
{
	struct pass *pass = ctx;
	struct controller *c = pass->controller;

	c->running--;
	if (c->stopped) {
		finish_close(c);
		return;
	}
	settle_run(c, pass, result);
	queue_done(c->queue, pass->key);
	if (pass->gone) {
		map_remove(&c->passes, pass->key);
	}
}

static void run(struct controller *c, struct pass *pass, struct plan *plan, const struct view *owner)
{
	int64_t held_ms;

	pass_note_children(pass, plan);
	held_ms = pass_hold_progress(pass, plan, owner, c->running >= CONTROLLER_BUSY);

	if (plan->again_ms > 0) {
		queue_add_after(c->queue, pass->key, plan->again_ms);
	}
	if (held_ms > 0) {
		queue_add_after(c->queue, pass->key, held_ms);
	}
	c->running++;
	if (c->running > FEW) {
		kube_recorder_busy(c->recorder);
	}
	c->count_passes++;
	runner_start(c->client, plan, owner, &pass->refusals, on_run, pass);
}

static bool text_differs(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") != 0;
}

static bool own_api_differs(const struct own_api *a, const struct own_api *b)
{
	return a->reason != b->reason || text_differs(a->message, b->message) || a->ours != b->ours;
}

/* Whether the autoscalers' links may be checked otherwise now. */
static bool shared_differs(const struct shared_state *a, const struct shared_state *b)
{
	return a->state != b->state || a->reason != b->reason || text_differs(a->message, b->message) ||
	       text_differs(a->api_message, b->api_message) || own_api_differs(&a->own, &b->own) ||
	       !gpu_survey_equal(a->gpu, b->gpu) || !adapter_survey_equal(a->adapter, b->adapter) ||
	       a->awaited != b->awaited || a->api_reason != b->api_reason ||
	       (a->conflicts != b->conflicts && !json_equal(a->conflicts, b->conflicts));
}

static void want_probe(struct controller *c, const struct pass *pass, const struct plan *plan)
{
	enum probe_interval interval = pass_probe_interval(pass, plan);

	if (plan->probe != NULL) {
		prober_want(c->prober, pass->key, plan->probe, interval);
	} else if (plan->shared_probe != NULL) {
		prober_want_shared(c->prober, pass->key, plan->shared_probe, interval);
	} else {
		prober_forget(c->prober, pass->key);
	}
}

/* An APIService that changed hands. */
static void report_handovers(struct controller *c, const struct world *world, const struct takeover_memory *before)
{
	struct handover found[APISERVICES];
	size_t count = handovers_find(world, before, found);

	for (size_t i = 0; i < count; i++) {
		object_event(c->recorder, KIND_APISERVICE, &found[i].api->view.meta, &found[i].told);
		transitions_release(&found[i].told, 1);
	}
}

static void work_shared(struct controller *c, struct pass *pass)
{
	struct world world = cached_world(c);
	struct shared_state before = c->shared;
	auto_plan plan = PLAN_INIT;

	c->shared = shared_state_next(&before);
	shared_reconcile(&world, &c->needs, &plan, &c->shared);
	adapter_watch_planned(&c->adapter, &plan);
	report_handovers(c, &world, &before.takeover);
	if (shared_differs(&before, &c->shared)) {
		if (c->shared.state == ADAPTER_BROKEN) {
			log_event(LOG_WARN, "the adapter cannot be given our rules", "reason", c->shared.reason,
				"error", c->shared.message, NULL);
		}
		/* A newly loaded rule, or a metrics API that just became available, is worth a probe at once where it may have
		 * been awaited. */
		routes_all(&c->routes,
			c->shared.state == ADAPTER_LOADED || (c->shared.own.ours && c->shared.own.reason == NULL));
	}
	shared_state_release(&before);
	want_probe(c, pass, &plan);
	run(c, pass, &plan, NULL);
}

static void work_autoscaler(struct controller *c, struct pass *pass)
{
	struct world world = cached_world(c);
	const char *slash = strchr(pass->key, '/');
	auto_free char *ns = xstrndup(pass->key, (size_t)(slash - pass->key));
	const struct view *owner = kube_cache_get(controller_cache(c, KIND_AUTOSCALER), ns, slash + 1);
	auto_plan plan = PLAN_INIT;

	autoscaler_reconcile(&world, ns, slash + 1, &plan);
	pass->gone = owner == NULL;
	pass->ready = plan.healthy;
	pass->whole = plan.whole;
	pass->settled = plan.settled;
	want_probe(c, pass, &plan);
	if (owner != NULL) {
		changes_note_needs(c, owner); /* by what its probe saw, or as one that is not probed any more */
	}
	run(c, pass, &plan, owner);
}

static void work(void *ctx, const char *key)
{
	struct controller *c = ctx;
	struct pass *pass = pass_of(&c->passes, c, key);

	if (!pass_caught_up(pass, c->informers)) {
		/* The event that brings it queues the key at once; this is only the safety net. */
		queue_add_after(c->queue, key, PASS_OWN_WRITE_WAIT_MS);
		queue_done(c->queue, key);
		return;
	}
	if (pass->counts) {
		work_autoscaler(c, pass);
	} else if (adapter_watch_follow(c)) {
		work_shared(c, pass);
	} else {
		queue_done(c->queue, key); /* it is queued when what the adapter reads is there */
	}
}

/* What all share, since everybody waits for it, and what is half done: of ten thousand that come at once the first are
 * Ready after seconds, and their HPAs are not asked about before they can have spoken. */
static bool is_urgent(void *ctx, const char *key)
{
	const struct controller *c = ctx;
	const struct pass *pass = map_get(&c->passes, key);

	return strchr(key, '/') == NULL || (pass != NULL && pass_is_rising(pass));
}

/* Life. */

static struct kube_informer *new_informer(struct controller *c, enum kind kind, const struct kube_informer_hooks *hooks)
{
	struct texts namespaces = {.items = NULL};
	struct kube_informer *informer;

	if (kinds[kind].resource.namespaced) {
		namespaces = settings_namespaces(c->settings, kinds[kind].beside);
	}
	informer = kube_informer_new_in(c->client, &kinds[kind].resource, &namespaces, kinds[kind].fields, hooks);
	texts_release(&namespaces);
	return informer;
}

static void make_informers(struct controller *c)
{
	for (int i = 0; i < KIND_COUNT; i++) {
		const struct kube_informer_hooks hooks = changes_hooks(c, (enum kind)i);

		if (i == KIND_CONFIGMAP) {
			adapter_watch_init(c, &hooks);
		} else {
			c->informers[i] = new_informer(c, (enum kind)i, &hooks);
		}
	}
}

struct controller *controller_new(struct kube_client *client, struct http_client *http, struct access *access,
	const struct settings *settings, const char *identity)
{
	struct controller *c = xcalloc(1, sizeof(*c));

	*c = (struct controller){.client = client, .settings = settings, .shared = SHARED_STATE_INIT};
	pass_map_init(&c->passes);
	needs_init(&c->needs);
	c->pods = pods_new();
	c->queue = queue_new(kube_client_loop(client), CONTROLLER_PARALLEL, work, is_urgent, c);
	c->prober = prober_new(client, http, access, c->pods,
		&(struct prober_hooks){.seen = on_seen,
			.shared_seen = on_shared_seen,
			.hpa = hpa_now,
			.loopback = settings->local,
			.ctx = c});
	trim_start(&c->trim, kube_client_loop(client));
	c->recorder = kube_recorder_new(client, MANAGED_BY, identity);
	make_informers(c);
	routes_init(&c->routes, controller_cache(c, KIND_AUTOSCALER), c->queue, c->prober);
	return c;
}

void controller_watch(struct controller *c)
{
	for (int i = 0; i < KIND_COUNT; i++) {
		if (i != KIND_CONFIGMAP) { /* it is found by what the others bring */
			kube_informer_start(c->informers[i]);
		}
	}
}

void controller_lead(struct controller *c)
{
	/* A right that was missing while this replica waited may be there since. */
	for (int i = 0; i < KIND_COUNT; i++) {
		kube_informer_retry(c->informers[i]);
	}
	c->leading = true;
	/* The adapter may read another ConfigMap by now than when the caches were filled. */
	c->synced = c->synced && controller_finds_adapter(c) && adapter_watch_follow(c);
	if (c->synced) {
		changes_begin(c);
	}
}

void controller_notify(struct controller *c, void (*changed)(void *ctx), void *ctx)
{
	c->notify = changed;
	c->notify_ctx = ctx;
}

void controller_set_ca_bundle(struct controller *c, const char *pem)
{
	if (text_differs(c->ca_bundle, pem)) {
		c->ca_bundle_since_ms = clock_wall_ms();
	}
	free_indirect(&c->ca_bundle);
	c->ca_bundle = xstrdup(pem);
	if (controller_acts(c) && !c->stopped) {
		queue_add(c->queue, SHARED_KEY);
	}
}

void controller_set_hpa_period(struct controller *c, int64_t seconds)
{
	c->hpa_period_s = seconds;
	if (controller_acts(c) && !c->stopped) {
		/* Where it is usual only what was said may have to be taken back. */
		if (seconds < HPA_PERIOD_NEAR_S) {
			routes_advised(&c->routes);
		} else {
			routes_all(&c->routes, false);
		}
	}
}

void controller_set_forward_failure(struct controller *c, const char *why)
{
	log_event(LOG_ERROR, "what others ask of the metrics API cannot be passed on: it is given back for an hour",
		"error", why, NULL);
	free_indirect(&c->forward_failure);
	c->forward_failure = xstrdup(why);
	c->forward_failure_ms = clock_monotonic_ms();
	if (controller_acts(c) && !c->stopped) {
		queue_add(c->queue, SHARED_KEY);
		queue_add_after(c->queue, SHARED_KEY, CONTROLLER_GIVEN_BACK_MS);
	}
}

/* The end comes in two steps, since the caches may be read longer than there are passes. */

static void finish_close(struct controller *c)
{
	void (*closed)(void *ctx) = c->closed;

	if (c->closing == 0 && c->running == 0) {
		c->closed = NULL;
		closed(c->closed_ctx);
	}
}

static void on_part_closed(void *ctx)
{
	struct controller *c = ctx;

	c->closing--;
	finish_close(c);
}

void controller_retire(struct controller *c, void (*retired)(void *ctx), void *ctx)
{
	c->stopped = true;
	c->closed = retired;
	c->closed_ctx = ctx;
	c->closing = 3;
	queue_close(c->queue, on_part_closed, c);
	prober_close(c->prober, on_part_closed, c);
	kube_recorder_close(c->recorder, on_part_closed, c);
}

static void on_watch_closed(void *ctx)
{
	struct controller *c = ctx;
	void (*closed)(void *ctx) = c->closed;
	void *closed_ctx = c->closed_ctx;

	c->closing--;
	if (c->closing > 0) {
		return;
	}
	map_release(&c->passes);
	needs_release(&c->needs);
	pods_free(c->pods);
	shared_state_release(&c->shared);
	adapter_watch_release(&c->adapter);
	free_indirect(&c->ca_bundle);
	free_indirect(&c->forward_failure);
	free_indirect(&c);
	closed(closed_ctx);
}

void controller_close(struct controller *c, void (*closed)(void *ctx), void *ctx)
{
	c->closed = closed;
	c->closed_ctx = ctx;
	c->closing = KIND_COUNT + 1;
	trim_close(&c->trim, on_watch_closed, c);
	for (int i = 0; i < KIND_COUNT; i++) {
		kube_informer_close(c->informers[i], on_watch_closed, c);
	}
}
