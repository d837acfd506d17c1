/* From a change of an object to the keys it concerns. */
#include "routes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "view/monitoring.h"

void routes_init(struct routes *r, const struct kube_cache *autoscalers, struct queue *queue, struct prober *prober)
{
	*r = (struct routes){.autoscalers = autoscalers, .queue = queue, .prober = prober};
	map_init(&r->prometheuses, free);
	map_init(&r->inactive_hpas, NULL);
}

void routes_release(struct routes *r)
{
	map_release(&r->prometheuses);
	map_release(&r->inactive_hpas);
}

/* Queues the autoscalers of this target; wake: to be probed anew as well. */
static void queue_targeting(const struct routes *r, const char *ns, const char *target, bool wake)
{
	auto_free char *target_key = kube_key(ns, target);
	auto_json *found = kube_cache_list_by(r->autoscalers, target_key);
	size_t i;
	json_t *object;

	json_array_foreach(found, i, object) {
		auto_free char *key = kube_object_key(object);

		queue_add(r->queue, key);
		if (wake) {
			prober_wake(r->prober, key);
		}
	}
}

/* Queues the autoscalers of a namespace (NULL = all). */
static void queue_all(const struct routes *r, const char *ns, bool wake)
{
	auto_free const char **keys = kube_cache_keys(r->autoscalers);
	size_t len = ns != NULL ? strlen(ns) : 0;

	for (size_t i = 0; i < kube_cache_count(r->autoscalers); i++) {
		if (ns != NULL && (strncmp(keys[i], ns, len) != 0 || keys[i][len] != '/')) {
			continue;
		}
		queue_add(r->queue, keys[i]);
		if (wake) {
			prober_wake(r->prober, keys[i]);
		}
	}
}

static void queue_named(const struct routes *r, const char *ns, const char *name)
{
	if (name != NULL && kube_cache_has(r->autoscalers, ns, name)) {
		auto_free char *key = kube_key(ns, name);

		queue_add(r->queue, key);
	}
}

/* A child, by its label, its owner and its name: any of them may have been edited away. */
static void queue_child_owner(const struct routes *r, const json_t *object)
{
	static const char suffix[] = "-metrics";
	const char *ns = kube_object_namespace(object);
	const char *name = kube_object_name(object);
	const char *from = kube_object_label(object, LABEL_AUTOSCALER_NAMESPACE);
	const char *owner_name = kube_object_label(object, LABEL_AUTOSCALER);
	size_t len = strlen(name);
	size_t i;
	json_t *owner;

	if (kube_object_label(object, LABEL_SHARED) != NULL) {
		queue_add(r->queue, SHARED_KEY);
	}
	if (from != NULL && owner_name != NULL) {
		auto_free char *key = kube_key(from, owner_name);

		queue_add(r->queue, key); /* also for one that is gone: this child of it is to go too */
	}
	queue_named(r, ns, owner_name);
	json_array_foreach(json_path(object, "metadata.ownerReferences"), i, owner) {
		queue_named(r, ns, json_path_string(owner, "name", NULL));
	}
	queue_named(r, ns, name);
	if (len > sizeof(suffix) - 1 && strcmp(name + len - (sizeof(suffix) - 1), suffix) == 0) {
		auto_free char *stem = xstrndup(name, len - (sizeof(suffix) - 1));

		queue_named(r, ns, stem);
	}
}

static void autoscaler_changed(const struct routes *r, enum kube_event_type type, const json_t *object)
{
	auto_free char *key = kube_object_key(object);
	bool edited = json_path_int(object, "metadata.generation", 0) !=
	              json_path_int(object, "status.observedGeneration", 0);

	if (type == KUBE_DELETED) {
		prober_forget(r->prober, key);
	}
	queue_add(r->queue, key);
	if (type != KUBE_MODIFIED || edited) {
		/* Siblings may have waited for this target, and the union of rules may differ. */
		queue_targeting(r, kube_object_namespace(object),
			json_path_string(object, "spec.scaleTargetRef.name", ""), false);
		queue_add(r->queue, SHARED_KEY);
	}
}

/* While an HPA reads its metric the probes do not ask for it: when one of ours could not, it is probed at once. */
static void hpa_changed(struct routes *r, enum kube_event_type type, const json_t *object)
{
	auto_free char *key = kube_object_key(object); /* also the autoscaler's */
	const json_t *active = kube_object_condition(object, "ScalingActive");
	bool fails =
		type != KUBE_DELETED && active != NULL && strcmp(json_path_string(active, "status", ""), "True") != 0;

	if (!fails) {
		map_remove(&r->inactive_hpas, key);
	} else if (!map_has(&r->inactive_hpas, key) &&
		   kube_cache_has(r->autoscalers, kube_object_namespace(object), kube_object_name(object))) {
		map_put(&r->inactive_hpas, key, r);
		prober_wake(r->prober, key);
	}
}

/* Whether it is news to those who read it: most changes are of the status, which prometheus-operator writes at each step of
 * a rollout, and nobody reads. */
static bool prometheus_is_news(struct routes *r, enum kube_event_type type, const json_t *object)
{
	auto_free char *key = kube_object_key(object);
	auto_view *view = view_decode(KIND_PROMETHEUS, object);
	const struct digest *now = &view_prometheus(view)->digest;
	struct digest *before = map_get(&r->prometheuses, key);

	if (type == KUBE_DELETED) {
		map_remove(&r->prometheuses, key);
		return true;
	}
	if (before != NULL && digest_equal(before, now)) {
		return false;
	}
	if (before == NULL) {
		before = xcalloc(1, sizeof(*before));
		map_put(&r->prometheuses, key, before);
	}
	*before = *now;
	return true;
}

void routes_changed(struct routes *r, enum kind kind, enum kube_event_type type, const json_t *object)
{
	const char *ns = kube_object_namespace(object);

	switch (kind) {
	case KIND_AUTOSCALER:
		autoscaler_changed(r, type, object);
		return;
	case KIND_DEPLOYMENT:
	case KIND_STATEFULSET:
		queue_targeting(r, ns, kube_object_name(object), true);
		return;
	case KIND_HPA:
		hpa_changed(r, type, object);
		queue_targeting(r, ns, json_path_string(object, "spec.scaleTargetRef.name", ""), false);
		queue_child_owner(r, object);
		return;
	case KIND_SERVICE:
	case KIND_SERVICEMONITOR:
		queue_child_owner(r, object);
		queue_add(r->queue, SHARED_KEY); /* it may be a GPU exporter's */
		return;
	case KIND_DAEMONSET:
	case KIND_PROMETHEUSRULE:
		queue_add(r->queue, SHARED_KEY);
		return;
	case KIND_NAMESPACE:
		queue_all(r, kube_object_name(object), false);
		return;
	case KIND_PROMETHEUS:
		if (prometheus_is_news(r, type, object)) {
			queue_all(r, NULL, false);
			queue_add(r->queue, SHARED_KEY);
		}
		return;
	case KIND_SCALEDOBJECT:
		queue_targeting(r, ns, json_path_string(object, "spec.scaleTargetRef.name", ""), false);
		return;
	case KIND_APISERVICE:
	case KIND_CONFIGMAP:
	case KIND_ADAPTER_DEPLOYMENT:
		queue_add(r->queue, SHARED_KEY);
		return;
	case KIND_POD: /* the prober's to read (pod_feed.h) */
	case KIND_COUNT:
		return;
	}
}

void routes_all(const struct routes *r, bool wake)
{
	queue_all(r, NULL, wake);
}
