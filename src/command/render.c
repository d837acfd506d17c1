/* `render`: what would be applied for the resources in files, without a cluster. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapter/adapter_config.h"
#include "base/json.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/yaml.h"
#include "chain/monitoring.h"
#include "children/children.h"
#include "children/gpu.h"
#include "command/command.h"
#include "engine/gpu.h"
#include "reconcile/default_target.h"
#include "reconcile/gpu.h"
#include "reconcile/observe.h"
#include "reconcile/pages.h"
#include "reconcile/world.h"
#include "render_target.h"

/* What is rendered, and how. */
struct rendering {
	const struct world *world;
	bool as_json;
	struct map gpu_rules; /* of json_t, by the id of the exporter: thousands of autoscalers share one */
};

static int read_file(const char *path, struct strbuf *text, struct error *err)
{
	bool standard = strcmp(path, "-") == 0;
	FILE *file = standard ? stdin : fopen(path, "rb");
	char piece[8192];
	size_t got;

	if (file == NULL) {
		return error_set(err, ERROR_NOT_FOUND, "cannot read '%s': %s", path, strerror(errno));
	}
	while ((got = fread(piece, 1, sizeof(piece), file)) > 0) {
		strbuf_add(text, piece, got);
	}
	if (!standard) {
		fclose(file);
	}
	return 0;
}

/* The objects of a document, which may be a List of others. */
static void add_objects(json_t *objects, json_t *document)
{
	json_t *items = json_object_get(document, "items");
	size_t i;
	json_t *item;

	if (strcmp(json_path_string(document, "kind", ""), "List") != 0 || !json_is_array(items)) {
		json_array_append(objects, document);
		return;
	}
	json_array_foreach(items, i, item) {
		add_objects(objects, item);
	}
}

/* All documents of all files as one world. New reference. */
static json_t *read_world(const struct option_list *files, struct error *err)
{
	auto_json *objects = json_array();

	for (size_t i = 0; i < files->count; i++) {
		auto_strbuf text = STRBUF_INIT;
		auto_json *documents = NULL;
		size_t k;
		json_t *document;

		if (read_file(files->values[i], &text, err) < 0) {
			return NULL;
		}
		documents = yaml_parse_all(text.buf, text.len, err);
		if (documents == NULL) {
			error_wrap(err, "cannot read '%s'", files->values[i]);
			return NULL;
		}
		json_array_foreach(documents, k, document) {
			add_objects(objects, document);
		}
	}
	return json_pack("{s:O, s:o}", "objects", objects, "evidence", render_target_evidence(objects));
}

/* `comment` is a line for people, "# …\n" or "". */
static void print_object(const json_t *object, const char *comment, bool as_json)
{
	auto_free char *text = as_json ? json_text(object) : yaml_text(object);

	printf(as_json ? "%s%s\n" : "---\n%s%s", as_json ? "" : comment, text);
}

/* There are no pods to ask. */
static void assume_engine(struct observation *o)
{
	struct workload *w = &o->facts.workload;

	w->engine = &engines[0];
	(void)observe_signals(w, &o->spec, w->engine, NULL);
	default_targets(&o->facts);
	page_places_release(&o->pages);
	o->pages = pages_candidates(&o->spec, o->facts.target, w->engine);
	w->port = o->pages.count > 0 ? o->pages.items[0].port : 0;
	w->path = o->pages.count > 0 ? o->pages.items[0].path : "";
	fprintf(stderr, "note: spec.engine.type is Auto; rendered for %s, since there are no pods to ask\n",
		w->engine->type);
}

