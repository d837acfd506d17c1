/* From a change of an object to the keys it concerns. */
#include "routes.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "cached_views.h"
#include "view/autoscaler.h"
#include "view/core.h"
#include "view/hpa.h"
#include "view/monitoring.h"

void routes_init(struct routes *r, const struct kube_cache *autoscalers, struct queue *queue, struct prober *prober)
{
	*r = (struct routes){.autoscalers = autoscalers, .queue = queue, .prober = prober};
}

static void queue_list(const struct routes *r, struct view_list list_take, bool notify)
{
	for (size_t i = 0; i < list_take.count; i++) {
		auto_free char *key = meta_key(&list_take.items[i]->meta);

		queue_add(r->queue, key);
		if (notify) {
			prober_notify(r->prober, key);
		}
	}
	view_list_release(&list_take);
}

/* Queues the autoscalers of this target. They are not probed for its sake: of its pods the prober is notified, and its
 * status changes with each of a thousand of them. */
static void queue_targeting(const struct routes *r, const char *ns, const char *target)
{
	auto_free char *target_key = kube_key(ns, target);

	queue_list(r, cached_views_by(r->autoscalers, target_key), false);
}

/* Queues the autoscalers of a namespace (NULL = all). */
static void queue_all(const struct routes *r, const char *ns, bool notify)
{
	queue_list(r, cached_views(r->autoscalers, ns), notify);
}

static void queue_named(const struct routes *r, const char *ns, const char *name)
{
	if (name != NULL && kube_cache_get(r->autoscalers, ns, name) != NULL) {
		auto_free char *key = kube_key(ns, name);

		queue_add(r->queue, key);
	}
}

/* A child, by its label, its owner and its name: any of them may have been edited away. */
static void queue_child_owner(const struct routes *r, const struct object_meta *meta)
{
	static const char suffix[] = "-metrics";
	const char *from = meta_label(meta, LABEL_AUTOSCALER_NAMESPACE);
	const char *owner_name = meta_label(meta, LABEL_AUTOSCALER);
	size_t len = strlen(meta->name);

	if (meta_label(meta, LABEL_SHARED) != NULL) {
		queue_add(r->queue, SHARED_KEY);
	}
	if (from != NULL && owner_name != NULL) {
		auto_free char *key = kube_key(from, owner_name);

		queue_add(r->queue, key); /* also for one that is gone: this child of it is to go too */
	}
	queue_named(r, meta->ns, owner_name);
	for (uint32_t i = 0; i < meta->owners_count; i++) {
		queue_named(r, meta->ns, meta->owners[i].name);
	}
	queue_named(r, meta->ns, meta->name);
	if (len > sizeof(suffix) - 1 && strcmp(meta->name + len - (sizeof(suffix) - 1), suffix) == 0) {
		auto_free char *stem = xstrndup(meta->name, len - (sizeof(suffix) - 1));

		queue_named(r, meta->ns, stem);
	}
}

/* Those that the object concerns as it was, or as it is. */
static void queue_concerned(const struct routes *r, const struct view *object)
{
	const struct object_meta *meta = &object->meta;

	if (object->type == &view_hpa_type) {
		queue_targeting(r, meta->ns, view_hpa(object)->target_name);
		queue_child_owner(r, meta);
	} else if (object->type == &view_scaledobject_type) {
		queue_targeting(r, meta->ns, view_scaledobject(object)->target_name);
	} else {
		queue_child_owner(r, meta);
	}
}

/* What was edited away of the object still counts. */
static void queue_both(const struct routes *r, const struct view *before, const struct view *now)
{
	if (before != NULL) {
		queue_concerned(r, before);
	}
	if (now != NULL) {
		queue_concerned(r, now);
	}
}

/* Siblings may have waited for this target. */
static void queue_siblings(const struct routes *r, const struct view_autoscaler *autoscaler)
{
	if (autoscaler != NULL) {
		queue_targeting(r, autoscaler->view.meta.ns, autoscaler->target_name);
	}
}

static bool is_edited(const struct view_autoscaler *autoscaler)
{
	int64_t observed = autoscaler->status.observed_generation;

	return autoscaler->view.meta.generation != (observed > 0 ? observed : 0);
}

static void autoscaler_changed(const struct routes *r, const struct view_autoscaler *before,
	const struct view_autoscaler *now)
{
	auto_free char *key = meta_key(now != NULL ? &now->view.meta : &before->view.meta);

	if (now == NULL) {
		prober_forget(r->prober, key);
	}
	queue_add(r->queue, key);
	if (before == NULL || now == NULL || is_edited(now)) {
		queue_siblings(r, before);
		queue_siblings(r, now);
	}
}

