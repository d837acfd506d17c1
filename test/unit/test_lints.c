/* What the lints say, and above all when they are silent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/yaml.h"
#include "chain/lints.h"
#include "reconcile/observe.h"

#define NOW_MS INT64_C(1767398400000)

/* One document: engine, spec (beside what every autoscaler has), target, adapter, evidence, direct, hpaPeriodSeconds,
 * advice (what the status says). */
struct row {
	const char *world;
	const char *reasons; /* of the advice, "" when there is none */
	const char *says;    /* a part of the first message; NULL = anything */
};

static json_t *advice_of(const json_t *world)
{
	struct settings settings = SETTINGS_DEFAULT;
	auto_autoscaler spec = {.ns = NULL};
	auto_error err = ERROR_INIT;
	json_t *advice;
	auto_json *object = json_pack("{s:{s:s, s:s, s:s}, s:{s:{s:s, s:s, s:s}, s:i}, s:{s:O*}}", "metadata",
		"namespace", "shop", "name", "gemma", "uid", "u1", "spec", "scaleTargetRef", "apiVersion", "apps/v1",
		"kind", "Deployment", "name", "server", "maxReplicas", 5, "status", "advice",
		json_object_get(world, "advice"));
	struct evidence *evidence = evidence_decode(json_object_get(world, "evidence"), NOW_MS);
	const json_t *target = json_object_get(world, "target");
	auto_view *target_view = target != NULL ? view_decode(KIND_DEPLOYMENT, target) : NULL;
	auto_view *view = NULL;
	struct adapter_survey survey;
	struct facts facts = {.settings = &settings,
		.adapter_names = {"monitoring", "prometheus-adapter", "prometheus-adapter", "config.yaml"},
		.target = view_workload(target_view),
		.target_watched = true,
		.evidence = evidence,
		.adapter_survey = json_object_get(world, "adapter") != NULL ? &survey : NULL};

	shape_decode(&shape_adapter_survey, json_object_get(world, "adapter"), NOW_MS, &survey);
	if (json_object_get(world, "spec") != NULL) {
		json_object_update(json_object_get(object, "spec"), json_object_get(world, "spec"));
	}
	view = view_decode(KIND_AUTOSCALER, object);
	facts.object = view_autoscaler(view);
	assert_int_equal(autoscaler_decode(object, &spec, &err), 0);
	facts.workload.spec = &spec;
	facts.workload.direct = json_is_true(json_object_get(world, "direct"));
	facts.hpa_period_s = json_path_int(world, "hpaPeriodSeconds", 0);
	facts.workload.engine = engine_by_type(json_path_string(world, "engine", "VLLM"));
	assert_int_equal(observe_signals(&facts.workload, &spec, facts.workload.engine, &err), 0);
	advice = lints_check(&facts);
	evidence_free(evidence);
	shape_release(&shape_adapter_survey, &survey);
	return advice;
}

static void check(const struct row *rows, size_t count)
{
	for (size_t r = 0; r < count; r++) {
		auto_json *world = yaml_parse(rows[r].world, strlen(rows[r].world), NULL);
		auto_json *advice = NULL;
		auto_strbuf reasons = STRBUF_INIT;
		const char *message;
		size_t i;
		json_t *one;

		assert_non_null(world);
		advice = advice_of(world);
		strbuf_addstr(&reasons, "");
		json_array_foreach(advice, i, one) {
			strbuf_addf(&reasons, "%s%s", i > 0 ? " " : "", json_path_string(one, "reason", ""));
		}
		message = json_path_string(json_array_get(advice, 0), "message", "");
		if (strcmp(reasons.buf, rows[r].reasons) != 0 ||
			(rows[r].says != NULL && strstr(message, rows[r].says) == NULL)) {
			fail_msg("%s\n  wanted '%s', got '%s': %s", rows[r].world, rows[r].reasons, reasons.buf,
				message);
		}
	}
}
#define CHECK(rows) check(rows, ARRAY_LEN(rows))

#define ARGS(words)                                                                                                    \
	"{target: {spec: {template: {spec: {containers: [{name: c, args: " words "}]}}}}, adapter: {replicas: 2}, "

