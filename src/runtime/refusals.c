/* A short list of refused writes by their digests. */
#include "refusals.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"

/* More writes than one pass has; an object that differs each time leaves the older ones behind. */
#define REFUSALS_MAX 16

/* A condition that was never stored changes now, in every pass. New reference. */
static json_t *without_times(const json_t *conditions)
{
	json_t *copy = json_array();
	size_t i;
	json_t *condition;

	json_array_foreach((json_t *)(uintptr_t)conditions, i, condition) {
		json_t *one = json_copy(condition);

		json_object_del(one, "lastTransitionTime");
		json_array_append_new(copy, one);
	}
	return copy;
}

/* The object without what only repeats what was observed. New reference. */
static json_t *stripped(const json_t *object)
{
	json_t *copy = json_copy((json_t *)(uintptr_t)object);
	const json_t *metadata = json_object_get(object, "metadata");
	const json_t *status = json_object_get(object, "status");
	json_t *level;

	if (json_object_get(metadata, "resourceVersion") != NULL) {
		level = json_copy((json_t *)(uintptr_t)metadata);
		json_object_del(level, "resourceVersion");
		json_object_set_new(copy, "metadata", level);
	}
	if (json_object_get(status, "conditions") != NULL) {
		level = json_copy((json_t *)(uintptr_t)status);
		json_object_set_new(level, "conditions", without_times(json_object_get(status, "conditions")));
		json_object_set_new(copy, "status", level);
	}
	return copy;
}

static struct digest digest_of(const struct plan_write *write)
{
	auto_json *whole = json_pack("[i, i, o]", (int)write->verb, (int)write->kind, stripped(write->object));

	return digest_json(whole);
}

static struct refusal *find(const struct refusals *refusals, const struct plan_write *write)
{
	struct digest digest;

	if (refusals == NULL || refusals->count == 0) {
		return NULL;
	}
	digest = digest_of(write);
	for (size_t i = 0; i < refusals->count; i++) {
		if (digest_equal(&refusals->items[i].write, &digest)) {
			return &refusals->items[i];
		}
	}
	return NULL;
}

void refusals_clear(struct refusals *refusals)
{
	for (size_t i = 0; i < refusals->count; i++) {
		error_release(&refusals->items[i].error);
	}
	free_indirect(&refusals->items);
	*refusals = REFUSALS_INIT;
}

const struct error *refusals_find(const struct refusals *refusals, const struct plan_write *write)
{
	bool held = refusals != NULL && clock_monotonic_ms() < refusals->until_ms;
	const struct refusal *found = held ? find(refusals, write) : NULL;

	return found != NULL ? &found->error : NULL;
}

static void remove_at(struct refusals *refusals, size_t i)
{
	error_release(&refusals->items[i].error);
	refusals->count--;
	for (; i < refusals->count; i++) {
		refusals->items[i] = refusals->items[i + 1];
	}
}

void refusals_add(struct refusals *refusals, const struct plan_write *write, const struct error *error)
{
	struct refusal *item = find(refusals, write);

	if (refusals == NULL) {
		return;
	}
	if (item == NULL) {
		if (refusals->count == REFUSALS_MAX) {
			remove_at(refusals, 0);
		}
		refusals->items = xgrow(refusals->items, &refusals->cap, refusals->count + 1, sizeof(*refusals->items));
		item = &refusals->items[refusals->count++];
		*item = (struct refusal){.write = digest_of(write), .error = ERROR_INIT};
	}
	error_copy(&item->error, error);
}

void refusals_remove(struct refusals *refusals, const struct plan_write *write)
{
	const struct refusal *item = find(refusals, write);

	if (item != NULL) {
		remove_at(refusals, (size_t)(item - refusals->items));
	}
}
