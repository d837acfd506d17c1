/*
 * Does one thing of the operator's again and again, for an instruction counter.
 *
 * usage: bench-instructions pass|page|merge TIMES FILE: FILE is a golden world, a metrics page, the adapter's ConfigMap.
 * What one of them costs is the difference of two counts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/yaml.h"
#include "adapter/adapter_config.h"
#include "read_page.h"
#include "reconcile/needs.h"
#include "reconcile/reconcile.h"

static void die(const char *what)
{
	fprintf(stderr, "bench-instructions: %s\n", what);
	exit(2);
}

/* An autoscaler's pass, after one of the stack. */
static void do_pass(const struct strbuf *text, int times)
{
	auto_error err = ERROR_INIT;
	auto_json *document = yaml_parse(text->buf, text->len, &err);
	const char *slash = strchr(json_path_string(document, "reconcile", ""), '/');
	auto_free char *ns = NULL;
	auto_plan shared_plan = PLAN_INIT;
	struct shared_state state = SHARED_STATE_INIT;
	struct settings settings = SETTINGS_DEFAULT;
	struct world world;

	if (document == NULL || slash == NULL) {
		die("the file is no world of an autoscaler");
	}
	ns = xstrndup(json_path_string(document, "reconcile", ""),
		(size_t)(slash - json_path_string(document, "reconcile", "")));
	world_from_document(&world, document, &settings);
	auto_needs needs = needs_of_world(&world);
	shared_reconcile(&world, &needs, &shared_plan, &state);
	world.shared = &state;
	for (int i = 0; i < times; i++) {
		auto_plan plan = PLAN_INIT;

		autoscaler_reconcile(&world, ns, slash + 1, &plan);
	}
	world_release_document(&world);
	shared_state_release(&state);
}

static void do_page(const struct strbuf *text, int times)
{
	struct read_page_for all;

	read_page_for_init(&all);
	for (int i = 0; i < times; i++) {
		auto_error err = ERROR_INIT;
		struct page_seen seen;

		if (!read_page(text->buf, &all, &seen, &err) || seen.engine == NULL) {
			die("no engine was recognised on the page");
		}
		read_page_release(&seen);
	}
	read_page_for_free(&all);
}

static void do_merge(const struct strbuf *text, int times)
{
	auto_error parse_err = ERROR_INIT;
	auto_json *configmap = yaml_parse(text->buf, text->len, &parse_err);
	const json_t *data = json_object_get(configmap, "data");
	const char *config = json_string_value(json_object_get(data, "config.yaml"));
	const struct adapter_rule rule = adapter_rule_of(engine_signal_by_metric("vllm_num_requests_running"));

	if (config == NULL) {
		die("the file is no ConfigMap of the adapter");
	}
	for (int i = 0; i < times; i++) {
		auto_error err = ERROR_INIT;
		auto_free char *merged = adapter_config_splice(config, &rule, 1, NULL, &err);

		if (merged == NULL) {
			die(err.message);
		}
	}
}

static const struct {
	const char *name;
	void (*run)(const struct strbuf *text, int times);
} things[] = {{"pass", do_pass}, {"page", do_page}, {"merge", do_merge}};

int main(int argc, char **argv)
{
	json_object_seed(1); /* else a random one decides how objects are hashed, */
	hash_set_key(1, 1);  /* and maps */
	for (size_t i = 0; argc == 4 && i < ARRAY_LEN(things); i++) {
		if (strcmp(argv[1], things[i].name) == 0) {
			auto_strbuf text = read_file(argv[3]);

			things[i].run(&text, atoi(argv[2]));
			return 0;
		}
	}
	die("usage: bench-instructions pass|page|merge TIMES FILE");
}
