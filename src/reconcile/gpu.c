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
#include "survey.h"

#define INTERVAL "15s"
/* The most namespaces of exporters that PromQL names: a question to Prometheus names them six times, and with 12 of 20
 * letters it stays below the 8 KiB that proxies take as an address. */
#define NAMESPACES_MAX 12

bool survey_is_shared(const json_t *object)
{
	return kube_object_label(object, LABEL_SHARED) != NULL;
}

bool survey_in_namespace(const json_t *object, const char *ns)
{
	return ns == NULL || strcmp(kube_object_namespace(object), ns) == 0;
}

const json_t *survey_wanted(const struct survey *s, const json_t *object)
{
	size_t i;
	json_t *wanted;

	json_array_foreach(s->wanted, i, wanted) {
		if (strcmp(json_path_string(wanted, "kind", ""), json_path_string(object, "kind", "")) == 0 &&
			strcmp(kube_object_name(wanted), kube_object_name(object)) == 0 &&
			survey_in_namespace(wanted, kube_object_namespace(object))) {
			return wanted;
		}
	}
	return NULL;
}

void survey_want(struct survey *s, json_t *object)
{
	if (survey_wanted(s, object) != NULL) {
		json_decref(object);
	} else {
		json_array_append_new(s->wanted, object);
	}
}

bool survey_prometheus_in(const struct survey *s, const char *ns)
{
	size_t i;
	json_t *prometheus;

	json_array_foreach(s->prometheuses, i, prometheus) {
		if (survey_in_namespace(prometheus, ns)) {
			return true;
		}
	}
	return false;
}

bool survey_was_taken(const struct survey *s, const char *ns, const char *service)
{
	auto_free char *key = kube_key(ns, service);
	auto_json *text = json_string(key);

	return json_holds(s->taken, text);
}

/* "ns/name" of the exporters' Services that our rule tells. New reference; empty when there is no such rule. */
static json_t *remembered(const struct survey *s)
{
	auto_json *rules = s->world->list_by(s->world->ctx, KIND_PROMETHEUSRULE, SHARED_GPU);
	json_t *keys = json_array();
	size_t i;
	json_t *rule;

	json_array_foreach(rules, i, rule) {
		const char *text = kube_object_annotation(rule, ANNOTATION_EXPORTERS);

		/* A tenant may write one in its own namespace. */
		if (text == NULL || strcmp(kube_object_name(rule), GPU_OBJECT_NAME) != 0 ||
			!survey_prometheus_in(s, kube_object_namespace(rule))) {
			continue;
		}
		for (size_t len; *text != '\0'; text += len + (text[len] == ',' ? 1 : 0)) {
			len = strcspn(text, ",");
			json_array_append_new(keys, json_stringn(text, len));
		}
	}
	return keys;
}

