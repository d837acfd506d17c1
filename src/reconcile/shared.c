/*
 * The reconcile of what autoscalers share: the adapter (reconcile/adapter.h), the GPU
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

/* A first probe that takes longer is not waited for. */
#define FIRST_LOOK_MS 8000

/* What live autoscalers need of the shared part. */
struct needs {
	struct adapter_needs adapter;
	struct gpu_needs gpu;
};

/* Since when the autoscaler needs what it needs: since it was made, or since its engine was found. */
static int64_t needs_since(const struct view_autoscaler *object, const struct evidence *evidence)
{
	const struct view_condition *exposed = view_condition(&object->status.conditions, "MetricsExposed");
	int64_t since = object->view.meta.created_ms;
	int64_t found = evidence != NULL ? evidence->page.seen_ms : 0;

	if (exposed != NULL && strcmp(exposed->status, "True") == 0) {
		found = exposed->transition_ms;
	}
	return strcmp(object->spec.engine_type, "Auto") == 0 && found > since ? found : since;
}

static void need_metric(struct needs *needs, const char *metric, int64_t since)
{
	if (json_path_int(needs->adapter.metrics, metric, INT64_MAX) > since) {
		json_object_set_new(needs->adapter.metrics, metric, json_integer(since));
	}
}

/* When the newest autoscaler came; one whose first probe is under way comes now, since it tells what it needs. */
static void note_newest(struct needs *needs, const struct world *world, int64_t made, bool reported)
{
	int64_t came = reported || world->now_ms - made > FIRST_LOOK_MS ? made : world->now_ms;

	if (came > needs->adapter.newest_ms) {
		needs->adapter.newest_ms = came;
	}
}

/* Adds what this one needs, unless it is on its way out or its spec is refused. */
static void gather(struct needs *needs, const struct world *world, const struct view_autoscaler *object)
{
	const struct autoscaler *spec = &object->spec;
	auto_free char *key = meta_key(&object->view.meta);
	const struct evidence *evidence = world->evidence(world->ctx, key);
	struct workload workload = {.spec = spec};
	auto_error err = ERROR_INIT;

	if (object->invalid.kind != ERROR_NONE || object->view.meta.deleting ||
		autoscaler_check_namespaces(spec, world->settings, &err) < 0 ||
		observe_signals(&workload, spec, observe_engine(spec, &object->status, evidence), &err) < 0) {
		return;
	}
	note_newest(needs, world, object->view.meta.created_ms, workload_complete(&workload) || evidence != NULL);
	for (size_t s = 0; s < workload.signals_count; s++) {
		need_metric(needs, workload.signals[s].signal->metric, needs_since(object, evidence));
	}
	if (autoscaler_uses_gpus(spec)) {
		gpu_needs_add(&needs->gpu, &object->view);
	}
}

static struct needs gather_needs(const struct world *world)
{
	struct needs needs = {.adapter = {json_object(), 0}};
	auto_view_list all = world_views(world, KIND_AUTOSCALER, NULL);

	for (size_t i = 0; i < all.count; i++) {
		gather(&needs, world, view_autoscaler(all.items[i]));
	}
	return needs;
}

void shared_reconcile(const struct world *world, struct plan *plan, struct shared_state *state)
{
	struct needs needs = gather_needs(world);
	json_t *gpu;

	adapter_reconcile(world, &needs.adapter, plan, state);
	json_decref(state->adapter);
	state->adapter = adapter_survey(world);
	metrics_api_check(world, state);
	plan_then(plan);
	gpu = gpu_survey(world, &needs.gpu, &state->gpu_mended_ms, plan);
	json_decref(state->gpu);
	state->gpu = gpu;
	plan->shared_probe = gpu_request(world, state->gpu);
	plan->healthy = state->state == ADAPTER_LOADED;
	json_decref(needs.adapter.metrics);
	gpu_needs_release(&needs.gpu);
}
