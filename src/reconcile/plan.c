/* A plan: a list of writes, a status, a probe request. */
#include "reconcile/plan.h"

#include "base/memory.h"

void plan_then(struct plan *plan)
{
	plan->step++;
}

void plan_again(struct plan *plan, int64_t again_ms)
{
	if (again_ms > 0 && (plan->again_ms == 0 || again_ms < plan->again_ms)) {
		plan->again_ms = again_ms;
	}
}

void plan_add_take(struct plan *plan, enum plan_verb verb, enum kind kind, json_t *object)
{
	plan->writes = xgrow(plan->writes, &plan->cap, plan->count + 1, sizeof(*plan->writes));
	plan->writes[plan->count++] =
		(struct plan_write){.verb = verb, .kind = kind, .step = plan->step, .object = object};
}

void plan_add_claim(struct plan *plan, enum kind kind, const struct view *observed)
{
	auto_free char *api_version = kube_api_version(&kinds[kind].resource);

	if (observed->meta.created_entry > 0) {
		plan_add_take(plan, PLAN_CLAIM, kind,
			json_pack("{s:s, s:s, s:{s:s, s:s, s:s}, s:i}", "apiVersion", api_version, "kind",
				kinds[kind].resource.kind, "metadata", "name", observed->meta.name, "namespace",
				observed->meta.ns, "resourceVersion", observed->meta.resource_version, "entry",
				observed->meta.created_entry - 1));
	}
}

void plan_add_delete(struct plan *plan, enum kind kind, const struct view *observed)
{
	auto_free char *api_version = kube_api_version(&kinds[kind].resource);

	plan_add_take(plan, PLAN_DELETE, kind,
		json_pack("{s:s, s:s, s:{s:s, s:s, s:s}}", "apiVersion", api_version, "kind", kinds[kind].resource.kind,
			"metadata", "name", observed->meta.name, "namespace", observed->meta.ns, "uid",
			observed->meta.uid));
}

void plan_drop_writes(struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++) {
		json_decref(plan->writes[i].object);
	}
	plan->count = 0;
}

void plan_release(struct plan *plan)
{
	plan_drop_writes(plan);
	free_indirect(&plan->writes);
	json_decref(plan->status);
	probe_request_unref(plan->probe);
	shared_request_unref(plan->shared_probe);
	*plan = PLAN_INIT;
}

const char *plan_verb_name(enum plan_verb verb)
{
	static const char *const names[] = {
		[PLAN_CREATE] = "create",
		[PLAN_APPLY] = "apply",
		[PLAN_CLAIM] = "claim",
		[PLAN_PATCH] = "patch",
		[PLAN_DELETE] = "delete",
	};

	return names[verb];
}

/* New reference; NULL when nothing is to be probed. */
static json_t *request_document(const struct plan *plan)
{
	if (plan->probe != NULL) {
		return probe_request_encode(plan->probe);
	}
	return plan->shared_probe != NULL ? shared_request_encode(plan->shared_probe) : NULL;
}

json_t *plan_document(const struct plan *plan)
{
	json_t *writes = json_array();

	for (size_t i = 0; i < plan->count; i++) {
		json_array_append_new(writes,
			json_pack("{s:s, s:s, s:O}", "verb", plan_verb_name(plan->writes[i].verb), "kind",
				kinds[plan->writes[i].kind].resource.kind, "object", plan->writes[i].object));
	}
	return json_pack("{s:o, s:O*, s:o*, s:b, s:o*, s:o*}", "writes", writes, "status", plan->status, "probe",
		request_document(plan), "healthy", plan->healthy, "waiting", plan->waiting ? json_true() : NULL,
		"againMs", plan->again_ms > 0 ? json_integer(plan->again_ms) : NULL);
}
