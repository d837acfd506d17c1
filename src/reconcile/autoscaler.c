/* The reconcile of one InferenceAutoscaler: world → plan. */
#include "reconcile/reconcile.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "children/children.h"
#include "engine/custom.h"
#include "kube/resource.h"
#include "reconcile/fallback.h"
#include "reconcile/observe.h"
#include "reconcile/prometheus.h"
#include "settled_children.h"
#include "status_plan.h"
#include "view/own.h"

/* What is awaited comes as an event, or is checked anew after so long. */
#define WAITING_AGAIN_MS 5000
/* How often the HPA controller reads, by default. */
#define HPA_PERIOD_MS 15000

/* Whether somebody changes it back, so that it is left alone for now; says so. */
static bool is_left_alone(struct observation *o, const struct world *world, size_t i, const json_t *wanted,
	struct plan *plan)
{
	auto_free char *key = kube_key(o->spec.ns, o->spec.name);
	const struct child_fight *fights = world->child_fights != NULL ? world->child_fights(world->ctx, key) : NULL;
	const char *applied =
		json_string_value(json_object_get(json_path(wanted, "metadata.annotations"), ANNOTATION_APPLIED));
	const struct object_meta *meta = o->observed[i] != NULL ? &o->observed[i]->meta : NULL;
	const char *by = meta != NULL ? view_changed_by(o->observed[i]) : NULL;
	int64_t rest_ms;

	rest_ms = fights != NULL && meta != NULL
	                  ? child_fight_rest_ms(&fights[i], child_fight_mark(applied), world->now_ms)
	                  : 0;
	if (rest_ms == 0) {
		return false;
	}
	plan_again(plan, rest_ms);
	free_indirect(&o->reverted);
	o->reverted = xasprintf("%s '%s/%s' is changed back by '%s' each time it is mended: have that leave it out, or "
				"ignore its differences; it is mended once more when it was left alone for some time",
		kinds[children[i]->form.kind].resource.kind, meta->ns, meta->name, by != NULL ? by : "somebody");
	o->facts.reverted = o->reverted;
	return true;
}

/* As it has to be made, or mended; new reference, NULL of one that is as it should be. */
static json_t *desire_child(const struct observation *o, size_t i)
{
	auto_json *wanted = children[i]->make(&o->facts.workload);

	child_stamp(wanted);
	if (o->observed[i] != NULL && child_matches(&children[i]->form, o->observed[i], wanted)) {
		return NULL;
	}
	return json_incref(wanted);
}

static void plan_child_take(const struct observation *o, size_t i, json_t *wanted, struct plan *plan)
{
	const struct child_form *form = &children[i]->form;

	if (o->observed[i] == NULL) {
		plan_add_take(plan, PLAN_CREATE, form->kind, wanted);
	} else if (form->mend_by_patch) {
		plan_add_take(plan, PLAN_PATCH, form->kind, child_patch(form, o->observed[i], wanted));
		json_decref(wanted);
	} else {
		plan_add_take(plan, PLAN_APPLY, form->kind, wanted);
	}
}

/* Whether what an earlier source left may go: its figures are not needed any more, since others arrive. */
static bool may_leave(const struct observation *o)
{
	return !o->facts.workload.direct || o->served;
}

/* Of an earlier mode or source. */
static bool is_left_over(const struct observation *o, const struct world *world, size_t i)
{
	return o->owned[i] && !child_wanted(children[i], &o->facts.workload) && may_leave(o) &&
	       !world->missing(world->ctx, children[i]->form.kind);
}

/* Claims first what an apply is to mend. */
static void plan_children_take(const struct observation *o, const struct world *world, json_t *const *wanted,
	struct plan *plan)
{
	for (size_t i = 0; i < children_count; i++) {
		if (wanted[i] != NULL && o->observed[i] != NULL && !children[i]->form.mend_by_patch) {
			plan_add_claim(plan, children[i]->form.kind, o->observed[i]);
		}
	}
	plan_then(plan);
	for (size_t i = 0; i < children_count; i++) {
		if (wanted[i] != NULL) {
			plan_child_take(o, i, wanted[i], plan);
		} else if (is_left_over(o, world, i)) {
			plan_add_delete(plan, children[i]->form.kind, o->observed[i]);
		}
	}
}

