/*
 * The reconcile of what autoscalers share: the adapter (reconcile/adapter.h), the GPU
 * chain (reconcile/gpu.h) and the metrics API (reconcile/metrics_api.h).
 */
#include "reconcile/reconcile.h"

#include <string.h>

#include "base/clock.h"
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
static int64_t needs_since(const json_t *object, const struct autoscaler *spec, const struct evidence *evidence)
{
	const json_t *exposed = kube_object_condition(object, "MetricsExposed");
	int64_t since = clock_parse_rfc3339(json_path_string(object, "metadata.creationTimestamp", ""));
	int64_t found = evidence != NULL ? evidence->page.seen_ms : 0;

	if (strcmp(json_path_string(exposed, "status", ""), "True") == 0) {
		found = clock_parse_rfc3339(json_path_string(exposed, "lastTransitionTime", ""));
	}
	return strcmp(spec->engine_type, "Auto") == 0 && found > since ? found : since;
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

static struct needs gather_needs(const struct world *world)
{
	struct needs needs = {.adapter = {json_object(), 0}};
	auto_json *all = world->list(world->ctx, KIND_AUTOSCALER, NULL);
	size_t i;
	json_t *object;

	json_array_foreach(all, i, object) {
		auto_free char *key = kube_object_key(object);
		auto_error err = ERROR_INIT;
		auto_autoscaler spec;
		int64_t made = clock_parse_rfc3339(json_path_string(object, "metadata.creationTimestamp", ""));
		struct workload workload = {.spec = &spec};
		const struct evidence *evidence = world->evidence(world->ctx, key);

		if (autoscaler_decode(object, &spec, &err) < 0 ||
			autoscaler_check_namespaces(&spec, world->settings, &err) < 0 ||
			json_path(object, "metadata.deletionTimestamp") != NULL ||
			observe_signals(&workload, &spec, observe_engine(&spec, object, evidence), &err) < 0) {
			continue;
		}
		note_newest(&needs, world, made, workload_complete(&workload) || evidence != NULL);
		for (size_t s = 0; s < workload.signals_count; s++) {
			need_metric(&needs, workload.signals[s].signal->metric, needs_since(object, &spec, evidence));
		}
		if (autoscaler_uses_gpus(&spec)) {
			gpu_needs_add(&needs.gpu, world_view(world, KIND_AUTOSCALER, spec.ns, spec.name));
		}
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
	gpu = gpu_survey(world, &needs.gpu, &state->gpu_mended_ms, plan);
	json_decref(state->gpu);
	state->gpu = gpu;
	plan->shared_probe = gpu_request(world, state->gpu);
	plan->healthy = state->state == ADAPTER_LOADED;
	json_decref(needs.adapter.metrics);
	gpu_needs_release(&needs.gpu);
}
