/* From two statuses to what happened between them. */
#include "report/transitions.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "report/status.h"

static const json_t *ready_of(const json_t *status)
{
	return json_find(json_object_get(status, "conditions"), "type", "Ready");
}

static bool ready_changed(const struct view_status *before, const json_t *after, struct transition *transition)
{
	const json_t *ready = ready_of(after);
	const char *is = json_path_string(ready, "status", "Unknown");

	if (strcmp(view_condition_status(&before->conditions, "Ready"), is) == 0 || strcmp(is, "Unknown") == 0) {
		return false;
	}
	*transition = (struct transition){
		.warning = strcmp(is, "False") == 0,
		.reason = json_path_string(ready, "reason", "Ready"),
		.action = "CheckChain",
		.note = xstrdup(json_path_string(ready, "message", "")),
	};
	return true;
}

static bool replicas_changed(const struct view_status *before, const json_t *after, struct transition *transition)
{
	int64_t was = before->desired_replicas;
	int64_t is = json_path_int(after, "replicas.desired", 0);

	/* An HPA that has not computed yet says 0, and computes 1 at least. */
	if (was <= 0 || is == 0 || was == is) {
		return false;
	}
	*transition = (struct transition){
		.reason = "Scaled",
		.action = "Scale",
		.note = xasprintf("the wanted replicas went from %lld to %lld", (long long)was, (long long)is),
	};
	return true;
}

static bool fallback_changed(const struct view_status *before, const json_t *after, struct transition *transition)
{
	const json_t *active = json_find(json_object_get(after, "conditions"), "type", CONDITION_FALLBACK);
	bool was = strcmp(view_condition_status(&before->conditions, CONDITION_FALLBACK), "True") == 0;

	if (was == (active != NULL)) {
		return false;
	}
	*transition = (struct transition){
		.warning = active != NULL,
		.reason = active != NULL ? CONDITION_FALLBACK : "FallbackEnded",
		.action = "FallBack",
		.note = xstrdup(json_path_string(active, "message", "spec.fallback is not in force any more")),
	};
	return true;
}

/* What was never checked to its end: advice that comes on its way up is in the status, beside Ready. */
static bool is_new(const struct view_status *before)
{
	const char *was = view_condition_status(&before->conditions, "Ready");

	return was[0] == '\0' || strcmp(was, "Unknown") == 0;
}

static bool was_advised(const struct view_status *before, const char *reason)
{
	for (uint32_t i = 0; i < before->advice_count; i++) {
		if (strcmp(before->advice[i].reason, reason) == 0) {
			return true;
		}
	}
	return false;
}

/* Fills at most `room`. */
static size_t advice_came(const struct view_status *before, const json_t *after, struct transition *found, size_t room)
{
	size_t count = 0;
	size_t i;
	json_t *one;

	json_array_foreach(json_object_get(after, "advice"), i, one) {
		const char *reason = json_path_string(one, "reason", "");

		if (!is_new(before) && count < room && !was_advised(before, reason)) {
			found[count++] = (struct transition){
				.warning = true,
				.reason = reason,
				.action = "Advise",
				.note = xstrdup(json_path_string(one, "message", "")),
			};
		}
	}
	return count;
}

size_t transitions_find(const struct view_status *before, const json_t *after, struct transition found[TRANSITIONS_MAX])
{
	size_t count = 0;

	count += ready_changed(before, after, &found[count]);
	count += replicas_changed(before, after, &found[count]);
	count += fallback_changed(before, after, &found[count]);
	count += advice_came(before, after, &found[count], TRANSITIONS_MAX - count);
	return count;
}

void transitions_release(struct transition *found, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free_indirect(&found[i].note);
	}
}
