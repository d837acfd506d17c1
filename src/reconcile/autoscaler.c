/* The reconcile of one InferenceAutoscaler: world → plan. */
#include "reconcile/reconcile.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "children/adapter_config.h"
#include "reconcile/observe.h"
#include "reconcile/status.h"

/* What was applied last stays readable on the child: see ANNOTATION_APPLIED. */
static void stamp(json_t *child)
{
	auto_free char *text = json_text(child);
	auto_free char *hash = adapter_config_hash(text);

	json_object_set_new(json_object_get(child, "metadata"), "annotations",
		json_pack("{s:s}", ANNOTATION_APPLIED, hash));
}

static void desire_children(const struct observation *o, const struct world *world, struct plan *plan)
{
	const struct workload *w = &o->facts.workload;

	if (w->engine == NULL || w->match_labels == NULL || !o->facts.port_known) {
		return;
	}
	for (size_t i = 0; i < children_count; i++) {
		json_t *wanted;

		if (world->missing(world->ctx, children[i]->kind)) {
			continue;
		}
		wanted = children[i]->make(w);
		stamp(wanted);
		if (o->observed[i] == NULL) {
			plan_add_take(plan, PLAN_APPLY, children[i]->kind, json_incref(wanted));
		} else if (!child_matches(children[i], o->observed[i], wanted)) {
			plan_add_take(plan, children[i]->mend_by_patch ? PLAN_PATCH : PLAN_APPLY, children[i]->kind,
				children[i]->mend_by_patch ? child_patch(children[i], o->observed[i], wanted)
							   : json_incref(wanted));
		}
		json_decref(wanted);
	}
}

/* Two HPAs on the same pods stop each other: the younger autoscaler's goes. */
static void yield_target(const struct observation *o, struct plan *plan)
{
	for (size_t i = 0; i < children_count; i++) {
		const json_t *hpa = o->observed[i];

		if (children[i]->kind == KIND_HPA && o->owned[i]) {
			plan_add_take(plan, PLAN_DELETE, KIND_HPA,
				json_pack("{s:s, s:s, s:{s:s, s:s, s:s}}", "apiVersion",
					json_path_string(hpa, "apiVersion", ""), "kind", json_path_string(hpa, "kind", ""),
					"metadata", "name", kube_object_name(hpa), "namespace",
					kube_object_namespace(hpa), "uid", kube_object_uid(hpa)));
		}
	}
}

/* The base URL of the Prometheus that selects us: its governing Service, made by prometheus-operator
 * in its namespace. */
static char *prometheus_url(const struct observation *o, const struct world *world)
{
	size_t i;
	json_t *prometheus;

	if (world->settings->prometheus_url != NULL) {
		return xstrdup(world->settings->prometheus_url);
	}
	json_array_foreach(o->prometheuses, i, prometheus) {
		auto_free char *key = kube_object_key(prometheus);

		if (o->facts.selected_by != NULL && strcmp(key, o->facts.selected_by) == 0) {
			const char *prefix = json_path_string(prometheus, "spec.routePrefix", "");
			bool tls = json_path(prometheus, "spec.web.tlsConfig") != NULL;

			return xasprintf("%s://%s.%s.svc:9090%s", tls ? "https" : "http",
				json_path_string(prometheus, "spec.serviceName", "prometheus-operated"),
				kube_object_namespace(prometheus), strcmp(prefix, "/") == 0 ? "" : prefix);
		}
	}
	return NULL;
}

static json_t *wish_to_probe(const struct observation *o, const struct world *world)
{
	const struct workload *w = &o->facts.workload;
	auto_free char *selector = kube_selector_text(json_path(o->target, "spec.selector"));
	auto_free char *url = prometheus_url(o, world);
	json_t *series = json_array();

	if (o->target == NULL) {
		json_decref(series);
		return NULL;
	}
	for (size_t i = 0; i < ENGINE_SERIES_MAX && w->signal->series[i] != NULL; i++) {
		json_array_append_new(series, json_string(w->signal->series[i]));
	}
	return json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:o, s:s*, s:I}", "namespace", o->spec.ns, "name",
		o->spec.name, "selector", selector, "port", (json_int_t)w->port, "path", w->path, "scheme", w->scheme,
		"metric", w->signal->metric, "series", series, "prometheus", url, "intervalMs",
		(json_int_t)clock_parse_duration(o->spec.scrape_interval));
}

/* An operator that starts knows less than the status it finds: until its first look has ended,
 * what was last said of this very generation stays. */
static bool awaits_first_look(const struct observation *o, const struct verdict *verdicts, size_t first)
{
	return o->facts.evidence == NULL && o->facts.write_problem == NULL && first < links_count &&
	       strcmp(verdicts[first].reason, REASON_PROBING) == 0 &&
	       json_path_int(o->object, "status.observedGeneration", -1) == o->spec.generation;
}

void autoscaler_reconcile(const struct world *world, const char *ns, const char *name, struct plan *plan)
{
	json_t *object = world->get(world->ctx, KIND_AUTOSCALER, ns, name);
	struct verdict *verdicts;
	json_t *status;
	size_t first;

	if (object == NULL || json_path(object, "metadata.deletionTimestamp") != NULL) {
		json_decref(object);
		return;
	}
	auto_observation o;
	observation_init(&o, world, object);
	if (o.facts.invalid == NULL) {
		plan->probe = wish_to_probe(&o, world);
		o.facts.wish = plan->probe;
	}
	verdicts = xcalloc(links_count, sizeof(*verdicts));
	first = links_judge(&o.facts, verdicts);
	if (o.facts.invalid == NULL) {
		if (links_target_exclusive(&o.facts)) {
			desire_children(&o, world, plan);
		} else if (links_target_taken(&o.facts)) {
			yield_target(&o, plan);
		}
	}
	plan->healthy = first == links_count;
	status = status_make(&o.facts, verdicts, first, world->now_ms);
	if (!awaits_first_look(&o, verdicts, first) && !json_equal(status, json_object_get(object, "status"))) {
		plan->status = json_incref(status);
	}
	json_decref(status);
	verdicts_release(verdicts);
	free_indirect(&verdicts);
}
