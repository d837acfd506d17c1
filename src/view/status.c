/* Decoding the status of an InferenceAutoscaler. */
#include "status.h"

#include "read.h"
#include "shared_text.h"

static struct view_engine read_engine(struct arena *arena, const json_t *engine)
{
	return (struct view_engine){.type = read_text(arena, engine, "type", NULL),
		.version = read_text(arena, engine, "version", NULL),
		.path = read_text(arena, engine, "path", NULL),
		.port = read_int(engine, "port", 0),
		.given = json_is_object(engine)};
}

static void read_advice(struct arena *arena, const json_t *list, struct view_status *status)
{
	uint32_t count = read_count(list, READ_LIST_MAX);
	struct view_advice *advice = arena_items(arena, count, sizeof(*advice));

	for (uint32_t i = 0; i < count; i++) {
		const json_t *one = json_array_get(list, i);

		advice[i] = (struct view_advice){.reason = read_text(arena, one, "reason", ""),
			.message = read_shared(arena, one, "message", "")};
	}
	status->advice = advice;
	status->advice_count = count;
}

static void read_signals(struct arena *arena, const json_t *list, struct view_status *status)
{
	uint32_t count = read_count(list, READ_LIST_MAX);
	struct view_signal *signals = arena_items(arena, count, sizeof(*signals));

	for (uint32_t i = 0; i < count; i++) {
		const json_t *signal = json_array_get(list, i);

		signals[i] = (struct view_signal){.name = read_text(arena, signal, "name", ""),
			.metric = read_text(arena, signal, "metric", ""),
			.target = read_text(arena, signal, "target", ""),
			.served = read_bool(signal, "served")};
	}
	status->signals = signals;
	status->signals_count = count;
}

static void read_children(struct arena *arena, const json_t *list, struct view_status *status)
{
	uint32_t count = read_count(list, READ_LIST_MAX);
	struct view_child *children = arena_items(arena, count, sizeof(*children));

	for (uint32_t i = 0; i < count; i++) {
		const json_t *child = json_array_get(list, i);

		children[i] = (struct view_child){.kind = read_text(arena, child, "kind", ""),
			.ns = read_text(arena, child, "namespace", ""),
			.name = read_text(arena, child, "name", "")};
	}
	status->children = children;
	status->children_count = count;
}

struct view_status read_status(struct arena *arena, const json_t *status)
{
	const json_t *replicas = json_object_get(status, "replicas");
	struct view_status read = {
		.observed_generation = read_int(status, "observedGeneration", -1),
		.engine = read_engine(arena, json_object_get(status, "engine")),
		.conditions = read_conditions(arena, status),
		.source = read_text(arena, status, "source", NULL),
		.selector = read_text(arena, status, "selector", NULL),
		.current_replicas = read_int(replicas, "current", -1),
		.desired_replicas = read_int(replicas, "desired", -1),
		.replicas_given = json_is_object(replicas),
		/* Measuring needs its room only. */
		.digest = arena->block != NULL ? digest_json(status) : (struct digest){0, 0},
	};

	read_advice(arena, json_object_get(status, "advice"), &read);
	read_signals(arena, json_object_get(status, "signals"), &read);
	read_children(arena, json_object_get(status, "children"), &read);
	return read;
}

void read_status_release(const struct view_status *status)
{
	read_conditions_release(&status->conditions);
	for (uint32_t i = 0; i < status->advice_count; i++) {
		shared_text_unref(status->advice[i].message);
	}
}
