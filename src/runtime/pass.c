/* What is remembered of a key between its passes. */
#include "pass.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/keep.h"
#include "base/json.h"
#include "base/memory.h"
#include "children/children.h"

/* On a smooth way up one link after the other begins to work, within moments: to write each step down costs the API
 * server more than all children (a status of 3 KiB takes it 10 ms, a child 2 to 4). The first is how far behind somebody
 * may be who waits for a first word; the second, who has had it, or comes while so much else is to be written that each
 * step takes longer. */
#define PROGRESS_MS 3000
#define PROGRESS_RARE_MS 20000
/* A healthy chain is Ready by then: a scrape, and the HPA's own period. */
#define RISING_MS 60000

static void forget_written(struct pass *pass)
{
	keep_free(pass->written, pass->written_count * sizeof(*pass->written));
	pass->written = NULL;
	pass->written_count = 0;
}

static void pass_free(void *value)
{
	struct pass *pass = value;

	refusals_clear(&pass->refusals);
	forget_written(pass);
	free_indirect(&pass->failure);
	replicas_fight_free(pass->fight);
	free_indirect(&pass->child_fights);
	keep_free(pass, sizeof(*pass));
}

void pass_map_init(struct map *passes)
{
	map_init(passes, pass_free);
}

struct pass *pass_of(struct map *passes, struct controller *controller, const char *key)
{
	struct pass *pass = map_get(passes, key);

	if (pass == NULL) {
		pass = keep_new(sizeof(*pass));
		*pass = (struct pass){.controller = controller,
			.refusals = REFUSALS_INIT,
			.counts = strchr(key, '/') != NULL};
		pass->key = map_put(passes, key, pass);
	}
	return pass;
}

static bool is_written(const struct run_result *result, enum kind kind)
{
	for (size_t i = 0; i < result->written_count; i++) {
		if (result->written[i].kind == kind) {
			return result->error == NULL;
		}
	}
	return false;
}

static void settle_fights(struct pass *pass, const struct run_result *result)
{
	for (size_t i = 0; i < children_count && pass->child_fights != NULL; i++) {
		child_fight_settle(&pass->child_fights[i], is_written(result, children[i]->form.kind), clock_wall_ms());
	}
}

void pass_wrote(struct pass *pass, const struct run_result *result)
{
	size_t bytes = result->written_count * sizeof(*pass->written);

	forget_written(pass);
	if (bytes > 0) {
		pass->written = memcpy(keep_new(bytes), result->written, bytes);
		pass->written_count = result->written_count;
	}
	pass->written_ms = clock_monotonic_ms();
	settle_fights(pass, result);
}

bool pass_caught_up(struct pass *pass, struct kube_informer *const *informers)
{
	for (size_t i = 0; i < pass->written_count; i++) {
		const struct own_write *own = &pass->written[i];
		const char *shown = kube_informer_resource_version(informers[own->kind], own->mark);

		if (strtoull(shown, NULL, 10) < own->version &&
			clock_monotonic_ms() - pass->written_ms <= PASS_OWN_WRITE_WAIT_MS) {
			return false;
		}
	}
	forget_written(pass);
	return true;
}

static bool writes_children(const struct pass *pass, const struct plan *plan)
{
	for (size_t i = 0; i < plan->count && pass->counts; i++) {
		if (plan->writes[i].verb == PLAN_APPLY || plan->writes[i].verb == PLAN_CREATE) {
			return true;
		}
	}
	return false;
}

/* One that is there already, and is to be as it was made. */
static void note_mend(struct pass *pass, const struct plan_write *write)
{
	const char *applied = json_string_value(
		json_object_get(json_path(write->object, "metadata.annotations"), ANNOTATION_APPLIED));

	for (size_t i = 0; i < children_count && applied != NULL; i++) {
		if (children[i]->form.kind == write->kind && (write->verb == PLAN_APPLY || write->verb == PLAN_PATCH)) {
			if (pass->child_fights == NULL) {
				pass->child_fights = xcalloc(children_count, sizeof(*pass->child_fights));
			}
			child_fight_plan(&pass->child_fights[i], child_fight_mark(applied));
		}
	}
}

void pass_note_children(struct pass *pass, const struct plan *plan)
{
	for (size_t i = 0; i < plan->count && pass->counts; i++) {
		note_mend(pass, &plan->writes[i]);
	}
	if (writes_children(pass, plan)) {
		int64_t now = clock_monotonic_ms();

		/* Of many that came at once it had its turn only now: Ready follows, and not long after. */
		if (pass->children_ms == 0 && pass->held_since_ms > 0) {
			pass->held_since_ms = now;
		}
		pass->children_ms = now;
	}
}

bool pass_is_rising(const struct pass *pass)
{
	return !pass->ready && pass->children_ms > 0 && clock_monotonic_ms() - pass->children_ms < RISING_MS;
}

/* Whether a first word of this generation was written. */
static bool speaks_of_now(const struct view *owner)
{
	return owner != NULL && view_autoscaler(owner)->status.observed_generation == owner->meta.generation;
}

static int64_t limit_of(const struct view *owner, bool busy)
{
	return busy || speaks_of_now(owner) ? PROGRESS_RARE_MS : PROGRESS_MS;
}

bool pass_holds_progress(const struct pass *pass, const struct view *owner, bool busy)
{
	return pass->held_since_ms > 0 && clock_monotonic_ms() - pass->held_since_ms < limit_of(owner, busy);
}

int64_t pass_hold_progress(struct pass *pass, struct plan *plan, const struct view *owner, bool busy)
{
	int64_t now = clock_monotonic_ms();
	int64_t limit_ms = limit_of(owner, busy);
	int64_t held_ms;

	if (plan->held) { /* it was not even made */
		held_ms = now - pass->held_since_ms;
		return held_ms < limit_ms ? limit_ms - held_ms : 1;
	}
	if (plan->status == NULL || !plan->progress) {
		pass->held_since_ms = 0;
		return 0;
	}
	if (pass->held_since_ms == 0) {
		pass->held_since_ms = now;
	}
	held_ms = now - pass->held_since_ms;
	if (held_ms >= limit_ms) {
		pass->held_since_ms = 0;
		return 0;
	}
	json_decref(plan->status);
	plan->status = NULL;
	return limit_ms - held_ms;
}

enum probe_interval pass_probe_interval(const struct pass *pass, const struct plan *plan)
{
	if (plan->healthy) {
		return PROBE_HEALTHY;
	}
	/* Before the children are there nothing comes of a probe. What cannot be written is no reason to wait. */
	if (pass->failure == NULL && writes_children(pass, plan)) {
		return PROBE_LATER;
	}
	return plan->waiting ? PROBE_WAITING : PROBE_BROKEN;
}
