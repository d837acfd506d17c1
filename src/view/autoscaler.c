/* Decoding an InferenceAutoscaler. */
#include "view/autoscaler.h"

#include <stddef.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "read.h"
#include "status.h"
#include "type.h"

#define AT(member) offsetof(struct autoscaler, member)

/* The texts of a spec, which autoscaler_decode() makes on the heap. */
static const size_t texts[] = {AT(ns), AT(name), AT(uid), AT(operator_class), AT(target_api_version), AT(target_kind),
	AT(target_name), AT(mode), AT(engine_type), AT(port_name), AT(path), AT(scheme), AT(gpu_signal),
	AT(exporter_type), AT(exporter_namespace), AT(exporter_port), AT(scrape_interval), AT(source),
	AT(monitor_namespace)};

/* Its JSON, and where the view has that as text. */
static const struct {
	size_t spec;
	size_t view;
} documents[] = {
	{AT(behavior), offsetof(struct view_autoscaler, behavior)},
	{AT(engine_signals), offsetof(struct view_autoscaler, engine_signals)},
	{AT(exporter_labels), offsetof(struct view_autoscaler, exporter_labels)},
	{AT(monitor_labels), offsetof(struct view_autoscaler, monitor_labels)},
};

static json_t **document_at(struct autoscaler *spec, size_t i)
{
	return (json_t **)(void *)((char *)spec + documents[i].spec);
}

static const char **text_at(struct view_autoscaler *autoscaler, size_t i)
{
	return (const char **)(void *)((char *)autoscaler + documents[i].view);
}

static void keep_spec(struct arena *arena, const struct autoscaler *spec, struct view_autoscaler *autoscaler)
{
	autoscaler->spec = *spec;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char **text = (const char **)(void *)((char *)&autoscaler->spec + texts[i]);

		*text = read_keep(arena, *text);
	}
	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		json_t **document = document_at(&autoscaler->spec, i);
		auto_free char *text = *document != NULL ? json_text(*document) : NULL;

		*text_at(autoscaler, i) = arena_text(arena, text);
		*document = NULL;
	}
}

static void read_spec(struct arena *arena, const json_t *object, struct view_autoscaler *autoscaler)
{
	auto_error err = ERROR_INIT;
	auto_autoscaler spec;

	(void)autoscaler_decode(object, &spec, &err);
	keep_spec(arena, &spec, autoscaler);
	autoscaler->invalid = err;
	autoscaler->invalid.message = (char *)arena_text(arena, err.message);
}

static void read_as_written(struct arena *arena, const json_t *spec, struct view_autoscaler *autoscaler)
{
	const json_t *target = json_object_get(spec, "scaleTargetRef");

	autoscaler->mode = read_text(arena, spec, "mode", "");
	autoscaler->target_kind = read_text(arena, target, "kind", "");
	autoscaler->target_name = read_text(arena, target, "name", "");
	autoscaler->min_replicas = read_int(spec, "minReplicas", 1);
	autoscaler->max_replicas = read_int(spec, "maxReplicas", 0);
}

static void decode(struct arena *arena, const json_t *object, struct view *view)
{
	struct view_autoscaler *autoscaler = (struct view_autoscaler *)view;

	read_spec(arena, object, autoscaler);
	read_as_written(arena, json_object_get(object, "spec"), autoscaler);
	autoscaler->status = read_status(arena, json_object_get(object, "status"));
}

static void release(const struct view *view)
{
	read_status_release(&view_autoscaler(view)->status);
}

static const char *const unread[] = {"managedFields", NULL};

const struct view_type view_autoscaler_type = {.bytes = sizeof(struct view_autoscaler),
	.unread = unread,
	.decode = decode,
	.release = release};

json_t *view_engine_json(const struct view_engine *engine)
{
	if (!engine->given) {
		return NULL;
	}
	return json_pack("{s:s*, s:s*, s:o*, s:s*}", "type", engine->type, "version", engine->version, "port",
		engine->port != 0 ? json_integer((json_int_t)engine->port) : NULL, "path", engine->path);
}

struct autoscaler view_autoscaler_spec(const struct view_autoscaler *autoscaler)
{
	struct autoscaler spec = autoscaler->spec;

	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		const char *text = *text_at((struct view_autoscaler *)autoscaler, i);

		/* We wrote this text ourselves: it parses. */
		*document_at(&spec, i) = text != NULL ? json_parse(text, strlen(text), NULL) : NULL;
	}
	return spec;
}

void view_autoscaler_spec_release(struct autoscaler *spec)
{
	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		json_decref(*document_at(spec, i));
	}
	memset(spec, 0, sizeof(*spec));
}