/* The same by our ServiceMonitors: what an operator left that did not write it on the rule yet. */
static json_t *scraped_by_us(const struct survey *s)
{
	static const char prefix[] = GPU_OBJECT_NAME ".";
	json_t *keys = json_array();
	size_t i;
	json_t *monitor;

	json_array_foreach(s->monitors, i, monitor) {
		const char *name = kube_object_name(monitor);
		const char *dot;

		if (!survey_is_shared(monitor) || strncmp(name, prefix, strlen(prefix)) != 0 ||
			!survey_prometheus_in(s, kube_object_namespace(monitor))) {
			continue;
		}
		name += strlen(prefix);
		dot = strchr(name, '.');
		if (dot != NULL) {
			auto_free char *ns = xstrndup(name, (size_t)(dot - name));
			auto_free char *key = kube_key(ns, dot + 1);

			json_array_append_new(keys, json_string(key));
		}
	}
	return keys;
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
	return json_array_size(names) == 0 && survey_in_namespace(monitor, ns);
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

static void set_since(const struct survey *s, json_t *row, enum kind kind, const char *ns, const char *name)
{
	int64_t made = world_made_ms(s->world, kind, ns, name);

	/* What cannot be made is not young. */
	made = made == 0 && s->world->failure(s->world->ctx, SHARED_KEY) != NULL ? -1 : made;
	json_object_set_new(row, "since", json_integer(made));
}

/* Somebody else's ServiceMonitor that a Prometheus selects and that scrapes the exporter. */
static bool scraped_by_others(const struct survey *s, const struct found_exporter *exporter, json_t *row)
{
	size_t i;
	json_t *monitor;

	json_array_foreach(s->monitors, i, monitor) {
		auto_free char *selected_by = NULL;
		auto_free char *name = NULL;

		if (survey_is_shared(monitor) || !monitor_scrapes(monitor, exporter)) {
			continue;
		}
		selected_by = monitoring_selects(&(struct monitoring_context){s->prometheuses, s->namespaces,
							 s->prometheus_asked},
			&(struct monitoring_object){.kind = &monitoring_servicemonitor,
				.ns = kube_object_namespace(monitor),
				.current = json_path(monitor, "metadata.labels")});
		if (selected_by != NULL) {
			name = xasprintf("ServiceMonitor '%s/%s'", kube_object_namespace(monitor),
				kube_object_name(monitor));
			json_object_set_new(row, "monitor", json_string(name));
			json_object_set_new(row, "selectedBy", json_string(selected_by));
			set_since(s, row, KIND_SERVICEMONITOR, kube_object_namespace(monitor),
				kube_object_name(monitor));
			return true;
		}
	}
	return false;
}

/* Whether Prometheus has the exporter's series from another job: a scrape that no ServiceMonitor shows. */
static bool scraped_unseen(const struct exporter_seen *seen, const char *job)
{
	for (size_t i = 0; i < seen->jobs.count; i++) {
		if (strcmp(seen->jobs.items[i], job) != 0) {
			return true;
		}
	}
	return false;
}

/* Our object of this name, wherever it stands. New reference, NULL when it is to be made. */
static json_t *our_object(const struct survey *s, enum kind kind, const char *name)
{
	auto_json *ours = s->world->list_by(s->world->ctx, kind, SHARED_GPU);
	size_t i;
	json_t *object;

	json_array_foreach(ours, i, object) {
		if (survey_is_shared(object) && strcmp(kube_object_name(object), name) == 0) {
			return json_incref(object);
		}
	}
	return NULL;
}

/* A Prometheus that takes an object of ours in its own namespace, and the labels that it and others want there. `now` is
 * the object as it stands, may be NULL. */
static bool find_place(const struct survey *s, const struct monitoring_kind *kind, const json_t *now, const char *only,
	struct monitoring *place)
{
	auto_json *own = json_pack("{s:s, s:s}", LABEL_MANAGED_BY, MANAGED_BY, LABEL_SHARED, SHARED_GPU);
	struct monitoring_context context = {s->prometheuses, s->namespaces, s->prometheus_asked};
	struct monitoring_object object = {.kind = kind,
		.ns = kube_object_namespace(now),
		.own = own,
		.current = json_path(now, "metadata.labels")};
	auto_json *order = monitoring_order(&context, &object);
	size_t i;
	json_t *prometheus;

	json_array_foreach(order, i, prometheus) {
		auto_json *one = json_pack("[O]", prometheus);
		auto_free char *key = kube_object_key(prometheus);

		if (only != NULL && strcmp(only, key) != 0) {
			continue;
		}
		object.ns = kube_object_namespace(prometheus);
		context.prometheuses = one;
		context.asked = key;
		monitoring_release(place);
		monitoring_find(&context, &object, place);
		if (place->selected_by != NULL) {
			monitoring_release(place);
			context.prometheuses = s->prometheuses;
			monitoring_find(&context, &object, place);
			return true;
		}
	}
	if (place->problem == NULL) {
		context.prometheuses = NULL;
		monitoring_find(&context, &object, place);
	}
	return false;
}

static char *namespace_of(const char *key)
{
	return xstrndup(key, strcspn(key, "/"));
}

/* Our own scrape of an exporter that nobody scrapes. Until it is known that nobody does, none is made. */
static void scrape(struct survey *s, const struct found_exporter *exporter, json_t *row)
{
	struct monitoring place = {NULL, NULL, NULL};
	auto_free char *ns = NULL;
	auto_free char *name = NULL;
	auto_free char *pool = NULL;
	/* For its name: where it is to be is not known yet. */
	auto_json *nowhere = gpu_monitor_make("", exporter->service, exporter->port, NULL, INTERVAL);
	auto_json *now = our_object(s, KIND_SERVICEMONITOR, kube_object_name(nowhere));
	auto_json *monitor = NULL;
	const char *job = kube_object_name(exporter->service);
	const struct shared_evidence *seen = s->world->shared_evidence(s->world->ctx);

	if (!find_place(s, &monitoring_servicemonitor, now, NULL, &place)) {
		json_object_set_new(row, "selectProblem", json_string(place.problem));
		monitoring_release(&place);
		return;
	}
	json_object_set_new(row, "selectedBy", json_string(place.selected_by));
	if (seen != NULL && scraped_unseen(&seen->exporter, job)) {
		json_object_set_new(row, "monitor", json_string("a scrape configuration"));
	} else if (seen != NULL && seen->exporter.seen_ms != 0) {
		ns = namespace_of(place.selected_by);
		monitor = gpu_monitor_make(ns, exporter->service, exporter->port, place.labels, INTERVAL);
		name = xasprintf("ServiceMonitor '%s/%s'", ns, kube_object_name(monitor));
		/* prometheus-operator's name for the scrape pool of a ServiceMonitor's first endpoint. */
		pool = xasprintf("serviceMonitor/%s/%s/0", ns, kube_object_name(monitor));
		survey_want(s, json_incref(monitor));
		json_object_set_new(row, "monitor", json_string(name));
		json_object_set_new(row, "pool", json_string(pool));
		set_since(s, row, KIND_SERVICEMONITOR, ns, kube_object_name(monitor));
	}
	monitoring_release(&place);
}

/*
 * Whether an exporter there may speak of every namespace's pods. Anybody may label a Service as an exporter's and ask
 * for it, so that needs a namespace of the platform's, or one that it lists. Where it lists none, the one exporter is
 * believed that Auto means.
 */
static bool is_trusted(const struct survey *s, const char *ns, bool chosen)
{
	const char *listed = s->world->settings->exporter_namespaces;

	return settings_list_has(listed, ns) || survey_is_platforms(s, ns) || (listed == NULL && chosen);
}

/* Notes where the exporter is; true when it is believed about all pods. */
static bool note_place(struct survey *s, const struct autoscaler *spec, const json_t *service)
{
	const char *ns = kube_object_namespace(service);
	auto_free char *key = kube_object_key(service);
	bool custom = strcmp(spec->exporter_type, "Custom") == 0;
	bool trusted = custom ? autoscaler_exporter_trusted(spec, s->world->settings)
	                      : is_trusted(s, ns, strcmp(s->chosen, key) == 0);

	if (json_object_size(s->asked) < NAMESPACES_MAX) {
		json_object_set_new(s->asked, ns, json_true());
	}
	/* There are few presets; of too many others one is believed about its own namespace still. */
	if (trusted && (!custom || json_object_size(s->trusted) < NAMESPACES_MAX)) {
		json_object_set_new(s->trusted, key, json_string(ns));
	}
	return trusted;
}

/* While none is found that is believed, those of before are: it may only be away, and the rule stays as it is. */
static void trust_remembered(struct survey *s)
{
	size_t i;
	json_t *key;

	json_array_foreach(s->taken, i, key) {
		auto_free char *ns = namespace_of(json_string_value(key));

		if (json_object_size(s->trusted) < NAMESPACES_MAX && is_trusted(s, ns, true)) {
			json_object_set_new(s->trusted, json_string_value(key), json_string(ns));
		}
	}
}

/* The values of an object in order, each once. New reference. */
static json_t *sorted_values(const json_t *object)
{
	auto_json *names = json_object();
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) {
		json_object_set_new(names, json_string_value(value), json_true());
	}
	return json_sorted_keys(names);
}

