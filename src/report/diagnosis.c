/* Reading a chain from a status. */
#include "report/diagnosis.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "chain/links.h"
#include "chain/lints.h"
#include "kube/resource.h"

/* The summary, and what is there only while true (kstatus): no links. */
static bool is_link(const char *type)
{
	static const char *const others[] = {"Ready", CONDITION_ADVICE, "Reconciling", "Stalled"};

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		if (strcmp(others[i], type) == 0) {
			return false;
		}
	}
	return true;
}

static bool beyond_ready(const char *type)
{
	for (size_t i = 0; i < links_count; i++) {
		if (strcmp(links[i].type, type) == 0) {
			return links[i].beyond_ready;
		}
	}
	return false;
}

/* The links as the status has them, in its order: an operator of another version may have others. */
static json_t *chain_of(const json_t *object)
{
	json_t *chain = json_array();
	size_t i;
	json_t *condition;

	json_array_foreach(json_path(object, "status.conditions"), i, condition) {
		const char *type = json_path_string(condition, "type", "");

		if (is_link(type)) {
			json_array_append_new(chain, json_pack("{s:s, s:s, s:s, s:s}", "type", type, "status",
							     json_path_string(condition, "status", "Unknown"), "reason",
							     json_path_string(condition, "reason", ""), "message",
							     json_path_string(condition, "message", "")));
		}
	}
	return chain;
}

static const char *first_broken(const json_t *chain)
{
	size_t i;
	json_t *link;

	json_array_foreach((json_t *)chain, i, link) {
		if (strcmp(json_path_string(link, "status", ""), "True") != 0 &&
			!beyond_ready(json_path_string(link, "type", ""))) {
			return json_path_string(link, "type", NULL);
		}
	}
	return NULL;
}

static json_t *replicas_of(const json_t *object)
{
	json_t *replicas = json_deep_copy(json_path(object, "status.replicas"));

	if (replicas != NULL) {
		json_object_set_new(replicas, "min", json_integer(json_path_int(object, "spec.minReplicas", 1)));
		json_object_set_new(replicas, "max", json_integer(json_path_int(object, "spec.maxReplicas", 0)));
	}
	return replicas;
}

static json_t *warnings_of(const json_t *object, bool stale, json_int_t generation, json_int_t observed)
{
	json_t *warnings = json_array();

	if (json_array_size(json_path(object, "status.conditions")) == 0) {
		json_array_append_new(warnings,
			json_string(
				"no operator has looked at it yet: is one running? see kubectl get deployments -A -l "
				"app.kubernetes.io/name=inference-autoscaler"));
	} else if (stale) {
		auto_free char *text =
			xasprintf("the status speaks of generation %lld, the spec is at %lld: what follows "
				  "is of an older spec; if it stays so, no operator is running",
				(long long)observed, (long long)generation);

		json_array_append_new(warnings, json_string(text));
	}
	if (json_path(object, "metadata.deletionTimestamp") != NULL) {
		json_array_append_new(warnings, json_string("it is being deleted"));
	}
	return warnings;
}

json_t *diagnosis_make(const json_t *object)
{
	const json_t *ready = kube_object_condition(object, "Ready");
	const char *status = json_path_string(ready, "status", "Unknown");
	json_int_t generation = json_path_int(object, "metadata.generation", 0);
	json_int_t observed = json_path_int(object, "status.observedGeneration", 0);
	bool stale = observed < generation || json_path_int(ready, "observedGeneration", 0) < generation;
	auto_json *chain = chain_of(object);

	return json_pack(
		"{s:s, s:s, s:s, s:{s:s, s:s}, s:b, s:s, s:s*, s:s*, s:s*, s:s*, s:b, s:I, s:I, s:O, s:O*, s:o*, "
		"s:O*, s:O*, s:o, s:o}",
		"namespace", kube_object_namespace(object), "name", kube_object_name(object), "mode",
		json_path_string(object, "spec.mode", ""), "target", "kind",
		json_path_string(object, "spec.scaleTargetRef.kind", ""), "name",
		json_path_string(object, "spec.scaleTargetRef.name", ""), "works",
		!stale && strcmp(status, "True") == 0, "ready", status, "reason",
		json_path_string(ready, "reason", NULL), "message", json_path_string(ready, "message", NULL), "broken",
		first_broken(chain), "since", json_path_string(ready, "lastTransitionTime", NULL), "stale", stale,
		"generation", generation, "observedGeneration", observed, "chain", chain, "engine",
		json_path(object, "status.engine"), "replicas", replicas_of(object), "signals",
		json_path(object, "status.signals"), "children", json_path(object, "status.children"), "advice",
		json_is_array(json_path(object, "status.advice")) ? json_incref(json_path(object, "status.advice"))
								  : json_array(),
		"warnings", warnings_of(object, stale, generation, observed));
}
