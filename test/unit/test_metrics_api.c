/* From a request to the custom metrics API to its answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "serving_rig.h"

#define RUNNING "vllm_num_requests_running"
#define MANY 10000

struct bench {
	struct serving_rig rig;
	int pages;    /* that were asked for */
	int hanging;  /* of them, those that are never answered */
	double value; /* on the page */
	char page[512];
	bool gpu;              /* the page is an exporter's */
	const char *long_page; /* instead; NULL = none */
};

static struct fake_answer on_request(void *ctx, const struct fake_request *request)
{
	struct bench *bench = ctx;

	bench->pages++;
	if (strstr(request->line, "/hang") != NULL) {
		bench->hanging++;
		return (struct fake_answer){.end = FAKE_MUTE};
	}
	if (strstr(request->line, "/gone") != NULL) {
		return (struct fake_answer){.status = 404, .body = "none"};
	}
	if (bench->long_page != NULL) {
		return (struct fake_answer){.status = 200, .body = bench->long_page};
	}
	if (!bench->gpu) {
		snprintf(bench->page, sizeof(bench->page),
			"vllm:num_requests_running{engine=\"0\"} %g\nvllm:num_requests_waiting{engine=\"0\"} 2\n"
			"vllm:kv_cache_usage_perc{engine=\"0\"} 0.25\n",
			bench->value);
	}
	return (struct fake_answer){.status = 200, .body = bench->page};
}

static void open_bench(struct bench *bench)
{
	*bench = (struct bench){.value = 3.5};
	serving_open(&bench->rig, on_request, bench);
}

/* The autoscaler of Deployment `name`, whose pages are at this path. */
static void add(struct bench *bench, const char *ns, const char *name, const char *path)
{
	auto_free char *spec = xasprintf("engine: {type: VLLM, port: %d, path: %s}", bench->rig.port, path);

	serving_add(&bench->rig, ns, name, spec, "{}");
}

static void assert_values(struct bench *bench, const char *ns, const char *app, const char *metric, const char *wanted)
{
	auto_free char *got = serving_values(&bench->rig, ns, app, metric);

	assert_string_equal(got, wanted);
}

static void assert_get(struct bench *bench, const char *target, const char *wanted)
{
	auto_free char *got = serving_get(&bench->rig, target);

	assert_string_equal(got, wanted);
}

static void each_pod_that_counts_has_its_value(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	add(&bench, "team", "gemma", "/metrics");
	serving_pod(&bench.rig, "team", "gemma", 0, "True");
	serving_pod(&bench.rig, "team", "gemma", 1, "False");
	serving_pod(&bench.rig, "team", "other", 2, "True");
	serving_pod(&bench.rig, "elsewhere", "gemma", 3, "True");
	assert_values(&bench, "team", "gemma", RUNNING, "gemma-hash-0=3500m gemma-hash-1=3500m");
	assert_int_equal(bench.pages, 2);
	serving_close(&bench.rig);
}

static void one_that_is_not_ready_any_more_counts_while_it_has_load(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	bench.value = 0;
	add(&bench, "team", "gemma", "/metrics");
	serving_pod(&bench.rig, "team", "gemma", 0, "True");
	serving_pod(&bench.rig, "team", "gemma", 1, "False");
	assert_values(&bench, "team", "gemma", RUNNING, "gemma-hash-0=0");
	serving_close(&bench.rig);
}

static void what_two_ask_within_a_second_is_read_once(void **state)
{
	struct bench bench;
	struct serving_asked asked[3];
	static const char target[] = "/apis/custom.metrics.k8s.io/v1beta1/namespaces/team/pods/*/" RUNNING;

	(void)state;
	open_bench(&bench);
	add(&bench, "team", "gemma", "/metrics");
	serving_pod(&bench.rig, "team", "gemma", 0, "True");
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		serving_ask(&bench.rig, &asked[i], target);
	}
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		serving_await(&bench.rig, &asked[i]);
		assert_int_equal(asked[i].status, 200);
		free_indirect(&asked[i].body);
	}
	/* another metric of the page, too */
	assert_values(&bench, "team", "gemma", "vllm_kv_cache_usage_percent", "gemma-hash-0=25");
	assert_int_equal(bench.pages, 1);
	run_for(&bench.rig.kube.loop, 1050);
	bench.value = 5;
	assert_values(&bench, "team", "gemma", RUNNING, "gemma-hash-0=5");
	assert_int_equal(bench.pages, 2);
	serving_close(&bench.rig);
}

