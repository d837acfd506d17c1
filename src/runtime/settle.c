/* The one place that decides after a pass: forget the key, again at once, or later. */
#include "settle.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "object_event.h"
#include "report/transitions.h"
#include "report/write_refusal.h"

static void report_transitions(struct controller *c, const struct run_result *result)
{
	struct transition found[TRANSITIONS_MAX];
	size_t count;

	if (result->status == NULL) {
		return;
	}
	count = transitions_find(&result->owner->status, result->status, found);
	for (size_t i = 0; i < count; i++) {
		object_event(c->recorder, KIND_AUTOSCALER, &result->owner->view.meta, &found[i]);
	}
	transitions_release(found, count);
}

/* A type that was removed: our watch of it notices within seconds, and reports it. Any other object that is not found
 * has a name in the message. */
static bool type_is_gone(const struct error *err)
{
	return (err->kind == ERROR_NOT_FOUND && strstr(err->message, "404 page not found") != NULL) ||
	       (err->kind == ERROR_FORBIDDEN &&
		       strstr(err->message, "custom resource definition is terminating") != NULL);
}

/* What the API server refuses, it names: verb, resource and whose right it is, or the policy. */
static char *failure_text(const struct error *err)
{
	return xasprintf("%s%s", err->message, write_refusal_remedy(err));
}

static void settle_success(struct controller *c, struct pass *pass)
{
	bool failed_before = pass->failure != NULL;

	free_indirect(&pass->failure);
	refusals_clear(&pass->refusals);
	queue_forget(c->queue, pass->key);
	if (failed_before) {
		queue_add(c->queue, pass->key); /* to take the failure out of the status */
	}
}

/* Something was sent, and refused: it is sent again after the key's back-off, whatever wakes the key before. */
static void settle_failure(struct controller *c, struct pass *pass, const struct error *err)
{
	bool failed_before = pass->failure != NULL;

	c->count_failures++;
	free_indirect(&pass->failure);
	pass->failure = failure_text(err);
	log_event(LOG_ERROR, "pass failed", "key", pass->key, "error", err->message, NULL);
	pass->refusals.until_ms = clock_monotonic_ms() + queue_add_limited(c->queue, pass->key, err->retry_after_ms);
	/* A server that asks to be left alone is not written to, not even to say so. */
	if (!failed_before && err->retry_after_ms <= 0) {
		queue_add(c->queue, pass->key); /* to say so in the status */
	}
}

void settle_run(struct controller *c, struct pass *pass, struct run_result *result)
{
	const struct error *err = result->error;

	c->count_writes += result->writes;
	pass_wrote(pass, result);
	report_transitions(c, result);
	if (err == NULL) {
		settle_success(c, pass);
	} else if (err->kind == ERROR_CONFLICT || type_is_gone(err)) {
		free_indirect(&pass->failure);
		queue_add_limited(c->queue, pass->key, 0); /* somebody was faster: look again */
	} else if (result->sent_in_vain) {
		settle_failure(c, pass, err);
	} else {
		queue_add_after(c->queue, pass->key, pass->refusals.until_ms - clock_monotonic_ms());
	}
}
