/* Surveying the shared GPU chain, and planning what of it is ours. */
#include "reconcile/gpu.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "chain/monitoring.h"
#include "children/gpu.h"
#include "engine/gpu.h"
#include "reconcile/prometheus.h"
#include "reconcile/reconcile.h"

#define INTERVAL "15s"

/* What a survey reads and gathers. */
struct survey {
	const struct world *world;
	json_t *services;
	json_t *daemonsets;
	json_t *monitors;
	json_t *prometheuses;
	json_t *namespaces;
	json_t *wanted; /* the objects of ours, in the order of writing */
	char *problem;  /* of the exporter at hand */
};

/* The exporter at hand: its Service and the name of the port. Borrowed. */
struct found_exporter {
	const json_t *service; /* may be one of ours that does not exist yet */
	const char *port;
};

char *gpu_exporter_id(const struct autoscaler *spec)
{
	auto_json *selector = NULL;
	auto_free char *labels = NULL;

	if (strcmp(spec->exporter_type, "Custom") != 0) {
		return xstrdup(spec->exporter_type);
	}
	selector = json_pack("{s:O}", "matchLabels", spec->exporter_labels);
	labels = kube_selector_text(selector);
	return xasprintf("Custom %s %s %s", spec->exporter_namespace, labels, spec->exporter_port);
}

static bool is_shared(const json_t *object)
{
	return kube_object_label(object, LABEL_SHARED) != NULL;
}

static bool in_namespace(const json_t *object, const char *ns)
{
	return ns == NULL || strcmp(kube_object_namespace(object), ns) == 0;
}

/* The first object that bears these labels (at the path `labels`) and is not ours; borrowed. */
static const json_t *find_labelled(const json_t *list, const char *path, const char *ns, const json_t *labels)
{
	size_t i;
	json_t *object;

	json_array_foreach((json_t *)list, i, object) {
		if (in_namespace(object, ns) && !is_shared(object) && json_covers(json_path(object, path), labels)) {
			return object;
		}
	}
	return NULL;
}

static const char *port_name(const json_t *ports, const char *wanted)
{
	const char *other = NULL;
	size_t i;
	json_t *port;

	json_array_foreach((json_t *)ports, i, port) {
		const char *name = json_path_string(port, "name", NULL);

		if (name != NULL && strcmp(name, wanted) == 0) {
			return name;
		}
		other = other != NULL ? other : name;
	}
	return other;
}

/* What is wanted already under this object's kind and name; borrowed, NULL when nothing is. */
static const json_t *find_wanted(const struct survey *s, const json_t *object)
{
	size_t i;
	json_t *wanted;

	json_array_foreach(s->wanted, i, wanted) {
		if (strcmp(json_path_string(wanted, "kind", ""), json_path_string(object, "kind", "")) == 0 &&
			strcmp(kube_object_name(wanted), kube_object_name(object)) == 0 &&
			in_namespace(wanted, kube_object_namespace(object))) {
			return wanted;
		}
	}
	return NULL;
}

/* Asks for an object of ours, once. Takes the reference. */
static void want(struct survey *s, json_t *object)
{
	if (find_wanted(s, object) != NULL) {
		json_decref(object);
	} else {
		json_array_append_new(s->wanted, object);
	}
}

/* The pods' side of a Service; NULL when no DaemonSet is behind it. */
static const json_t *daemonset_behind(const struct survey *s, const json_t *service)
{
	const json_t *selector = json_path(service, "spec.selector");
	size_t i;
	json_t *daemonset;

	json_array_foreach(s->daemonsets, i, daemonset) {
		if (in_namespace(daemonset, kube_object_namespace(service)) && json_object_size(selector) > 0 &&
			json_covers(json_path(daemonset, "spec.template.metadata.labels"), selector)) {
			return daemonset;
		}
	}
	return NULL;
}

static bool take_service(struct survey *s, const json_t *service, const char *port, struct found_exporter *found)
{
	found->service = service;
	found->port = port_name(json_path(service, "spec.ports"), port);
	if (found->port == NULL) {
		s->problem = xasprintf("the ports of Service '%s/%s' have no name, by which a ServiceMonitor could select "
				       "one: name the metrics port '%s'",
			kube_object_namespace(service), kube_object_name(service), port);
	}
	return found->port != NULL;
}

