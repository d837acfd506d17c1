/* Carrying out a plan, step by step. */
#include "runtime/runner.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "kube/informer.h"
#include "not_kept.h"
#include "refusals.h"

/* One write under way. */
struct task {
	struct runner *run;
	const struct plan_write *write;
};

struct runner {
	struct kube_client *client;
	struct plan plan;
	struct plan_write status; /* the last write of all; its object is owned, NULL = none */
	struct task *tasks;       /* one for each write of the plan, and one for the status */
	size_t next;              /* of the plan's writes: not begun yet */
	size_t under_way;
	const struct view *owner; /* one reference */
	struct refusals *refusals;
	struct own_write *written;
	size_t written_count;
	size_t written_cap;
	size_t writes;
	bool status_written;
	bool sent_in_vain;
	struct error error;
	const struct plan_write *failed; /* whose error it is */
	runner_done_fn *done;
	void *ctx;
};

static void finish(struct runner *run)
{
	struct run_result result = {.error = run->error.kind != ERROR_NONE ? &run->error : NULL,
		.sent_in_vain = run->sent_in_vain,
		.written = run->written,
		.written_count = run->written_count,
		.writes = run->writes,
		.owner = view_autoscaler(run->owner),
		.status = run->status_written ? run->plan.status : NULL};

	run->done(run->ctx, &result);
	free_indirect(&result.written);
	plan_release(&run->plan);
	json_decref(run->status.object);
	view_unref(run->owner);
	error_release(&run->error);
	free_indirect(&run->tasks);
	free_indirect(&run);
}

static void remember(struct runner *run, enum kind kind, const json_t *result)
{
	run->writes++;
	run->written = xgrow(run->written, &run->written_cap, run->written_count + 1, sizeof(*run->written));
	run->written[run->written_count++] = (struct own_write){.kind = kind,
		.mark = kube_namespace_mark(kube_object_namespace(result)),
		.version = strtoull(kube_object_resource_version(result), NULL, 10)};
}

/* Of several the first by the plan's order counts, whichever was answered first. */
static void keep_first_error(struct runner *run, const struct plan_write *write, const struct error *err)
{
	bool earlier = write != &run->status && (run->failed == &run->status || write < run->failed);

	if (run->failed == NULL || earlier) {
		run->failed = write;
		error_copy(&run->error, err);
	}
}

/* Whether the same write would be answered so again. Who was overtaken reads what is there now first; the types that
 * are gone are not written at all. */
static bool is_refusal(const struct error *err)
{
	return err->kind != ERROR_CONFLICT && err->kind != ERROR_NOT_FOUND && err->kind != ERROR_CANCELLED;
}

static void fail(struct runner *run, const struct plan_write *write, const struct error *err)
{
	run->sent_in_vain = true;
	if (is_refusal(err)) {
		refusals_add(run->refusals, write, err);
	}
	keep_first_error(run, write, err);
}

static void begin_step(struct runner *run);
static void write_status(struct runner *run);

static void go_on(struct runner *run)
{
	if (run->under_way > 0) {
		return;
	}
	if (run->error.kind == ERROR_NONE && run->next < run->plan.count) {
		begin_step(run);
	} else {
		write_status(run);
	}
}

static void on_written(void *ctx, json_t *result, const struct error *err)
{
	const struct task *task = ctx;
	struct runner *run = task->run;
	const struct plan_write *write = task->write;
	auto_error lost = ERROR_INIT;

	run->under_way--;
	if (err != NULL) {
		fail(run, write, err);
		go_on(run);
		return;
	}
	refusals_remove(run->refusals, write);
	if (write->verb == PLAN_DELETE) {
		run->writes++;
	} else {
		remember(run, write->kind, result);
		if (not_kept(write, result, &lost)) {
			fail(run, write, &lost);
		}
	}
	log_event(LOG_INFO, "written", "verb", plan_verb_name(write->verb), "kind", kinds[write->kind].resource.kind,
		"namespace", kube_object_namespace(write->object), "name", kube_object_name(write->object), NULL);
	go_on(run);
}

