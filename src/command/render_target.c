/* Targets of kinds that are not watched, from their manifests. */
#include "render_target.h"

#include <string.h>

#include "api/kinds.h"
#include "base/json.h"
#include "base/memory.h"
#include "kube/resource.h"
#include "view/view.h"
#include "view/workload.h"

/* Where a kind has the template of the pods that it counts. */
static const char *const templates[] = {"spec.template", "spec.leaderWorkerTemplate.leaderTemplate",
	"spec.leaderWorkerTemplate.workerTemplate"};

static const json_t *template_of(const json_t *target)
{
	const json_t *found = NULL;

	for (size_t i = 0; found == NULL && i < ARRAY_LEN(templates); i++) {
		found = json_path(target, templates[i]);
	}
	return found;
}

/* A LeaderWorkerSet counts its groups by their leaders, which its controller labels (its scale's selector). */
static char *leaders_selector(const json_t *target)
{
	return xasprintf("leaderworkerset.sigs.k8s.io/name=%s,leaderworkerset.sigs.k8s.io/worker-index=0",
		json_path_string(target, "metadata.name", ""));
}

static char *selector_of(const json_t *target)
{
	auto_view *view = view_decode(KIND_DEPLOYMENT, target);
	const struct view_selector *selector = &view_workload(view)->selector;

	if (strcmp(json_path_string(target, "kind", ""), "LeaderWorkerSet") == 0) {
		return leaders_selector(target);
	}
	return selector->given ? view_selector_text(selector) : NULL;
}

/* Of all its containers. New reference. */
static json_t *ports_of(const json_t *template)
{
	json_t *ports = json_array();
	size_t i;
	json_t *container;

	json_array_foreach(json_path(template, "spec.containers"), i, container) {
		json_array_extend(ports, json_object_get(container, "ports"));
	}
	return ports;
}

/* New reference; NULL when the manifest has no selector. */
static json_t *evidence_of(const json_t *target)
{
	auto_free char *selector = selector_of(target);
	json_int_t replicas = json_path_int(target, "spec.replicas", 1);

	if (selector == NULL) {
		return NULL;
	}
	return json_pack("{s:{s:s, s:I, s:I}, s:{s:o}}", "target", "selector", selector, "replicas", replicas,
		"current", replicas, "pods", "ports", ports_of(template_of(target)));
}

static char *key_of(const char *kind, const char *ns, const char *name)
{
	return xasprintf("%s/%s/%s", kind, ns, name);
}

static enum kind kind_of(const json_t *object)
{
	return kind_by_name(json_path_string(object, "apiVersion", ""), json_path_string(object, "kind", ""));
}

/* {key: manifest} of the kinds that are not watched, so that each autoscaler finds its target at once. New reference. */
static json_t *targets_by_key(const json_t *objects)
{
	json_t *targets = json_object();
	size_t i;
	json_t *object;

	json_array_foreach((json_t *)(uintptr_t)objects, i, object) {
		if (kind_of(object) == KIND_COUNT) {
			auto_free char *key = key_of(json_path_string(object, "kind", ""),
				json_path_string(object, "metadata.namespace", ""),
				json_path_string(object, "metadata.name", ""));

			json_object_set(targets, key, object);
		}
	}
	return targets;
}

static void add_evidence(json_t *evidence, const json_t *autoscaler, const json_t *targets)
{
	auto_free char *wanted = key_of(json_path_string(autoscaler, "spec.scaleTargetRef.kind", ""),
		json_path_string(autoscaler, "metadata.namespace", ""),
		json_path_string(autoscaler, "spec.scaleTargetRef.name", ""));
	const json_t *target = json_object_get(targets, wanted);
	json_t *own = target != NULL ? evidence_of(target) : NULL;

	if (own != NULL) {
		auto_free char *key = kube_object_key(autoscaler);

		json_object_set_new(evidence, key, own);
	}
}

json_t *render_target_evidence(const json_t *objects)
{
	json_t *evidence = json_object();
	auto_json *targets = targets_by_key(objects);
	size_t i;
	json_t *object;

	json_array_foreach((json_t *)(uintptr_t)objects, i, object) {
		if (kind_of(object) == KIND_AUTOSCALER) {
			add_evidence(evidence, object, targets);
		}
	}
	return evidence;
}