#define ENV(words, name, value)                                                                                        \
	"{target: {spec: {template: {spec: {containers: [{name: c, args: " words ", env: [{name: " name                \
	", value: '" value "'}]}]}}}}, adapter: {replicas: 2}, "

static void a_target_must_be_exceeded_by_the_tolerance(void **state)
{
	static const struct row rows[] = {
		{ARGS("[--max-num-seqs, '4']") "}", "TargetUnreachable",
			"set spec.requests.target to 3 or less, or raise --max-num-seqs"},
		{ARGS("['--max-num-seqs=4']") "}", "TargetUnreachable",
			"Deployment 'shop/server' has at most 4 by --max-num-seqs of container 'c'"},
		{ARGS("['--max_num_seqs=4']") "}", "TargetUnreachable", NULL},
		{ARGS("['--max-num-seqs=5']") "}", "", NULL},
		{ARGS("['--max-num-seqs=11']") "spec: {requests: {target: 10}}}", "TargetUnreachable",
			"set spec.requests.target to 9 or less"},
		{ARGS("['--max-num-seqs=12']") "spec: {requests: {target: 10}}}", "", NULL},
		{ARGS("['--max-num-seqs=1']") "spec: {requests: {target: 1}}}", "TargetUnreachable", "to 900m or less"},
		/* The last one counts, as for the engine. */
		{ARGS("['--max-num-seqs=4', '--max-num-seqs=64']") "}", "", NULL},
		/* A tolerance of one's own. */
		{ARGS("['--max-num-seqs=11']") "spec: {requests: {target: 10}, behavior: {scaleUp: {tolerance: '0.05'}}}}",
			"", NULL},
		{ARGS("['--max-num-seqs=4']") "spec: {behavior: {scaleUp: {tolerance: 0}}}}", "TargetUnreachable",
			"tolerance, 0 percent"},
		/* The engine does not bound what waits. */
		{ARGS("['--max-num-seqs=4']") "spec: {requests: {signal: InFlight}}}", "", NULL},
		{ARGS("['--max-num-seqs=4']") "spec: {requests: {signal: Waiting, target: 9}}}", "", NULL},
		{ARGS("['--max-concurrent-requests', '8']") "engine: TGI, spec: {requests: {signal: InFlight, target: 8}}}",
			"TargetUnreachable", "set spec.requests.target to 7 or less"},
		{ARGS("['--max-running-requests', '8']") "engine: SGLang, spec: {requests: {target: 8}}}",
			"TargetUnreachable", NULL},
		{"{adapter: {replicas: 2}, engine: NIM, spec: {requests: {target: 8}}, evidence: {page: {limits: {Running: 8}}}}",
			"TargetUnreachable", "has at most 8, as its page says in 'num_request_max'"},
		{"{adapter: {replicas: 2}, engine: NIM, spec: {requests: {target: 8}}, evidence: {page: {limits: {Running: 9}}}}",
			"", NULL},
		{"{adapter: {replicas: 2}, engine: NIM, spec: {requests: {target: 8}}, evidence: {page: {series: []}}}",
			"", NULL},
		{"{adapter: {replicas: 2}, engine: NIM, spec: {requests: {signal: Waiting}}, evidence: {page: {limits: {Running: 1}}}}",
			"", NULL},
		{ARGS("['--parallel', '4']") "engine: LlamaCpp, spec: {requests: {target: 4}}}", "TargetUnreachable",
			NULL},
		{ARGS("[-np, '4']") "engine: LlamaCpp, spec: {requests: {target: 4}}}", "TargetUnreachable",
			"at most 4 by -np of container 'c'"},
		{ENV("[]", "LLAMA_ARG_N_PARALLEL", "4") "engine: LlamaCpp, spec: {requests: {target: 4}}}",
			"TargetUnreachable", "or raise LLAMA_ARG_N_PARALLEL"},
		/* The command line wins over the environment, whose words it may have. */
		{ENV("[-np, '8']", "LLAMA_ARG_N_PARALLEL", "4") "engine: LlamaCpp, spec: {requests: {target: 4}}}", "",
			NULL},
		{ENV("['--max-num-seqs=$(SEQS)']", "SEQS", "4") "}", "TargetUnreachable",
			"at most 4 by --max-num-seqs"},
		{ENV("[--max-num-seqs, $(SEQS)]", "SEQS", "64") "}", "", NULL},
		/* Of two bounds the lower one. */
		{ARGS("['--max-concurrent-requests', '64', '--max-batch-size', '4']") "engine: TGI}",
			"TargetUnreachable", "at most 4 by --max-batch-size"},
		{"{adapter: {replicas: 2}, engine: LlamaCpp, spec: {requests: {target: 4}}, evidence: {page: {limits: {Running: 4}}}}",
			"TargetUnreachable", "has at most 4, as its /props says in 'total_slots'"},
	};

	(void)state;
	CHECK(rows);
}

