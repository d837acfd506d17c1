/* One informer in front of several, each of a namespace: what they show is in its cache, and is reported as its own. */
#include <stdlib.h>

#include "base/memory.h"
#include "informer_parts.h"

struct informer_group {
	struct kube_informer *front; /* borrowed */
	struct kube_informer **members;
	size_t count;
	size_t open; /* of the members */
	void (*closed)(void *ctx);
	void *closed_ctx;
};

/* The cache of all follows what a member reports, so that it is never ahead of what the owner was told. */
static void on_changed(void *ctx, struct kube_informer *member, const void *before, const void *now)
{
	struct kube_informer *front = ctx;
	const struct kube_cache_form *form = &front->hooks.form;
	const void *old;

	(void)member;
	if (now != NULL) {
		old = kube_cache_place(front->cache, form->ref(now));
	} else {
		const struct kube_names names = form->names(before);

		old = kube_cache_take(front->cache, names.ns, names.name);
	}
	if (front->hooks.changed != NULL && !front->closing && (old != NULL || now != NULL)) {
		front->hooks.changed(front->hooks.ctx, front, old, now);
	}
	if (old != NULL) {
		form->unref(old);
	}
}

static bool group_refused(const struct informer_group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		if (!kube_informer_refused(group->members[i])) {
			return false;
		}
	}
	return true;
}

/* One that is refused shows nothing, and is not waited for while another shows something. */
static bool is_synced(const struct informer_group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		if (!group->members[i]->synced && !kube_informer_refused(group->members[i])) {
			return false;
		}
	}
	return !group_refused(group) || group->front->synced;
}

static void on_state(void *ctx, struct kube_informer *member)
{
	struct kube_informer *front = ctx;
	const struct informer_group *group = front->group;
	const struct error *err = NULL;
	auto_error copy = ERROR_INIT;
	bool missing = false;

	(void)member;
	for (size_t i = 0; i < group->count; i++) {
		missing = missing || group->members[i]->missing;
		err = err != NULL ? err : kube_informer_error(group->members[i]);
	}
	if (err != NULL) {
		error_copy(&copy, err);
	}
	informer_set_state(front, is_synced(group), missing, err != NULL ? &copy : NULL);
}

static struct informer_group *group_new(struct kube_informer *front, const struct texts *namespaces,
	const char *field_selector)
{
	struct informer_group *group = xcalloc(1, sizeof(*group));
	const struct kube_informer_hooks hooks = {.changed = on_changed,
		.state = on_state,
		.form = front->hooks.form,
		.ctx = front};

	*group = (struct informer_group){.front = front,
		.members = xcalloc(namespaces->count, sizeof(*group->members)),
		.count = namespaces->count,
		.open = namespaces->count};
	for (size_t i = 0; i < group->count; i++) {
		group->members[i] =
			kube_informer_new(front->client, front->resource, namespaces->items[i], field_selector, &hooks);
	}
	return group;
}

static void group_start(struct informer_group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		kube_informer_start(group->members[i]);
	}
}

static void group_retry(struct informer_group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		kube_informer_retry(group->members[i]);
	}
}

static void on_member_closed(void *ctx)
{
	struct informer_group *group = ctx;

	group->open--;
	if (group->open == 0) {
		group->closed(group->closed_ctx);
	}
}

static void group_close(struct informer_group *group, void (*closed)(void *ctx), void *ctx)
{
	group->closed = closed;
	group->closed_ctx = ctx;
	for (size_t i = 0; i < group->count; i++) {
		kube_informer_close(group->members[i], on_member_closed, group);
	}
}

static void group_free(struct informer_group *group)
{
	free(group->members);
	free(group);
}

static const struct kube_informer *group_of(const struct informer_group *group, uint32_t mark)
{
	for (size_t i = 0; i < group->count; i++) {
		if (group->members[i]->mark == mark) {
			return group->members[i];
		}
	}
	return NULL;
}

static int64_t group_progress_ms(const struct informer_group *group)
{
	int64_t least = INT64_MAX;

	for (size_t i = 0; i < group->count; i++) {
		const struct kube_informer *member = group->members[i];

		if (!kube_informer_refused(member) && member->progress_ms < least) {
			least = member->progress_ms;
		}
	}
	return least;
}

struct kube_informer *kube_informer_new_in(struct kube_client *client, const struct kube_resource *resource,
	const struct texts *namespaces, const char *field_selector, const struct kube_informer_hooks *hooks)
{
	static const struct informer_front front = {.start = group_start,
		.retry = group_retry,
		.close = group_close,
		.free = group_free,
		.refused = group_refused,
		.of = group_of,
		.progress_ms = group_progress_ms};
	const char *only = namespaces->count == 1 ? namespaces->items[0] : NULL;
	struct kube_informer *informer = kube_informer_new(client, resource, only, field_selector, hooks);

	if (namespaces->count > 1) {
		informer->group = group_new(informer, namespaces, field_selector);
		informer->front = &front;
	}
	return informer;
}