/* A DaemonSet without a Service gets one of ours. */
static bool make_service(struct survey *s, const json_t *daemonset, struct found_exporter *found)
{
	const json_t *container = json_array_get(json_path(daemonset, "spec.template.spec.containers"), 0);
	const char *port = port_name(json_object_get(container, "ports"), "metrics");
	auto_json *service = NULL;

	if (port == NULL) {
		s->problem = xasprintf("the container of DaemonSet '%s/%s' names no port: name its metrics port 'metrics'",
			kube_object_namespace(daemonset), kube_object_name(daemonset));
		return false;
	}
	service = gpu_service_make(kube_object_namespace(daemonset),
		json_path(daemonset, "spec.selector.matchLabels"), port);
	want(s, json_incref(service));
	*found = (struct found_exporter){.service = find_wanted(s, service), .port = METRICS_PORT};
	return true;
}

static bool find_preset(struct survey *s, const struct autoscaler *spec, struct found_exporter *found)
{
	bool any = strcmp(spec->exporter_type, "Auto") == 0;

	for (size_t pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < gpu_exporters_count; i++) {
			const struct gpu_exporter *row = &gpu_exporters[i];
			auto_json *labels = json_pack("{s:s}", row->label, row->value);
			const json_t *service;
			const json_t *daemonset;

			if (!any && strcmp(row->type, spec->exporter_type) != 0) {
				continue;
			}
			service = find_labelled(s->services, "metadata.labels", row->namespace, labels);
			if (pass == 0 && service != NULL) {
				return take_service(s, service, row->port_name, found);
			}
			daemonset = find_labelled(s->daemonsets, "spec.template.metadata.labels", row->namespace, labels);
			if (pass == 1 && daemonset != NULL) {
				return make_service(s, daemonset, found);
			}
		}
	}
	s->problem = xasprintf("no DCGM exporter was found (spec.gpu.exporter.type %s): install NVIDIA's GPU operator or "
			       "the dcgm-exporter chart, or describe yours with type: Custom",
		spec->exporter_type);
	return false;
}

static bool find_exporter(struct survey *s, const struct autoscaler *spec, struct found_exporter *found)
{
	const json_t *service;

	if (strcmp(spec->exporter_type, "Custom") != 0) {
		return find_preset(s, spec, found);
	}
	service = find_labelled(s->services, "metadata.labels", spec->exporter_namespace, spec->exporter_labels);
	if (service == NULL) {
		s->problem = xasprintf("no Service in namespace '%s' bears the labels of spec.gpu.exporter.selector: "
				       "correct namespace and selector",
			spec->exporter_namespace);
		return false;
	}
	return take_service(s, service, spec->exporter_port, found);
}

static bool monitor_covers(const json_t *monitor, const json_t *service)
{
	const json_t *selector = json_path(monitor, "spec.namespaceSelector");
	const json_t *names = json_object_get(selector, "matchNames");
	const char *ns = kube_object_namespace(service);
	size_t i;
	json_t *name;

	if (json_path_bool(selector, "any", false)) {
		return true;
	}
	json_array_foreach((json_t *)names, i, name) {
		if (strcmp(json_string_value(name), ns) == 0) {
			return true;
		}
	}
	return json_array_size(names) == 0 && in_namespace(monitor, ns);
}

static bool monitor_scrapes(const json_t *monitor, const struct found_exporter *exporter)
{
	size_t i;
	json_t *endpoint;

	if (!monitor_covers(monitor, exporter->service) ||
		!kube_selector_matches(json_path(monitor, "spec.selector"),
			json_path(exporter->service, "metadata.labels"), false)) {
		return false;
	}
	json_array_foreach(json_path(monitor, "spec.endpoints"), i, endpoint) {
		if (strcmp(json_path_string(endpoint, "port", ""), exporter->port) == 0) {
			return true;
		}
	}
	return false;
}

/* Somebody else's ServiceMonitor that a Prometheus selects and that scrapes the exporter. */
static bool scraped_by_others(const struct survey *s, const struct found_exporter *exporter, json_t *row)
{
	size_t i;
	json_t *monitor;

	json_array_foreach(s->monitors, i, monitor) {
		auto_free char *selected_by = NULL;
		auto_free char *name = NULL;

		if (is_shared(monitor) || !monitor_scrapes(monitor, exporter)) {
			continue;
		}
		selected_by = monitoring_selects(&monitoring_servicemonitor, s->prometheuses, s->namespaces,
			kube_object_namespace(monitor), json_path(monitor, "metadata.labels"));
		if (selected_by != NULL) {
			name = xasprintf("ServiceMonitor '%s/%s'", kube_object_namespace(monitor),
				kube_object_name(monitor));
			json_object_set_new(row, "monitor", json_string(name));
			json_object_set_new(row, "selectedBy", json_string(selected_by));
			return true;
		}
	}
	return false;
}

/* Whether Prometheus has the exporter's series from another job: a scrape that no ServiceMonitor shows. */
static bool scraped_unseen(const json_t *seen, const char *job)
{
	size_t i;
	json_t *other;

	json_array_foreach(json_path(seen, "exporter.jobs"), i, other) {
		if (strcmp(json_string_value(other), job) != 0) {
			return true;
		}
	}
	return false;
}