static void an_object_metric_is_the_sum(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	add(&bench, "team", "gemma", "/metrics");
	serving_pod(&bench.rig, "team", "gemma", 0, "True");
	serving_pod(&bench.rig, "team", "gemma", 1, "True");
	assert_get(&bench,
		"/apis/custom.metrics.k8s.io/v1beta2/namespaces/team/inferenceautoscalers.inference-autoscaler.io/gemma/" RUNNING,
		"gemma=7");
	assert_get(&bench,
		"/apis/custom.metrics.k8s.io/v1beta2/namespaces/team/inferenceautoscalers.inference-autoscaler.io/none/" RUNNING,
		"404 no InferenceAutoscaler in namespace 'team' has metric 'vllm_num_requests_running' for 'none': create one for "
		"the workload, or correct the metric's name");
	serving_close(&bench.rig);
}

static void what_is_not_there_is_said_with_the_remedy(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	add(&bench, "team", "gemma", "/gone");
	serving_add(&bench.rig, "team", "old", "source: Prometheus, engine: {type: VLLM}", "{}");
	serving_add(&bench.rig, "team", "auto", "mode: Requests", "{}");
	serving_add(&bench.rig, "team", "sick", "engine: {type: VLLM}",
		"{conditions: [{type: Ready, status: \"False\", message: \"TargetFound: make it\"}]}");
	serving_add(&bench.rig, "team", "proud", "engine: {type: VLLM}",
		"{conditions: [{type: Ready, status: \"False\", message: \"MetricServed: it says so\"}]}");
	serving_pod(&bench.rig, "team", "gemma", 0, "True");
	serving_pod(&bench.rig, "team", "old", 0, "True");
	serving_pod(&bench.rig, "team", "auto", 0, "True");
	assert_values(&bench, "team", "gemma", "tgi_queue_size",
		"404 no InferenceAutoscaler in namespace 'team' has metric 'tgi_queue_size' for 'app=gemma': create one for the "
		"workload, or correct the metric's name");
	assert_values(&bench, "team", "old", RUNNING,
		"404 the InferenceAutoscaler in namespace 'team' that has metric 'vllm_num_requests_running' for 'app=old' is "
		"served from Prometheus: set its spec.source to Auto or Direct");
	assert_values(&bench, "team", "nobody", RUNNING,
		"404 no InferenceAutoscaler in namespace 'team' has metric 'vllm_num_requests_running' for 'app=nobody': create one "
		"for the workload, or correct the metric's name");
	assert_values(&bench, "team", "auto", RUNNING,
		"503 which engine runs in the pods of InferenceAutoscaler 'team/auto' is not known yet: no page of theirs was "
		"found so far");
	assert_values(&bench, "team", "sick", RUNNING, "503 InferenceAutoscaler 'team/sick': TargetFound: make it");
	assert_values(&bench, "team", "proud", RUNNING,
		"503 InferenceAutoscaler 'team/proud' has no pods that are asked for, so 'vllm_num_requests_running' has no "
		"value");
	{
		auto_free char *wanted = xasprintf(
			"503 the page of pod 'gemma-hash-0' at 'http://127.0.0.1:%d/gone' is refused with the status 404",
			bench.rig.port);

		assert_values(&bench, "team", "gemma", RUNNING, wanted);
	}
	assert_get(&bench,
		"/apis/custom.metrics.k8s.io/v1beta2/namespaces/team/pods/*/" RUNNING "?metricLabelSelector=a%3Db",
		"404 metric 'vllm_num_requests_running' has no labels that a selector could match: take the metric's "
		"selector away");
	serving_close(&bench.rig);
}

