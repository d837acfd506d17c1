/* From the world to the facts about one autoscaler. */
#include "reconcile/observe.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "children/children.h"
#include "engine/custom.h"
#include "engine/gpu.h"
#include "reconcile/adapter_find.h"
#include "reconcile/gpu.h"
#include "reconcile/pages.h"
#include "reconcile/asked.h"
#include "reconcile/default_target.h"
#include "reconcile/prometheus.h"
#include "reconcile/reconcile.h"
#include "reconcile/source.h"

const struct engine *observe_engine(const struct autoscaler *spec, const struct view_status *status,
	const struct evidence *evidence)
{
	const char *found = evidence != NULL ? evidence->page.engine : NULL;

	if (strcmp(spec->engine_type, CUSTOM_ENGINE) == 0) {
		return &custom_rules;
	}
	if (strcmp(spec->engine_type, "Auto") != 0) {
		return engine_by_type(spec->engine_type);
	}
	found = found != NULL ? found : status->engine.type;
	return engine_by_type(found != NULL ? found : "");
}

static void add_signal(struct workload *w, const struct engine_signal *signal, int64_t target_milli, bool gpu)
{
	w->signals[w->signals_count++] = (struct workload_signal){
		.signal = signal,
		.target_milli = target_milli > 0 ? target_milli : signal->default_target_milli,
		.gpu = gpu,
		.by_default = target_milli <= 0,
	};
}

static int add_page_signal(struct workload *w, const struct autoscaler *spec, size_t index, const struct engine *engine,
	struct error *err)
{
	const struct wanted_signal *wanted = &spec->signals[index];
	const struct engine_signal *signal = engine_signal_by_name(engine, wanted->name);

	if (signal == NULL) {
		auto_free char *known = engine_signals_text(engine);
		auto_free char *field = autoscaler_signal_field(spec, index, "signal");

		return error_set(err, ERROR_INVALID, "%s '%s' is not reported by %s: use %s", field, wanted->name,
			engine->type, known);
	}
	add_signal(w, signal, wanted->target_milli, false);
	return 0;
}

int observe_signals(struct workload *w, const struct autoscaler *spec, const struct engine *engine, struct error *err)
{
	size_t pages = autoscaler_uses_pages(spec) && engine != NULL ? spec->signals_count : 0;

	w->signals_count = 0;
	for (size_t i = 0; i < pages; i++) {
		if (add_page_signal(w, spec, i, engine, err) < 0) {
			return -1;
		}
	}
	if (autoscaler_uses_gpus(spec)) {
		add_signal(w, &gpu_utilization, spec->gpu_target * 1000, true);
	}
	return 0;
}

/* A selector in the form of text as matchLabels; new reference, NULL when it says more than equality. */
static json_t *labels_of(const char *text)
{
	auto_free struct view_selector *selector = view_selector_parse(text, NULL);
	auto_json *labels = json_object();

	for (uint32_t i = 0; selector != NULL && i < selector->expressions_count; i++) {
		const struct view_requirement *requirement = &selector->expressions[i];

		if (requirement->op != SELECTOR_IN || requirement->values_count != 1) {
			return NULL;
		}
		json_object_set_new(labels, requirement->key, json_string(requirement->values[0]));
	}
	return selector != NULL ? json_incref(labels) : NULL;
}

/* A selector as matchLabels; new reference, NULL when it says more than equality, or nothing. */
static json_t *labels_selected(const struct view_selector *selector)
{
	auto_free char *text = NULL;

	if (selector->expressions_count == 0) {
		return selector->match_labels.count > 0 ? view_pairs_json(&selector->match_labels) : NULL;
	}
	text = view_selector_text(selector);
	return labels_of(text);
}

/* Of the pod that was read, as a container lists them. New reference. */
static json_t *ports_document(const struct pods_seen *pods)
{
	json_t *ports = json_array();

	for (size_t i = 0; i < pods->ports.count; i++) {
		const struct container_port *port = &pods->ports.items[i];

		json_array_append_new(ports, json_pack("{s:s*, s:I, s:s*}", "name", port->name, "containerPort",
						     (json_int_t)port->number, "protocol", port->protocol));
	}
	return ports;
}

