/* The default targets: whatever bounds a signal, it can be exceeded and undercut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "chain/limit.h"
#include "engine/gpu.h"
#include "reconcile/default_target.h"
#include "reconcile/observe.h"

#define NOW_MS INT64_C(1767398400000)

/* The world of one row. */
struct rig {
	json_t *status_signals; /* NULL = none */
	json_t *container;
	json_t *page; /* NULL = it was not read */
};

/* The target of the signal, where the spec has none; -1 where the engine has no such signal. */
static int64_t target_of(const struct engine *engine, const char *signal, const struct rig *rig)
{
	auto_json *object = json_pack("{s:{s:s, s:s}, s:{s:{s:s, s:s, s:s}, s:{s:s}, s:i}, s:{s:O*}}", "metadata",
		"namespace", "shop", "name", "gemma", "spec", "scaleTargetRef", "apiVersion", "apps/v1", "kind",
		"Deployment", "name", "server", "requests", "signal", signal, "maxReplicas", 5, "status", "signals",
		rig->status_signals);
	auto_json *target = json_pack("{s:{s:{s:{s:[O]}}}}", "spec", "template", "spec", "containers", rig->container);
	auto_json *seen = json_pack("{s:O*}", "page", rig->page);
	auto_view *view = view_decode(KIND_AUTOSCALER, object);
	auto_view *target_view = view_decode(KIND_DEPLOYMENT, target);
	auto_autoscaler spec = {.ns = NULL};
	struct evidence *evidence = evidence_decode(seen, NOW_MS);
	struct facts facts = {.evidence = evidence,
		.object = view_autoscaler(view),
		.target = view_workload(target_view)};
	int64_t milli = -1;

	assert_int_equal(autoscaler_decode(object, &spec, NULL), 0);
	facts.workload.spec = &spec;
	facts.workload.engine = engine;
	if (observe_signals(&facts.workload, &spec, engine, NULL) == 0) {
		default_targets(&facts);
		milli = facts.workload.signals[0].target_milli;
	}
	evidence_free(evidence);
	return milli;
}

/* The HPA's tolerance is a tenth, both ways; of two pods one that works on a single request must be able to go. */
static void assert_moves(int64_t most, int64_t target)
{
	assert_true(target > 0);
	assert_true(most * 1000 * 10 > target * 11);
	assert_true(500 * 10 < target * 9);
}

static const int64_t limits[] = {1, 2, 3, 4, 5, 6, 8, 64, 256};

static void check_option(const struct engine *engine, const struct engine_signal *signal, const char *flag,
	const char *env)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		auto_free char *value = xasprintf("%lld", (long long)limits[i]);
		auto_free char *joined = xasprintf("%s=%s", flag, value);
		auto_json *apart = json_pack("{s:s, s:[s, s]}", "name", "c", "args", flag, value);
		auto_json *one = json_pack("{s:s, s:[s]}", "name", "c", "args", joined);

		assert_moves(limits[i], target_of(engine, signal->name, &(struct rig){.container = apart}));
		assert_moves(limits[i], target_of(engine, signal->name, &(struct rig){.container = one}));
		if (env != NULL) {
			auto_json *told =
				json_pack("{s:s, s:[{s:s, s:s}]}", "name", "c", "env", "name", env, "value", value);

			assert_moves(limits[i], target_of(engine, signal->name, &(struct rig){.container = told}));
		}
	}
}

static void check_page(const struct engine *engine, const struct engine_signal *signal)
{
	auto_json *container = json_pack("{s:s}", "name", "c");

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		auto_json *page = json_pack("{s:s, s:{s:I}}", "engine", engine->type, "limits", signal->name,
			(json_int_t)limits[i]);

		assert_moves(limits[i],
			target_of(engine, signal->name, &(struct rig){.container = container, .page = page}));
	}
}

/* The least that bounds each engine's Running when it is told nothing, in any of its versions; 0 where it is told in any
 * case, and the page says what. An engine that is not listed here is not known to reach its default. */
static const struct {
	const char *type;
	int64_t most;
} untold[] = {
	{"VLLM", 128},      /* --max-num-seqs: 128 to 1024, by the GPU */
	{"SGLang", 48},     /* --max-running-requests: by the memory; 48 where it decodes speculatively */
	{"TGI", 128},       /* --max-concurrent-requests */
	{"TensorRTLLM", 8}, /* --max_batch_size: 8 to 2048, by the backend */
	{"Triton", 0},      /* the model's own configuration */
	{"LMDeploy", 128},  /* --max-batch-size: 128 to 1024, by the GPU */
	{"NIM", 0},         /* the profile that it chooses */
	{"LlamaCpp", 4},    /* --parallel; the page says so where it is 1, as in former versions */
};