static void one_request_must_not_ask_for_all_replicas(void **state)
{
	static const struct row rows[] = {
		/* Five replicas at most. */
		{ARGS("[]") "spec: {requests: {target: 200m}}}", "TargetTooLow",
			"set spec.requests.target to 250m or more"},
		{ARGS("[]") "spec: {requests: {target: 250m}}}", "", NULL},
		{ARGS("[]") "spec: {requests: {target: 200m}, minReplicas: 5}}", "", NULL},
		{ARGS("[]") "spec: {requests: {target: 10m}, maxReplicas: 1}}", "", NULL},
		{ARGS("[]") "spec: {requests: {target: 400m}, maxReplicas: 3}}", "TargetTooLow", "all 3 replicas"},
		{ARGS("[]") "spec: {requests: {target: 1, signal: KVCache}, maxReplicas: 1000}}", "", NULL},
		/* The one slot leaves no larger target. */
		{ARGS("[-np, '1']") "engine: LlamaCpp, spec: {requests: {target: 900m}, maxReplicas: 2}}", "", NULL},
	};

	(void)state;
	CHECK(rows);
}

static void what_is_not_told_is_not_guessed(void **state)
{
	static const struct row rows[] = {
		{ARGS("[]") "spec: {requests: {target: 100000}}}", "", NULL},
		{"{adapter: {replicas: 2}, spec: {requests: {target: 100000}}}", "", NULL},
		{ARGS("[sh, -c, 'vllm serve --max-num-seqs=4']") "}", "", NULL},
		{ARGS("[--max-num-seqs, $(SEQS)]") "}", "", NULL},
		{ARGS("[--max-num-seqs]") "}", "", NULL},
		{ARGS("['--max-num-seqs=0']") "}", "", NULL},
		{ARGS("['--max-num-seqs=99999999999999999999']") "}", "", NULL},
		/* Each rank of the pod has as many. */
		{ARGS("['--max-num-seqs=4', '--data-parallel-size=2']") "}", "", NULL},
		{ARGS("['--max-num-seqs=4', -dp, '1']") "}", "TargetUnreachable", NULL},
		{ARGS("['--max-num-seqs=4', '--data-parallel-size=$(RANKS)']") "}", "", NULL},
		{ARGS("['--max-num-seqs=4', --config, /etc/vllm.yaml]") "}", "", NULL},
		/* Another engine's flag, and two containers with it. */
		{ARGS("['--max-num-seqs=4']") "engine: SGLang}", "", NULL},
		{"{adapter: {replicas: 2}, target: {spec: {template: {spec: {containers: [{name: a, args: ['--max-num-seqs=4']}, "
		 "{name: b, args: ['--max-num-seqs=4']}]}}}}}",
			"", NULL},
	};

	(void)state;
	CHECK(rows);
}

static void nothing_is_fuller_than_full(void **state)
{
	static const struct row rows[] = {
		{"{adapter: {replicas: 2}, spec: {requests: {signal: KVCache, target: 91}}, evidence: {page: {series: []}}}",
			"TargetUnreachable", "spec.requests.target is 91, but KVCache is at most 100 percent"},
		{"{adapter: {replicas: 2}, spec: {requests: {signal: KVCache, target: 90}}, evidence: {page: {series: []}}}",
			"", NULL},
		{"{adapter: {replicas: 2}, spec: {requests: {signal: KVCache}}, evidence: {page: {series: []}}}", "",
			NULL},
		{"{adapter: {replicas: 2}, spec: {mode: GPU, gpu: {target: 95}}}", "TargetUnreachable",
			"set spec.gpu.target to 90 or less"},
		{"{adapter: {replicas: 2}, spec: {mode: Combined, gpu: {target: 95}}}", "TargetUnreachable", NULL},
		{"{adapter: {replicas: 2}, spec: {mode: GPU}}", "", NULL},
	};

	(void)state;
	CHECK(rows);
}