static json_t *exporter_row(struct survey *s, const struct autoscaler *spec)
{
	struct found_exporter exporter = {NULL, NULL};
	const json_t *daemonset;
	auto_free char *key = NULL;
	auto_free char *others = NULL;
	json_t *row;

	if (!survey_exporter(s, spec, &exporter)) {
		return json_pack("{s:s}", "problem", s->problem);
	}
	key = kube_object_key(exporter.service);
	others = survey_others(s);
	daemonset = survey_daemonset(s, exporter.service);
	row = json_pack("{s:s, s:s, s:I, s:s*}", "service", key, "job", kube_object_name(exporter.service), "ready",
		daemonset != NULL ? json_path_int(daemonset, "status.numberReady", 0) : (json_int_t)-1, "others",
		others);
	if (!note_place(s, spec, exporter.service)) {
		json_object_set_new(row, "local", json_string(kube_object_namespace(exporter.service)));
	}
	if (!scraped_by_others(s, &exporter, row)) {
		scrape(s, &exporter, row);
	}
	return row;
}

static json_t *survey_rule(struct survey *s, const char *prometheus, const json_t *namespaces)
{
	struct monitoring place = {NULL, NULL, NULL};
	auto_json *exporters = json_sorted_keys(s->trusted);
	auto_free char *ns = NULL;
	auto_free char *name = NULL;
	auto_json *now = our_object(s, KIND_PROMETHEUSRULE, GPU_OBJECT_NAME);
	json_t *row;

	if (!find_place(s, &monitoring_rule, now, prometheus, &place)) {
		row = json_pack("{s:s+}", "problem",
			"the recording rule is selected by no Prometheus: ", place.problem);
	} else {
		ns = namespace_of(place.selected_by);
		name = xasprintf("%s/%s", ns, GPU_OBJECT_NAME);
		json_array_append_new(s->wanted, gpu_rule_make(ns, place.labels, exporters, namespaces));
		row = json_pack("{s:s, s:s}", "name", name, "selectedBy", place.selected_by);
		set_since(s, row, KIND_PROMETHEUSRULE, ns, GPU_OBJECT_NAME);
	}
	monitoring_release(&place);
	return row;
}

