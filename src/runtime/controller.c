/* The running operator: from changes to keys, from keys to passes, from passes to writes. */
#include "runtime/controller.h"

#include <stdlib.h>
#include <string.h>

#include "api/kinds.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "cached_views.h"
#include "chain/links.h"
#include "controller_parts.h"
#include "pod_feed.h"
#include "runtime/runner.h"
#include "settle.h"

/* Passes that write at once. An API server carries 100 requests on one HTTP/2 connection (its default, as Go's clients
 * expect it); 15 are watches and one is the Lease's, and a pass has at most three writes under way: 28 fill it. Who has
 * more under way only waits in the server's own line, with a second connection to keep up. */
#define PARALLEL 28
#define BUSY (PARALLEL / 4) /* passes that write: more than come by chance */
#define FEW 2               /* passes that write: more than that, and Events wait */
#define LIVE_MS (15 * 60 * 1000)

/* A change of a target: for each autoscaler of it, whether somebody set the HPA's replicas back. */
static void note_fights(struct controller *c, const struct view *before, const struct view *now)
{
	auto_free char *target = meta_key(&now->meta);
	auto_view_list all = cached_views_by(controller_cache(c, KIND_AUTOSCALER), target);

	for (size_t i = 0; i < all.count; i++) {
		auto_free char *key = meta_key(&all.items[i]->meta);
		struct pass *pass = map_get(&c->passes, key);

		if (pass != NULL) {
			replicas_fight_note(&pass->fight, view_workload(before), view_workload(now), clock_wall_ms());
		}
	}
}

static void on_changed(void *ctx, struct kube_informer *informer, const void *before, const void *now)
{
	struct controller *c = ctx;

	for (int i = 0; i < KIND_COUNT && c->synced && !c->stopped; i++) {
		if (c->informers[i] == informer) {
			if (before != NULL && now != NULL && (i == KIND_DEPLOYMENT || i == KIND_STATEFULSET)) {
				note_fights(c, before, now);
			}
			routes_changed(&c->routes, (enum kind)i, before, now);
		}
	}
}

/* Whether a type was installed, or removed, since this was asked last. */
static bool types_differ(struct controller *c)
{
	bool differ = false;

	for (int i = 0; i < KIND_COUNT; i++) {
		bool missing = kube_informer_missing(c->informers[i]);

		differ = differ || missing != c->missing[i];
		c->missing[i] = missing;
	}
	return differ;
}

/* The API server answers again: what it did not take is not to wait for the end of a long back-off. */
static void queue_failed(struct controller *c)
{
	size_t pos = 0;
	void *value;

	while (map_next(&c->passes, &pos, NULL, &value)) {
		struct pass *pass = value;

		if (pass->failure != NULL) {
			pass->refusals.until_ms = 0;
			queue_add(c->queue, pass->key);
		}
	}
}

/* Something about a whole resource type moved: that it is there, or is not, changes how everything is checked. An error
 * that comes or goes does not, since the caches stay as they are. */
static void on_state(void *ctx, struct kube_informer *informer)
{
	struct controller *c = ctx;
	const struct error *err = kube_informer_error(informer);
	const struct kube_resource *resource = kube_informer_resource(informer);
	bool was = c->synced;

	if (err != NULL) {
		log_event(LOG_WARN, "cannot watch", "resource", resource->plural, "group", resource->group, "error",
			err->message, NULL);
	} else if (kube_informer_missing(informer)) {
		log_event(LOG_WARN, "resource type is not installed; waiting for it", "resource", resource->plural,
			"group", resource->group, NULL);
	}
	if (c->stopped || !controller_ready(c)) {
		return;
	}
	c->synced = true;
	if (!was) {
		log_event(LOG_INFO, "caches synced", NULL);
	}
	if (types_differ(c) || !was) {
		routes_all(&c->routes, false);
		queue_add(c->queue, SHARED_KEY);
	} else if (err == NULL) {
		queue_failed(c);
	}
}

static void on_pod_changed(void *ctx, struct kube_informer *informer, const void *before, const void *now)
{
	const struct controller *c = ctx;

	(void)informer;
	pod_feed_changed(c->pods, before, now);
}

static void on_pod_state(void *ctx, struct kube_informer *informer)
{
	const struct controller *c = ctx;

	if (pod_feed_state(c->pods, informer)) {
		prober_pods_known(c->prober);
	}
	on_state(ctx, informer);
}

static void on_seen(void *ctx, const char *key, const struct evidence *before)
{
	struct controller *c = ctx;
	const struct pass *pass = pass_of(&c->passes, c, key);

	/* Of a chain that is not whole the time alone may change what is said. */
	if (!pass->whole || !links_evidence_alike(before, prober_evidence(c->prober, key))) {
		queue_add(c->queue, key);
	}
}

static void on_shared_seen(void *ctx, const char *key, const struct shared_evidence *before)
{
	struct controller *c = ctx;

	queue_add(c->queue, key);
	if (!links_gpu_alike(before, prober_shared_evidence(c->prober, key))) {
		routes_all(&c->routes, false); /* the shared chain is a part of theirs */
	}
}

static struct hpa_says hpa_now(void *ctx, const char *ns, const char *name, const char *metric)
{
	/* It has the autoscaler's name. */
	const struct view *view = kube_cache_get(controller_cache(ctx, KIND_HPA), ns, name);

