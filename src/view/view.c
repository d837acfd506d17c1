/* Views of all kinds: made, shared and freed. */
#include "view/view.h"

#include <stdlib.h>

#include "base/keep.h"
#include "read.h"
#include "type.h"
#include "view/autoscaler.h"
#include "view/core.h"
#include "view/hpa.h"
#include "view/monitoring.h"
#include "view/pod.h"
#include "view/service.h"
#include "view/workload.h"

const struct view_type *const view_types[KIND_COUNT] = {
	[KIND_AUTOSCALER] = &view_autoscaler_type,
	[KIND_DEPLOYMENT] = &view_workload_type,
	[KIND_STATEFULSET] = &view_workload_type,
	[KIND_DAEMONSET] = &view_workload_type,
	[KIND_POD] = &view_pod_type,
	[KIND_HPA] = &view_hpa_type,
	[KIND_SERVICE] = &view_service_type,
	[KIND_SERVICEMONITOR] = &view_servicemonitor_type,
	[KIND_PROMETHEUSRULE] = &view_prometheusrule_type,
	[KIND_PROMETHEUS] = &view_prometheus_type,
	[KIND_PROMETHEUSAGENT] = &view_prometheusagent_type,
	[KIND_NAMESPACE] = &view_namespace_type,
	[KIND_APISERVICE] = &view_apiservice_type,
	[KIND_SCALEDOBJECT] = &view_scaledobject_type,
	[KIND_CONFIGMAP] = &view_configmap_type,
};

static void fill(struct arena *arena, const struct view_type *type, const json_t *object)
{
	struct view *view = arena_items(arena, 1, type->bytes);

	view->type = type;
	view->meta = read_meta(arena, object, type);
	view->meta.created_entry = type->own_spec_at != 0 ? read_created_entry(object) : 0;
	type->decode(arena, object, view);
}

const struct view *view_decode_as(const struct view_type *type, const json_t *object)
{
	auto_arena measured;
	auto_arena arena;
	struct view *view;
	size_t bytes;

	arena_measure(&measured);
	fill(&measured, type, object);
	arena_fill_kept(&arena, &measured);
	fill(&arena, type, object);
	bytes = arena.size; /* of which some are left when a text came to be shared while it was measured */
	view = arena_take(&arena);
	view->references = 1;
	view->bytes = (uint32_t)bytes;
	return view;
}

const struct view *view_decode(enum kind kind, const json_t *object)
{
	return view_decode_as(view_types[kind], object);
}

const char *const *view_unread(const struct view_type *type)
{
	static const char *const of_most[] = {"fieldsV1", NULL};

	return type->unread != NULL ? type->unread : of_most;
}

const struct view *view_ref(const struct view *view)
{
	if (view != NULL) {
		((struct view *)view)->references++;
	}
	return view;
}

void view_unref(const struct view *view)
{
	struct view *counted = (struct view *)view;

	if (counted != NULL && --counted->references == 0) {
		if (counted->type->release != NULL) {
			counted->type->release(counted);
		}
		keep_free(counted, counted->bytes);
	}
}

void view_unref_indirect(const struct view **view)
{
	view_unref(*view);
	*view = NULL;
}

void view_list_release(struct view_list *list)
{
	free(list->items);
	*list = (struct view_list){.items = NULL};
}