/* A Prometheus that takes an object of ours in its own namespace, and the labels it wants. */
static bool find_place(const struct survey *s, const struct monitoring_kind *kind, const char *only,
	struct monitoring *place)
{
	auto_json *own = json_pack("{s:s, s:s}", LABEL_MANAGED_BY, MANAGED_BY, LABEL_SHARED, SHARED_GPU);
	size_t i;
	json_t *prometheus;

	json_array_foreach(s->prometheuses, i, prometheus) {
		auto_json *one = json_pack("[O]", prometheus);
		auto_free char *key = kube_object_key(prometheus);

		if (only != NULL && strcmp(only, key) != 0) {
			continue;
		}
		monitoring_release(place);
		monitoring_find(kind, one, s->namespaces, kube_object_namespace(prometheus), NULL, own, place);
		if (place->selected_by != NULL) {
			return true;
		}
	}
	if (place->problem == NULL) {
		monitoring_find(kind, NULL, s->namespaces, "", NULL, own, place);
	}
	return false;
}

static char *namespace_of(const char *key)
{
	return xstrndup(key, strcspn(key, "/"));
}

/* Our own scrape of an exporter that nobody scrapes. Until it is known that nobody does, none is made. */
static void scrape(struct survey *s, const struct found_exporter *exporter, const json_t *seen, json_t *row)
{
	struct monitoring place = {NULL, NULL, NULL};
	auto_free char *ns = NULL;
	auto_free char *name = NULL;
	auto_free char *pool = NULL;
	auto_json *monitor = NULL;
	const char *job = kube_object_name(exporter->service);

	if (!find_place(s, &monitoring_servicemonitor, NULL, &place)) {
		json_object_set_new(row, "selectProblem", json_string(place.problem));
		monitoring_release(&place);
		return;
	}
	json_object_set_new(row, "selectedBy", json_string(place.selected_by));
	if (scraped_unseen(seen, job)) {
		json_object_set_new(row, "monitor", json_string("a scrape configuration"));
	} else if (json_path(seen, "exporter.jobs") != NULL) {
		ns = namespace_of(place.selected_by);
		monitor = gpu_monitor_make(ns, exporter->service, exporter->port, place.labels, INTERVAL);
		name = xasprintf("ServiceMonitor '%s/%s'", ns, kube_object_name(monitor));
		/* prometheus-operator's name for the scrape pool of a ServiceMonitor's first endpoint. */
		pool = xasprintf("serviceMonitor/%s/%s/0", ns, kube_object_name(monitor));
		want(s, json_incref(monitor));
		json_object_set_new(row, "monitor", json_string(name));
		json_object_set_new(row, "pool", json_string(pool));
	}
	monitoring_release(&place);
}

static json_t *survey_exporter(struct survey *s, const struct autoscaler *spec, const json_t *seen)
{
	struct found_exporter exporter = {NULL, NULL};
	const json_t *daemonset;
	auto_free char *key = NULL;
	json_t *row;

	free_indirect(&s->problem);
	if (!find_exporter(s, spec, &exporter)) {
		return json_pack("{s:s}", "problem", s->problem);
	}
	key = kube_object_key(exporter.service);
	daemonset = daemonset_behind(s, exporter.service);
	row = json_pack("{s:s, s:s, s:I}", "service", key, "job", kube_object_name(exporter.service), "ready",
		daemonset != NULL ? json_path_int(daemonset, "status.numberReady", 0) : (json_int_t)-1);
	if (!scraped_by_others(s, &exporter, row)) {
		scrape(s, &exporter, seen, row);
	}
	return row;
}

static json_t *survey_rule(struct survey *s, const char *prometheus)
{
	struct monitoring place = {NULL, NULL, NULL};
	auto_free char *ns = NULL;
	auto_free char *name = NULL;
	json_t *row;

	if (!find_place(s, &monitoring_rule, prometheus, &place)) {
		row = json_pack("{s:s+}", "problem", "the recording rule is selected by no Prometheus: ", place.problem);
	} else {
		ns = namespace_of(place.selected_by);
		name = xasprintf("%s/%s", ns, GPU_OBJECT_NAME);
		json_array_append_new(s->wanted, gpu_rule_make(ns, place.labels));
		row = json_pack("{s:s, s:s}", "name", name, "selectedBy", place.selected_by);
	}
	monitoring_release(&place);
	return row;
}

static const struct child_form *form_of(const json_t *object)
{
	static const struct child_form *const forms[] = {&gpu_service_form, &gpu_monitor_form, &gpu_rule_form};

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if (strcmp(kinds[forms[i]->kind].resource.kind, json_path_string(object, "kind", "")) == 0) {
			return forms[i];
		}
	}
	return NULL;
}