/* Whether all that they are made of is known. */
static bool can_make_children(const struct observation *o)
{
	bool pages = autoscaler_uses_pages(&o->spec);

	return workload_complete(&o->facts.workload) && o->target != NULL &&
	       (!pages ||
		       (o->facts.port_known && (o->facts.workload.match_labels != NULL || o->facts.workload.direct)));
}

static void make_children(struct observation *o, const struct world *world, struct plan *plan)
{
	json_t *wanted[ARRAY_LEN(o->observed)] = {NULL};

	for (size_t i = 0; i < children_count; i++) {
		if (child_wanted(children[i], &o->facts.workload) &&
			!world->missing(world->ctx, children[i]->form.kind)) {
			wanted[i] = desire_child(o, i);
			if (wanted[i] != NULL && is_left_alone(o, world, i, wanted[i], plan)) {
				json_decref(wanted[i]);
				wanted[i] = NULL;
			}
		}
	}
	plan_children_take(o, world, wanted, plan);
}

/* Not those that were settled already, from the same. */
static void desire_children(struct observation *o, const struct world *world, struct plan *plan)
{
	auto_free char *key = kube_key(o->spec.ns, o->spec.name);
	struct digest before = world->settled != NULL ? world->settled(world->ctx, key) : DIGEST_NONE;
	struct digest now;
	size_t count = plan->count;

	if (!can_make_children(o)) {
		return;
	}
	now = settled_children_digest(o, world);
	if (!digest_equal(&now, &before)) {
		make_children(o, world, plan);
	}
	if (plan->count == count && o->reverted == NULL) {
		plan->settled = now;
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
	auto_view_list all = world_views_by(world, KIND_SERVICEMONITOR, key);

	for (size_t i = 0; i < all.count; i++) {
		if (ns == NULL || strcmp(all.items[i]->meta.ns, ns) != 0) {
			plan_add_delete(plan, KIND_SERVICEMONITOR, all.items[i]);
		}
	}
}

/* The ServiceMonitor in our own namespace, when it is to be in another now. */
static void plan_move(const struct world *world, const struct observation *o, struct plan *plan)
{
	const struct view *here = world_view(world, KIND_SERVICEMONITOR, o->spec.ns, o->spec.name);

	if (here != NULL && meta_owned_by(&here->meta, o->spec.uid)) {
		plan_add_delete(plan, KIND_SERVICEMONITOR, here);
	}
}

/* What an earlier spec.monitor.namespace, mode or source left elsewhere. */
static void remove_orphans(const struct observation *o, const struct world *world, struct plan *plan)
{
	bool wanted = child_wanted(&child_servicemonitor, &o->facts.workload);
	const char *ns = wanted ? child_namespace(&child_servicemonitor, &o->spec) : NULL;

	if (!may_leave(o)) {
		return;
	}
	if (ns != NULL && strcmp(ns, o->spec.ns) != 0) {
		plan_move(world, o, plan);
	}
	plan_orphans(world, o->spec.ns, o->spec.name, ns, plan);
}

static void request_signals(const struct observation *o, struct probe_request *request)
{
	const struct workload *w = &o->facts.workload;

	for (size_t i = 0; i < w->signals_count; i++) {
		const struct engine_signal *signal = w->signals[i].signal;
		struct signal_request *own =
			probe_request_add_signal(request, signal->name, signal->metric, !w->signals[i].gpu);

		own->query = xstrdup(signal->page_query);
		own->tag = request->direct ? NULL : custom_tag_matcher(signal);
		for (size_t s = 0; s < ENGINE_SERIES_MAX && signal->series[s] != NULL; s++) {
			texts_add(&own->series, signal->series[s]);
		}
	}
}

/* Where the page is, and who scrapes it. */
static void request_pages(const struct observation *o, struct probe_request *request)
{
	auto_free char *monitor = NULL;

	for (size_t i = 0; i < o->pages.count; i++) {
		probe_request_add_page(request, o->pages.items[i].port, o->pages.items[i].path);
	}
	if (request->direct) {
		return;
	}
	monitor = child_name(&child_servicemonitor, &o->spec);
	request->service = child_name(&child_service, &o->spec);
	/* prometheus-operator's name for the scrape pool of a ServiceMonitor's first endpoint. */
	request->pool = xasprintf("serviceMonitor/%s/%s/0", child_namespace(&child_servicemonitor, &o->spec), monitor);
}

/* "ns/name" of whose answers are asked for: of one that selects, else of the one that the adapter asks, which shows whether
 * values arrive all the same. NULL = not known; borrowed. */
static const char *prometheus_of(const struct observation *o)
{
	const struct gpu_survey *gpu = o->facts.gpu;
	const char *selects = o->facts.selected_by;

	if (!autoscaler_uses_pages(&o->spec) && gpu != NULL) {
		selects = gpu->prometheus != NULL ? gpu->prometheus : gpu->rule.selected_by;
	}
	return selects != NULL ? selects : o->asked;
}

/* What to probe; NULL when nothing is known to be there. */
static struct probe_request *request_of(const struct observation *o, const struct world *world)
{
	const struct workload *w = &o->facts.workload;
	bool direct = w->direct;
	bool pages = autoscaler_uses_pages(&o->spec);
	bool gpus = autoscaler_uses_gpus(&o->spec) && !direct;
	const struct gpu_survey *gpu = o->facts.gpu;
	struct probe_request *request;

	/* Which Prometheus has the GPUs is not known before the first shared pass: a probe before it would ask another
	 * question than the next. */
	if ((o->target == NULL && o->facts.target_watched) || (gpus && gpu == NULL)) {
		return NULL;
	}
	request = probe_request_new();
	request->ns = xstrdup(o->spec.ns);
	request->name = xstrdup(o->spec.name);
	request->target = (struct target_ref){xstrdup(o->spec.target_api_version), xstrdup(o->spec.target_kind),
		xstrdup(o->spec.target_name)};
	/* Of a kind that is not watched the probe finds it. */
	request->selector = o->facts.target_watched ? view_selector_text(&o->facts.target->selector) : NULL;
	request->scheme = xstrdup(w->scheme);
	request->engine = w->engine != NULL ? xstrdup(w->engine->type) : NULL;
	request->direct = direct;
	request->prometheus = direct ? NULL : prometheus_url(world, prometheus_of(o));
	request->interval_ms = direct ? HPA_PERIOD_MS : clock_parse_duration(o->spec.scrape_interval);
	request->trusted = gpus ? xstrdup(gpu->trusted) : NULL;
	if (pages) {
		request_pages(o, request);
	}
	request_signals(o, request);
	return request;
}

/* Raises the HPA's floor where spec.fallback says so. */
static void fall_back(struct observation *o, const struct verdict *verdicts, size_t first, struct plan *plan)
{
	struct fallback fallback = fallback_find(&o->facts, verdicts, first);

	if (!links_target_exclusive(&o->facts) || !can_make_children(o)) {
		return;
	}
	plan_again(plan, fallback.again_ms);
	o->facts.fallback = fallback.active;
	if (fallback.active) {
		o->facts.workload.min_replicas = o->spec.fallback_replicas;
	}
}

void autoscaler_reconcile(const struct world *world, const char *ns, const char *name, struct plan *plan)
{
	const struct view_autoscaler *object = view_autoscaler(world_view(world, KIND_AUTOSCALER, ns, name));
	struct verdict *verdicts;
	size_t first;

	if (object == NULL || object->view.meta.deleting) {
		plan_orphans(world, ns, name, NULL, plan);
		return;
	}
	if (!autoscaler_is_ours(&object->spec, world->settings)) {
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
	o.served = first == links_count;
	if (o.facts.invalid == NULL) {
		fall_back(&o, verdicts, first, plan);
		if (links_target_exclusive(&o.facts)) {
			desire_children(&o, world, plan);
			plan_then(plan); /* a monitor that moves is there before it is gone */
			remove_orphans(&o, world, plan);
		} else if (links_target_taken(&o.facts)) {
			yield_target(&o, plan);
		}
	} else if (!autoscaler_monitor_allowed(&o.spec, world->settings)) {
		/* Made while that was allowed still. */
		plan_orphans(world, ns, name, ns, plan);
	}
	plan->healthy = first == links_count;
	plan->whole = o.facts.write_problem == NULL && o.facts.reverted == NULL && links_settled(&o.facts, verdicts);
	plan->waiting = first < links_count && (strcmp(verdicts[first].reason, REASON_WAITING) == 0 ||
						       strcmp(verdicts[first].reason, REASON_ROLLING_OUT) == 0);
	if (plan->waiting && plan->probe == NULL) {
		plan_again(plan, WAITING_AGAIN_MS);
	}
	status_plan(&o, world, verdicts, first, plan);
	verdicts_release(verdicts);
	free_indirect(&verdicts);
}
