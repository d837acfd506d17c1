/* Reading a chain from a status. */
#include "report/diagnosis.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "chain/links.h"
#include "report/status.h"

/* Not the summaries. */
static bool is_link(const char *type)
{
	return strcmp(type, "Ready") != 0 && !status_only_while_true(type);
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

static const char *text_or(const char *text, const char *otherwise)
{
	return text != NULL ? text : otherwise;
}

/* "Unknown" when it is not given. */
static const char *status_of(const struct view_condition *condition)
{
	return condition != NULL && condition->status[0] != '\0' ? condition->status : "Unknown";
}

/* The links as the status has them, in its order: an operator of another version may have others. */
static json_t *chain_of(const struct view_conditions *conditions)
{
	json_t *chain = json_array();

	for (uint32_t i = 0; i < conditions->count; i++) {
		const struct view_condition *link = &conditions->items[i];

		if (is_link(link->type)) {
			json_array_append_new(chain,
				json_pack("{s:s, s:s, s:s, s:s}", "type", link->type, "status", status_of(link),
					"reason", text_or(link->reason, ""), "message", text_or(link->message, "")));
		}
	}
	return chain;
}

static const char *first_broken(const struct view_conditions *conditions)
{
	for (uint32_t i = 0; i < conditions->count; i++) {
		const struct view_condition *link = &conditions->items[i];

		if (is_link(link->type) && !beyond_ready(link->type) && strcmp(link->status, "True") != 0) {
			return link->type;
		}
	}
	return NULL;
}

static json_t *replicas_of(const struct view_autoscaler *object)
{
	const struct view_status *status = &object->status;

	if (!status->replicas_given) {
		return NULL;
	}
	return json_pack("{s:I, s:I, s:I, s:I}", "current", (json_int_t)status->current_replicas, "desired",
		(json_int_t)status->desired_replicas, "min", (json_int_t)object->min_replicas, "max",
		(json_int_t)object->max_replicas);
}

/* The operator writes both lists, or none while the spec is refused; the children are never none. */
static bool has_lists(const struct view_status *status)
{
	return status->signals_count > 0 || status->children_count > 0;
}

static json_t *signals_of(const struct view_status *status)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < status->signals_count; i++) {
		const struct view_signal *signal = &status->signals[i];

		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s, s:b}", "name", signal->name, "metric", signal->metric, "target",
				signal->target, "served", signal->served));
	}
	return list;
}

static json_t *children_of(const struct view_status *status)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < status->children_count; i++) {
		const struct view_child *child = &status->children[i];

		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s}", "kind", child->kind, "namespace", child->ns, "name", child->name));
	}
	return list;
}

static json_t *advice_of(const struct view_status *status)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < status->advice_count; i++) {
		json_array_append_new(list, json_pack("{s:s, s:s}", "reason", status->advice[i].reason, "message",
						    status->advice[i].message));
	}
	return list;
}

static json_t *warnings_of(const struct view_autoscaler *object, bool stale, int64_t observed)
{
	json_t *warnings = json_array();

	if (object->status.conditions.count == 0) {
		json_array_append_new(warnings,
			json_string(
				"no operator has looked at it yet: is one running? see kubectl get deployments -A -l "
				"app.kubernetes.io/name=inference-autoscaler"));
	} else if (stale) {
		auto_free char *text =
			xasprintf("the status speaks of generation %lld, the spec is at %lld: what follows "
				  "is of an older spec; if it stays so, no operator is running",
				(long long)observed, (long long)object->view.meta.generation);

		json_array_append_new(warnings, json_string(text));
	}
	if (object->view.meta.deleting) {
		json_array_append_new(warnings, json_string("it is being deleted"));
	}
	return warnings;
}

/* Whether any of the status speaks of an older spec. */
static bool is_stale(const struct view_autoscaler *object, int64_t observed)
{
	const struct view_condition *ready = view_condition(&object->status.conditions, "Ready");
	int64_t generation = object->view.meta.generation;
	int64_t ready_observed = ready != NULL && ready->observed_generation > 0 ? ready->observed_generation : 0;

	return observed < generation || ready_observed < generation;
}

json_t *diagnosis_make(const struct view_autoscaler *object)
{
	const struct view_status *status = &object->status;
	const struct view_condition *ready = view_condition(&status->conditions, "Ready");
	int64_t observed = status->observed_generation > 0 ? status->observed_generation : 0;
	bool stale = is_stale(object, observed);
	bool lists = has_lists(status);
	int64_t since_ms = ready != NULL ? view_condition_since_ms(ready) : -1;
	auto_free char *since = since_ms >= 0 ? clock_rfc3339(since_ms) : NULL;

	return json_pack(
		"{s:s, s:s, s:s, s:s*, s:{s:s, s:s}, s:b, s:s, s:s*, s:s*, s:s*, s:s*, s:b, s:I, s:I, s:o, s:o*, s:o*, "
		"s:o*, s:o*, s:o, s:o}",
		"namespace", object->view.meta.ns, "name", object->view.meta.name, "mode", object->mode, "source",
		status->source, "target", "kind", object->target_kind, "name", object->target_name, "works",
		!stale && strcmp(status_of(ready), "True") == 0, "ready", status_of(ready), "reason",
		ready != NULL ? ready->reason : NULL, "message", ready != NULL ? ready->message : NULL, "broken",
		first_broken(&status->conditions), "since", since, "stale", stale, "generation",
		(json_int_t)object->view.meta.generation, "observedGeneration", (json_int_t)observed, "chain",
		chain_of(&status->conditions), "engine", view_engine_json(&status->engine), "replicas",
		replicas_of(object), "signals", lists ? signals_of(status) : NULL, "children",
		lists ? children_of(status) : NULL, "advice", advice_of(status), "warnings",
		warnings_of(object, stale, observed));
}