	return hpa_says(view_hpa(view), metric);
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
	int64_t held_ms = pass_hold_progress(pass, plan, c->running >= BUSY);

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

/* Whether the autoscalers' links may be checked otherwise now. */
static bool shared_differs(const struct shared_state *a, const struct shared_state *b)
{
	return a->state != b->state || a->reason != b->reason || text_differs(a->message, b->message) ||
	       text_differs(a->api_message, b->api_message) || (a->gpu != b->gpu && !json_equal(a->gpu, b->gpu)) ||
	       !json_equal(a->adapter, b->adapter) || a->api_reason != b->api_reason ||
	       a->held_by_rollout != b->held_by_rollout || (a->held != b->held && !json_equal(a->held, b->held));
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

static void work_shared(struct controller *c, struct pass *pass)
{
	struct world world = cached_world(c);
	struct shared_state before = c->shared;
	auto_plan plan = PLAN_INIT;

	c->shared = shared_state_next(&before);
	shared_reconcile(&world, &plan, &c->shared);
	if (shared_differs(&before, &c->shared)) {
		if (c->shared.state == ADAPTER_BROKEN) {
			log_event(LOG_WARN, "the adapter cannot be given our rules", "reason", c->shared.reason,
				"error", c->shared.message, NULL);
		}
		/* A newly loaded rule is worth a probe at once where it may have been awaited. */
		routes_all(&c->routes, c->shared.state == ADAPTER_LOADED);
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
	want_probe(c, pass, &plan);
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
	} else {
		work_shared(c, pass);
	}
}

/* Life. */

struct controller *controller_new(struct kube_client *client, struct http_client *http, struct access *access,
	const struct settings *settings, const char *identity)
{
	struct controller *c = xcalloc(1, sizeof(*c));
	struct kube_informer_hooks hooks = {.ctx = c};

	*c = (struct controller){.client = client, .settings = settings, .shared = SHARED_STATE_INIT};
	pass_map_init(&c->passes);
	c->pods = pods_new();
	c->queue = queue_new(kube_client_loop(client), PARALLEL, work, c);
	c->prober = prober_new(client, http, access, c->pods,
		&(struct prober_hooks){.seen = on_seen, .shared_seen = on_shared_seen, .hpa = hpa_now, .ctx = c});
	trim_start(&c->trim, kube_client_loop(client));
	c->recorder = kube_recorder_new(client, MANAGED_BY, identity);
	for (int i = 0; i < KIND_COUNT; i++) {
		const char *adapter = i == KIND_CONFIGMAP ? settings->adapter_configmap : settings->adapter_deployment;
		const char *name = kinds[i].adapter ? adapter : kinds[i].only;
		auto_free char *selector =
			name != NULL ? xasprintf("metadata.name=%s", name) : xstrdup(kinds[i].fields);

		hooks.changed = i == KIND_POD ? on_pod_changed : on_changed;
		hooks.state = i == KIND_POD ? on_pod_state : on_state;
		hooks.form = cached_form((enum kind)i);
		c->informers[i] = kube_informer_new(client, &kinds[i].resource,
			kinds[i].adapter ? settings->adapter_namespace : NULL, selector, &hooks);
	}
	routes_init(&c->routes, controller_cache(c, KIND_AUTOSCALER), c->queue, c->prober);
	return c;
}

void controller_start(struct controller *c)
{
	for (int i = 0; i < KIND_COUNT; i++) {
		kube_informer_start(c->informers[i]);
	}
}

static void finish_close(struct controller *c)
{
	void (*closed)(void *ctx) = c->closed;
	void *ctx = c->closed_ctx;

	if (c->closing > 0 || c->running > 0) {
		return;
	}
	map_release(&c->passes);
	pods_free(c->pods);
	shared_state_release(&c->shared);
	free_indirect(&c);
	closed(ctx);
}

static void on_part_closed(void *ctx)
{
	struct controller *c = ctx;

	c->closing--;
	finish_close(c);
}

void controller_close(struct controller *c, void (*closed)(void *ctx), void *ctx)
{
	c->stopped = true;
	c->closed = closed;
	c->closed_ctx = ctx;
	c->closing = KIND_COUNT + 4;
	trim_close(&c->trim, on_part_closed, c);
	queue_close(c->queue, on_part_closed, c);
	prober_close(c->prober, on_part_closed, c);
	kube_recorder_close(c->recorder, on_part_closed, c);
	for (int i = 0; i < KIND_COUNT; i++) {
		kube_informer_close(c->informers[i], on_part_closed, c);
	}
}

/* Without the right to watch pods each autoscaler's chain is broken, and its status has to say so. */
static bool may_lack(const struct controller *c, enum kind kind)
{
	return kind == KIND_POD && pod_feed_refused(c->informers[kind]);
}

bool controller_ready(const struct controller *c)
{
	for (int i = 0; i < KIND_COUNT; i++) {
		if (!kube_informer_synced(c->informers[i]) && !may_lack(c, (enum kind)i)) {
			return false;
		}
	}
	return true;
}

bool controller_live(const struct controller *c)
{
	int64_t now = clock_monotonic_ms();

	for (int i = 0; i < KIND_COUNT; i++) {
		if (now - kube_informer_progress_ms(c->informers[i]) > LIVE_MS && !may_lack(c, (enum kind)i)) {
			return false;
		}
	}
	return true;
}