/* A rule that somebody edited is on its way to Prometheus anew once it was mended: it is as young as that. */
static void set_rule_mended(const struct survey *s, json_t *rule, const json_t *before, const struct plan *plan)
{
	json_int_t since = json_path_int(rule, "since", 0);
	json_int_t mended = json_path_int(before, "since", -1);

	for (size_t i = 0; i < plan->count; i++) {
		if (plan->writes[i].kind == KIND_PROMETHEUSRULE && plan->writes[i].verb != PLAN_DELETE) {
			mended = s->world->now_ms;
		}
	}
	if (since != 0 && mended > since) {
		json_object_set_new(rule, "since", json_integer(mended));
	}
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
		observed = s->world->get(s->world->ctx, form->kind, kube_object_namespace(wanted),
			kube_object_name(wanted));
		child_stamp(wanted);
		if (observed == NULL) {
			plan_add_take(plan, PLAN_APPLY, form->kind, json_incref(wanted));
		} else if (survey_is_shared(observed) && !child_matches(form, observed, wanted)) {
			plan_add_take(plan, form->mend_by_patch ? PLAN_PATCH : PLAN_APPLY, form->kind,
				form->mend_by_patch ? child_patch(form, observed, wanted) : json_incref(wanted));
		}
	}
}

static void plan_orphans(const struct survey *s, struct plan *plan)
{
	static const enum kind shared[] = {KIND_SERVICE, KIND_SERVICEMONITOR, KIND_PROMETHEUSRULE};

	for (size_t k = 0; k < ARRAY_LEN(shared); k++) {
		auto_json *ours = s->world->list_by(s->world->ctx, shared[k], SHARED_GPU);
		size_t i;
		json_t *object;

		json_array_foreach(ours, i, object) {
			if (survey_is_shared(object) && survey_wanted(s, object) == NULL) {
				plan_add_delete(plan, shared[k], object);
			}
		}
	}
}

/* What is there, and what of it was taken before. */
static void survey_open(struct survey *s)
{
	const struct world *world = s->world;

	s->services = world->list(world->ctx, KIND_SERVICE, NULL);
	s->daemonsets = world->list(world->ctx, KIND_DAEMONSET, NULL);
	s->monitors = world->list(world->ctx, KIND_SERVICEMONITOR, NULL);
	s->prometheuses = world->list(world->ctx, KIND_PROMETHEUS, NULL);
	s->namespaces = world->list(world->ctx, KIND_NAMESPACE, NULL);
	s->prometheus_asked = prometheus_asked(world, s->prometheuses);
	s->trusted = json_object();
	s->asked = json_object();
	s->taken = remembered(s);
	if (json_array_size(s->taken) == 0) {
		json_decref(s->taken);
		s->taken = scraped_by_us(s);
	}
	s->chosen = survey_chosen(s);
}