static void the_last_reading_stands_in_for_a_pod_that_hangs(void **state)
{
	struct bench bench;
	struct serving_asked asked;
	static const char target[] = "/apis/custom.metrics.k8s.io/v1beta2/namespaces/team/pods/*/" RUNNING;

	(void)state;
	open_bench(&bench);
	add(&bench, "team", "gemma", "/metrics");
	serving_add(&bench.rig, "team", "slow", "engine: {type: VLLM, path: /hang}", "{}");
	serving_pod(&bench.rig, "team", "gemma", 0, "True");
	assert_values(&bench, "team", "gemma", RUNNING, "gemma-hash-0=3500m");
	fake_refuse(bench.rig.kube.fake, true);
	run_for(&bench.rig.kube.loop, 1050);
	serving_ask(&bench.rig, &asked, target);
	serving_await(&bench.rig, &asked);
	assert_int_equal(asked.status, 200);
	assert_non_null(strstr(asked.body, "3500m"));
	free_indirect(&asked.body);
	fake_refuse(bench.rig.kube.fake, false);
	serving_close(&bench.rig);
}

static void five_hundred_pods_that_hang_take_nothing_from_others(void **state)
{
	struct bench bench;
	struct serving_asked hangs[2];
	struct serving_asked asked;
	static const char hang[] = "/apis/custom.metrics.k8s.io/v1beta2/namespaces/tenant/pods/*/" RUNNING;
	static const char healthy[] = "/apis/custom.metrics.k8s.io/v1beta2/namespaces/team/pods/*/" RUNNING;

	(void)state;
	open_bench(&bench);
	add(&bench, "tenant", "bad", "/hang");
	add(&bench, "team", "gemma", "/metrics");
	for (int i = 0; i < 500; i++) {
		serving_pod(&bench.rig, "tenant", "bad", i, "True");
	}
	for (int i = 0; i < 4; i++) {
		serving_pod(&bench.rig, "team", "gemma", i, "True");
	}
	serving_ask(&bench.rig, &hangs[0], hang);
	for (int round = 0; round < 2; round++) {
		serving_ask(&bench.rig, &asked, healthy);
		serving_await(&bench.rig, &asked);
		print_message("beside 500 pods that hang: %lld ms\n", (long long)asked.took_ms);
		assert_int_equal(asked.status, 200);
		assert_true(asked.took_ms < 800);
		free_indirect(&asked.body);
		if (round == 0) {
			serving_await(&bench.rig, &hangs[0]);
			assert_int_equal(hangs[0].status, 503);
			assert_in_range(hangs[0].took_ms, 900, 1500);
			serving_ask(&bench.rig, &hangs[1], hang);
			run_for(&bench.rig.kube.loop, 300); /* then what was read of the others is old */
		}
	}
	serving_await(&bench.rig, &hangs[1]);
	assert_int_equal(hangs[1].status, 503);
	assert_true(bench.hanging < 40);
	free_indirect(&hangs[0].body);
	free_indirect(&hangs[1].body);
	serving_close(&bench.rig);
}

static void ten_thousand_autoscalers_in_one_namespace(void **state)
{
	struct bench bench;
	struct serving_asked asked;
	int64_t start_ns;

	(void)state;
	open_bench(&bench);
	for (int i = 0; i < MANY; i++) {
		auto_free char *name = xasprintf("model-%d", i);

		add(&bench, "team", name, "/metrics");
	}
	serving_pod(&bench.rig, "team", "model-9999", 0, "True");
	start_ns = clock_worked_ns();
	serving_ask(&bench.rig, &asked,
		"/apis/custom.metrics.k8s.io/v1beta2/namespaces/team/pods/*/" RUNNING
		"?labelSelector=app%3Dmodel-9999");
	print_message("one among %d: %lld us\n", MANY, (long long)(clock_worked_ns() - start_ns) / 1000);
	assert_true(clock_worked_ns() - start_ns < 50 * INT64_C(1000000));
	serving_await(&bench.rig, &asked);
	assert_int_equal(asked.status, 200);
	free_indirect(&asked.body);
	/* one without pods is told too, and costs as little */
	start_ns = clock_worked_ns();
	assert_values(&bench, "team", "model-0", RUNNING,
		"503 InferenceAutoscaler 'team/model-0' has no pods that are asked for, so 'vllm_num_requests_running' has no value");
	assert_values(&bench, "team", "model-5000", RUNNING,
		"404 no InferenceAutoscaler in namespace 'team' has metric 'vllm_num_requests_running' for 'app=model-5000': create "
		"one for the workload, or correct the metric's name");
	assert_true(clock_worked_ns() - start_ns < 100 * INT64_C(1000000));
	serving_close(&bench.rig);
}

