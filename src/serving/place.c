/* From a spec and a status to the place of pages. */
#include "place.h"

#include <string.h>

#include "base/memory.h"
#include "engine/custom.h"
#include "engine/gpu.h"

#define PORT_MAX 65535

/* NULL while it is not known. */
static const struct engine *engine_of(const struct view_autoscaler *autoscaler)
{
	const char *type = autoscaler->spec.engine_type;

	if (type == NULL || strcmp(type, "Auto") == 0) {
		type = autoscaler->status.engine.type;
	}
	return type != NULL ? engine_by_type(type) : NULL;
}

static bool engine_has_metric(const struct engine *engine, const char *metric)
{
	for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engine->signals[i].name != NULL; i++) {
		if (strcmp(engine->signals[i].metric, metric) == 0) {
			return true;
		}
	}
	return false;
}

/* NULL when its engine is none of somebody's own. */
static struct custom_engine *custom_of(const struct view_autoscaler *autoscaler)
{
	auto_view_autoscaler_spec spec = view_autoscaler_spec(autoscaler);

	return custom_engine_new(spec.engine_type, spec.engine_signals);
}

static bool custom_has_metric(const struct view_autoscaler *autoscaler, const char *metric)
{
	auto_custom_engine *custom = custom_of(autoscaler);

	return custom != NULL && engine_has_metric(custom_engine(custom), metric);
}

bool place_has_metric(const struct view_autoscaler *autoscaler, const char *metric)
{
	const struct engine *engine = engine_of(autoscaler);

	if (strcmp(metric, gpu_utilization.metric) == 0) {
		return true;
	}
	if (autoscaler->spec.engine_type != NULL && strcmp(autoscaler->spec.engine_type, CUSTOM_ENGINE) == 0) {
		/* The name's beginning saves most of the parsing. */
		return strncmp(metric, CUSTOM_METRIC, strlen(CUSTOM_METRIC)) == 0 &&
		       custom_has_metric(autoscaler, metric);
	}
	/* Until it is known it may be: then the answer tells that. */
	return engine != NULL ? engine_has_metric(engine, metric) : engine_signal_by_metric(metric) != NULL;
}

/* Whether it can only be a path behind an address, and never a part of that: a status is text that somebody wrote. */
static bool is_path(const char *path)
{
	for (const char *c = path; *c != '\0'; c++) {
		if (*c <= ' ' || *c > '~' || *c == '#' || *c == '\\') {
			return false;
		}
	}
	return path[0] == '/';
}

/* A port that has a name is looked for in each pod. */
static bool is_port(const struct place *place)
{
	return place->port_name != NULL || (place->port >= 1 && place->port <= PORT_MAX);
}

/* The last resort is where the engine usually serves it. */
static void fill(const struct view_autoscaler *autoscaler, const struct engine *engine, struct place *place)
{
	const struct autoscaler *spec = &autoscaler->spec;
	const struct view_engine *found = &autoscaler->status.engine;

	place->scheme = spec->scheme != NULL ? spec->scheme : "http";
	place->path = spec->path != NULL ? spec->path : found->path != NULL ? found->path : engine->places[0].path;
	place->port_name = spec->port_name;
	place->port = spec->port != 0 ? spec->port : found->port != 0 ? found->port : engine->places[0].port;
}

static struct questions *questions_for(const struct engine *engine, bool is_preset)
{
	const char *metrics[ENGINE_SIGNALS_MAX];
	const char *queries[ENGINE_SIGNALS_MAX];
	size_t count = 0;

	if (is_preset) {
		return questions_of_engine(engine);
	}
	for (; count < ENGINE_SIGNALS_MAX && engine->signals[count].name != NULL; count++) {
		metrics[count] = engine->signals[count].metric;
		queries[count] = engine_page_query(&engine->signals[count]);
	}
	return questions_new(metrics, queries, count);
}

int place_of(const struct view_autoscaler *autoscaler, struct place *place, struct error *err)
{
	auto_custom_engine *custom = custom_of(autoscaler);
	const struct engine *engine = custom != NULL ? custom_engine(custom) : engine_of(autoscaler);
	const struct object_meta *meta = &autoscaler->view.meta;

	*place = (struct place){.questions = NULL};
	if (autoscaler->invalid.kind != ERROR_NONE) {
		return error_set(err, ERROR_UNAVAILABLE, "%s", autoscaler->invalid.message);
	}
	if (engine == NULL) {
		return error_set(err, ERROR_UNAVAILABLE,
			"which engine runs in the pods of InferenceAutoscaler '%s/%s' is not known yet: no page of "
			"theirs was found so far",
			meta->ns, meta->name);
	}
	fill(autoscaler, engine, place);
	if (!is_path(place->path) || !is_port(place)) {
		return error_set(err, ERROR_UNAVAILABLE,
			"the port or the path of the page is none in InferenceAutoscaler '%s/%s'", meta->ns,
			meta->name);
	}
	place->questions = questions_for(engine, custom == NULL);
	return 0;
}

void place_release(struct place *place)
{
	questions_unref(place->questions);
	place->questions = NULL;
}

int64_t place_port_by_name(const struct view_pod *pod, const char *name)
{
	for (uint32_t i = 0; i < pod->ports_count; i++) {
		if (strcmp(pod->ports[i].name, name) == 0) {
			return pod->ports[i].number;
		}
	}
	return 0;
}

int64_t place_port(const struct place *place, const struct view_pod *pod)
{
	return place->port_name != NULL ? place_port_by_name(pod, place->port_name) : place->port;
}
