/*
 * The reconcile of what autoscalers share: the adapter (reconcile/adapter.h), the GPU chain (reconcile/gpu.h) and the
 * metrics API, the adapter's (reconcile/metrics_api.h) or our own (reconcile/registration.h).
 */
#include "reconcile/reconcile.h"

#include "base/json.h"
#include "base/memory.h"
#include "reconcile/adapter.h"
#include "reconcile/gpu.h"
#include "reconcile/metrics_api.h"
#include "reconcile/needs.h"
#include "reconcile/registration.h"
#include "reconcile/takeover.h"
#include "vacancy.h"

void shared_reconcile(const struct world *world, const struct needs *needs, struct plan *plan,
	struct shared_state *state)
{
	auto_json *metrics = NULL;
	size_t exporters_count = 0;
	auto_free struct gpu_need *exporters = NULL;

	takeover_note(world, &state->takeover);
	vacancy_note(world, &state->vacancy);
	if (needs != NULL) {
		bool direct = registration_is_ours(world);

		metrics = needs_metrics(needs, direct);
		exporters = needs_exporters(needs, direct, &exporters_count);
	}
	registration_check(world, state);
	if (needs != NULL) {
		registration_plan(world, !needs_prometheus_alone(needs), plan);
	} else {
		/* While the operator is there still: what is registered and not served hinders others. */
		registration_plan_removal(world, plan);
		plan_then(plan);
	}
	adapter_reconcile(world, metrics, plan, state);
	adapter_survey_free(state->adapter);
	state->adapter = adapter_survey_make(world);
	metrics_api_check(world, state);
	plan_then(plan);
	gpu_survey_free(state->gpu);
	state->gpu = gpu_survey_make(world, exporters, exporters_count, &state->gpu_memory, plan);
	plan->shared_probe = gpu_request(world, state->gpu);
	if (world->settings->leave_shared) {
		plan_drop_writes(plan);
	}
	plan->healthy = state->state == ADAPTER_LOADED;
}