static void print_child(const struct observation *o, const struct child *child, bool as_json)
{
	auto_json *object = NULL;

	if (!child_wanted(child, &o->facts.workload)) {
		return;
	}
	if (child->form.kind == KIND_SERVICE && o->facts.workload.match_labels == NULL) {
		fprintf(stderr, "note: the metrics Service is left out, since it copies the selector of %s '%s'%s\n",
			o->spec.target_kind, o->spec.target_name,
			o->facts.target == NULL
				? ": add its manifest with -f"
				: ", which has matchExpressions that a Service cannot have: use matchLabels");
		return;
	}
	if (child->for_pages && o->facts.workload.port == 0) {
		fprintf(stderr,
			"note: the %s is left out, since no container of %s '%s' is known to list the port '%s': "
			"correct spec.engine.port, or add the manifest with -f\n",
			kinds[child->form.kind].resource.kind, o->spec.target_kind, o->spec.target_name,
			o->spec.port_name);
		return;
	}
	object = child->make(&o->facts.workload);
	print_object(object, "", as_json);
}

/* Of exporters: those that were found, else where they usually run. New reference. */
static json_t *exporter_namespaces(const struct gpu_survey *survey, const char *own)
{
	auto_json *names = json_object();

	for (size_t i = 0; i < survey->namespaces.count; i++) {
		json_object_set_new(names, survey->namespaces.items[i], json_true());
	}
	for (size_t i = 0; survey->namespaces.count == 0 && gpu_exporter_namespaces[i] != NULL; i++) {
		json_object_set_new(names, own, json_true());
		json_object_set_new(names, gpu_exporter_namespaces[i], json_true());
	}
	return json_sorted_keys(names);
}

/* What the operator would write for the files alone; where they hold no Prometheus or no exporter, as it would be with
 * one in the adapter's namespace, and with exporters where they usually run. New reference. */
static json_t *make_gpu_rule(const struct world *world, const struct observation *o)
{
	auto_view_list prometheuses = world_views(world, KIND_PROMETHEUS, NULL);
	auto_view_list namespaces = world_views(world, KIND_NAMESPACE, NULL);
	struct monitoring_context context = {.prometheuses = &prometheuses,
		.namespaces = &namespaces,
		.asked = o->asked,
		.adapter_ns = o->facts.adapter_names.ns,
		.settings = world->settings};
	auto_json *usual = settings_labels(world->settings->monitor_labels, NULL);
	struct monitoring_object object = {.kind = &monitoring_rule, .usual = usual};
	auto_view_list order = monitoring_order(&context, &object);
	const struct view_list first = {.items = order.items, .count = order.count > 0 ? 1 : 0};
	const char *ns = first.count > 0 ? first.items[0]->meta.ns : o->facts.adapter_names.ns;
	const struct gpu_need need = {o->exporter_id, o->object, true};
	struct gpu_memory memory = {.mended_ms = 0};
	auto_plan plan = PLAN_INIT;
	struct gpu_survey *survey;
	auto_json *exporters_in = NULL;
	struct monitoring found = {.labels = NULL};
	json_t *rule = NULL;

	survey = gpu_survey_make(world, &need, 1, &memory, &plan);
	exporters_in = exporter_namespaces(survey, ns);
	context.prometheuses = &first;
	context.asked = NULL;
	object.ns = first.count > 0 ? ns : "";
	monitoring_find(&context, &object, &found);
	rule = gpu_rule_make(ns, found.labels, NULL, exporters_in);
	monitoring_release(&found);
	gpu_survey_free(survey);
	texts_release(&memory.scraped);
	return rule;
}

static void print_gpu_rule(struct rendering *rendering, const struct observation *o)
{
	json_t *rule = map_get(&rendering->gpu_rules, o->exporter_id);

	if (rule == NULL) {
		rule = make_gpu_rule(rendering->world, o);
		map_put(&rendering->gpu_rules, o->exporter_id, rule);
	}
	print_object(rule, "# One for all autoscalers that use GPUs, in the namespace of their Prometheus.\n",
		rendering->as_json);
}

