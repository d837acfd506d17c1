/* Surveying the shared GPU chain. */
#include "reconcile/gpu.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "engine/gpu.h"
#include "reconcile/adapter_find.h"
#include "reconcile/asked.h"
#include "reconcile/prometheus.h"
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

/* Who writes autoscalers in one namespace may describe any number. They come in the order of namespaces. */
static bool is_too_many(struct survey *s, const struct autoscaler *spec)
{
	if (strcmp(spec->exporter_type, "Custom") != 0) {
		return false;
	}
	if (s->own_ns == NULL || strcmp(s->own_ns, spec->ns) != 0) {
		s->own_ns = spec->ns;
		s->own_count = 0;
	}
	return s->own_count++ >= GPU_OWN_MAX;
}

static void fill_exporter(struct survey *s, const struct autoscaler *spec, bool scraped, struct exporter_survey *row)
{
	struct found_exporter exporter = {NULL, NULL};
	const struct view_workload *daemonset;
	const struct object_meta *service;

	if (is_too_many(s, spec)) {
		row->problem =
			xasprintf("autoscalers in namespace '%s' describe more than %d exporters, the most that are "
				  "looked for: give them one spec.gpu.exporter, or another type than Custom",
				spec->ns, GPU_OWN_MAX);
		return;
	}
	if (!survey_exporter(s, spec, &exporter)) {
		row->problem = xstrdup(s->problem);
		return;
	}
	service = &exporter.service->view.meta;
	daemonset = survey_daemonset(s, exporter.service);
	row->service = meta_key(service);
	row->job = xstrdup(service->name);
	row->ready = daemonset != NULL ? daemonset->ready_pods : -1;
	row->others = survey_others(s);
	if (!survey_note_place(s, spec, exporter.service)) {
		row->local = xstrdup(service->ns);
	}
	if (scraped) {
		survey_scrape(s, &exporter, row);
	}
}

/* A rule that somebody edited is on its way to Prometheus anew once it was mended: it is as young as that. */
static void set_rule_mended(const struct survey *s, struct rule_survey *rule, const struct plan *plan)
{
	int64_t *mended_ms = &s->memory->mended_ms;
	bool refused = s->world->failure(s->world->ctx, SHARED_KEY) != NULL;

	for (size_t i = 0; i < plan->count && !refused; i++) {
		if (plan->writes[i].kind == KIND_PROMETHEUSRULE && plan->writes[i].verb == PLAN_PATCH) {
			*mended_ms = s->world->now_ms;
		}
	}
	if (rule->since_ms != 0 && *mended_ms > 0 && *mended_ms > rule->since_ms) {
		rule->since_ms = *mended_ms;
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
	s->monitoring = (struct monitoring_context){.prometheuses = &s->prometheuses,
		.namespaces = &s->namespaces,
		.asked = s->prometheus_asked,
		.platform = s->prometheus_asked,
		.adapter_ns = adapter_names_known(world).ns,
		.settings = world->settings};
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
	texts_release(&s->memory->scraped);
	s->memory->scraped = s->scraped;
}

static struct texts texts_of(const json_t *names)
{
	struct texts texts = {NULL, 0};
	size_t i;
	json_t *name;

	json_array_foreach((json_t *)names, i, name) {
		texts_add(&texts, json_string_value(name));
	}
	return texts;
}

/* Of who scrapes; what prometheus.url leads to may ask all of them. */
static int64_t shards_of(const struct survey *s, const char *prometheus)
{
	const struct view_prometheus *by = prometheus_by_key(s->world, prometheus);

	return by != NULL && s->world->settings->prometheus_url == NULL ? by->shards : 0;
}

/* Of the namespaces whose exporters are asked for and not believed about all pods; NULL when there are none. */
static char *own_targets(const struct survey *s, const json_t *believed)
{
	auto_json *asked = json_deep_copy(s->asked);
	auto_json *names = NULL;
	size_t i;
	json_t *name;

	json_array_foreach((json_t *)believed, i, name) {
		json_object_del(asked, json_string_value(name));
	}
	names = json_sorted_keys(asked);
	return json_array_size(names) > 0 ? gpu_targets(names) : NULL;
}

/* Adds the rule, and whose series are asked for. */
static void finish(struct survey *s, struct gpu_survey *survey)
{
	auto_json *namespaces = NULL;

	if (json_object_size(s->trusted) == 0) {
		survey_trust_remembered(s);
	}
	namespaces = sorted_values(s->trusted);
	survey->namespaces = texts_of(namespaces);
	survey->trusted = gpu_targets(namespaces);
	survey->own = own_targets(s, namespaces);
	if (survey->scraped) {
		survey_rule(s, survey->prometheus, namespaces, &survey->rule);
	} else {
		json_array_clear(s->wanted); /* a Service that an exporter lacks is for the scrape alone */
	}
}

/* Where the rule and the questions belong: with the Prometheus that scrapes what is believed about all pods. Of one that is
 * believed about its own namespace only, this is nobody else's matter. NULL when none scrapes any. */
static const char *scraping_prometheus(const struct gpu_survey *survey)
{
	const char *local = NULL;
	bool trusted = false;

	for (size_t i = 0; i < survey->exporters.count; i++) {
		const struct exporter_survey *row = &survey->exporters.items[i];

		if (row->selected_by != NULL && row->local == NULL) {
			return row->selected_by;
		}
		trusted = trusted || (row->service != NULL && row->local == NULL);
		local = local != NULL ? local : row->selected_by;
	}
	return trusted ? NULL : local;
}

/* What is needed of the chain. */
static struct gpu_survey *find(struct survey *s, const struct gpu_need *needs, size_t needs_count)
{
	struct gpu_survey *survey = gpu_survey_new();

	survey_open(s);
	for (size_t i = 0; i < needs_count; i++) {
		auto_view_autoscaler_spec spec = view_autoscaler_spec(needs[i].autoscaler);
		struct exporter_survey *row = shape_add(&shape_exporter_survey, &survey->exporters);

		row->id = xstrdup(needs[i].id);
		fill_exporter(s, &spec, needs[i].scraped, row);
		survey->scraped = survey->scraped || needs[i].scraped;
	}
	survey->prometheus = xstrdup(scraping_prometheus(survey));
	survey->shards = shards_of(s, survey->prometheus);
	finish(s, survey);
	return survey;
}

struct gpu_survey *gpu_survey_make(const struct world *world, const struct gpu_need *needs, size_t needs_count,
	struct gpu_memory *memory, struct plan *plan)
{
	struct survey s = {.world = world, .memory = memory, .wanted = json_array(), .others = STRBUF_INIT};
	struct gpu_survey *survey = needs_count > 0 ? find(&s, needs, needs_count) : NULL;

	survey_plan(&s, plan);
	if (survey != NULL) {
		set_rule_mended(&s, &survey->rule, plan);
	}
	survey_close(&s);
	return survey;
}
