/* The running operator: from changes to keys, from keys to passes, from passes to writes. */
#include "runtime/controller.h"

#include <stdlib.h>
#include <string.h>

#include "api/kinds.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/map.h"
#include "base/memory.h"
#include "chain/links.h"
#include "kube/event.h"
#include "kube/informer.h"
#include "probe/probe.h"
#include "reconcile/reconcile.h"
#include "report/diagnosis.h"
#include "report/transitions.h"
#include "report/values.h"
#include "routes.h"
#include "runtime/queue.h"
#include "runtime/runner.h"

#define PARALLEL 4
#define OWN_WRITE_WAIT_MS 2000
#define LIVE_MS (15 * 60 * 1000)

struct controller {
	struct kube_client *client;
	const struct settings *settings;
	struct kube_informer *informers[KIND_COUNT];
	struct queue *queue;
	struct prober *prober;
	struct kube_recorder *recorder;
	struct routes routes;
	struct shared_state shared;
	struct map passes; /* key → struct pass */
	unsigned running;  /* passes whose runner is at work */
	bool synced;
	bool missing[KIND_COUNT]; /* types, as the autoscalers were checked with last */

	uint64_t count_passes;
	uint64_t count_failures;
	uint64_t count_writes;

	unsigned closing; /* parts still to close */
	bool stopped;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

/* What is remembered of a key between passes. */
struct pass {
	struct controller *controller;
	char *key;
	json_t *written; /* own writes that the caches may not show yet */
	int64_t written_ms;
	char *failure; /* of the last write */
	/* The bridge, while the decisions read JSON (below). */
	json_t *request_json; /* what was to be probed last */
	struct probe_request *request;
	struct shared_request *shared_request;
	json_t *evidence; /* as it was encoded last */
	bool ready;
	bool counts; /* an autoscaler's, not the shared one */
	bool gone;   /* the autoscaler is not there any more */
};

static void pass_free(void *value)
{
	struct pass *pass = value;

	json_decref(pass->written);
	json_decref(pass->request_json);
	probe_request_unref(pass->request);
	shared_request_unref(pass->shared_request);
	json_decref(pass->evidence);
	free_indirect(&pass->key);
	free_indirect(&pass->failure);
	free_indirect(&pass);
}

static struct pass *pass_of(struct controller *c, const char *key)
{
	struct pass *pass = map_get(&c->passes, key);

