/* Which status of an autoscaler is to be written, if any. */
#include "status_plan.h"

#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/memory.h"
#include "kube/resource.h"
#include "report/status.h"

static bool is_unknown(const char *status)
{
	return status[0] == '\0' || strcmp(status, "Unknown") == 0;
}

/* An operator that starts knows less than the status it finds: until its first probes have ended, the
 * autoscaler's own and those at what all share, what was last said of this very generation stays. */
static bool awaits_first_look(const struct observation *o, const struct verdict *verdicts, size_t first)
{
	const struct view_status *reported = &o->object->status;
	const char *status;
	bool unseen;

	if (first == links_count || strcmp(verdicts[first].reason, REASON_PROBING) != 0 ||
		o->facts.write_problem != NULL || reported->observed_generation != o->spec.generation) {
		return false;
	}
	if (o->facts.evidence == NULL) {
		return true;
	}
	unseen = !o->facts.workload.direct &&
	         (o->facts.adapter == ADAPTER_UNKNOWN || (autoscaler_uses_gpus(&o->spec) && o->facts.shared == NULL));
	status = view_condition_status(&reported->conditions, links[first].type);
	return unseen && !is_unknown(status);
}

/* Whether nothing is said but what is not known yet, before and now: Ready is what status_make() makes of this. */
static bool is_progress(const struct observation *o, const struct verdict *verdicts, size_t first)
{
	return o->facts.write_problem == NULL && o->facts.reverted == NULL && first < links_count &&
	       verdicts[first].status == VERDICT_UNKNOWN &&
	       is_unknown(view_condition_status(&o->object->status.conditions, "Ready"));
}

/* New reference; NULL when it is the status as it stands. */
static json_t *status_if_new(const struct observation *o, const struct verdict *verdicts, size_t first, int64_t now_ms)
{
	auto_json *status = status_make(&o->facts, verdicts, first, now_ms);
	struct digest digest = digest_json(status);

	return digest_equal(&digest, &o->object->status.digest) ? NULL : json_incref(status);
}

void status_plan(const struct observation *o, const struct world *world, const struct verdict *verdicts, size_t first,
	struct plan *plan)
{
	auto_free char *key = kube_key(o->spec.ns, o->spec.name);
	bool progress = is_progress(o, verdicts, first);

	if (awaits_first_look(o, verdicts, first)) {
		return;
	}
	plan->held = progress && world->holds_progress != NULL && world->holds_progress(world->ctx, key);
	if (!plan->held) {
		plan->status = status_if_new(o, verdicts, first, world->now_ms);
	}
	plan->progress = progress && plan->status != NULL;
}