/* Whether the write has to wait; it has failed then. */
static bool is_held(struct runner *run, const struct plan_write *write)
{
	const struct error *before = refusals_find(run->refusals, write);

	if (before != NULL) {
		keep_first_error(run, write, before);
	}
	return before != NULL;
}

static void begin_write(struct runner *run, size_t i)
{
	const struct plan_write *write = &run->plan.writes[i];
	const struct kube_resource *resource = &kinds[write->kind].resource;
	const char *ns = kube_object_namespace(write->object);
	const char *name = kube_object_name(write->object);
	struct task *task = &run->tasks[i];

	if (is_held(run, write)) {
		return;
	}
	*task = (struct task){.run = run, .write = write};
	run->under_way++;
	switch (write->verb) {
	case PLAN_CREATE:
		kube_create(run->client, resource, write->object, FIELD_MANAGER, on_written, task);
		return;
	case PLAN_CLAIM:
		kube_claim(run->client, resource, write->object, (unsigned)json_path_int(write->object, "entry", 0),
			on_written, task);
		return;
	case PLAN_APPLY:
		kube_apply(run->client, resource, write->object, FIELD_MANAGER, on_written, task);
		return;
	case PLAN_PATCH:
		kube_merge_patch(run->client, resource, ns, name, write->object, FIELD_MANAGER, on_written, task);
		return;
	case PLAN_DELETE:
		kube_delete(run->client, resource, ns, name, kube_object_uid(write->object), on_written, task);
		return;
	}
}

static void begin_step(struct runner *run)
{
	unsigned step = run->plan.writes[run->next].step;

	while (run->next < run->plan.count && run->plan.writes[run->next].step == step) {
		begin_write(run, run->next++);
	}
	go_on(run);
}

static void on_status(void *ctx, json_t *result, const struct error *err)
{
	struct runner *run = ctx;

	if (err == NULL) {
		run->status_written = true;
		refusals_remove(run->refusals, &run->status);
		remember(run, KIND_AUTOSCALER, result);
	} else if (err->kind != ERROR_NOT_FOUND) {
		/* Not found: it was deleted meanwhile, and its status with it. */
		fail(run, &run->status, err);
	}
	finish(run);
}

/* The uid is a precondition: a new object of the same name must not get the old one's status. New reference. */
static json_t *status_object(const struct runner *run)
{
	const struct kube_resource *resource = &kinds[KIND_AUTOSCALER].resource;
	auto_free char *api_version = kube_api_version(resource);

	return json_pack("{s:s, s:s, s:{s:s, s:s, s:s}, s:O}", "apiVersion", api_version, "kind", resource->kind,
		"metadata", "name", run->owner->meta.name, "namespace", run->owner->meta.ns, "uid",
		run->owner->meta.uid, "status", run->plan.status);
}

static void write_status(struct runner *run)
{
	if (run->plan.status == NULL || run->owner == NULL) {
		finish(run);
		return;
	}
	run->status = (struct plan_write){.verb = PLAN_APPLY, .kind = KIND_AUTOSCALER, .object = status_object(run)};
	if (is_held(run, &run->status)) {
		finish(run);
		return;
	}
	kube_apply_status(run->client, &kinds[KIND_AUTOSCALER].resource, run->status.object, FIELD_MANAGER, on_status,
		run);
}

void runner_start(struct kube_client *client, struct plan *plan_take, const struct view *owner,
	struct refusals *refusals, runner_done_fn *done, void *ctx)
{
	struct runner *run = xcalloc(1, sizeof(*run));

	*run = (struct runner){.client = client,
		.plan = *plan_take,
		.owner = view_ref(owner),
		.refusals = refusals,
		.error = ERROR_INIT,
		.done = done,
		.ctx = ctx};
	*plan_take = PLAN_INIT;
	run->tasks = xcalloc(run->plan.count + 1, sizeof(*run->tasks));
	go_on(run);
}