/* What is wanted and missing or edited. An object of the name that is not ours is left alone. */
static void plan_wanted(const struct survey *s, struct plan *plan)
{
	size_t i;
	json_t *wanted;

	json_array_foreach(s->wanted, i, wanted) {
		const struct child_form *form = form_of(wanted);
		auto_json *observed = NULL;

		if (s->world->missing(s->world->ctx, form->kind)) {
			continue;
		}
		observed = s->world->get(s->world->ctx, form->kind, kube_object_namespace(wanted), kube_object_name(wanted));
		child_stamp(wanted);
		if (observed == NULL) {
			plan_add_take(plan, PLAN_APPLY, form->kind, json_incref(wanted));
		} else if (is_shared(observed) && !child_matches(form, observed, wanted)) {
			plan_add_take(plan, form->mend_by_patch ? PLAN_PATCH : PLAN_APPLY, form->kind,
				form->mend_by_patch ? child_patch(form, observed, wanted) : json_incref(wanted));
		}
	}
}

static void plan_leftovers(const struct survey *s, struct plan *plan)
{
	static const enum kind shared[] = {KIND_SERVICE, KIND_SERVICEMONITOR, KIND_PROMETHEUSRULE};

	for (size_t k = 0; k < ARRAY_LEN(shared); k++) {
		auto_json *all = s->world->list(s->world->ctx, shared[k], NULL);
		size_t i;
		json_t *object;

		json_array_foreach(all, i, object) {
			if (is_shared(object) && find_wanted(s, object) == NULL) {
				plan_add_delete(plan, shared[k], object);
			}
		}
	}
}

json_t *gpu_survey(const struct world *world, const json_t *specs, struct plan *plan)
{
	struct survey s = {
		.world = world,
		.services = world->list(world->ctx, KIND_SERVICE, NULL),
		.daemonsets = world->list(world->ctx, KIND_DAEMONSET, NULL),
		.monitors = world->list(world->ctx, KIND_SERVICEMONITOR, NULL),
		.prometheuses = world->list(world->ctx, KIND_PROMETHEUS, NULL),
		.namespaces = world->list(world->ctx, KIND_NAMESPACE, NULL),
		.wanted = json_array(),
	};
	const json_t *seen = world->evidence(world->ctx, STACK_KEY);
	const char *prometheus = NULL;
	json_t *survey = NULL;
	json_t *exporters = json_object();
	const char *id;
	json_t *object;

	json_object_foreach((json_t *)specs, id, object) {
		auto_error err = ERROR_INIT;
		auto_autoscaler spec;

		/* Decoded before, when the id was made. */
		if (autoscaler_decode(object, &spec, &err) == 0) {
			json_object_set_new(exporters, id, survey_exporter(&s, &spec, seen));
			prometheus = prometheus != NULL
					     ? prometheus
					     : json_path_string(json_object_get(exporters, id), "selectedBy", NULL);
		}
	}
	if (json_object_size(specs) > 0) {
		json_t *rule = survey_rule(&s, prometheus);

		survey = json_pack("{s:O, s:o, s:s*}", "exporters", exporters, "rule", rule, "prometheus", prometheus);
	}
	plan_wanted(&s, plan);
	plan_leftovers(&s, plan);
	json_decref(exporters);
	json_decref(s.services);
	json_decref(s.daemonsets);
	json_decref(s.monitors);
	json_decref(s.prometheuses);
	json_decref(s.namespaces);
	json_decref(s.wanted);
	free_indirect(&s.problem);
	return survey;
}

json_t *gpu_wish(const struct world *world, const json_t *survey)
{
	const char *prometheus = json_path_string(survey, "prometheus", json_path_string(survey, "rule.selectedBy", NULL));
	auto_json *all = world->list(world->ctx, KIND_PROMETHEUS, NULL);
	auto_free char *url = prometheus_url(world->settings, all, prometheus);
	const json_t *first = json_object_iter_value(json_object_iter(json_object_get(survey, "exporters")));
	json_t *series = json_array();

	if (survey == NULL) {
		json_decref(series);
		return NULL;
	}
	for (size_t i = 0; gpu_dcgm_series[i] != NULL; i++) {
		json_array_append_new(series, json_string(gpu_dcgm_series[i]));
	}
	return json_pack("{s:s*, s:I, s:o, s:s, s:s*, s:s*}", "prometheus", url, "intervalMs",
		(json_int_t)clock_parse_duration(INTERVAL), "dcgm", series, "record", GPU_RECORD, "job",
		json_path_string(first, "job", NULL), "pool", json_path_string(first, "pool", NULL));
}