static void survey_close(struct survey *s)
{
	json_decref(s->services);
	json_decref(s->daemonsets);
	json_decref(s->monitors);
	json_decref(s->prometheuses);
	json_decref(s->namespaces);
	json_decref(s->trusted);
	json_decref(s->asked);
	json_decref(s->taken);
	json_decref(s->wanted);
	free_indirect(&s->prometheus_asked);
	free_indirect(&s->chosen);
	free_indirect(&s->problem);
	strbuf_release(&s->others);
}

/* Adds the rule, and whose series are asked for: of those that are believed, and of all exporters. */
static void finish(struct survey *s, json_t *survey, const char *prometheus)
{
	auto_json *namespaces = NULL;
	auto_json *asked = NULL;
	auto_free char *trusted = NULL;
	auto_free char *targets = NULL;

	if (json_object_size(s->trusted) == 0) {
		trust_remembered(s);
	}
	namespaces = sorted_values(s->trusted);
	asked = json_sorted_keys(s->asked);
	trusted = gpu_targets(namespaces);
	targets = gpu_targets(json_array_size(asked) > 0 ? asked : namespaces);
	json_object_set_new(survey, "rule", survey_rule(s, prometheus, namespaces));
	json_object_set(survey, "namespaces", namespaces);
	json_object_set_new(survey, "trusted", json_string(trusted));
	json_object_set_new(survey, "targets", json_string(targets));
}

json_t *gpu_survey(const struct world *world, const json_t *specs, const json_t *before, struct plan *plan)
{
	struct survey s = {.world = world, .wanted = json_array(), .others = STRBUF_INIT};
	const char *prometheus = NULL;
	json_t *survey = NULL;
	json_t *exporters = json_object();
	const char *id;
	json_t *object;

	if (json_object_size(specs) > 0) {
		survey_open(&s);
	}
	json_object_foreach((json_t *)specs, id, object) {
		auto_error err = ERROR_INIT;
		auto_autoscaler spec;

		/* Decoded before, when the id was made. */
		if (autoscaler_decode(object, &spec, &err) == 0) {
			json_object_set_new(exporters, id, exporter_row(&s, &spec));
			prometheus = prometheus != NULL
			                     ? prometheus
			                     : json_path_string(json_object_get(exporters, id), "selectedBy", NULL);
		}
	}
	if (json_object_size(specs) > 0) {
		survey = json_pack("{s:O, s:s*}", "exporters", exporters, "prometheus", prometheus);
		finish(&s, survey, prometheus);
	}
	plan_wanted(&s, plan);
	set_rule_mended(&s, json_object_get(survey, "rule"), json_object_get(before, "rule"), plan);
	plan_orphans(&s, plan);
	json_decref(exporters);
	survey_close(&s);
	return survey;
}

/* The exporter whose scrape is probed: one that is believed about all pods, if there is any. Borrowed. */
static const json_t *main_exporter(const json_t *survey)
{
	const json_t *exporters = json_object_get(survey, "exporters");
	const char *id;
	json_t *exporter;

	json_object_foreach((json_t *)exporters, id, exporter) {
		if (json_object_get(exporter, "service") != NULL && json_object_get(exporter, "local") == NULL) {
			return exporter;
		}
	}
	return json_object_iter_value(json_object_iter((json_t *)exporters));
}

static char *copied(const json_t *document, const char *path)
{
	return xstrdup(json_path_string(document, path, NULL));
}

struct shared_request *gpu_request(const struct world *world, const json_t *survey)
{
	const char *prometheus =
		json_path_string(survey, "prometheus", json_path_string(survey, "rule.selectedBy", NULL));
	const json_t *first = main_exporter(survey);
	auto_json *all = NULL;
	struct shared_request *request;

	if (survey == NULL) {
		return NULL;
	}
	all = world->list(world->ctx, KIND_PROMETHEUS, NULL);
	request = shared_request_new();
	request->prometheus = prometheus_url(world, all, prometheus);
	request->interval_ms = clock_parse_duration(INTERVAL);
	for (size_t i = 0; gpu_dcgm_series[i] != NULL; i++) {
		texts_add(&request->dcgm, gpu_dcgm_series[i]);
	}
	request->trusted = copied(survey, "trusted");
	request->targets = copied(survey, "targets");
	request->record = xstrdup(GPU_RECORD);
	request->rule = copied(survey, "rule.name");
	request->job = copied(first, "job");
	request->pool = copied(first, "pool");
	return request;
}