/* What the probe read of a target of any kind, as one of those that are watched. New reference,
 * NULL while it is not known, or is another's. */
static const struct view *target_by_scale(const struct evidence *evidence, const struct autoscaler *spec)
{
	const struct probe_request *asked = evidence != NULL ? evidence->asked : NULL;
	const char *selector = evidence != NULL ? evidence->target.selector : NULL;
	auto_json *labels = NULL;
	auto_json *object = NULL;

	if (selector == NULL || (asked != NULL && (!text_equal(asked->target.name, spec->target_name) ||
							  !text_equal(asked->target.kind, spec->target_kind)))) {
		return NULL;
	}
	labels = labels_of(selector);
	object = json_pack("{s:{s:I, s:{s:O*, s:[s*]}, s:{s:{s:[{s:o*}]}}}, s:{s:I}}", "spec", "replicas",
		(json_int_t)evidence->target.replicas, "selector", "matchLabels", labels, "matchExpressions",
		labels == NULL ? selector : NULL, "template", "spec", "containers", "ports",
		ports_document(&evidence->pods), "status", "replicas", (json_int_t)evidence->target.current);
	return view_decode(KIND_DEPLOYMENT, object);
}

static void observe_target(struct observation *o, const struct world *world)
{
	enum kind kind = kind_by_name(o->spec.target_api_version, o->spec.target_kind);

	o->facts.target_watched = kind == KIND_DEPLOYMENT || kind == KIND_STATEFULSET;
	o->target = o->facts.target_watched ? view_ref(world_view(world, kind, o->spec.ns, o->spec.target_name))
	                                    : target_by_scale(o->facts.evidence, &o->spec);
	o->facts.target = view_workload(o->target);
}

/* Where the page is: where it was seen last, else the likeliest place. */
static void observe_page(struct observation *o)
{
	const struct evidence *evidence = o->facts.evidence;
	const struct view_engine *reported = &o->object->status.engine;
	const struct page_place seen[] = {
		{evidence != NULL ? evidence->page.port : 0, evidence != NULL ? evidence->page.path : NULL},
		{reported->port, (char *)(uintptr_t)reported->path},
	};
	struct workload *w = &o->facts.workload;
	const struct page_place *page;

	if (autoscaler_uses_pages(&o->spec)) {
		o->pages = pages_candidates(&o->spec, o->facts.target, w->engine);
	}
	page = pages_choose(&o->pages, seen, ARRAY_LEN(seen));
	w->port = page != NULL ? page->port : 0;
	w->path = page != NULL ? page->path : "";
	w->scheme = o->spec.scheme != NULL ? o->spec.scheme : "http";
	o->facts.port_known = page != NULL;
}

static void observe_workload(struct observation *o)
{
	struct workload *w = &o->facts.workload;
	const struct view_workload *target = o->facts.target;

	o->custom = custom_engine_new(o->spec.engine_type, o->spec.engine_signals);
	w->engine = o->custom != NULL ? custom_engine(o->custom)
	                              : observe_engine(&o->spec, &o->object->status, o->facts.evidence);
	if (strcmp(o->spec.engine_type, "Auto") != 0 && w->engine == NULL) {
		error_set(&o->invalid, ERROR_INVALID,
			"spec.engine.type '%s' is not known: use Auto or one of those in 'kubectl explain ias.spec.engine'",
			o->spec.engine_type);
	} else {
		(void)observe_signals(w, &o->spec, w->engine, &o->invalid);
		default_targets(&o->facts);
	}
	o->match_labels = target != NULL ? labels_selected(&target->selector) : NULL;
	w->match_labels = o->match_labels;
	w->replicas = target != NULL ? target->replicas : -1;
	observe_page(o);
}

