/* Where an object of ours is to be, so that a Prometheus takes it. */
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "survey.h"
#include "view/monitoring.h"

void survey_place_release(struct survey_place *place)
{
	monitoring_release(&place->monitoring);
	free_indirect(&place->ns);
}

/* Whether this Prometheus takes the object in this namespace: then the place is that, with what others want there too. */
static bool is_taken_in(const struct survey *s, struct monitoring_object *object, const struct view *prometheus,
	const char *ns, struct survey_place *place)
{
	const struct view_list one = {.items = &prometheus, .count = 1};
	auto_free char *key = meta_key(&prometheus->meta);
	struct monitoring_context context = s->monitoring;

	context.prometheuses = &one;
	context.asked = key;
	object->ns = ns;
	survey_place_release(place);
	monitoring_find(&context, object, &place->monitoring);
	if (place->monitoring.selected_by == NULL) {
		return false;
	}
	monitoring_release(&place->monitoring);
	context.prometheuses = &s->prometheuses;
	monitoring_find(&context, object, &place->monitoring);
	place->ns = xstrdup(ns);
	return true;
}

/* Whether it takes the object in its own namespace, or where the exporter is. */
static bool is_taken(const struct survey *s, struct monitoring_object *object, const struct view *prometheus,
	const char *exporter_ns, struct survey_place *place)
{
	const char *own = prometheus->meta.ns;
	bool elsewhere = exporter_ns != NULL && strcmp(exporter_ns, own) != 0 && survey_is_platforms(s, exporter_ns);
	bool near = elsewhere && object->kind == &monitoring_servicemonitor &&
	            view_prometheus(prometheus)->ignores_namespaces;

	return (near && is_taken_in(s, object, prometheus, exporter_ns, place)) ||
	       is_taken_in(s, object, prometheus, own, place) ||
	       (elsewhere && is_taken_in(s, object, prometheus, exporter_ns, place));
}

bool survey_place(const struct survey *s, const struct survey_placed *placed, struct survey_place *place)
{
	auto_json *own = json_pack("{s:s, s:s}", LABEL_MANAGED_BY, MANAGED_BY, LABEL_SHARED, SHARED_GPU);
	auto_json *usual = settings_labels(s->world->settings->monitor_labels, NULL);
	const struct view *now = placed->now;
	struct monitoring_context context = s->monitoring;
	struct monitoring_object object = {.kind = placed->kind,
		.ns = now != NULL ? now->meta.ns : "",
		.usual = usual,
		.own = own,
		.current = now != NULL ? &now->meta.labels : NULL};
	auto_view_list order = monitoring_order(&context, &object);

	for (size_t i = 0; i < order.count; i++) {
		auto_free char *key = meta_key(&order.items[i]->meta);

		if (!monitoring_may_be_platforms(&context, order.items[i]->meta.ns) ||
			(placed->only != NULL && strcmp(placed->only, key) != 0)) {
			continue;
		}
		if (is_taken(s, &object, order.items[i], placed->exporter_ns, place)) {
			return true;
		}
	}
	if (place->monitoring.problem == NULL) {
		context.prometheuses = NULL;
		monitoring_find(&context, &object, &place->monitoring);
	}
	if (survey_without_resource(s)) {
		free_indirect(&place->monitoring.problem);
		place->ns = xstrdup(now != NULL ? now->meta.ns : context.adapter_ns);
		return true;
	}
	place->ns = now != NULL ? xstrdup(now->meta.ns) : NULL;
	return false;
}
