/* Decoding a HorizontalPodAutoscaler. */
#include "view/hpa.h"

#include <string.h>

#include "base/quantity.h"
#include "read.h"
#include "type.h"

/* Borrowed; NULL of a metric of another type than Pods. */
static const json_t *pods_of(const json_t *metric)
{
	const json_t *pods = json_object_get(metric, "pods");
	const json_t *current = json_object_get(pods, "current");
	const json_t *name = json_object_get(json_object_get(pods, "metric"), "name");

	return json_is_string(name) && json_is_string(json_object_get(current, "averageValue")) ? pods : NULL;
}

static void read_averages(struct arena *arena, const json_t *list, struct view_hpa *hpa)
{
	uint32_t limit = read_count(list, READ_LIST_MAX);
	struct view_hpa_average *averages;
	uint32_t count = 0;

	for (uint32_t i = 0; i < limit; i++) {
		count += pods_of(json_array_get(list, i)) != NULL;
	}
	averages = arena_items(arena, count, sizeof(*averages));
	for (uint32_t i = 0; i < limit; i++) {
		const json_t *pods = pods_of(json_array_get(list, i));
		const json_t *value = json_object_get(json_object_get(pods, "current"), "averageValue");

		if (pods != NULL) {
			averages[hpa->averages_count++] = (struct view_hpa_average){
				.metric = read_text(arena, json_object_get(pods, "metric"), "name", ""),
				.milli = quantity_parse_milli(json_string_value(value)),
			};
		}
	}
	hpa->averages = averages;
}

static void decode(struct arena *arena, const json_t *object, struct view *view)
{
	struct view_hpa *hpa = (struct view_hpa *)view;
	const json_t *spec = json_object_get(object, "spec");
	const json_t *status = json_object_get(object, "status");
	const json_t *target = json_object_get(spec, "scaleTargetRef");

	hpa->own_spec = read_own_spec(arena, object);
	hpa->changed_by = hpa->own_spec != NULL ? read_changed_by(arena, object) : NULL;
	hpa->target_kind = read_text(arena, target, "kind", "");
	hpa->target_name = read_text(arena, target, "name", "");
	hpa->min_replicas = read_int(spec, "minReplicas", -1);
	hpa->max_replicas = read_int(spec, "maxReplicas", -1);
	hpa->current_replicas = read_int(status, "currentReplicas", -1);
	hpa->desired_replicas = read_int(status, "desiredReplicas", -1);
	hpa->observed_generation = read_int(status, "observedGeneration", -1);
	hpa->conditions = read_conditions(arena, status);
	read_averages(arena, json_object_get(status, "currentMetrics"), hpa);
}

static void release(const struct view *view)
{
	read_conditions_release(&view_hpa(view)->conditions);
}

int64_t view_hpa_average_of(const struct view_hpa *hpa, const char *metric)
{
	for (uint32_t i = 0; hpa != NULL && i < hpa->averages_count; i++) {
		if (strcmp(hpa->averages[i].metric, metric) == 0) {
			return hpa->averages[i].milli;
		}
	}
	return -1;
}

const struct view_type view_hpa_type = {.bytes = sizeof(struct view_hpa),
	.own_spec_at = offsetof(struct view_hpa, own_spec),
	.changed_by_at = offsetof(struct view_hpa, changed_by),
	.decode = decode,
	.release = release};