#define GPU_SAMPLES(samples)                                                                                           \
	"{spec: {mode: GPU}, evidence: {signals: {gpu_utilization_percent: {series: {samples: " samples "}}}}}"

static void a_gpu_is_one_pods(void **state)
{
	static const struct row rows[] = {
		{GPU_SAMPLES("{a: {milli: 1}, b: {milli: 1, shared: true}}"), "GPUShared", "set spec.mode to Requests"},
		{GPU_SAMPLES("{a: {milli: 1}, b: {milli: 1}}"), "", NULL},
		{GPU_SAMPLES("{}"), "", NULL},
		{"{evidence: {signals: {vllm_num_requests_running: {series: {samples: {a: {milli: 1}}}}}}}", "", NULL},
	};

	(void)state;
	CHECK(rows);
}

static void the_adapter_has_a_spare(void **state)
{
	static const struct row rows[] = {
		{"{adapter: {replicas: 1}}", "OneAdapterReplica",
			"kubectl scale deployment prometheus-adapter -n monitoring --replicas=2"},
		{"{adapter: {replicas: 2}}", "", NULL},
		/* Stopped, or not there at all: a link says so. */
		{"{adapter: {replicas: 0}}", "", NULL},
		{"{adapter: {}}", "", NULL},
		{"{adapter: {replicas: 1, relist: 10m}}", "OneAdapterReplica RelistLong", NULL},
		{"{adapter: {replicas: 2, relist: 10m}}", "RelistLong",
			"set its --metrics-relist-interval to 1m or less"},
	};

	(void)state;
	CHECK(rows);
}

#define KV "{adapter: {replicas: 2}, spec: {requests: {signal: KVCache}}, "

static void a_name_leaves_while_it_is_the_only_one(void **state)
{
	static const struct row rows[] = {
		{KV "evidence: {page: {series: ['vllm:gpu_cache_usage_perc']}}}", "NameLeaves", "vLLM 0.12 removes"},
		{KV "evidence: {page: {series: ['vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc']}}}", "", NULL},
		{KV "evidence: {page: {series: ['vllm:kv_cache_usage_perc']}}}", "", NULL},
		{KV "engine: LlamaCpp, evidence: {page: {series: ['llamacpp:kv_cache_usage_ratio']}}}", "NameLeaves",
			"choose another spec.requests.signal"},
		{"{adapter: {replicas: 2}, evidence: {page: {series: ['vllm:num_requests_running']}}}", "", NULL},
	};

	(void)state;
	CHECK(rows);
}

#define STARTS(seconds) "{adapter: {replicas: 2}, evidence: {pods: {start: {pod: p, seconds: " seconds "}}}, "

