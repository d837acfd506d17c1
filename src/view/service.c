/* Decoding a Service. */
#include "view/service.h"

#include <string.h>

#include "read.h"
#include "type.h"

static void read_service_ports(struct arena *arena, const json_t *list, struct view_service *service)
{
	uint32_t count = read_count(list, READ_LIST_MAX);
	struct view_service_port *ports = arena_items(arena, count, sizeof(*ports));

	for (uint32_t i = 0; i < count; i++) {
		const json_t *port = json_array_get(list, i);

		ports[i] = (struct view_service_port){.name = read_text(arena, port, "name", ""),
			.number = read_int(port, "port", -1),
			.target_port = read_int(port, "targetPort", -1),
			.target_name = read_text(arena, port, "targetPort", "")};
	}
	service->ports = ports;
	service->ports_count = count;
}

static void decode(struct arena *arena, const json_t *object, struct view *view)
{
	struct view_service *service = (struct view_service *)view;
	const json_t *spec = json_object_get(object, "spec");
	const char *address = json_string_value(json_object_get(spec, "clusterIP"));

	service->own_spec = read_own_spec(arena, object);
	service->changed_by = service->own_spec != NULL ? read_changed_by(arena, object) : NULL;
	service->selector = read_pairs(arena, json_object_get(spec, "selector"), NULL);
	service->headless = address != NULL && strcmp(address, "None") == 0;
	read_service_ports(arena, json_object_get(spec, "ports"), service);
}

const struct view_type view_service_type = {.bytes = sizeof(struct view_service),
	.own_spec_at = offsetof(struct view_service, own_spec),
	.changed_by_at = offsetof(struct view_service, changed_by),
	.decode = decode};
