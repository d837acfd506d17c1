/* Surveying the shared GPU chain. */
#include "reconcile/gpu.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "engine/gpu.h"
#include "reconcile/asked.h"
#include "reconcile/reconcile.h"
#include "survey.h"

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
	const struct view_workload *daemonset;
	const struct object_meta *service;
	auto_free char *key = NULL;
	auto_free char *others = NULL;
	json_t *row;

	if (!survey_exporter(s, spec, &exporter)) {
		return json_pack("{s:s}", "problem", s->problem);
	}
	service = &exporter.service->view.meta;
	key = meta_key(service);
	others = survey_others(s);
	daemonset = survey_daemonset(s, exporter.service);
	row = json_pack("{s:s, s:s, s:I, s:s*}", "service", key, "job", service->name, "ready",
		daemonset != NULL ? (json_int_t)daemonset->ready_pods : (json_int_t)-1, "others", others);
	if (!survey_note_place(s, spec, exporter.service)) {
		json_object_set_new(row, "local", json_string(service->ns));
	}
	survey_scrape(s, &exporter, row);
	return row;
}

/* A rule that somebody edited is on its way to Prometheus anew once it was mended: it is as young as that. */
static void set_rule_mended(const struct survey *s, json_t *rule, const struct plan *plan, int64_t *mended_ms)
{
	json_int_t since = json_path_int(rule, "since", 0);
	bool refused = s->world->failure(s->world->ctx, SHARED_KEY) != NULL;

	for (size_t i = 0; i < plan->count && !refused; i++) {
		if (plan->writes[i].kind == KIND_PROMETHEUSRULE && plan->writes[i].verb == PLAN_PATCH) {
			*mended_ms = s->world->now_ms;
		}
	}
	if (since != 0 && *mended_ms > 0 && *mended_ms > since) {
		json_object_set_new(rule, "since", json_integer(*mended_ms));
	}
}

/* What is there, and what of it was taken before. */
static void survey_open(struct survey *s)
{
	const struct world *world = s->world;

	s->services = world_views(world, KIND_SERVICE, NULL);
	s->daemonsets = world_views(world, KIND_DAEMONSET, NULL);
	s->monitors = world_views(world, KIND_SERVICEMONITOR, NULL);
	s->prometheuses = world_views(world, KIND_PROMETHEUS, NULL);
	s->namespaces = world_views(world, KIND_NAMESPACE, NULL);
	s->prometheus_asked = prometheus_asked(world);
	s->trusted = json_object();
	s->asked = json_object();
	s->taken = survey_remembered(s);
	s->chosen = survey_chosen(s);
}

static void survey_close(struct survey *s)
{
	view_list_release(&s->services);
	view_list_release(&s->daemonsets);
	view_list_release(&s->monitors);
	view_list_release(&s->prometheuses);
	view_list_release(&s->namespaces);
	for (size_t i = 0; i < s->made.count; i++) {
		view_unref(s->made.items[i]);
	}
	view_list_release(&s->made);
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
		survey_trust_remembered(s);
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

json_t *gpu_survey(const struct world *world, const struct gpu_need *needs, size_t needs_count, int64_t *mended_ms,
	struct plan *plan)
{
	struct survey s = {.world = world, .wanted = json_array(), .others = STRBUF_INIT};
	const char *prometheus = NULL;
	json_t *survey = NULL;
	auto_json *exporters = json_object();

	if (needs_count > 0) {
		survey_open(&s);
	}
	for (size_t i = 0; i < needs_count; i++) {
		auto_view_autoscaler_spec spec = view_autoscaler_spec(needs[i].autoscaler);
		json_t *row = exporter_row(&s, &spec);

		json_object_set_new(exporters, needs[i].id, row);
		prometheus = prometheus != NULL ? prometheus : json_path_string(row, "selectedBy", NULL);
	}
	if (needs_count > 0) {
		survey = json_pack("{s:O, s:s*}", "exporters", exporters, "prometheus", prometheus);
		finish(&s, survey, prometheus);
	}
	survey_plan(&s, plan);
	set_rule_mended(&s, json_object_get(survey, "rule"), plan, mended_ms);
	survey_close(&s);
	return survey;
}
