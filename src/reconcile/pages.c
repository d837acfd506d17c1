/* Candidates for a workload's metrics page. */
#include "reconcile/pages.h"

#include <string.h>

#include "base/json.h"

#define CANDIDATES_MAX 12

static void add_port(json_t *ports, int64_t port)
{
	size_t i;
	json_t *known;

	json_array_foreach(ports, i, known) {
		if (json_integer_value(known) == port) {
			return;
		}
	}
	if (port != 0) {
		json_array_append_new(ports, json_integer((json_int_t)port));
	}
}

/* Adds the listed container ports that match: this number, this name, or all. */
static void add_listed(json_t *ports, const json_t *target, int64_t number, const char *name)
{
	size_t c;
	size_t p;
	json_t *container;
	json_t *port;

	json_array_foreach(json_path(target, "spec.template.spec.containers"), c, container) {
		json_array_foreach(json_object_get(container, "ports"), p, port) {
			int64_t listed = json_path_int(port, "containerPort", 0);
			bool tcp = strcmp(json_path_string(port, "protocol", "TCP"), "TCP") == 0;

			if (tcp && (number == 0 || listed == number) &&
				(name == NULL || strcmp(json_path_string(port, "name", ""), name) == 0)) {
				add_port(ports, listed);
			}
		}
	}
}

static void add_path(json_t *paths, const char *path)
{
	size_t i;
	json_t *known;

	json_array_foreach(paths, i, known) {
		if (strcmp(json_string_value(known), path) == 0) {
			return;
		}
	}
	json_array_append_new(paths, json_string(path));
}

/* The places of the engine, or of all while none is known, in the order of the table. NULL at the end. */
static const struct engine_place *next_place(const struct engine *engine, size_t *row, size_t *place)
{
	while (*row < engines_count) {
		const struct engine *at = &engines[*row];

		if ((engine == NULL || engine == at) && *place < ENGINE_PLACES_MAX && at->places[*place].path != NULL) {
			return &at->places[(*place)++];
		}
		*place = 0;
		(*row)++;
	}
	return NULL;
}

/* As told; else the listed ones: an engine's usual port first, then the one named http. */
static json_t *likely_ports(const struct autoscaler *spec, const json_t *target, const struct engine *engine)
{
	json_t *ports = json_array();
	const struct engine_place *place;
	size_t row = 0;
	size_t next = 0;

	if (spec->port != 0) {
		add_port(ports, spec->port);
		return ports;
	}
	if (spec->port_name != NULL) {
		add_listed(ports, target, 0, spec->port_name);
		return ports;
	}
	while ((place = next_place(engine, &row, &next)) != NULL) {
		add_listed(ports, target, place->port, NULL);
	}
	add_listed(ports, target, 0, "http");
	add_listed(ports, target, 0, NULL);
	return ports;
}

static json_t *likely_paths(const struct autoscaler *spec, const struct engine *engine)
{
	json_t *paths = json_array();
	const struct engine_place *place;
	size_t row = 0;
	size_t next = 0;

	if (spec->path != NULL) {
		add_path(paths, spec->path);
		return paths;
	}
	while ((place = next_place(engine, &row, &next)) != NULL) {
		add_path(paths, place->path);
	}
	return paths;
}

static void add_candidate(json_t *candidates, int64_t port, const char *path)
{
	if (json_array_size(candidates) < CANDIDATES_MAX) {
		json_array_append_new(candidates, json_pack("{s:I, s:s}", "port", (json_int_t)port, "path", path));
	}
}

json_t *pages_candidates(const struct autoscaler *spec, const json_t *target, const struct engine *engine)
{
	json_t *candidates = json_array();
	auto_json *ports = likely_ports(spec, target, engine);
	auto_json *paths = likely_paths(spec, engine);
	const struct engine_place *place;
	size_t row = 0;
	size_t next = 0;
	size_t i;
	size_t j;
	json_t *path;
	json_t *port;

	json_array_foreach(paths, i, path) {
		json_array_foreach(ports, j, port) {
			add_candidate(candidates, json_integer_value(port), json_string_value(path));
		}
	}
	/* No port is listed, which containers need not do: the usual places. */
	while (spec->port_name == NULL && json_array_size(ports) == 0 &&
		(place = next_place(engine, &row, &next)) != NULL) {
		add_candidate(candidates, place->port, spec->path != NULL ? spec->path : place->path);
	}
	return candidates;
}

const json_t *pages_choose(const json_t *candidates, const json_t *const *documents, size_t count)
{
	for (size_t d = 0; d < count; d++) {
		size_t i;
		json_t *candidate;

		json_array_foreach((json_t *)candidates, i, candidate) {
			if (json_path_int(documents[d], "port", 0) == json_path_int(candidate, "port", 0) &&
				strcmp(json_path_string(documents[d], "path", ""),
					json_path_string(candidate, "path", "")) == 0) {
				return candidate;
			}
		}
	}
	return json_array_get(candidates, 0);
}