/* With the marks by which the operator knows them, so that they can be taken over as they are. */
static int print_rules(const struct adapter_names *names, const struct workload *w, bool as_json, struct error *err)
{
	struct adapter_rule rules[WORKLOAD_SIGNALS_MAX];
	auto_json *configmap = NULL;
	auto_free char *text = NULL;

	for (size_t i = 0; i < w->signals_count; i++) {
		rules[i] = adapter_rule_of(w->signals[i].signal);
	}
	text = adapter_config_splice("rules:\n", rules, w->signals_count, NULL, err);
	if (text == NULL) {
		return -1;
	}
	configmap = json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s}}", "apiVersion", "v1", "kind", "ConfigMap", "metadata",
		"name", names->configmap, "namespace", names->ns, "data", names->key, text);
	print_object(configmap,
		"# These are among the rules that are merged into the ConfigMap (all of them: 'inference-autoscaler rules'); the rules "
		"of others in it stay as they are.\n",
		as_json);
	return 0;
}

static int render(struct rendering *rendering, const struct view_autoscaler *object, struct error *err)
{
	const struct world *world = rendering->world;
	auto_observation o;
	struct workload *w = &o.facts.workload;

	observation_init(&o, world, object);
	if (o.facts.invalid != NULL) {
		return error_set(err, ERROR_INVALID, "InferenceAutoscaler '%s': %s", object->view.meta.name,
			o.facts.invalid->message);
	}
	if (!workload_complete(w)) {
		assume_engine(&o);
	}
	for (size_t i = 0; i < children_count; i++) {
		print_child(&o, children[i], rendering->as_json);
	}
	if (autoscaler_uses_gpus(&o.spec)) {
		print_gpu_rule(rendering, &o);
	}
	if (w->direct) {
		return 0;
	}
	return print_rules(&o.facts.adapter_names, w, rendering->as_json, err);
}

static int render_each(struct rendering *rendering, struct error *err)
{
	auto_view_list all = world_views(rendering->world, KIND_AUTOSCALER, NULL);

	if (all.count == 0) {
		return error_set(err, ERROR_NOT_FOUND,
			"no InferenceAutoscaler (inference-autoscaler.io/v1alpha1) in the files");
	}
	for (size_t i = 0; i < all.count; i++) {
		if (render(rendering, view_autoscaler(all.items[i]), err) < 0) {
			return -1;
		}
	}
	return 0;
}

static void decref_rule(void *rule)
{
	json_decref(rule);
}

static int render_all(const struct option_list *files, const struct settings *settings, bool as_json, struct error *err)
{
	auto_json *document = read_world(files, err);
	struct world world;
	struct rendering rendering = {.world = &world, .as_json = as_json};
	int result;

	if (document == NULL) {
		return -1;
	}
	world_from_document(&world, document, settings);
	map_init(&rendering.gpu_rules, decref_rule);
	result = render_each(&rendering, err);
	map_release(&rendering.gpu_rules);
	world_release_document(&world);
	return result;
}

static int run(const struct options *options, const struct command_table *verbs, struct error *err)
{
	bool as_json = options->output != NULL && strcmp(options->output, "json") == 0;

	(void)verbs;
	if (settings_check(&options->settings, err) < 0) {
		return EXIT_USAGE;
	}
	if (options->files.count == 0) {
		error_set(err, ERROR_INVALID, "nothing to render: name a file with -f");
		return EXIT_USAGE;
	}
	return render_all(&options->files, &options->settings, as_json, err) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static const struct option_row rows[] = {
	OPTION("filename", 'f', "FILE", OPTION_LIST, files,
		"an InferenceAutoscaler, its target, Prometheus resources; '-' is stdin; may be repeated"),
	OPTION("output", 'o', "yaml|json", OPTION_STRING, output, "how to print (yaml)"),
	OPTIONS_ADAPTER,
	OPTIONS_TENANTS,
	OPTION_METRICS_SERVICE,
	OPTION_MONITOR_LABELS,
};

const struct command command_render = {
	.name = "render",
	.summary = "print what would be applied, without a cluster",
	.about =
		"Prints what the operator would apply for the InferenceAutoscalers in the files, without a cluster.\n\n"
		"The files may also hold the target and Prometheus resources, which decide selectors and labels.",
	.examples = {{"what would be applied?", "render -f autoscaler.yaml -f deployment.yaml"},
		{"from what a chart renders", "render -f - -o json"}},
	.rows = rows,
	.rows_count = ARRAY_LEN(rows),
	.run = run,
};
