/* Which exporters were taken before: told by what we wrote then. */
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "children/gpu.h"
#include "survey.h"

/* By our rule. A tenant may write one in its own namespace. */
static void add_annotated(const struct survey *s, const struct object_meta *rule, json_t *keys)
{
	const char *text = meta_annotation(rule, ANNOTATION_EXPORTERS);

	if (text == NULL || strcmp(rule->name, GPU_OBJECT_NAME) != 0 || !survey_may_place(s, rule->ns)) {
		return;
	}
	for (size_t len; *text != '\0'; text += len + (text[len] == ',' ? 1 : 0)) {
		len = strcspn(text, ",");
		json_array_append_new(keys, json_stringn(text, len));
	}
}

/* By our ServiceMonitors: what an operator left that did not write it on the rule yet. */
static void add_scraped(const struct survey *s, const struct object_meta *monitor, json_t *keys)
{
	static const char prefix[] = GPU_OBJECT_NAME ".";
	const char *name = monitor->name;
	const char *dot;

	if (strncmp(name, prefix, strlen(prefix)) != 0 || !survey_may_place(s, monitor->ns)) {
		return;
	}
	name += strlen(prefix);
	dot = strchr(name, '.');
	if (dot != NULL) {
		auto_free char *ns = xstrndup(name, (size_t)(dot - name));
		auto_free char *key = kube_key(ns, dot + 1);

		json_array_append_new(keys, json_string(key));
	}
}

json_t *survey_remembered(const struct survey *s)
{
	auto_view_list rules = world_views_by(s->world, KIND_PROMETHEUSRULE, SHARED_GPU);
	auto_view_list monitors = world_views_by(s->world, KIND_SERVICEMONITOR, SHARED_GPU);
	json_t *keys = json_array();

	for (size_t i = 0; i < rules.count; i++) {
		add_annotated(s, &rules.items[i]->meta, keys);
	}
	for (size_t i = 0; json_array_size(keys) == 0 && i < monitors.count; i++) {
		add_scraped(s, &monitors.items[i]->meta, keys);
	}
	return keys;
}