static void observe_children(struct observation *o, const struct world *world)
{
	for (size_t i = 0; i < children_count; i++) {
		const char *ns = child_namespace(children[i], &o->spec);
		auto_free char *name = child_name(children[i], &o->spec);
		enum kind kind = children[i]->form.kind;

		o->observed[i] = world_view(world, kind, ns, name);
		o->owned[i] = o->observed[i] != NULL && child_owned(o->observed[i], &o->spec);
		if (kind == KIND_HPA && o->owned[i]) {
			o->facts.hpa = view_hpa(o->observed[i]);
		}
		if (o->observed[i] != NULL && !o->owned[i] && child_wanted(children[i], &o->facts.workload) &&
			o->foreign_child == NULL) {
			o->foreign_child = xasprintf("%s '%s/%s'", kinds[kind].resource.kind, ns, name);
		}
	}
	o->facts.foreign_child = o->foreign_child;
}

/* Of our ServiceMonitor as it stands; borrowed, NULL when there is none. */
static const struct view_pairs *own_monitor_labels(const struct observation *o)
{
	for (size_t i = 0; i < children_count; i++) {
		if (children[i]->form.kind == KIND_SERVICEMONITOR && o->owned[i]) {
			return &o->observed[i]->meta.labels;
		}
	}
	return NULL;
}

/* Prometheuses, and after them the agents. */
static struct view_list all_prometheuses(const struct world *world)
{
	struct view_list all = world_views(world, KIND_PROMETHEUS, NULL);
	auto_view_list agents = world_views(world, KIND_PROMETHEUSAGENT, NULL);

	if (agents.count > 0) {
		all.items = xrealloc(all.items, (all.count + agents.count) * sizeof(*all.items));
		memcpy(all.items + all.count, agents.items, agents.count * sizeof(*all.items));
		all.count += agents.count;
	}
	return all;
}

/* What would tell who selects our ServiceMonitor, and is not read; NULL = all is. Heap. */
static char *unread_for_selection(const struct world *world, bool absent)
{
	if (world->refused(world->ctx, KIND_PROMETHEUS)) {
		return xstrdup("the operator may not list Prometheus resources: give it the right");
	}
	if (world->refused(world->ctx, KIND_NAMESPACE)) {
		return xstrdup(
			"the operator may not list Namespaces, whose labels a Prometheus may select by: give it the "
			"right");
	}
	if (absent && world->settings->watch_namespaces != NULL) {
		return xstrdup("no Prometheus resource is in the namespaces that the operator reads: add that of your "
			       "Prometheus to the operator's --shared-namespaces (sharedNamespaces in the chart)");
	}
	return NULL;
}

static void observe_monitoring(struct observation *o, const struct world *world)
{
	const char *ns = child_namespace(&child_servicemonitor, &o->spec);
	auto_free char *name = child_name(&child_servicemonitor, &o->spec);
	const struct view *namespace = world_view(world, KIND_NAMESPACE, NULL, ns);
	const struct view_list namespaces = {.items = &namespace, .count = namespace != NULL ? 1 : 0};
	auto_view_list prometheuses = all_prometheuses(world);
	auto_json *own = json_pack("{s:s, s:s}", LABEL_MANAGED_BY, MANAGED_BY, LABEL_AUTOSCALER, o->spec.name);
	auto_json *usual = settings_labels(world->settings->monitor_labels, NULL);

	o->facts.monitor_made_ms = world_made_ms(world, KIND_SERVICEMONITOR, ns, name);
	o->facts.prometheus_missing =
		world->missing(world->ctx, KIND_SERVICEMONITOR) || world->missing(world->ctx, KIND_PROMETHEUS);
	o->facts.prometheus_absent = prometheuses.count == 0;
	o->select_unread = unread_for_selection(world, prometheuses.count == 0);
	o->facts.select_unread = o->select_unread;
	o->monitor = kube_key(ns, name);
	o->facts.monitor = o->monitor;
	o->asked = prometheus_asked(world);
	monitoring_find(&(struct monitoring_context){.prometheuses = &prometheuses,
				.namespaces = &namespaces,
				.asked = o->asked,
				.platform = o->asked,
				.adapter_ns = o->facts.adapter_names.ns,
				.settings = world->settings},
		&(struct monitoring_object){.kind = &monitoring_servicemonitor,
			.ns = ns,
			.pinned = o->spec.monitor_labels,
			.usual = usual,
			.own = own,
			.current = own_monitor_labels(o)},
		&o->monitoring);
	o->facts.workload.monitor_labels = o->monitoring.labels;
	o->facts.selected_by = o->monitoring.agent ? NULL : o->monitoring.selected_by;
	o->facts.agent = o->monitoring.agent ? o->monitoring.selected_by : NULL;
	o->facts.select_problem = o->monitoring.problem;
	o->facts.prometheus = prometheus_by_key(world, o->facts.selected_by);
}

