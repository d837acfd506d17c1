/* What objects are found by, by their type. */
#include "view/index.h"

#include "base/memory.h"
#include "view/autoscaler.h"
#include "view/core.h"
#include "view/hpa.h"
#include "view/monitoring.h"
#include "view/service.h"

static const char *autoscaler_target(const struct view *view)
{
	return view_autoscaler(view)->target_name;
}

static const char *hpa_target(const struct view *view)
{
	return view_hpa(view)->target_name;
}

static const char *scaledobject_target(const struct view *view)
{
	return view_scaledobject(view)->target_name;
}

static const struct {
	const struct view_type *type;
	const char *(*target)(const struct view *view); /* its name, "" = none; NULL = it goes by labels */
} rows[] = {
	{&view_autoscaler_type, autoscaler_target},
	{&view_hpa_type, hpa_target},
	{&view_scaledobject_type, scaledobject_target},
	{&view_service_type, NULL},
	{&view_servicemonitor_type, NULL},
	{&view_prometheusrule_type, NULL},
};

static bool index_by_labels(const struct object_meta *meta, const char **ns, const char **name)
{
	*ns = meta_label(meta, LABEL_AUTOSCALER_NAMESPACE);
	*name = meta_label(meta, LABEL_AUTOSCALER);
	if (meta_label(meta, LABEL_SHARED) != NULL) {
		*ns = "";
		*name = SHARED_GPU;
	}
	return *ns != NULL && *name != NULL;
}

static bool index_by_target(const struct object_meta *meta, const char *target, const char **ns, const char **name)
{
	*ns = meta->ns;
	*name = target;
	return target[0] != '\0';
}

bool view_index(const struct view *view, const char **ns, const char **name)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].type == view->type) {
			return rows[i].target != NULL ? index_by_target(&view->meta, rows[i].target(view), ns, name)
			                              : index_by_labels(&view->meta, ns, name);
		}
	}
	return false;
}