/* An engine of type Custom, whose page is at a port that has a name only. */
static void add_custom(struct bench *bench, const char *ns, const char *name, const char *signals)
{
	auto_free char *spec = xasprintf("engine: {type: Custom, port: web, signals: %s}", signals);
	auto_free char *pod = xasprintf(
		"{metadata: {namespace: %s, name: %s-hash-0, labels: {app: %s, pod-template-hash: hash}, ownerReferences: [{kind: "
		"ReplicaSet, name: %s-hash}]}, spec: {nodeName: node-0, containers: [{name: e, ports: [{name: web, containerPort: "
		"%d}]}]}, status: {phase: Running, podIP: 127.0.0.1, conditions: [{type: Ready, status: \"True\"}]}}",
		ns, name, name, name, bench->rig.port);

	serving_add(&bench->rig, ns, name, spec, "{}");
	serving_pod_yaml(&bench->rig, pod);
}

#define OWN_RUNNING "custom_num_requests_running"

static void an_engine_of_ones_own_has_its_values(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	bench.long_page = "depth{rank=\"0\",queue=\"high\"} 3\ndepth{rank=\"1\",queue=\"high\"} 4\n"
			  "depth{rank=\"0\",queue=\"low\"} 90\nfill{rank=\"0\"} 0.25\nfill{rank=\"1\"} 0.5\n";
	add_custom(&bench, "team", "own",
		"[{name: Running, series: 'depth{queue=\"high\"}'}, {name: KVCache, series: fill}]");
	add_custom(&bench, "team", "other", "[{name: Running, series: 'depth{queue=\"low\"}'}]");
	add_custom(&bench, "team", "third", "[{name: Running, series: width}]");
	assert_values(&bench, "team", "own", OWN_RUNNING, "own-hash-0=7");
	assert_values(&bench, "team", "own", "custom_kv_cache_usage_percent", "own-hash-0=50");
	assert_int_equal(bench.pages, 1);
	/* The metric is called the same for all; what it is, each describes. */
	assert_values(&bench, "team", "other", OWN_RUNNING, "other-hash-0=90");
	assert_values(&bench, "team", "third", OWN_RUNNING,
		"503 no page of the pods of InferenceAutoscaler 'team/third' has a value of '" OWN_RUNNING "'");
	assert_values(&bench, "team", "third", "custom_kv_cache_usage_percent",
		"404 no InferenceAutoscaler in namespace 'team' has metric 'custom_kv_cache_usage_percent' for 'app=third': "
		"create one for the workload, or correct the metric's name");
	assert_values(&bench, "team", "own", RUNNING,
		"404 no InferenceAutoscaler in namespace 'team' has metric '" RUNNING
		"' for 'app=own': create one for the "
		"workload, or correct the metric's name");
	serving_close(&bench.rig);
}

static void ten_thousand_engines_of_ones_own_in_one_namespace(void **state)
{
	struct bench bench;
	int64_t start_ns;

	(void)state;
	open_bench(&bench);
	bench.long_page = "depth 3\n";
	for (int i = 0; i < MANY; i++) {
		auto_free char *name = xasprintf("model-%d", i);

		serving_add(&bench.rig, "team", name,
			"engine: {type: Custom, port: 8000, signals: [{name: Running, series: depth}]}", "{}");
	}
	add_custom(&bench, "team", "own", "[{name: Running, series: depth}]");
	start_ns = clock_worked_ns();
	assert_values(&bench, "team", "own", OWN_RUNNING, "own-hash-0=3");
	print_message("one among %d: %lld us\n", MANY, (long long)(clock_worked_ns() - start_ns) / 1000);
	assert_true(clock_worked_ns() - start_ns < 50 * INT64_C(1000000));
	serving_close(&bench.rig);
}

#define EXPORTER_PORTS "containers: [{name: e, ports: [{name: metrics, containerPort: %d}]}]"

/* An exporter's DaemonSet as NVIDIA's GPU operator labels it, and its pod on node-0. */
static void add_exporter(struct bench *bench, const char *ns, const char *path, const char *created)
{
	auto_free char *daemonset = xasprintf(
		"{metadata: {namespace: %s, name: exporter, creationTimestamp: \"%s\"}, spec: {selector: {matchLabels: {app: "
		"nvidia-dcgm-exporter}}, template: {metadata: {labels: {app: nvidia-dcgm-exporter}}, spec: {}}}}",
		ns, created);
	auto_free char *pod = xasprintf(
		"{metadata: {namespace: %s, name: exporter-%s, labels: {app: nvidia-dcgm-exporter}}, spec: {nodeName: node-0, " EXPORTER_PORTS
		"}, status: {phase: Running, podIP: 127.0.0.%d, conditions: [{type: Ready, status: \"True\"}]}}",
		ns, path, bench->rig.port, path[0] == 'g' ? 1 : 2);

	serving_daemonset(&bench->rig, daemonset);
	serving_pod_yaml(&bench->rig, pod);
}

