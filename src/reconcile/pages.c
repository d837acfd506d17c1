/* Candidates for a workload's metrics page. */
#include "reconcile/pages.h"

#include <string.h>

#define CANDIDATES_MAX 12

/* More could not become candidates. */
struct ports {
	int64_t numbers[CANDIDATES_MAX];
	size_t count;
};

static void add_port(struct ports *ports, int64_t port)
{
	for (size_t i = 0; i < ports->count; i++) {
		if (ports->numbers[i] == port) {
			return;
		}
	}
	if (port != 0 && ports->count < CANDIDATES_MAX) {
		ports->numbers[ports->count++] = port;
	}
}

/* Adds the container's ports that match: this number, this name, or all. */
static void add_ports(struct ports *ports, const struct view_container *container, int64_t number, const char *name)
{
	for (uint32_t p = 0; p < container->ports_count; p++) {
		const struct view_port *port = &container->ports[p];

		if (strcmp(port->protocol, "TCP") == 0 && (number == 0 || port->number == number) &&
			(name == NULL || strcmp(port->name, name) == 0)) {
			add_port(ports, port->number);
		}
	}
}

/* The same of all its containers. `target`: NULL is allowed. */
static void add_listed(struct ports *ports, const struct view_workload *target, int64_t number, const char *name)
{
	for (uint32_t c = 0; target != NULL && c < target->containers_count; c++) {
		add_ports(ports, &target->containers[c], number, name);
	}
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
static struct ports likely_ports(const struct autoscaler *spec, const struct view_workload *target,
	const struct engine *engine)
{
	struct ports ports = {.count = 0};
	const struct engine_place *place;
	size_t row = 0;
	size_t next = 0;

	if (spec->port != 0) {
		add_port(&ports, spec->port);
		return ports;
	}
	if (spec->port_name != NULL) {
		add_listed(&ports, target, 0, spec->port_name);
		return ports;
	}
	while ((place = next_place(engine, &row, &next)) != NULL) {
		add_listed(&ports, target, place->port, NULL);
	}
	add_listed(&ports, target, 0, "http");
	add_listed(&ports, target, 0, NULL);
	return ports;
}

static struct texts likely_paths(const struct autoscaler *spec, const struct engine *engine)
{
	struct texts paths = {NULL, 0};
	const struct engine_place *place;
	size_t row = 0;
	size_t next = 0;

	if (spec->path != NULL) {
		texts_add(&paths, spec->path);
		return paths;
	}
	while ((place = next_place(engine, &row, &next)) != NULL) {
		if (!texts_hold(&paths, place->path)) {
			texts_add(&paths, place->path);
		}
	}
	return paths;
}

static void add_candidate(struct page_places *candidates, int64_t port, const char *path)
{
	if (candidates->count < CANDIDATES_MAX) {
		page_places_add(candidates, port, path);
	}
}

struct page_places pages_candidates(const struct autoscaler *spec, const struct view_workload *target,
	const struct engine *engine)
{
	struct page_places candidates = {NULL, 0};
	struct ports ports = likely_ports(spec, target, engine);
	struct texts paths = likely_paths(spec, engine);
	const struct engine_place *place;
	size_t row = 0;
	size_t next = 0;

	for (size_t i = 0; i < paths.count; i++) {
		for (size_t j = 0; j < ports.count; j++) {
			add_candidate(&candidates, ports.numbers[j], paths.items[i]);
		}
	}
	/* No port is listed, which containers need not do: the usual places. */
	while (spec->port_name == NULL && ports.count == 0 && (place = next_place(engine, &row, &next)) != NULL) {
		add_candidate(&candidates, place->port, spec->path != NULL ? spec->path : place->path);
	}
	texts_release(&paths);
	return candidates;
}

const struct page_place *pages_choose(const struct page_places *candidates, const struct page_place *seen, size_t count)
{
	for (size_t s = 0; s < count; s++) {
		for (size_t i = 0; i < candidates->count; i++) {
			if (page_place_equal(&candidates->items[i], &seen[s])) {
				return &candidates->items[i];
			}
		}
	}
	return candidates->count > 0 ? &candidates->items[0] : NULL;
}