/* The metrics API that is to serve. */
static void observe_api(struct observation *o, const struct world *world)
{
	const struct shared_state *shared = world->shared;
	bool direct = o->facts.workload.direct;

	if (direct) {
		const struct metrics_service *ours = &world->settings->metrics_service;

		o->facts.hpa_period_s = world->hpa_period_s;
		o->facts.api_service = view_service(world_view(world, KIND_SERVICE, ours->ns, ours->name));
	}
	o->facts.api_reason = direct ? shared->own.reason : shared->api_reason;
	o->facts.api_message = direct ? shared->own.message : shared->api_message;
	o->facts.api_away = direct ? shared->own.away : shared->api_away;
	o->facts.api_since_ms = direct ? shared->own.since_ms : shared->api_since_ms;
}

void observation_init(struct observation *o, const struct world *world, const struct view_autoscaler *object)
{
	auto_free char *key = meta_key(&object->view.meta);
	auto_free char *target = NULL;

	*o = (struct observation){.object = object, .invalid = ERROR_INIT};
	o->spec = view_autoscaler_spec(object);
	o->facts.object = object;
	o->facts.settings = world->settings;
	o->facts.now_ms = world->now_ms;
	o->facts.workload.spec = &o->spec;
	o->facts.workload.replicas = -1;
	o->facts.workload.min_replicas = o->spec.min_replicas;
	o->facts.evidence = world->evidence(world->ctx, key);
	o->facts.write_problem = world->failure(world->ctx, key);
	o->facts.fight = world->fight(world->ctx, key);
	if (object->invalid.kind != ERROR_NONE) {
		o->facts.invalid = &object->invalid;
		return;
	}
	if (autoscaler_check_settings(&o->spec, world->settings, &o->invalid) < 0) {
		o->facts.invalid = &o->invalid;
		return;
	}
	o->facts.workload.direct = source_is_direct(world, &o->spec);
	observe_target(o, world);
	target = kube_key(o->spec.ns, o->spec.target_name);
	o->facts.hpas = world_views_by(world, KIND_HPA, target);
	o->facts.scaled_objects = world_views_by(world, KIND_SCALEDOBJECT, target);
	o->facts.autoscalers = world_views_by(world, KIND_AUTOSCALER, target);
	o->facts.adapter = world->shared->state;
	o->facts.adapter_reason = world->shared->reason;
	o->facts.adapter_message = world->shared->message;
	o->facts.adapter_conflicts = world->shared->conflicts;
	o->facts.adapter_awaited = world->shared->awaited;
	o->facts.adapter_survey = world->shared->adapter;
	o->facts.adapter_names = adapter_names_known(world);
	observe_api(o, world);
	o->exporter_id = gpu_exporter_id(&o->spec);
	o->facts.exporter_id = o->exporter_id;
	o->facts.gpu = world->shared->gpu;
	o->facts.shared = world->shared_evidence(world->ctx);
	observe_workload(o);
	observe_children(o, world);
	if (!o->facts.workload.direct) {
		observe_monitoring(o, world);
	}
	if (o->invalid.kind != ERROR_NONE) {
		o->facts.invalid = &o->invalid;
	}
}

void observation_release(struct observation *o)
{
	view_unref(o->target);
	custom_engine_free(o->custom);
	json_decref(o->match_labels);
	view_list_release(&o->facts.hpas);
	view_list_release(&o->facts.scaled_objects);
	view_list_release(&o->facts.autoscalers);
	page_places_release(&o->pages);
	monitoring_release(&o->monitoring);
	view_autoscaler_spec_release(&o->spec);
	error_release(&o->invalid);
	free_indirect(&o->foreign_child);
	free_indirect(&o->select_unread);
	free_indirect(&o->reverted);
	free_indirect(&o->monitor);
	free_indirect(&o->exporter_id);
	free_indirect(&o->asked);
}
