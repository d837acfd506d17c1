/* What of the shared GPU chain is written, and what is taken away. */
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "children/gpu.h"
#include "reconcile/plan.h"
#include "survey.h"

static const struct child_form *form_of(const json_t *object)
{
	static const struct child_form *const forms[] = {&gpu_service_form, &gpu_monitor_form, &gpu_rule_form};

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		if (strcmp(kinds[forms[i]->kind].resource.kind, json_path_string(object, "kind", "")) == 0) {
			return forms[i];
		}
	}
	return NULL;
}

/* What is wanted and missing or edited. An object of the name that is not ours is left alone. */
static void plan_wanted(const struct survey *s, struct plan *plan)
{
	size_t i;
	json_t *wanted;

	json_array_foreach(s->wanted, i, wanted) {
		const struct child_form *form = form_of(wanted);
		const struct view *observed;

		if (s->world->missing(s->world->ctx, form->kind)) {
			continue;
		}
		observed = world_view(s->world, form->kind, kube_object_namespace(wanted), kube_object_name(wanted));
		child_stamp(wanted);
		if (observed == NULL) {
			plan_add_take(plan, PLAN_APPLY, form->kind, json_incref(wanted));
		} else if (survey_is_shared(observed) && !child_matches(form, observed, wanted)) {
			plan_add_take(plan, form->mend_by_patch ? PLAN_PATCH : PLAN_APPLY, form->kind,
				form->mend_by_patch ? child_patch(form, observed, wanted) : json_incref(wanted));
		}
	}
}

static void plan_orphans(const struct survey *s, struct plan *plan)
{
	static const enum kind shared[] = {KIND_SERVICE, KIND_SERVICEMONITOR, KIND_PROMETHEUSRULE};

	for (size_t k = 0; k < ARRAY_LEN(shared); k++) {
		auto_view_list ours = world_views_by(s->world, shared[k], SHARED_GPU);

		for (size_t i = 0; i < ours.count; i++) {
			const struct object_meta *meta = &ours.items[i]->meta;

			if (!survey_wants(s, shared[k], meta->ns, meta->name)) {
				plan_add_delete(plan, shared[k], ours.items[i]);
			}
		}
	}
}

void survey_plan(const struct survey *s, struct plan *plan)
{
	plan_wanted(s, plan);
	plan_orphans(s, plan);
}