static void open_gpu_bench(struct bench *bench)
{
	open_bench(bench);
	bench->gpu = true;
	snprintf(bench->page, sizeof(bench->page),
		"DCGM_FI_DEV_GPU_UTIL{UUID=\"a\",namespace=\"team\",pod=\"gemma-hash-0\"} 40\n"
		"DCGM_FI_DEV_GPU_UTIL{UUID=\"b\",namespace=\"team\",pod=\"gemma-hash-0\"} 61\n"
		"DCGM_FI_DEV_GPU_UTIL{UUID=\"c\",namespace=\"team\",pod=\"gemma-hash-1\"} 99\n");
	serving_add(&bench->rig, "team", "gemma", "mode: GPU", "{}");
	serving_pod(&bench->rig, "team", "gemma", 0, "True");
}

#define MODELS 300

#define AT_ONCE 10 /* an HPA controller has five workers */

/* Those from `begin` on, side by side. */
static void ask_for_models(struct bench *bench, int begin)
{
	struct serving_asked asked[AT_ONCE];

	for (int i = 0; i < AT_ONCE; i++) {
		auto_free char *target =
			xasprintf("/apis/custom.metrics.k8s.io/v1beta2/namespaces/team-%d/pods/*/" RUNNING
				  "?labelSelector=app%%3Dmodel-%d",
				(begin + i) % 30, begin + i);

		serving_ask(&bench->rig, &asked[i], target);
	}
	for (int i = 0; i < AT_ONCE; i++) {
		serving_await(&bench->rig, &asked[i]);
		assert_int_equal(asked[i].status, 200);
		free_indirect(&asked[i].body);
	}
}

/* What a hundred requests a second cost, each of an autoscaler of four pods; the server of the pages is part of it. */
static void three_hundred_autoscalers_of_four_pods(void **state)
{
	struct bench bench;
	auto_strbuf page = STRBUF_INIT;
	int64_t start_ns;
	int64_t ns;

	(void)state;
	open_bench(&bench);
	strbuf_addstr(&page, "vllm:num_requests_running{engine=\"0\"} 3\n");
	while (page.len < 50 * 1024) {
		strbuf_addf(&page, "vllm:request_latency_seconds_bucket{engine=\"0\",le=\"%zu\"} 1.0\n", page.len);
	}
	bench.long_page = page.buf;
	for (int i = 0; i < MODELS; i++) {
		auto_free char *name = xasprintf("model-%d", i);
		auto_free char *ns_name = xasprintf("team-%d", i % 30);

		add(&bench, ns_name, name, "/metrics");
		for (int pod = 0; pod < 4; pod++) {
			serving_pod(&bench.rig, ns_name, name, pod, "True");
		}
	}
	for (int round = 0; round < 2; round++) {
		start_ns = clock_worked_ns();
		for (int i = 0; i < MODELS; i += AT_ONCE) {
			ask_for_models(&bench, i);
		}
		ns = clock_worked_ns() - start_ns;
		print_message("%d requests of 4 pages of 50 KiB each: %lld ms of CPU, %d pages\n", MODELS,
			(long long)ns / 1000000, bench.pages);
		run_for(&bench.rig.kube.loop, 1050);
	}
	assert_int_equal(bench.pages, 2 * 4 * MODELS);
	serving_close(&bench.rig);
}

static void gpus_are_read_from_the_exporters_of_their_nodes(void **state)
{
	struct bench bench;

	(void)state;
	open_gpu_bench(&bench);
	add_exporter(&bench, "gpu-operator", "good", "2026-01-31T07:00:00Z");
	serving_pod(&bench.rig, "team", "gemma", 1, "True"); /* on a node without an exporter */
	assert_values(&bench, "team", "gemma", "gpu_utilization_percent", "gemma-hash-0=50500m");
	assert_int_equal(bench.pages, 1);
	serving_close(&bench.rig);
}

