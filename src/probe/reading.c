/* From answers to evidence. */
#include "reading.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/strbuf.h"
#include "engine/page.h"
#include "kube/resource.h"

bool reading_pod_ready(const json_t *pod)
{
	return json_path(pod, "metadata.deletionTimestamp") == NULL && json_path_string(pod, "status.podIP", NULL) != NULL &&
	       strcmp(json_path_string(kube_object_condition(pod, "Ready"), "status", ""), "True") == 0;
}

json_t *reading_pods(const json_t *list, json_t *names, const json_t **first)
{
	json_int_t total = 0;
	json_int_t ready = 0;
	size_t i;
	json_t *pod;

	*first = NULL;
	json_array_foreach(json_object_get(list, "items"), i, pod) {
		const char *phase = json_path_string(pod, "status.phase", "");

		if (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0) {
			continue;
		}
		total++;
		if (reading_pod_ready(pod)) {
			ready++;
			json_array_append_new(names, json_string(kube_object_name(pod)));
			*first = *first != NULL ? *first : pod;
		}
	}
	return json_pack("{s:I, s:I}", "total", total, "ready", ready);
}

json_t *reading_page(const char *page, const char *url, const char *pod, const json_t *wanted)
{
	const struct engine *engine = page_engine(page);
	json_t *series = json_array();
	size_t i;
	json_t *name;

	json_array_foreach((json_t *)wanted, i, name) {
		if (page_has_series(page, json_string_value(name))) {
			json_array_append(series, name);
		}
	}
	return json_pack("{s:s, s:s, s:s*, s:o}", "url", url, "pod", pod, "engine", engine != NULL ? engine->type : NULL,
		"series", series);
}

void reading_targets(const json_t *answer, json_t *prometheus)
{
	json_int_t up = 0;
	json_int_t down = 0;
	const char *error = NULL;
	size_t i;
	json_t *target;

	json_array_foreach(json_path(answer, "data.activeTargets"), i, target) {
		const char *health = json_path_string(target, "health", "");

		if (strcmp(health, "up") == 0) {
			up++;
		} else if (strcmp(health, "down") == 0) {
			down++;
			error = json_path_string(target, "lastError", error);
		}
	}
	json_object_set_new(prometheus, "up", json_integer(up));
	json_object_set_new(prometheus, "down", json_integer(down));
	if (error != NULL) {
		json_object_set_new(prometheus, "lastError", json_string(error));
	}
}

static bool has_name(const json_t *names, const char *name)
{
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)names, i, item) {
		if (strcmp(json_string_value(item), name) == 0) {
			return true;
		}
	}
	return false;
}

void reading_samples(const json_t *answer, const json_t *names, int64_t now_ms, int64_t max_age_ms, json_t *prometheus)
{
	json_int_t pods = 0;
	size_t i;
	json_t *row;

	json_array_foreach(json_path(answer, "data.result"), i, row) {
		const char *seconds = json_string_value(json_array_get(json_object_get(row, "value"), 1));
		double at = seconds != NULL ? strtod(seconds, NULL) : 0;

		if (has_name(names, json_path_string(row, "metric.pod", "")) &&
			now_ms - (int64_t)(at * 1000) <= max_age_ms) {
			pods++;
		}
	}
	json_object_set_new(prometheus, "pods", json_integer(pods));
}

char *reading_sample_query(const json_t *series, const char *ns)
{
	struct strbuf query = STRBUF_INIT;
	size_t i;
	json_t *name;

	strbuf_addstr(&query, "max by (pod) (");
	json_array_foreach((json_t *)series, i, name) {
		strbuf_addf(&query, "%stimestamp(%s{namespace=\"%s\"})", i > 0 ? " or " : "", json_string_value(name), ns);
	}
	strbuf_addstr(&query, ")");
	return strbuf_take(&query);
}

json_t *reading_metric(const json_t *list)
{
	return json_pack("{s:I}", "pods", (json_int_t)json_array_size(json_object_get(list, "items")));
}
