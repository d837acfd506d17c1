/*
 * What is read of the kinds of which little is: Namespace, APIService, ConfigMap, ScaledObject.
 */
#ifndef VIEW_CORE_H
#define VIEW_CORE_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "view/condition.h"
#include "view/view.h"

/* Its labels only. */
struct view_namespace {
	struct view view;
};

/* To whom an APIService led before it was taken over (reconcile/takeover.h). */
struct view_former {
	const char *service_namespace; /* NULL = it was not taken over, or was not there before */
	const char *service_name;
	const char *ca_bundle; /* base64; NULL = not given */
	int64_t service_port;
	bool insecure;
	bool noted; /* it has our note of what was before, wherever it leads now */
	bool taken; /* noted, and it leads where whoever noted it had it led */
};

struct view_apiservice {
	struct view view;
	struct view_former former;
	const char
		*as_it_stands; /* of the custom metrics API: labels, annotations and spec as JSON, without our notes */
	int64_t version_priority;      /* -1 = not given */
	const char *service_namespace; /* "" = not given, as the next */
	const char *service_name;
	const char *ca_bundle; /* base64, as it stands; NULL = not given */
	int64_t service_port;  /* -1 = not given */
	bool insecure;         /* the API server takes any certificate */
	struct view_conditions conditions;
};

/* Who wrote an object, and when last. */
struct view_manager {
	const char *name; /* "" = not given, as the next */
	const char *time; /* RFC 3339, as it stands */
};

struct view_configmap {
	struct view view;
	struct view_pairs data;
	const struct view_manager *managers;
	uint32_t managers_count;
	bool immutable;
};

/* KEDA's. */
struct view_scaledobject {
	struct view view;
	const char *target_kind; /* NULL = not given: KEDA takes a Deployment for granted */
	const char *target_name; /* "" = not given */
};

extern const struct view_type view_namespace_type;
extern const struct view_type view_apiservice_type;
extern const struct view_type view_configmap_type;
extern const struct view_type view_scaledobject_type;

/* The Service that what is not ours is asked of: that which it leads to, or led to before it was taken over. */
static inline const char *view_apiservice_owner_namespace(const struct view_apiservice *api)
{
	return api->former.taken && api->former.service_name != NULL ? api->former.service_namespace
	                                                             : api->service_namespace;
}

static inline const char *view_apiservice_owner_name(const struct view_apiservice *api)
{
	return api->former.taken && api->former.service_name != NULL ? api->former.service_name : api->service_name;
}

static inline const struct view_namespace *view_namespace(const struct view *view)
{
	assert(view == NULL || view->type == &view_namespace_type);
	return (const struct view_namespace *)view;
}

/* Whether it leads to this Service, none of whose names is "". */
bool view_apiservice_leads_to(const struct view_apiservice *api, const char *ns, const char *name);

static inline const struct view_apiservice *view_apiservice(const struct view *view)
{
	assert(view == NULL || view->type == &view_apiservice_type);
	return (const struct view_apiservice *)view;
}

static inline const struct view_configmap *view_configmap(const struct view *view)
{
	assert(view == NULL || view->type == &view_configmap_type);
	return (const struct view_configmap *)view;
}

static inline const struct view_scaledobject *view_scaledobject(const struct view *view)
{
	assert(view == NULL || view->type == &view_scaledobject_type);
	return (const struct view_scaledobject *)view;
}

#endif