/* Nobody listens at the address of a decoy: if it were asked, nothing would come. */
static void the_platforms_exporter_is_believed_and_an_older_one_is_not(void **state)
{
	struct bench bench;

	(void)state;
	open_gpu_bench(&bench);
	add_exporter(&bench, "tenant", "decoy", "2020-01-01T00:00:00Z");
	add_exporter(&bench, "gpu-operator", "good", "2026-01-31T07:00:00Z");
	assert_values(&bench, "team", "gemma", "gpu_utilization_percent", "gemma-hash-0=50500m");
	assert_int_equal(bench.pages, 1);
	serving_close(&bench.rig);
}

static void where_exporters_are_listed_no_other_is_asked(void **state)
{
	struct bench bench;

	(void)state;
	open_gpu_bench(&bench);
	bench.rig.settings.exporter_namespaces = "monitoring";
	add_exporter(&bench, "tenant", "good", "2020-01-01T00:00:00Z");
	assert_values(&bench, "team", "gemma", "gpu_utilization_percent",
		"503 no ready DCGM exporter runs on the nodes of the pods of InferenceAutoscaler 'team/gemma', so "
		"'gpu_utilization_percent' has no value");
	assert_int_equal(bench.pages, 0);
	/* about its own namespace's pods each is believed */
	add_exporter(&bench, "team", "good", "2026-01-31T07:00:00Z");
	assert_values(&bench, "team", "gemma", "gpu_utilization_percent", "gemma-hash-0=50500m");
	serving_close(&bench.rig);
}

/* What Auto means is the platform's; a kind that only a tenant has is not. */
static void one_that_is_asked_for_by_its_type_is_no_more_believed(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	bench.gpu = true;
	snprintf(bench.page, sizeof(bench.page),
		"DCGM_FI_DEV_GPU_UTIL{UUID=\"a\",namespace=\"team\",pod=\"gemma-hash-0\"} 100\n");
	serving_add(&bench.rig, "team", "gemma", "mode: GPU, gpu: {exporter: {type: GPUOperator}}", "{}");
	serving_pod(&bench.rig, "team", "gemma", 0, "True");
	serving_daemonset(&bench.rig,
		"{metadata: {namespace: metrics, name: ours, creationTimestamp: \"2025-01-31T07:00:00Z\"}, spec: {selector: "
		"{matchLabels: {a: b}}, template: {metadata: {labels: {app.kubernetes.io/name: dcgm-exporter}}, spec: {}}}}");
	add_exporter(&bench, "tenant", "good", "2026-01-31T07:00:00Z");
	assert_values(&bench, "team", "gemma", "gpu_utilization_percent",
		"503 no ready DCGM exporter runs on the nodes of the pods of InferenceAutoscaler 'team/gemma', so "
		"'gpu_utilization_percent' has no value");
	assert_int_equal(bench.pages, 0);
	bench.rig.settings.exporter_namespaces = "tenant";
	assert_values(&bench, "team", "gemma", "gpu_utilization_percent", "gemma-hash-0=100");
	serving_close(&bench.rig);
}

/* Only who asks for a figure of ours is one of its readers. */
static void what_is_asked_of_us_is_known(void **state)
{
	static const struct {
		const char *target;
		bool ours;
	} rows[] = {
		{"/namespaces/team/pods/*/" RUNNING "?labelSelector=app%3Dgemma", true},
		{"/namespaces/team/inferenceautoscalers.inference-autoscaler.io/gemma/" RUNNING, true},
		/* It has no value, but it was asked for. */
		{"/namespaces/team/pods/*/" RUNNING "?labelSelector=app%3Dbroken", true},
		{"/namespaces/team/pods/*/" RUNNING "?labelSelector=app%3Dnobody", false},
		{"/namespaces/team/pods/*/nothing?labelSelector=app%3Dgemma", false},
		{"", false},
	};
	struct bench bench;

	(void)state;
	open_bench(&bench);
	add(&bench, "team", "gemma", "/metrics");
	add(&bench, "team", "broken", "/500");
	serving_pod(&bench.rig, "team", "gemma", 0, "True");
	serving_pod(&bench.rig, "team", "broken", 0, "True");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *target = xasprintf("/apis/custom.metrics.k8s.io/v1beta2%s", rows[i].target);
		struct serving_asked asked;

		serving_ask(&bench.rig, &asked, target);
		serving_await(&bench.rig, &asked);
		assert_int_equal(asked.asker.ours, rows[i].ours);
		free_indirect(&asked.body);
	}
	serving_close(&bench.rig);
}