static bool is_bounded(const struct engine_signal *signal)
{
	return signal->limits[0].flags[0] != NULL || signal->limit_series != NULL || signal->limit_member != NULL ||
	       strcmp(signal->name, "KVCache") == 0;
}

/* What an engine works on has a bound that can be read somewhere; a queue need not have one. */
static void check_bounded(const struct engine *engine, const struct engine_signal *signal)
{
	bool counts_queue = strcmp(signal->name, "Waiting") == 0 || strcmp(signal->name, "InFlight") == 0;

	if (!is_bounded(signal) && !counts_queue) {
		fail_msg("nothing in the table bounds %s of %s: see engine_limit", signal->name, engine->type);
	}
}

/* The default of an engine that is told nothing and was not seen yet: it must be within its own bound. */
static void check_untold(const struct engine *engine, const struct engine_signal *signal)
{
	auto_json *container = json_pack("{s:s}", "name", "c");
	int64_t target = target_of(engine, signal->name, &(struct rig){.container = container});
	size_t i = 0;

	while (i < ARRAY_LEN(untold) && strcmp(untold[i].type, engine->type) != 0) {
		i++;
	}
	if (i == ARRAY_LEN(untold)) {
		fail_msg("what bounds %s when it is told nothing?", engine->type);
	}
	if (strcmp(signal->name, "KVCache") == 0) {
		assert_moves(100, target);
	} else if (strcmp(signal->name, "Running") == 0 && untold[i].most > 0) {
		assert_moves(untold[i].most, target);
	} else {
		/* a queue; or the page tells, which check_page() has */
		assert_moves(INT32_MAX, target);
		assert_true(strcmp(signal->name, "Running") != 0 || signal->limit_series != NULL);
	}
}

static void each_signal_has_what_bounds_it_and_a_default_within(void **state)
{
	(void)state;
	for (size_t e = 0; e < engines_count; e++) {
		for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engines[e].signals[i].name != NULL; i++) {
			check_bounded(&engines[e], &engines[e].signals[i]);
			check_untold(&engines[e], &engines[e].signals[i]);
		}
	}
	assert_moves(100, gpu_utilization.default_target_milli);
}

static void each_default_can_be_exceeded_and_undercut(void **state)
{
	size_t checked = 0;

	(void)state;
	for (size_t e = 0; e < engines_count; e++) {
		for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engines[e].signals[i].name != NULL; i++) {
			const struct engine_signal *signal = &engines[e].signals[i];

			for (size_t k = 0; k < ENGINE_LIMITS_MAX && signal->limits[k].flags[0] != NULL; k++) {
				for (size_t f = 0; f < ENGINE_FLAGS_MAX && signal->limits[k].flags[f] != NULL; f++) {
					check_option(&engines[e], signal, signal->limits[k].flags[f],
						signal->limits[k].env);
					checked++;
				}
			}
			if (signal->limit_series != NULL || signal->limit_member != NULL) {
				check_page(&engines[e], signal);
				checked++;
			}
		}
	}
	assert_true(checked > 10);
}

static void without_a_word_the_default_stands(void **state)
{
	auto_json *container = json_pack("{s:s}", "name", "c");
	const struct rig rig = {.container = container};

	(void)state;
	assert_int_equal(target_of(engine_by_type("VLLM"), "Running", &rig), 4000);
	assert_int_equal(target_of(engine_by_type("VLLM"), "KVCache", &rig), 80000);
	/* llama.cpp as it comes has four slots */
	assert_moves(4, target_of(engine_by_type("LlamaCpp"), "Running", &rig));
}

/* An operator that starts has not read the page yet: the target must not go up and down again. */
static void what_a_page_told_outlives_it(void **state)
{
	auto_json *container = json_pack("{s:s}", "name", "c");
	auto_json *signals = json_pack("[{s:s, s:s, s:s}]", "name", "Running", "metric",
		"llamacpp_num_requests_running", "target", "900m");
	auto_json *page = json_pack("{s:s, s:{s:i}}", "engine", "LlamaCpp", "limits", "Running", 4);
	auto_json *failed = json_pack("{s:s}", "error", "no answer");
	const struct engine *engine = engine_by_type("LlamaCpp");
	struct rig rig = {.status_signals = signals, .container = container};

	(void)state;
	assert_int_equal(target_of(engine, "Running", &rig), 900);
	rig.page = failed;
	assert_int_equal(target_of(engine, "Running", &rig), 900);
	rig.page = page;
	assert_int_equal(target_of(engine, "Running", &rig), 3000);
	/* what no page tells is not remembered of one */
	assert_int_equal(target_of(engine, "InFlight", &rig), 4000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_signal_has_what_bounds_it_and_a_default_within),
		cmocka_unit_test(each_default_can_be_exceeded_and_undercut),
		cmocka_unit_test(without_a_word_the_default_stands),
		cmocka_unit_test(what_a_page_told_outlives_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
