/* `rules`: the rules that prometheus-adapter needs, for those who keep its configuration elsewhere. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapter/adapter_config.h"
#include "adapter/adapter_rules.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "command/command.h"

/* With the marks by which the operator knows them. */
static char *as_config(const struct adapter_rule *rules, size_t count, struct error *err)
{
	return adapter_config_splice("rules:\n", rules, count, NULL, err);
}

/* Helm leaves comments out, and the operator knows its rules without. */
static char *as_chart_values(const struct adapter_rule *rules, size_t count, struct error *err)
{
	auto_strbuf text = STRBUF_INIT;

	(void)err;
	strbuf_addstr(&text, "rules:\n  custom:\n");
	for (size_t i = 0; i < count; i++) {
		adapter_rule_block(&text, &rules[i], 2, "\n");
	}
	return strbuf_take(&text);
}

static char *as_json(const struct adapter_rule *rules, size_t count, struct error *err)
{
	auto_json *list = json_array();
	auto_json *config = json_pack("{s:O}", "rules", list);
	auto_free char *text = NULL;

	(void)err;
	for (size_t i = 0; i < count; i++) {
		json_array_append_new(list, adapter_rule_json(&rules[i]));
	}
	text = json_text(config);
	return xasprintf("%s\n", text);
}

static const struct {
	const char *output;
	char *(*print)(const struct adapter_rule *rules, size_t count, struct error *err);
} forms[] = {
	{"config", as_config},
	{"chart", as_chart_values},
	{"json", as_json},
};

static int run(const struct options *options, const struct command_table *verbs, struct error *err)
{
	size_t count;
	auto_free struct adapter_rule *rules = adapter_rules_all(&count);
	auto_free char *text = NULL;

	(void)verbs;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if (strcmp(options->output != NULL ? options->output : forms[0].output, forms[i].output) == 0) {
			text = forms[i].print(rules, count, err);
		}
	}
	if (text == NULL) {
		return EXIT_FAILURE;
	}
	fputs(text, stdout);
	return EXIT_SUCCESS;
}

static const struct option_row rows[] = {
	OPTION("output", 'o', "config|chart|json", OPTION_STRING, output,
		"the adapter's configuration, the values of its Helm chart, or JSON (config)"),
};

const struct command command_rules = {
	.name = "rules",
	.summary = "print the rules that prometheus-adapter needs",
	.about =
		"Prints all rules that the operator adds to the configuration of prometheus-adapter: one for each signal of "
		"each engine, and one for GPUs. They are the same for everybody and stay, so that no autoscaler restarts the "
		"adapter.\n\nThe operator writes them itself. Whoever keeps that configuration in git, or in the values of "
		"a chart, can put them there: the operator finds them, writes nothing, and nobody undoes anything.",
	.examples = {{"add them to the adapter's ConfigMap in git", "rules > rules.yaml"},
		{"as values for the prometheus-adapter chart", "rules -o chart > values-rules.yaml"},
		{"their names", "rules -o json | jq -r '.rules[].name.as'"}},
	.rows = rows,
	.rows_count = ARRAY_LEN(rows),
	.run = run,
};
