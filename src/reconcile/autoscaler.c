/* The reconcile of one InferenceAutoscaler: world → plan. */
#include "reconcile/reconcile.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "children/children.h"
#include "kube/resource.h"
#include "reconcile/observe.h"
#include "reconcile/prometheus.h"
#include "report/status.h"

/* What is awaited comes as an event, or is checked anew after so long. */
#define WAITING_AGAIN_MS 5000

static void desire_child(const struct observation *o, size_t i, struct plan *plan)
{
	const struct child *child = children[i];
	auto_json *wanted = child->make(&o->facts.workload);

	child_stamp(wanted);
	if (o->observed[i] == NULL) {
		plan_add_take(plan, PLAN_APPLY, child->form.kind, json_incref(wanted));
	} else if (!child_matches(&child->form, o->observed[i], wanted)) {
		plan_add_take(plan, child->form.mend_by_patch ? PLAN_PATCH : PLAN_APPLY, child->form.kind,
			child->form.mend_by_patch ? child_patch(&child->form, o->observed[i], wanted)
						  : json_incref(wanted));
	}
}

static void desire_children(const struct observation *o, const struct world *world, struct plan *plan)
{
	const struct workload *w = &o->facts.workload;
	bool pages = autoscaler_uses_pages(&o->spec);

	if (!workload_complete(w) || o->target == NULL ||
		(pages && (w->match_labels == NULL || !o->facts.port_known))) {
		return;
	}
	for (size_t i = 0; i < children_count; i++) {
		if (world->missing(world->ctx, children[i]->form.kind)) {
			continue;
		}
		if (child_wanted(children[i], &o->spec)) {
			desire_child(o, i, plan);
		} else if (o->owned[i]) {
			plan_add_delete(plan, children[i]->form.kind, o->observed[i]);
		}
	}
}

/* Two HPAs on the same pods stop each other: the younger autoscaler's goes. */
static void yield_target(const struct observation *o, struct plan *plan)
{
	for (size_t i = 0; i < children_count; i++) {
		if (children[i]->form.kind == KIND_HPA && o->owned[i]) {
			plan_add_delete(plan, KIND_HPA, o->observed[i]);
		}
	}
}

/* ServiceMonitors of this autoscaler in other namespaces than `ns` (NULL = in all): no owner takes
 * them along when the autoscaler goes, or when spec.monitor.namespace changes. */
static void plan_orphans(const struct world *world, const char *owner_ns, const char *owner, const char *ns,
	struct plan *plan)
{
	auto_free char *key = kube_key(owner_ns, owner);
	auto_json *all = world->list_by(world->ctx, KIND_SERVICEMONITOR, key);
	size_t i;
	json_t *monitor;

	json_array_foreach(all, i, monitor) {
		if (ns == NULL || strcmp(kube_object_namespace(monitor), ns) != 0) {
			plan_add_delete(plan, KIND_SERVICEMONITOR, monitor);
		}
	}
}

/* The ServiceMonitor in our own namespace, when it is to be in another now. */
static void plan_move(const struct world *world, const struct observation *o, struct plan *plan)
{
	auto_json *here = world->get(world->ctx, KIND_SERVICEMONITOR, o->spec.ns, o->spec.name);

	if (here != NULL && kube_object_owned_by(here, o->spec.uid)) {
		plan_add_delete(plan, KIND_SERVICEMONITOR, here);
	}
}

/* What an earlier spec.monitor.namespace, or an earlier mode, left elsewhere. */
static void remove_orphans(const struct observation *o, const struct world *world, struct plan *plan)
{
	const char *ns = autoscaler_uses_pages(&o->spec) ? child_namespace(&child_servicemonitor, &o->spec) : NULL;

	if (ns != NULL && strcmp(ns, o->spec.ns) != 0) {
		plan_move(world, o, plan);
	}
	plan_orphans(world, o->spec.ns, o->spec.name, ns, plan);
}

static json_t *signals_to_probe(const struct workload *w)
{
	json_t *signals = json_array();

	for (size_t i = 0; i < w->signals_count; i++) {
		const struct engine_signal *signal = w->signals[i].signal;
		json_t *series = json_array();

		for (size_t s = 0; s < ENGINE_SERIES_MAX && signal->series[s] != NULL; s++) {
			json_array_append_new(series, json_string(signal->series[s]));
		}
		json_array_append_new(signals, json_pack("{s:s, s:s, s:b, s:o}", "name", signal->name, "metric",
						       signal->metric, "page", !w->signals[i].gpu, "series", series));
	}
	return signals;
}

