/* Reading what there is to clean up. */
#include "findings.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "reconcile/adapter.h"
#include "reconcile/world.h"

const enum kind findings_made[] = {KIND_HPA, KIND_SERVICE, KIND_SERVICEMONITOR, KIND_PROMETHEUSRULE};
const size_t findings_made_count = ARRAY_LEN(findings_made);

void findings_release(struct findings *found)
{
	json_decref(found->document);
	json_decref(found->autoscalers);
	adapter_survey_free(found->adapter);
}

/* The objects of a kind wherever the operator reads it; as session_list(). */
static json_t *list_read(struct session *session, const struct settings *s, enum kind kind, const char *query,
	struct error *err)
{
	struct texts namespaces = settings_namespaces(s, kinds[kind].beside);
	json_t *all =
		namespaces.count == 0 ? session_list(session, &kinds[kind].resource, NULL, query, err) : json_array();

	for (size_t i = 0; i < namespaces.count && all != NULL; i++) {
		auto_json *list = session_list(session, &kinds[kind].resource, namespaces.items[i], query, err);

		json_array_extend(all, list);
		if (list == NULL) {
			json_decref(all);
			all = NULL;
		}
	}
	texts_release(&namespaces);
	return all;
}

/* Adds the list to the world, or that the type is not installed. */
static int add_list(struct findings *found, enum kind kind, json_t *list_take, struct error *err)
{
	auto_json *list = list_take;

	if (list == NULL && err->kind != ERROR_NOT_FOUND) {
		return -1;
	}
	if (list == NULL) {
		error_release(err);
		json_array_append_new(json_object_get(found->document, "missing"),
			json_string(kinds[kind].resource.kind));
		return 0;
	}
	json_array_extend(json_object_get(found->document, "objects"), list);
	return 0;
}

static int collect(struct session *session, struct findings *found, enum kind kind, const char *ns, const char *query,
	struct error *err)
{
	return add_list(found, kind, session_list(session, &kinds[kind].resource, ns, query, err), err);
}

static int collect_named(struct session *session, struct findings *found, enum kind kind, const char *ns,
	const char *name, struct error *err)
{
	auto_strbuf query = STRBUF_INIT;

	/* A list, since the operator's role allows that by name. */
	strbuf_addstr(&query, "fieldSelector=metadata.name%3D");
	strbuf_add_urlencoded(&query, name);
	return collect(session, found, kind, ns, query.buf, err);
}

/* Where the adapter is, by what was collected. */
static void find_adapter(struct findings *found, const struct settings *s)
{
	struct world world;

	world_from_document(&world, found->document, s);
	adapter_survey_free(found->adapter);
	found->adapter = adapter_survey_make(&world);
	world_release_document(&world);
}

/* Borrowed; NULL when it is not there. */
static json_t *find_apiservice(const json_t *objects, const char *name)
{
	size_t i;
	json_t *object;

	json_array_foreach((json_t *)objects, i, object) {
		if (strcmp(json_path_string(object, "kind", ""), "APIService") == 0 &&
			strcmp(kube_object_name(object), name) == 0) {
			return object;
		}
	}
	return NULL;
}

/* The Service that an APIService leads to, unless it is there already. */
static int collect_service(struct session *session, struct findings *found, const char *apiservice, struct error *err)
{
	const json_t *object = find_apiservice(json_object_get(found->document, "objects"), apiservice);
	const json_t *service = json_path(object, "spec.service");

	return service == NULL ? 0
	                       : collect_named(session, found, KIND_SERVICE, json_path_string(service, "namespace", ""),
					 json_path_string(service, "name", ""), err);
}

/* Both versions of the metrics API, and what they lead to. */
static int collect_metrics_api(struct session *session, struct findings *found, struct error *err)
{
	for (size_t i = 0; i < APISERVICES; i++) {
		if (collect_named(session, found, KIND_APISERVICE, NULL, apiservices[i], err) < 0 ||
			collect_service(session, found, apiservices[i], err) < 0) {
			return -1;
		}
	}
	return 0;
}

/* As reconcile/adapter_find.h goes: the registration of the metrics API, its Service, the Deployments, the ConfigMap. */
static int collect_adapter(struct session *session, const struct settings *s, struct findings *found, struct error *err)
{
	const json_t *objects = json_object_get(found->document, "objects");
	const json_t *service;

	service = json_path(find_apiservice(objects, APISERVICE_V1BETA1), "spec.service");
	find_adapter(found, s);
	if (s->adapter.ns == NULL && service != NULL) {
		free_indirect(&found->adapter->ns);
		found->adapter->ns = xstrdup(json_path_string(service, "namespace", ""));
	}
	if (collect(session, found, KIND_DEPLOYMENT, found->adapter->ns, NULL, err) < 0) {
		/* Nothing leads to an adapter: where it usually is we need not have rights. */
		bool guessed = s->adapter.ns == NULL && service == NULL && err->kind == ERROR_FORBIDDEN;

		if (guessed) {
			error_release(err);
		}
		return guessed ? 0 : -1;
	}
	find_adapter(found, s);
	return collect_named(session, found, KIND_CONFIGMAP, found->adapter->ns, found->adapter->configmap, err);
}

int findings_read_metrics_api(struct findings *found, struct session *session, const struct options *o,
	struct error *err)
{
	found->document = json_pack("{s:[], s:[]}", "objects", "missing");
	if (o->metrics_certificates != NULL && settings_serve(&o->settings) &&
		collect_named(session, found, KIND_CONFIGMAP, o->settings.metrics_service.ns, o->metrics_certificates,
			err) < 0) {
		return -1;
	}
	return collect_metrics_api(session, found, err);
}

int findings_read_rest(struct findings *found, struct session *session, const struct settings *s, struct error *err)
{
	found->autoscalers = list_read(session, s, KIND_AUTOSCALER, NULL, err);
	if (found->autoscalers == NULL && err->kind != ERROR_NOT_FOUND) {
		return -1;
	}
	error_release(err);
	if (collect_adapter(session, s, found, err) < 0) {
		return -1;
	}
	for (size_t i = 0; i < findings_made_count; i++) {
		json_t *list = list_read(session, s, findings_made[i],
			"labelSelector=app.kubernetes.io%2Fmanaged-by%3D" MANAGED_BY, err);

		if (add_list(found, findings_made[i], list, err) < 0) {
			return -1;
		}
	}
	return 0;
}