static void a_start_is_waited_for(void **state)
{
	static const struct row rows[] = {
		{STARTS("95") "spec: {maxReplicas: 10}}", "ColdStartLong",
			"set spec.behavior.scaleUp.policies to [{type: Pods, value: 4, periodSeconds: 100}]"},
		{STARTS("95") "spec: {maxReplicas: 10, behavior: {scaleUp: {stabilizationWindowSeconds: 30}}}}",
			"ColdStartLong", "takes about 100 s until it is ready, but scaling up may go on every 30 s"},
		{STARTS("95") "spec: {maxReplicas: 10, behavior: {scaleUp: {stabilizationWindowSeconds: 95}}}}", "",
			NULL},
		{STARTS("95") "spec: {maxReplicas: 10, behavior: {scaleUp: {policies: [{type: Pods, value: 2, periodSeconds: 60}]}}}}",
			"ColdStartLong", "set periodSeconds of all spec.behavior.scaleUp.policies to 100 or more"},
		{STARTS("95") "spec: {maxReplicas: 10, behavior: {scaleUp: {policies: [{type: Pods, value: 2, periodSeconds: 100}]}}}}",
			"", NULL},
		/* The quicker policy decides, unless the smaller step is taken. */
		{STARTS("95") "spec: {maxReplicas: 10, behavior: {scaleUp: {policies: [{type: Pods, value: 2, periodSeconds: 100}, "
			      "{type: Percent, value: 50, periodSeconds: 15}]}}}}",
			"ColdStartLong", "every 15 s"},
		{STARTS("95") "spec: {maxReplicas: 10, behavior: {scaleUp: {selectPolicy: Min, policies: [{type: Pods, value: 2, "
			      "periodSeconds: 100}, {type: Percent, value: 50, periodSeconds: 15}]}}}}",
			"", NULL},
		{STARTS("95") "spec: {maxReplicas: 10, behavior: {scaleUp: {selectPolicy: Disabled}}}}", "", NULL},
		/* The first step goes all the way. */
		{STARTS("95") "}", "", NULL},
		{STARTS("95") "spec: {minReplicas: 6, maxReplicas: 12}}", "", NULL},
		{STARTS("95") "spec: {minReplicas: 6, maxReplicas: 13}}", "ColdStartLong", NULL},
		/* What cannot pile up. */
		{STARTS("95") "spec: {maxReplicas: 10, mode: GPU}}", "", NULL},
		{STARTS("95") "spec: {maxReplicas: 10, mode: Combined}}", "ColdStartLong", NULL},
		/* No policy may have a longer period. */
		{STARTS("3000") "spec: {maxReplicas: 10}}", "ColdStartLong", "periodSeconds: 1800"},
		{STARTS("3000") "spec: {maxReplicas: 10, behavior: {scaleUp: {policies: [{type: Pods, value: 2, periodSeconds: 1800}]}}}}",
			"", NULL},
		{STARTS("14") "spec: {maxReplicas: 10}}", "", NULL},
		/* Near the limit it neither comes nor goes. */
		{STARTS("17") "spec: {maxReplicas: 10}}", "", NULL},
		{STARTS("17") "spec: {maxReplicas: 10}, advice: [{reason: ColdStartLong, message: as before}]}",
			"ColdStartLong", "takes about 20 s"},
		{STARTS("14") "spec: {maxReplicas: 10}, advice: [{reason: ColdStartLong, message: as before}]}", "",
			NULL},
		{"{adapter: {replicas: 2}, spec: {maxReplicas: 10}, advice: [{reason: ColdStartLong, message: as before}]}",
			"ColdStartLong", "as before"},
		{"{adapter: {replicas: 2}, spec: {maxReplicas: 10}, evidence: {pods: {total: 1, ready: 0}}}", "", NULL},
	};

	(void)state;
	CHECK(rows);
}

#define DRAIN(seconds, latency)                                                                                        \
	"{adapter: {replicas: 2}, target: {spec: {template: {spec: {terminationGracePeriodSeconds: " seconds "}}}}, "  \
	"evidence: {page: {series: [], latency: {" latency "}}}, "

static void requests_end_before_their_pod(void **state)
{
	static const struct row rows[] = {
		{DRAIN("30", "requests: 100, overMs: 30000, uptoMs: 40000") "}", "DrainTooShort",
			"1 of 100 requests takes 30 to 40 s or longer, but Deployment 'shop/server' has "
			"spec.template.spec.terminationGracePeriodSeconds 30"},
		{DRAIN("30", "requests: 100, overMs: 40000, uptoMs: 50000") "}", "DrainTooShort",
			"set it to 50 or more"},
		{DRAIN("50", "requests: 100, overMs: 40000, uptoMs: 50000") "}", "", NULL},
		{DRAIN("30", "requests: 100, overMs: 300, uptoMs: 500") "}", "", NULL},
		{DRAIN("0", "requests: 100, overMs: 0, uptoMs: 300") "}", "DrainTooShort", "set it to 1 or more"},
		{DRAIN("30", "requests: 100, overMs: 7680000") "}", "DrainTooShort", "set it to more than 7680"},
		{DRAIN("8000", "requests: 100, overMs: 7680000") "}", "", NULL},
		/* Between the bounds nobody knows. */
		{DRAIN("45", "requests: 100, overMs: 40000, uptoMs: 50000") "}", "", NULL},
		{DRAIN("45",
			 "requests: 100, overMs: 40000, uptoMs: 50000") "advice: [{reason: DrainTooShort, message: as before}]}",
			"DrainTooShort", "Seconds 45"},
		/* Too few, as after a restart. */
		{DRAIN("30", "requests: 99, overMs: 40000, uptoMs: 50000") "}", "", NULL},
		{DRAIN("30",
			 "requests: 99, overMs: 40000, uptoMs: 50000") "advice: [{reason: DrainTooShort, message: as before}]}",
			"DrainTooShort", "as before"},
		{DRAIN("30",
			 "requests: 100, overMs: 40000, uptoMs: 50000") "spec: {mode: GPU}, "
									"advice: [{reason: DrainTooShort, message: as before}]}",
			"", NULL},
		{DRAIN("30", "requests: 100, overMs: 40000, uptoMs: 50000") "engine: LlamaCpp}", "", NULL},
	};

	(void)state;
	CHECK(rows);
}

