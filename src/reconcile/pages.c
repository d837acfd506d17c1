/* Candidates for a workload's metrics page. */
#include "reconcile/pages.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/custom.h"

#define CANDIDATES_MAX 24
#define PORT_MAX 65535

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

/* A port, or an address with one; 0 for anything else. */
static int64_t parse_port(const char *text)
{
	const char *colon = strrchr(text, ':');
	const char *digits = colon != NULL ? colon + 1 : text;
	char *end;
	long long port = strtoll(digits, &end, 10);

	return end != digits && *end == '\0' && port > 0 && port <= PORT_MAX ? port : 0;
}

static void add_told(struct ports *ports, const char *value)
{
	add_port(ports, value != NULL ? parse_port(value) : 0);
}

/* What the container is told to listen on, by the options and the variables of any engine. */
static void add_told_ports(struct ports *ports, const struct view_container *container)
{
	/* view_env_is_read() knows the variables. */
	static const char *const flags[] = {"--metrics-port", "--port", "--server-port", "--listen", "-p"};
	static const char *const variables[] = {"LLAMA_ARG_PORT", "NIM_SERVER_PORT", "NIM_HTTP_API_PORT", "PORT"};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		add_told(ports, view_container_value(container, flags[i]));
	}
	for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
		add_told(ports, view_pairs_get(&container->env, variables[i]));
	}
}

/* Whether a container lists no port, which it need not do to serve one. */
static bool lists_none(const struct view_workload *target)
{
	for (uint32_t c = 0; target != NULL && c < target->containers_count; c++) {
		if (target->containers[c].ports_count == 0) {
			return true;
		}
	}
	return target == NULL || target->containers_count == 0;
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

/* As the spec tells; else what the containers are told, then what they list: an engine's usual port first, then the one
 * named http. */
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
	for (uint32_t c = 0; target != NULL && c < target->containers_count; c++) {
		add_told_ports(&ports, &target->containers[c]);
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
	if (engine != NULL && strcmp(engine->type, CUSTOM_ENGINE) == 0) {
		texts_add(&paths, engine->places[0].path);
	}
	while ((place = next_place(engine, &row, &next)) != NULL) {
		if (!texts_hold(&paths, place->path)) {
			texts_add(&paths, place->path);
		}
	}
	return paths;
}

/* Once. */
static void add_candidate(struct page_places *candidates, int64_t port, const char *path)
{
	bool there = candidates->count == CANDIDATES_MAX;

	for (size_t i = 0; i < candidates->count; i++) {
		there = there || (candidates->items[i].port == port && strcmp(candidates->items[i].path, path) == 0);
	}
	if (!there) {
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
	while (spec->port == 0 && spec->port_name == NULL && (ports.count == 0 || lists_none(target)) &&
		(place = next_place(engine, &row, &next)) != NULL) {
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