static json_t *request_of(const struct observation *o, const struct world *world)
{
	const struct workload *w = &o->facts.workload;
	bool pages = autoscaler_uses_pages(&o->spec);
	const char *prometheus = pages ? o->facts.selected_by : json_path_string(o->facts.gpu, "prometheus", NULL);
	/* Of a kind that is not watched the probe finds it. */
	auto_free char *selector =
		o->facts.target_watched ? kube_selector_text(json_path(o->target, "spec.selector")) : NULL;
	auto_free char *service = child_name(&child_service, &o->spec);
	auto_free char *url = prometheus_url(world, o->prometheuses, prometheus);
	auto_free char *monitor_name = child_name(&child_servicemonitor, &o->spec);
	auto_free char *pool = NULL;

	if (o->target == NULL && o->facts.target_watched) {
		return NULL;
	}
	/* Which Prometheus has the GPUs is not known before the first shared pass: a probe before it would ask another
	 * question than the next. */
	if (autoscaler_uses_gpus(&o->spec) && o->facts.gpu == NULL) {
		return NULL;
	}
	/* prometheus-operator's name for the scrape pool of a ServiceMonitor's first endpoint. */
	pool = xasprintf("serviceMonitor/%s/%s/0", child_namespace(&child_servicemonitor, &o->spec), monitor_name);
	return json_pack("{s:s, s:s, s:{s:s, s:s, s:s}, s:s*, s:s, s:s*, s:O*, s:s*, s:s*, s:s*, s:s*, s:I, s:o}",
		"namespace", o->spec.ns, "name", o->spec.name, "target", "apiVersion", o->spec.target_api_version,
		"kind", o->spec.target_kind, "name", o->spec.target_name, "selector", selector, "scheme", w->scheme,
		"engine", w->engine != NULL ? w->engine->type : NULL, "pages", o->pages, "prometheus", url, "service",
		pages ? service : NULL, "pool", pages ? pool : NULL, "trusted",
		autoscaler_uses_gpus(&o->spec) ? json_path_string(o->facts.gpu, "trusted", NULL) : NULL, "intervalMs",
		(json_int_t)clock_parse_duration(o->spec.scrape_interval), "signals", signals_to_probe(w));
}

/* An operator that starts knows less than the status it finds: until its first probes have ended, the
 * autoscaler's own and those at what all share, what was last said of this very generation stays. */
static bool awaits_first_look(const struct observation *o, const struct verdict *verdicts, size_t first)
{
	const json_t *reported;
	bool unseen;

	if (first == links_count || strcmp(verdicts[first].reason, REASON_PROBING) != 0 ||
		o->facts.write_problem != NULL ||
		json_path_int(o->object, "status.observedGeneration", -1) != o->spec.generation) {
		return false;
	}
	if (o->facts.evidence == NULL) {
		return true;
	}
	unseen = o->facts.adapter == ADAPTER_UNKNOWN ||
	         (autoscaler_uses_gpus(&o->spec) && o->facts.gpu_evidence == NULL);
	reported = kube_object_condition(o->object, links[first].type);
	return unseen && strcmp(json_path_string(reported, "status", "Unknown"), "Unknown") != 0;
}

void autoscaler_reconcile(const struct world *world, const char *ns, const char *name, struct plan *plan)
{
	json_t *object = world->get(world->ctx, KIND_AUTOSCALER, ns, name);
	struct verdict *verdicts;
	json_t *status;
	size_t first;

	if (object == NULL || json_path(object, "metadata.deletionTimestamp") != NULL) {
		plan_orphans(world, ns, name, NULL, plan);
		json_decref(object);
		return;
	}
	auto_observation o;
	observation_init(&o, world, object);
	if (o.facts.invalid == NULL) {
		plan->probe = request_of(&o, world);
		o.facts.request = plan->probe;
	}
	verdicts = xcalloc(links_count, sizeof(*verdicts));
	first = links_check(&o.facts, verdicts);
	if (o.facts.invalid == NULL) {
		if (links_target_exclusive(&o.facts)) {
			desire_children(&o, world, plan);
			remove_orphans(&o, world, plan);
		} else if (links_target_taken(&o.facts)) {
			yield_target(&o, plan);
		}
	} else if (!autoscaler_monitor_allowed(&o.spec, world->settings)) {
		/* Made while that was allowed still. */
		plan_orphans(world, ns, name, ns, plan);
	}
	plan->healthy = first == links_count;
	plan->waiting = first < links_count && strcmp(verdicts[first].reason, REASON_WAITING) == 0;
	if (plan->waiting && plan->probe == NULL) {
		plan->again_ms = WAITING_AGAIN_MS;
	}
	status = status_make(&o.facts, verdicts, first, world->now_ms);
	if (!awaits_first_look(&o, verdicts, first) && !json_equal(status, json_object_get(object, "status"))) {
		plan->status = json_incref(status);
	}
	json_decref(status);
	verdicts_release(verdicts);
	free_indirect(&verdicts);
}
