/* From one version to the other. */
#include "version_words.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "request.h"

static void move(json_t *from, const char *name, json_t *to, const char *as)
{
	json_t *value = json_object_get(from, name);

	if (value != NULL) {
		json_object_set(to, as, value);
		json_object_del(from, name);
	}
}

static void to_v1beta1(json_t *item)
{
	auto_json *metric = json_incref(json_object_get(item, "metric"));

	move(metric, "name", item, "metricName");
	move(metric, "selector", item, "selector");
	json_object_del(item, "metric");
	move(item, "windowSeconds", item, "window");
}

static void to_v1beta2(json_t *item)
{
	json_t *metric = json_object();

	move(item, "metricName", metric, "name");
	move(item, "selector", metric, "selector");
	json_object_set_new(item, "metric", metric);
	move(item, "window", item, "windowSeconds");
}

void version_words_convert(json_t *document, const char *version)
{
	auto_free char *group_version = xasprintf(SERVING_GROUP "/%s", version);
	size_t i;
	json_t *item;

	if (strcmp(json_path_string(document, "kind", ""), "MetricValueList") != 0 ||
		strcmp(json_path_string(document, "apiVersion", ""), group_version) == 0) {
		return;
	}
	json_object_set_new(document, "apiVersion", json_string(group_version));
	json_array_foreach(json_object_get(document, "items"), i, item) {
		if (strcmp(version, "v1beta1") == 0) {
			to_v1beta1(item);
		} else {
			to_v1beta2(item);
		}
	}
}
