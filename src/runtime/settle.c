/* The one place that decides after a pass: forget the key, again at once, or later. */
#include "settle.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/json.h"
#include "base/memory.h"
#include "report/transitions.h"
#include "report/write_refusal.h"

/* What an Event tells of the object that it is about. New reference. */
static json_t *reference_to(const struct object_meta *meta)
{
	const struct kube_resource *resource = &kinds[KIND_AUTOSCALER].resource;
	auto_free char *api_version = kube_api_version(resource);

	return json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:s}}", "apiVersion", api_version, "kind", resource->kind,
		"metadata", "namespace", meta->ns, "name", meta->name, "uid", meta->uid, "resourceVersion",
		meta->resource_version);
}

static void report_transitions(struct controller *c, const struct run_result *result)
{
	struct transition found[TRANSITIONS_MAX];
	auto_json *regarding = NULL;
	size_t count;

	if (result->status == NULL) {
		return;
	}
	regarding = reference_to(&result->owner->view.meta);
	count = transitions_find(&result->owner->status, result->status, found);
	for (size_t i = 0; i < count; i++) {
		const struct kube_event event = {.warning = found[i].warning,
			.reason = found[i].reason,
			.action = found[i].action,
			.note = found[i].note};

		kube_recorder_report(c->recorder, regarding, &event);
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