	if (pass == NULL) {
		pass = xcalloc(1, sizeof(*pass));
		*pass = (struct pass){.controller = c, .key = xstrdup(key), .counts = strchr(key, '/') != NULL};
		map_put(&c->passes, key, pass);
	}
	return pass;
}

/* The bridge between the probes' structs and the decisions' JSON: it goes when those read structs. */

static void bridge_forget(struct pass *pass)
{
	if (pass != NULL) {
		json_decref(pass->evidence);
		pass->evidence = NULL;
	}
}

static void bridge_request(struct pass *pass, const json_t *request)
{
	auto_json *document = json_pack("{s:O}", "asked", request);

	if (json_equal(pass->request_json, request)) {
		return;
	}
	bridge_forget(pass);
	json_decref(pass->request_json);
	pass->request_json = json_incref((json_t *)(uintptr_t)request);
	if (pass->counts) {
		struct evidence *decoded = evidence_decode(document, 0);

		probe_request_unref(pass->request);
		pass->request = probe_request_ref(decoded->asked);
		evidence_free(decoded);
	} else {
		struct shared_evidence *decoded = shared_evidence_decode(document, 0);

		shared_request_unref(pass->shared_request);
		pass->shared_request = shared_request_ref(decoded->asked);
		shared_evidence_free(decoded);
	}
}

static void bridge_empty_list(json_t *document, const char *name)
{
	if (document != NULL && json_object_get(document, name) == NULL) {
		json_object_set_new(document, name, json_array());
	}
}

/* Lists that the decisions look for although they are empty. */
static void bridge_lists(const json_t *evidence)
{
	const char *metric;
	json_t *signal;

	json_object_foreach(json_object_get(evidence, "signals"), metric, signal) {
		bridge_empty_list(json_path(signal, "series.error") == NULL ? json_path(signal, "series") : NULL,
			"missing");
		bridge_empty_list(json_path(signal, "metric.error") == NULL ? json_path(signal, "metric") : NULL,
			"missing");
	}
	bridge_empty_list(json_object_get(evidence, "exporter"), "jobs");
}

/* Borrowed until there is other evidence. */
static const json_t *bridge_evidence(const struct controller *c, struct pass *pass)
{
	const struct evidence *evidence = prober_evidence(c->prober, pass->key);
	const struct shared_evidence *shared = prober_shared_evidence(c->prober, pass->key);
	bool same = (evidence != NULL && probe_request_equal(evidence->asked, pass->request)) ||
	            (shared != NULL && shared_request_equal(shared->asked, pass->shared_request));

	if (evidence == NULL && shared == NULL) {
		bridge_forget(pass);
	}
	if (pass->evidence != NULL) {
		return pass->evidence;
	}
	pass->evidence = evidence != NULL ? evidence_encode(evidence)
	                 : shared != NULL ? shared_evidence_encode(shared)
	                                  : NULL;
	bridge_lists(pass->evidence);
	/* With its defaults written out, as it is compared. */
	if (same) {
		json_object_set(pass->evidence, "asked", pass->request_json);
	}
	return pass->evidence;
}

/* The world as the caches show it. */

static const struct kube_cache *cache_of(const struct controller *c, enum kind kind)
{
	return kube_informer_cache(c->informers[kind]);
}

static json_t *world_get(void *ctx, enum kind kind, const char *ns, const char *name)
{
	return kube_cache_get(cache_of(ctx, kind), ns, name);
}

static json_t *world_list(void *ctx, enum kind kind, const char *ns)
{
	return kube_cache_list(cache_of(ctx, kind), ns);
}

static json_t *world_list_by(void *ctx, enum kind kind, const char *value)
{
	return kube_cache_list_by(cache_of(ctx, kind), value);
}

static bool world_missing(void *ctx, enum kind kind)
{
	const struct controller *c = ctx;

	return kube_informer_missing(c->informers[kind]);
}

static const json_t *world_evidence(void *ctx, const char *key)
{
	const struct controller *c = ctx;
	struct pass *pass = map_get(&c->passes, key);

	return pass != NULL ? bridge_evidence(c, pass) : NULL;
}

static const char *world_failure(void *ctx, const char *key)
{
	const struct controller *c = ctx;
	const struct pass *pass = map_get(&c->passes, key);

	return pass != NULL ? pass->failure : NULL;
}

static struct world world_now(struct controller *c)
{
	return (struct world){
		.now_ms = clock_wall_ms(),
		.settings = c->settings,
		.ctx = c,
		.get = world_get,
		.list = world_list,
		.list_by = world_list_by,
		.missing = world_missing,
		.evidence = world_evidence,
		.failure = world_failure,
		.shared = &c->shared,
	};
}

static void on_changed(void *ctx, struct kube_informer *informer, enum kube_event_type type, const json_t *object)
{
	struct controller *c = ctx;

	for (int i = 0; i < KIND_COUNT && c->synced && !c->stopped; i++) {
		if (c->informers[i] == informer) {
			routes_changed(&c->routes, (enum kind)i, type, object);
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
		const struct pass *pass = value;

		if (pass->failure != NULL) {
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

static void on_seen(void *ctx, const char *key)
{
	struct controller *c = ctx;

	bridge_forget(map_get(&c->passes, key));
	queue_add(c->queue, key);
}

static void on_shared_seen(void *ctx, const char *key, const struct shared_evidence *before)
{
	struct controller *c = ctx;
	auto_json *then = before != NULL ? shared_evidence_encode(before) : NULL;
	auto_json *now = shared_evidence_encode(prober_shared_evidence(c->prober, key));

	bridge_forget(map_get(&c->passes, key));
	queue_add(c->queue, key);
	if (!links_gpu_alike(then, now)) {
		routes_all(&c->routes, false); /* the shared chain is a part of theirs */
	}
}

static struct probe_hpa hpa_now(void *ctx, const char *ns, const char *name, const char *metric)
{
	auto_json *hpa = world_get(ctx, KIND_HPA, ns, name); /* it has the autoscaler's name */
	auto_json *average = values_hpa_average(hpa, metric);
	const json_t *active = kube_object_condition(hpa, "ScalingActive");

	return (struct probe_hpa){.there = hpa != NULL,
		.active = strcmp(json_path_string(active, "status", ""), "True") == 0,
		.average_milli = average != NULL ? json_integer_value(average) : MILLI_NONE};
}

/* From keys to passes. */

/* Whether the caches show all that this key's last pass wrote: acting on an older world would
 * write the same again, or take an old status for the truth. resourceVersions of one server are
 * comparable as integers (KEP-5504). */
static bool caught_up(struct controller *c, struct pass *pass)
{
	size_t i;
	json_t *item;

	if (pass->written == NULL || clock_monotonic_ms() - pass->written_ms > OWN_WRITE_WAIT_MS) {
		return true;
	}
	json_array_foreach(pass->written, i, item) {
		enum kind kind = (enum kind)json_path_int(item, "kind", 0);

		if (strtoull(kube_informer_resource_version(c->informers[kind]), NULL, 10) <
			strtoull(json_path_string(item, "resourceVersion", "0"), NULL, 10)) {
			return false;
		}
	}
	return true;
}

static void finish_close(struct controller *c);

static void report_transitions(struct controller *c, const struct run_result *result)
{
	struct transition found[TRANSITIONS_MAX];
	size_t count;

	if (result->status == NULL) {
		return;
	}
	count = transitions_find(json_object_get(result->owner, "status"), result->status, found);
	for (size_t i = 0; i < count; i++) {
		const struct kube_event event = {.warning = found[i].warning,
			.reason = found[i].reason,
			.action = found[i].action,
			.note = found[i].note};

		kube_recorder_report(c->recorder, result->owner, &event);
	}
	transitions_release(found, count);
}

/* A type that was removed: our watch of it notices within seconds, and says so. Any other object that is not found
 * has a name in the message. */
static bool type_is_gone(const struct error *err)
{
	return (err->kind == ERROR_NOT_FOUND && strstr(err->message, "404 page not found") != NULL) ||
	       (err->kind == ERROR_FORBIDDEN &&
		       strstr(err->message, "custom resource definition is terminating") != NULL);
}

/* What the API server refuses, it names: verb, resource and whose right it is. */
static char *failure_text(const struct error *err)
{
	return err->kind == ERROR_FORBIDDEN
	               ? xasprintf("%s; give the operator this right, by the chart's roles", err->message)
	               : xstrdup(err->message);
}

static void on_run(void *ctx, const struct run_result *result)
{
	struct pass *pass = ctx;
	struct controller *c = pass->controller;
	bool failed_before = pass->failure != NULL;

	c->running--;
	c->count_writes += result->writes;
	json_decref(pass->written);
	pass->written = json_array_size(result->written) > 0 ? json_incref(result->written) : NULL;
	pass->written_ms = clock_monotonic_ms();
	free_indirect(&pass->failure);
	if (c->stopped) {
		finish_close(c);
		return;
	}
	report_transitions(c, result);
	/* The one place that decides: forget, again at once, or later. */
	if (result->error == NULL) {
		queue_forget(c->queue, pass->key);
		if (failed_before) {
			queue_add(c->queue, pass->key); /* to take the failure out of the status */
		}
	} else if (result->error->kind == ERROR_CONFLICT || type_is_gone(result->error)) {
		queue_add_limited(c->queue, pass->key, 0); /* somebody was faster: look again */
	} else {
		c->count_failures++;
		pass->failure = failure_text(result->error);
		log_event(LOG_ERROR, "pass failed", "key", pass->key, "error", result->error->message, NULL);
		if (!failed_before && result->error->retry_after_ms <= 0) {
			queue_add(c->queue, pass->key); /* to say so in the status */
		} else {
			/* A server that asks to be left alone is not written to, not even to say so. */
			queue_add_limited(c->queue, pass->key, result->error->retry_after_ms);
		}
	}
	if (pass->counts && result->writes > 0) {
		queue_add(c->queue, SHARED_KEY); /* the engine may be known now, and with it a rule that is needed */
	}
	queue_done(c->queue, pass->key);
	if (pass->gone) {
		map_remove(&c->passes, pass->key);
	}
}

static void run(struct controller *c, struct pass *pass, struct plan *plan, const json_t *owner)
{
	if (plan->again_ms > 0) {
		queue_add_after(c->queue, pass->key, plan->again_ms);
	}
	c->running++;
	c->count_passes++;
	runner_start(c->client, plan, owner, on_run, pass);
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

static void want_probe(struct controller *c, struct pass *pass, const struct plan *plan)
{
	enum probe_interval interval = plan->healthy ? PROBE_HEALTHY : plan->waiting ? PROBE_WAITING : PROBE_BROKEN;

	if (plan->probe == NULL) {
		bridge_forget(pass);
		prober_forget(c->prober, pass->key);
		return;
	}
	bridge_request(pass, plan->probe);
	if (pass->counts) {
		prober_want(c->prober, pass->key, pass->request, interval);
	} else {
		prober_want_shared(c->prober, pass->key, pass->shared_request, interval);
	}
}

static void work_shared(struct controller *c, struct pass *pass)
{
	struct world world = world_now(c);
	struct shared_state before = c->shared;
	auto_plan plan = PLAN_INIT;

	c->shared = SHARED_STATE_INIT;
	c->shared.fight = before.fight; /* what is remembered, not checked anew */
	before.fight = ADAPTER_FIGHT_INIT;
	shared_reconcile(&world, &plan, &c->shared);
	if (shared_differs(&before, &c->shared)) {
		if (c->shared.state == ADAPTER_BROKEN) {
			log_event(LOG_WARN, "the adapter cannot be given our rules", "reason", c->shared.reason,
				"error", c->shared.message, NULL);
		}
		/* A newly loaded rule is worth a probe at once. */
		routes_all(&c->routes, c->shared.state == ADAPTER_LOADED);
	}
	shared_state_release(&before);
	want_probe(c, pass, &plan);
	run(c, pass, &plan, NULL);
}

static void work_autoscaler(struct controller *c, struct pass *pass)
{
	struct world world = world_now(c);
	const char *slash = strchr(pass->key, '/');
	auto_free char *ns = xstrndup(pass->key, (size_t)(slash - pass->key));
	auto_json *owner = kube_cache_get(cache_of(c, KIND_AUTOSCALER), ns, slash + 1);
	auto_plan plan = PLAN_INIT;

	autoscaler_reconcile(&world, ns, slash + 1, &plan);
	pass->gone = owner == NULL;
	pass->ready = plan.healthy;
	want_probe(c, pass, &plan);
	run(c, pass, &plan, owner);
}

static void work(void *ctx, const char *key)
{
	struct controller *c = ctx;
	struct pass *pass = pass_of(c, key);

	if (!caught_up(c, pass)) {
		/* The event that brings it queues the key at once; this is only the safety net. */
		queue_add_after(c->queue, key, OWN_WRITE_WAIT_MS);
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
	struct kube_informer_hooks hooks = {.changed = on_changed, .state = on_state, .ctx = c};

	*c = (struct controller){.client = client, .settings = settings, .shared = SHARED_STATE_INIT};
	map_init(&c->passes, pass_free);
	c->queue = queue_new(kube_client_loop(client), PARALLEL, work, c);
	c->prober = prober_new(client, http, access,
		&(struct prober_hooks){.seen = on_seen, .shared_seen = on_shared_seen, .hpa = hpa_now, .ctx = c});
	c->recorder = kube_recorder_new(client, MANAGED_BY, identity);
	for (int i = 0; i < KIND_COUNT; i++) {
		const char *adapter = i == KIND_CONFIGMAP ? settings->adapter_configmap : settings->adapter_deployment;
		const char *name = kinds[i].adapter ? adapter : kinds[i].only;
		auto_free char *selector = name != NULL ? xasprintf("metadata.name=%s", name) : NULL;

		hooks.index = kinds[i].index;
		hooks.managers = kinds[i].managers;
		c->informers[i] = kube_informer_new(client, &kinds[i].resource,
			kinds[i].adapter ? settings->adapter_namespace : NULL, selector, &hooks);
	}
	routes_init(&c->routes, cache_of(c, KIND_AUTOSCALER), c->queue, c->prober);
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
	routes_release(&c->routes);
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
	c->closing = KIND_COUNT + 3;
	queue_close(c->queue, on_part_closed, c);
	prober_close(c->prober, on_part_closed, c);
	kube_recorder_close(c->recorder, on_part_closed, c);
	for (int i = 0; i < KIND_COUNT; i++) {
		kube_informer_close(c->informers[i], on_part_closed, c);
	}
}

bool controller_ready(const struct controller *c)
{
	for (int i = 0; i < KIND_COUNT; i++) {
		if (!kube_informer_synced(c->informers[i])) {
			return false;
		}
	}
	return true;
}

bool controller_live(const struct controller *c)
{
	int64_t now = clock_monotonic_ms();

	for (int i = 0; i < KIND_COUNT; i++) {
		if (now - kube_informer_progress_ms(c->informers[i]) > LIVE_MS) {
			return false;
		}
	}
	return true;
}

static void metric(struct strbuf *page, const char *name, const char *type, const char *help, uint64_t value)
{
	strbuf_addf(page, "# HELP inference_autoscaler_%s %s\n# TYPE inference_autoscaler_%s %s\n", name, help, name,
		type);
	strbuf_addf(page, "inference_autoscaler_%s %llu\n", name, (unsigned long long)value);
}

void controller_metrics(const struct controller *c, struct strbuf *page)
{
	uint64_t ready = 0;
	size_t pos = 0;
	void *value;

	while (map_next(&c->passes, &pos, NULL, &value)) {
		const struct pass *pass = value;

		ready += pass->counts && pass->ready ? 1 : 0;
	}
	metric(page, "autoscalers", "gauge", "InferenceAutoscalers in the cache.",
		kube_cache_count(cache_of(c, KIND_AUTOSCALER)));
	metric(page, "autoscalers_ready", "gauge", "InferenceAutoscalers whose whole chain works.", ready);
	metric(page, "passes_total", "counter", "Reconcile passes.", c->count_passes);
	metric(page, "pass_failures_total", "counter", "Reconcile passes whose writes failed.", c->count_failures);
	metric(page, "writes_total", "counter", "Objects written.", c->count_writes);
	metric(page, "queue_length", "gauge", "Keys waiting or being worked on.", queue_length(c->queue));
}

const char **controller_autoscalers(const struct controller *c, size_t *count)
{
	*count = kube_cache_count(cache_of(c, KIND_AUTOSCALER));
	return kube_cache_keys(cache_of(c, KIND_AUTOSCALER));
}

bool controller_has(const struct controller *c, const char *key)
{
	auto_json *object = controller_autoscaler(c, key);

	return object != NULL;
}

json_t *controller_autoscaler(const struct controller *c, const char *key)
{
	return kube_cache_get_key(cache_of(c, KIND_AUTOSCALER), key);
}

json_t *controller_explain(const struct controller *c, const char *key)
{
	auto_json *object = controller_autoscaler(c, key);
	const struct evidence *seen = prober_evidence(c->prober, key);
	auto_json *evidence = seen != NULL ? evidence_encode(seen) : NULL;
	auto_json *hpa = kube_cache_get_key(cache_of(c, KIND_HPA), key); /* it has the autoscaler's name */
	json_t *diagnosis;

	if (object == NULL) {
		return NULL;
	}
	diagnosis = diagnosis_make(object);
	json_object_set_new(diagnosis, "values", values_make(evidence, hpa));
	json_object_set_new(diagnosis, "evidence", evidence != NULL ? json_incref(evidence) : json_null());
	return diagnosis;
}
