/* Between the former shape of wish and evidence and today's. */
#include "former.h"

#include "base/json.h"
#include "base/memory.h"

json_t *former_wish(json_t *wish)
{
	auto_free char *service = xasprintf("%s-metrics", json_path_string(wish, "name", ""));
	json_t *now;
	json_t *pages;

	if (json_object_get(wish, "metric") == NULL) {
		return json_incref(wish);
	}
	now = json_copy(wish);
	pages = json_array();
	json_object_set(now, "former", wish);
	if (json_path_int(wish, "port", 0) != 0) {
		json_array_append_new(pages,
			json_pack("{s:O, s:O}", "port", json_object_get(wish, "port"), "path", json_object_get(wish, "path")));
	}
	json_object_set_new(now, "pages", pages);
	json_object_set_new(now, "service", json_string(service));
	json_object_set_new(now, "engine", json_string(""));
	json_object_set_new(now, "signals",
		json_pack("[{s:O, s:b, s:O}]", "metric", json_object_get(wish, "metric"), "page", true, "series",
			json_object_get(wish, "series")));
	return now;
}

json_t *former_evidence_take(json_t *former)
{
	json_t *wish = json_path(former, "asked.former");
	json_t *prometheus = json_object_get(former, "prometheus");
	const json_t *signal =
		json_object_get(json_object_get(former, "signals"), json_path_string(wish, "metric", ""));

	if (wish == NULL) {
		return former;
	}
	if (prometheus != NULL) {
		json_object_set_new(prometheus, "pods", json_integer(json_path_int(signal, "series.pods", 0)));
	}
	if (json_path(signal, "series.error") != NULL) {
		json_object_set(former, "prometheus", json_object_get(signal, "series"));
	}
	if (json_object_get(signal, "metric") != NULL) {
		json_object_set(former, "metric", json_object_get(signal, "metric"));
	}
	json_object_set(former, "asked", wish);
	return former;
}
