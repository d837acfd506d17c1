/*
 * The reconcile of the stack that autoscalers share: the adapter (reconcile/adapter.h), the GPU
 * chain (reconcile/gpu.h) and the metrics API (reconcile/metrics_api.h).
 */
#include "reconcile/reconcile.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "reconcile/adapter.h"
#include "reconcile/gpu.h"
#include "reconcile/metrics_api.h"
#include "reconcile/observe.h"

void stack_state_release(struct stack_state *state)
{
	free_indirect(&state->message);
	json_decref(state->gpu);
	json_decref(state->adapter);
	free_indirect(&state->api_message);
	*state = (struct stack_state)STACK_STATE_INIT;
}

void stack_state_set(struct stack_state *state, enum adapter_state value, const char *reason, char *message)
{
	free_indirect(&state->message);
	state->state = value;
	state->reason = reason;
	state->message = message;
}

/* What live autoscalers need of the stack. */
struct needs {
	json_t *metrics;   /* a set */
	json_t *exporters; /* gpu_exporter_id() → the first InferenceAutoscaler that asks for it */
};

static struct needs gather_needs(const struct world *world)
{
	struct needs needs = {json_object(), json_object()};
	auto_json *all = world->list(world->ctx, KIND_AUTOSCALER, NULL);
	size_t i;
	json_t *object;

	json_array_foreach(all, i, object) {
		auto_free char *key = kube_object_key(object);
		auto_error err = ERROR_INIT;
		auto_autoscaler spec;
		struct workload workload = {.spec = &spec};

		if (autoscaler_decode(object, &spec, &err) < 0 ||
			json_path(object, "metadata.deletionTimestamp") != NULL ||
			observe_signals(&workload, &spec,
				observe_engine(&spec, object, world->evidence(world->ctx, key)), &err) < 0) {
			continue;
		}
		for (size_t s = 0; s < workload.signals_count; s++) {
			json_object_set_new(needs.metrics, workload.signals[s].signal->metric, json_true());
		}
		if (autoscaler_uses_gpus(&spec)) {
			auto_free char *id = gpu_exporter_id(&spec);

			if (json_object_get(needs.exporters, id) == NULL) {
				json_object_set(needs.exporters, id, object);
			}
		}
	}
	return needs;
}

void stack_reconcile(const struct world *world, struct plan *plan, struct stack_state *state)
{
	struct needs needs = gather_needs(world);

	adapter_reconcile(world, needs.metrics, plan, state);
	json_decref(state->adapter);
	state->adapter = adapter_survey(world);
	metrics_api_judge(world, state);
	json_decref(state->gpu);
	state->gpu = gpu_survey(world, needs.exporters, plan);
	plan->probe = gpu_wish(world, state->gpu);
	plan->healthy = state->state == ADAPTER_LOADED;
	json_decref(needs.metrics);
	json_decref(needs.exporters);
}