static bool fails_to_scale(const struct view_hpa *hpa)
{
	const struct view_condition *active = hpa != NULL ? view_condition(&hpa->conditions, "ScalingActive") : NULL;

	return active != NULL && strcmp(active->status, "True") != 0;
}

/* Whether it tells of a metric that it has read. */
static bool speaks(const struct view_hpa *hpa)
{
	return hpa != NULL && hpa->averages_count > 0 && !fails_to_scale(hpa);
}

/* While an HPA reads its metric, or is about to, the probes do not ask for it: when one of ours could not, it is probed
 * at once; and what it reads first is what they wait for. */
static void hpa_changed(const struct routes *r, const struct view_hpa *before, const struct view_hpa *now)
{
	bool fails = fails_to_scale(now) && !fails_to_scale(before);
	bool begins = speaks(now) && !speaks(before);

	if ((fails || begins) && kube_cache_get(r->autoscalers, now->view.meta.ns, now->view.meta.name) != NULL) {
		auto_free char *key = meta_key(&now->view.meta); /* also the autoscaler's */

		if (fails) {
			prober_wake(r->prober, key);
		} else {
			prober_notify(r->prober, key);
		}
	}
}

/* Whether it is news to those who read it: most changes are of the status, which prometheus-operator writes at each step of
 * a rollout, and nobody reads. */
static bool is_news(const struct view_prometheus *before, const struct view_prometheus *now)
{
	return before == NULL || now == NULL || !digest_equal(&before->digest, &now->digest);
}

static bool is_child(const struct view *object)
{
	const struct view_owner *controller = meta_controller(&object->meta);

	return controller != NULL && strcmp(controller->kind, kinds[KIND_AUTOSCALER].resource.kind) == 0;
}

/* What is, and was, a child of an autoscaler is no GPU exporter's. */
static bool may_be_exporters(const struct view *before, const struct view *now)
{
	return (before != NULL && !is_child(before)) || (now != NULL && !is_child(now));
}

void routes_changed(const struct routes *r, enum kind kind, const struct view *before, const struct view *now)
{
	const struct object_meta *meta = now != NULL ? &now->meta : &before->meta;

	switch (kind) {
	case KIND_AUTOSCALER:
		autoscaler_changed(r, view_autoscaler(before), view_autoscaler(now));
		return;
	case KIND_DEPLOYMENT:
	case KIND_STATEFULSET:
		queue_targeting(r, meta->ns, meta->name);
		return;
	case KIND_HPA:
		hpa_changed(r, view_hpa(before), view_hpa(now));
		queue_both(r, before, now);
		return;
	case KIND_SCALEDOBJECT:
		queue_both(r, before, now);
		return;
	case KIND_SERVICE:
	case KIND_SERVICEMONITOR:
		queue_both(r, before, now);
		if (may_be_exporters(before, now)) {
			queue_add(r->queue, SHARED_KEY);
		}
		return;
	case KIND_NAMESPACE:
		queue_all(r, meta->name, false);
		return;
	case KIND_PROMETHEUS:
	case KIND_PROMETHEUSAGENT:
		if (is_news(view_prometheus(before), view_prometheus(now))) {
			queue_all(r, NULL, false);
			queue_add(r->queue, SHARED_KEY);
		}
		return;
	case KIND_DAEMONSET:
	case KIND_PROMETHEUSRULE:
	case KIND_CONFIGMAP:
		queue_add(r->queue, SHARED_KEY);
		return;
	case KIND_APISERVICE:
		if (strcmp(meta->name, APISERVICE_V1BETA1) == 0 || strcmp(meta->name, APISERVICE_V1BETA2) == 0) {
			queue_add(r->queue, SHARED_KEY);
		}
		return;
	case KIND_POD: /* the prober's to read (pod_feed.h) */
	case KIND_COUNT:
		return;
	}
}

void routes_all(const struct routes *r, bool notify)
{
	queue_all(r, NULL, notify);
}

void routes_advised(const struct routes *r)
{
	struct view_list all = cached_views(r->autoscalers, NULL);
	size_t count = 0;

	for (size_t i = 0; i < all.count; i++) {
		if (view_autoscaler(all.items[i])->status.advice_count > 0) {
			all.items[count++] = all.items[i];
		}
	}
	all.count = count;
	queue_list(r, all, false);
}
