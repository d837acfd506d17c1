/* `render`: what would be applied for the resources in files, without a cluster. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/yaml.h"
#include "children/adapter_rule.h"
#include "command/command.h"
#include "command/options.h"
#include "reconcile/observe.h"
#include "reconcile/world.h"

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

/* All documents of all files as one world. New reference. */
static json_t *read_world(const struct option_list *files, struct error *err)
{
	auto_json *objects = json_array();

	for (size_t i = 0; i < files->count; i++) {
		auto_strbuf text = STRBUF_INIT;
		auto_json *documents = NULL;

		if (read_file(files->values[i], &text, err) < 0) {
			return NULL;
		}
		documents = yaml_parse_all(text.buf, text.len, err);
		if (documents == NULL) {
			error_wrap(err, "cannot read '%s'", files->values[i]);
			return NULL;
		}
		json_array_extend(objects, documents);
	}
	return json_pack("{s:O}", "objects", objects);
}

static void print_object(const json_t *object, bool as_json)
{
	auto_free char *text = as_json ? json_text(object) : yaml_text(object);

	printf(as_json ? "%s\n" : "---\n%s", text);
}

/* The children as make() gives them, and the adapter's rule as a comment on where it goes. */
static int render(const struct world *world, json_t *object, bool as_json, struct error *err)
{
	auto_observation o;
	struct workload *w = &o.facts.workload;

	observation_init(&o, world, json_incref(object));
	if (o.facts.invalid != NULL) {
		return error_set(err, ERROR_INVALID, "InferenceAutoscaler '%s': %s", kube_object_name(object),
			o.facts.invalid->message);
	}
	if (w->engine == NULL) {
		w->engine = &engines[0];
		fprintf(stderr, "note: spec.engine.type is Auto; rendered for %s, since there are no pods to ask\n",
			w->engine->type);
	}
	for (size_t i = 0; i < children_count; i++) {
		json_t *child;

		if (children[i]->kind == KIND_SERVICE && w->match_labels == NULL) {
			fprintf(stderr, "note: the metrics Service is left out, since it copies the selector of %s '%s': "
					"add its manifest with -f\n",
				o.spec.target_kind, o.spec.target_name);
			continue;
		}
		child = children[i]->make(w);
		print_object(child, as_json);
		json_decref(child);
	}
	const struct adapter_rule rule = adapter_rule_of(w->signal);
	auto_json *rules = json_pack("{s:[o]}", "rules", adapter_rule_json(&rule));
	auto_free char *text = as_json ? json_text(rules) : yaml_text(rules);
	auto_json *configmap = json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s}}", "apiVersion", "v1", "kind", "ConfigMap",
		"metadata", "name", world->settings->adapter_configmap, "namespace", world->settings->adapter_namespace,
		"data", world->settings->adapter_config_key, text);

	if (!as_json) {
		printf("---\n# This rule is merged into the ConfigMap; the rules of others in it stay as they are.\n");
		free_indirect(&text);
		text = yaml_text(configmap);
		printf("%s", text);
	} else {
		print_object(configmap, true);
	}
	return 0;
}

static int render_all(const struct option_list *files, const struct settings *settings, bool as_json, struct error *err)
{
	auto_json *document = read_world(files, err);
	auto_json *all = NULL;
	struct world world;
	size_t i;
	json_t *object;

	if (document == NULL) {
		return -1;
	}
	world_from_document(&world, document, settings);
	all = world.list(world.ctx, KIND_AUTOSCALER, NULL);
	if (json_array_size(all) == 0) {
		return error_set(err, ERROR_NOT_FOUND, "no InferenceAutoscaler (inference-autoscaler.io/v1alpha1) in the files");
	}
	json_array_foreach(all, i, object) {
		if (render(&world, object, as_json, err) < 0) {
			return -1;
		}
	}
	return 0;
}

static int render_main(int argc, char **argv)
{
	struct option_list files = {.count = 0};
	struct settings settings = SETTINGS_DEFAULT;
	const char *output = "yaml";
	const struct option_row rows[] = {
		{"filename", 'f', "FILE", OPTION_LIST, &files,
			"an InferenceAutoscaler, its target, Prometheus resources; '-' is stdin; may be repeated"},
		{"output", 'o', "yaml|json", OPTION_STRING, &output, "how to print (yaml)"},
	};
	auto_error err = ERROR_INIT;
	bool help = false;

	if (options_parse(rows, ARRAY_LEN(rows), argc, argv, &help, &err) < 0) {
		fprintf(stderr, "inference-autoscaler render: %s\n", err.message);
		return EXIT_USAGE;
	}
	if (help) {
		printf("Usage: inference-autoscaler render -f FILE [-f FILE …] [options]\n\n"
		       "Prints what the operator would apply for the InferenceAutoscalers in the files, without a cluster.\n"
		       "Files may also hold the target and Prometheus resources, which decide selectors and labels.\n\n");
		options_print(rows, ARRAY_LEN(rows), stdout);
		return EXIT_SUCCESS;
	}
	if (files.count == 0 || (strcmp(output, "yaml") != 0 && strcmp(output, "json") != 0)) {
		fprintf(stderr, "inference-autoscaler render: %s\n",
			files.count == 0 ? "nothing to render: name a file with -f" : "--output must be yaml or json");
		return EXIT_USAGE;
	}
	if (render_all(&files, &settings, strcmp(output, "json") == 0, &err) < 0) {
		fprintf(stderr, "inference-autoscaler render: %s\n", err.message);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

const struct command command_render = {"render", "print what would be applied, without a cluster", render_main};