#define REPORTED(reason) "advice: [{reason: " reason ", message: as before}]"

static void a_long_period_of_the_hpa(void **state)
{
	static const struct row rows[] = {
		{"{direct: true, hpaPeriodSeconds: 1}", "", NULL},
		{"{direct: true, hpaPeriodSeconds: 25}", "", NULL},
		{"{direct: true, hpaPeriodSeconds: 30}", "HPAPeriodLong", "once in 30 s, or more seldom"},
		{"{direct: true, hpaPeriodSeconds: 300}", "HPAPeriodLong",
			"raise --kube-api-qps (20) and --kube-api-burst"},
		{"{direct: true, hpaPeriodSeconds: 25, " REPORTED("HPAPeriodLong") "}", "HPAPeriodLong",
			"once in 25 s"},
		{"{direct: true, hpaPeriodSeconds: 1, " REPORTED("HPAPeriodLong") "}", "", NULL},
		/* Who has just taken over may not know it yet. */
		{"{direct: true}", "", NULL},
		{"{direct: true, " REPORTED("HPAPeriodLong") "}", "HPAPeriodLong", "as before"},
		/* What the adapter is asked is not seen. */
		{"{adapter: {replicas: 2}, hpaPeriodSeconds: 300}", "", NULL},
		{"{adapter: {replicas: 2}, hpaPeriodSeconds: 300, " REPORTED("HPAPeriodLong") "}", "", NULL},
	};

	(void)state;
	check(rows, ARRAY_LEN(rows));
}

static void a_gap_of_evidence_changes_nothing(void **state)
{
	static const struct row rows[] = {
		{KV REPORTED("NameLeaves") ", evidence: {page: {error: no route to host}}}", "NameLeaves", "as before"},
		{KV REPORTED("NameLeaves") "}", "NameLeaves", "as before"},
		{KV "evidence: {page: {error: no route to host}}}", "", NULL},
		{KV REPORTED("NameLeaves") ", evidence: {page: {series: ['vllm:kv_cache_usage_perc']}}}", "", NULL},
		{"{adapter: {replicas: 2}, engine: NIM, " REPORTED("TargetUnreachable") "}", "TargetUnreachable",
			"as before"},
		/* It is of another signal's series. */
		{"{adapter: {replicas: 2}, " REPORTED("NameLeaves") "}", "", NULL},
		{"{" REPORTED("OneAdapterReplica") "}", "OneAdapterReplica", "as before"},
		{"{adapter: {replicas: 1}, " REPORTED("OneAdapterReplica") "}", "OneAdapterReplica",
			"has spec.replicas 1"},
		{"{adapter: {replicas: 2}, " REPORTED("OneAdapterReplica") "}", "", NULL},
		/* An older operator's. */
		{"{adapter: {replicas: 2}, " REPORTED("Forgotten") "}", "", NULL},
	};

	(void)state;
	CHECK(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_target_must_be_exceeded_by_the_tolerance),
		cmocka_unit_test(one_request_must_not_ask_for_all_replicas),
		cmocka_unit_test(what_is_not_told_is_not_guessed),
		cmocka_unit_test(nothing_is_fuller_than_full),
		cmocka_unit_test(a_gpu_is_one_pods),
		cmocka_unit_test(the_adapter_has_a_spare),
		cmocka_unit_test(a_long_period_of_the_hpa),
		cmocka_unit_test(a_name_leaves_while_it_is_the_only_one),
		cmocka_unit_test(a_start_is_waited_for),
		cmocka_unit_test(requests_end_before_their_pod),
		cmocka_unit_test(a_gap_of_evidence_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
