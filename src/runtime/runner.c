/* Carrying out a plan, one request after the other. */
#include "runtime/runner.h"

#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"

struct runner {
	struct kube_client *client;
	struct plan plan;
	size_t next;
	json_t *owner;
	json_t *written;
	size_t writes;
	bool status_written;
	struct error error;
	runner_done_fn *done;
	void *ctx;
};

static void step(struct runner *run);

static void finish(struct runner *run)
{
	const struct run_result result = {.error = run->error.kind != ERROR_NONE ? &run->error : NULL,
		.written = run->written,
		.writes = run->writes,
		.owner = run->owner,
		.status = run->status_written ? run->plan.status : NULL};

	run->done(run->ctx, &result);
	plan_release(&run->plan);
	json_decref(run->owner);
	json_decref(run->written);
	error_release(&run->error);
	free_indirect(&run);
}

static void remember(struct runner *run, enum kind kind, const json_t *result)
{
	run->writes++;
	json_array_append_new(run->written,
		json_pack("{s:i, s:s}", "kind", (int)kind, "resourceVersion", kube_object_resource_version(result)));
}

static void keep_first_error(struct runner *run, const struct error *err)
{
	if (run->error.kind == ERROR_NONE) {
		error_copy(&run->error, err);
	}
}

static void on_status(void *ctx, json_t *result, const struct error *err)
{
	struct runner *run = ctx;

	if (err == NULL) {
		run->status_written = true;
		remember(run, KIND_AUTOSCALER, result);
	} else if (err->kind != ERROR_NOT_FOUND) {
		/* Not found: it was deleted meanwhile, and its status with it. */
		keep_first_error(run, err);
	}
	finish(run);
}

static void write_status(struct runner *run)
{
	const struct kube_resource *resource = &kinds[KIND_AUTOSCALER].resource;
	auto_free char *api_version = NULL;
	auto_json *object = NULL;

	if (run->plan.status == NULL || run->owner == NULL) {
		finish(run);
		return;
	}
	api_version = kube_api_version(resource);
	/* The uid is a precondition: a new object of the same name must not get the old one's status. */
	object = json_pack("{s:s, s:s, s:{s:s, s:s, s:s}, s:O}", "apiVersion", api_version, "kind", resource->kind,
		"metadata", "name", kube_object_name(run->owner), "namespace", kube_object_namespace(run->owner), "uid",
		kube_object_uid(run->owner), "status", run->plan.status);
	kube_apply_status(run->client, resource, object, FIELD_MANAGER, on_status, run);
}

/* A server of a version that does not have a field, or has it switched off, drops it without a word.
 * Left untold, the object would be written again in every pass. */
static void report_dropped(struct runner *run, const struct plan_write *write, const json_t *result)
{
	auto_error err = ERROR_INIT;
	auto_free char *path = NULL;

	if (write->verb != PLAN_APPLY) {
		return;
	}
	path = json_first_uncovered(json_object_get(result, "spec"), json_object_get(write->object, "spec"));
	if (path != NULL) {
		error_set(&err, ERROR_INVALID,
			"%s '%s/%s': the API server did not keep 'spec.%s': its version does not have this field, or has it "
			"switched off; take it out of the InferenceAutoscaler",
			kinds[write->kind].resource.kind, kube_object_namespace(write->object),
			kube_object_name(write->object), path);
		keep_first_error(run, &err);
	}
}

static void on_written(void *ctx, json_t *result, const struct error *err)
{
	struct runner *run = ctx;
	const struct plan_write *write = &run->plan.writes[run->next];

	if (err != NULL) {
		keep_first_error(run, err);
		write_status(run);
		return;
	}
	if (write->verb == PLAN_DELETE) {
		run->writes++;
	} else {
		remember(run, write->kind, result);
		report_dropped(run, write, result);
	}
	log_event(LOG_INFO, "written", "verb", plan_verb_name(write->verb), "kind", kinds[write->kind].resource.kind,
		"namespace", kube_object_namespace(write->object), "name", kube_object_name(write->object), NULL);
	run->next++;
	step(run);
}

static void step(struct runner *run)
{
	const struct plan_write *write;
	const struct kube_resource *resource;
	const char *ns;
	const char *name;

	if (run->next == run->plan.count) {
		write_status(run);
		return;
	}
	write = &run->plan.writes[run->next];
	resource = &kinds[write->kind].resource;
	ns = kube_object_namespace(write->object);
	name = kube_object_name(write->object);
	switch (write->verb) {
	case PLAN_APPLY:
		kube_apply(run->client, resource, write->object, FIELD_MANAGER, on_written, run);
		return;
	case PLAN_PATCH:
		kube_merge_patch(run->client, resource, ns, name, write->object, FIELD_MANAGER, on_written, run);
		return;
	case PLAN_DELETE:
		kube_delete(run->client, resource, ns, name, kube_object_uid(write->object), on_written, run);
		return;
	}
}

void runner_start(struct kube_client *client, struct plan *plan_take, const json_t *owner, runner_done_fn *done,
	void *ctx)
{
	struct runner *run = xcalloc(1, sizeof(*run));

	*run = (struct runner){.client = client,
		.plan = *plan_take,
		.owner = json_incref((json_t *)(uintptr_t)owner),
		.written = json_array(),
		.error = ERROR_INIT,
		.done = done,
		.ctx = ctx};
	*plan_take = PLAN_INIT;
	if (run->plan.count == 0 && (run->plan.status == NULL || owner == NULL)) {
		finish(run);
		return;
	}
	step(run);
}
