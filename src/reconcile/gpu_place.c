/* Where an object of ours is to be, so that a Prometheus takes it. */
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "survey.h"

bool survey_place(const struct survey *s, const struct monitoring_kind *kind, const struct view *now, const char *only,
	struct monitoring *place)
{
	auto_json *own = json_pack("{s:s, s:s}", LABEL_MANAGED_BY, MANAGED_BY, LABEL_SHARED, SHARED_GPU);
	struct monitoring_context context = {&s->prometheuses, &s->namespaces, s->prometheus_asked};
	struct monitoring_object object = {.kind = kind,
		.ns = now != NULL ? now->meta.ns : "",
		.own = own,
		.current = now != NULL ? &now->meta.labels : NULL};
	auto_view_list order = monitoring_order(&context, &object);

	for (size_t i = 0; i < order.count; i++) {
		const struct view_list one = {.items = &order.items[i], .count = 1};
		auto_free char *key = meta_key(&order.items[i]->meta);

		if (only != NULL && strcmp(only, key) != 0) {
			continue;
		}
		object.ns = order.items[i]->meta.ns;
		context.prometheuses = &one;
		context.asked = key;
		monitoring_release(place);
		monitoring_find(&context, &object, place);
		if (place->selected_by != NULL) {
			monitoring_release(place);
			context.prometheuses = &s->prometheuses;
			monitoring_find(&context, &object, place);
			return true;
		}
	}
	if (place->problem == NULL) {
		context.prometheuses = NULL;
		monitoring_find(&context, &object, place);
	}
	return false;
}