static void a_close_answers_what_waits(void **state)
{
	struct bench bench;
	struct serving_asked asked;

	(void)state;
	open_bench(&bench);
	add(&bench, "team", "gemma", "/hang");
	serving_pod(&bench.rig, "team", "gemma", 0, "True");
	serving_ask(&bench.rig, &asked, "/apis/custom.metrics.k8s.io/v1beta2/namespaces/team/pods/*/" RUNNING);
	run_for(&bench.rig.kube.loop, 50);
	assert_int_equal(bench.hanging, 1);
	serving_close(&bench.rig);
	assert_int_equal(asked.status, 503);
	free_indirect(&asked.body);
}

static void the_pods_are_awaited_first(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	pods_set_state(bench.rig.pods, false, NULL);
	assert_values(&bench, "team", "gemma", RUNNING,
		"503 the pods of the cluster are not known yet: the operator has just started");
	serving_close(&bench.rig);
}

static void what_was_done_is_told(void **state)
{
	struct bench bench;
	auto_strbuf page = STRBUF_INIT;

	(void)state;
	open_bench(&bench);
	add(&bench, "team", "gemma", "/metrics");
	serving_pod(&bench.rig, "team", "gemma", 0, "True");
	assert_values(&bench, "team", "gemma", RUNNING, "gemma-hash-0=3500m");
	assert_values(&bench, "team", "gemma", RUNNING, "gemma-hash-0=3500m");
	assert_get(&bench, "/nothing",
		"404 nothing is served here: the operator serves the metrics of pods, "
		"/apis/custom.metrics.k8s.io/VERSION/namespaces/NAMESPACE/pods/*/METRIC, and of "
		"inferenceautoscalers.inference-autoscaler.io");
	metrics_api_report(bench.rig.api, &page);
	assert_non_null(strstr(page.buf, "custom_metrics_requests_total{code=\"200\"} 2\n"));
	assert_non_null(strstr(page.buf, "custom_metrics_requests_total{code=\"404\"} 1\n"));
	assert_non_null(strstr(page.buf, "custom_metrics_page_reads_total 1\n"));
	assert_non_null(strstr(page.buf, "custom_metrics_page_reads_shared_total 1\n"));
	assert_non_null(strstr(page.buf, "custom_metrics_request_seconds_count 2\n"));
	assert_non_null(strstr(page.buf,
		"metrics_apiserver_metric_freshness_seconds_count{group=\"custom.metrics.k8s.io\"} 2\n"));
	serving_close(&bench.rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_pod_that_counts_has_its_value),
		cmocka_unit_test(one_that_is_not_ready_any_more_counts_while_it_has_load),
		cmocka_unit_test(what_two_ask_within_a_second_is_read_once),
		cmocka_unit_test(an_object_metric_is_the_sum),
		cmocka_unit_test(what_is_not_there_is_said_with_the_remedy),
		cmocka_unit_test(the_last_reading_stands_in_for_a_pod_that_hangs),
		cmocka_unit_test(five_hundred_pods_that_hang_take_nothing_from_others),
		cmocka_unit_test(ten_thousand_autoscalers_in_one_namespace),
		cmocka_unit_test(an_engine_of_ones_own_has_its_values),
		cmocka_unit_test(ten_thousand_engines_of_ones_own_in_one_namespace),
		cmocka_unit_test(three_hundred_autoscalers_of_four_pods),
		cmocka_unit_test(gpus_are_read_from_the_exporters_of_their_nodes),
		cmocka_unit_test(the_platforms_exporter_is_believed_and_an_older_one_is_not),
		cmocka_unit_test(where_exporters_are_listed_no_other_is_asked),
		cmocka_unit_test(one_that_is_asked_for_by_its_type_is_no_more_believed),
		cmocka_unit_test(what_is_asked_of_us_is_known),
		cmocka_unit_test(a_close_answers_what_waits),
		cmocka_unit_test(the_pods_are_awaited_first),
		cmocka_unit_test(what_was_done_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
