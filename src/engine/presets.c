/* The table of inference engines and their load signals. */
#include "engine/presets.h"

#include <string.h>

#include "base/strbuf.h"
#include "engine/custom.h"
#include "engine/gpu.h"
#include "engine/spelling.h"

/* The answers of which the version is one member among all settings, or beside the model's chat template. JSON takes
 * some 80 times its size in memory while it is read. */
#define VERSION_AMONG_SETTINGS ((size_t)64 * 1024)

#define WHERE "<<.LabelMatchers>>"
#define BY " by (<<.GroupBy>>)"

/*
 * A pod that is not ready is scraped with the label unready="true" (children/servicemonitor.c). It counts only while it
 * has load: an engine that is overloaded may fail its readiness probe, and is needed the most then, while one that
 * still loads its model says 0, which would drag the average down. For two intervals after a pod became ready,
 * Prometheus has its samples of before too: they win while they tell of load, so that nothing is counted twice.
 * So the macros that end with _OF write a query for ready pods or for others, and COUNTED() makes one of both.
 */
#define READY "unready=\"\","
#define UNREADY "unready=\"true\","
#define COUNTED(query_of, ...) "(" query_of(UNREADY, __VA_ARGS__) ") > 0 or (" query_of(READY, __VA_ARGS__) ")"

/* The begin of a selector: of a name that has one spelling, of a pattern (engine/spelling.h), of an engine's name. */
#define NAMED(name) name "{"
#define SPELLED(pattern) SPELLING_BEGIN pattern "\","
#define VLLM(name) "(vllm|ray_vllm)[:_]" name
#define SGLANG(name) "sglang[:_]" name
#define LMDEPLOY(name) "lmdeploy[:_]" name
#define LLAMACPP(name) "llamacpp[:_]" name

/* The samples of one series, without NaN. */
#define OF(pods, series) series pods WHERE "} >= 0"
#define OF_LABELLED(pods, series, label) series pods label "," WHERE "} >= 0"
#define SUM(samples) "sum(" samples ")" BY
#define MAX(samples) "max(" samples ")" BY

/* The metrics queries of one series, and of two. */
#define COUNT_OF(pods, series) SUM(OF(pods, series))
#define COUNT_BOTH_OF(pods, a, b) COUNT_OF(pods, a) " + " COUNT_OF(pods, b)
#define PERCENT_OF(pods, series) "100 * " MAX(OF(pods, series))
#define PERCENT_OR_OF(pods, name, former) "100 * (" MAX(OF(pods, name)) " or " MAX(OF(pods, former)) ")"
#define COUNT(series) COUNTED(COUNT_OF, series)
#define COUNT_BOTH(pair) COUNTED(COUNT_BOTH_OF, pair)
#define PERCENT(series) COUNTED(PERCENT_OF, series)
#define PERCENT_OR(pair) COUNTED(PERCENT_OR_OF, pair)

#define DISCOVER(names) "{__name__=~\"^" names "$\",namespace!=\"\",pod!=\"\"}"
#define DISCOVER_LABELLED(name, label) "{__name__=~\"^" name "$\"," label ",namespace!=\"\",pod!=\"\"}"

#define VLLM_RUNNING SPELLED(VLLM("num_requests_running"))
#define VLLM_WAITING SPELLED(VLLM("num_requests_waiting"))
#define VLLM_REQUESTS VLLM_RUNNING, VLLM_WAITING
#define VLLM_FILL SPELLED(VLLM("kv_cache_usage_perc")), SPELLED(VLLM("gpu_cache_usage_perc"))
#define TGI_RUNNING NAMED("tgi_batch_current_size")
#define TGI_WAITING NAMED("tgi_queue_size")
#define TGI_REQUESTS TGI_RUNNING, TGI_WAITING
#define TGI_CONCURRENT                                                                                                 \
	{                                                                                                              \
		.flags = {"--max-concurrent-requests"}, .env = "MAX_CONCURRENT_REQUESTS"                               \
	}
#define TRTLLM_RUNNING NAMED("trtllm_num_requests_running")
#define TRTLLM_WAITING NAMED("trtllm_num_requests_waiting")
#define TRTLLM_REQUESTS TRTLLM_RUNNING, TRTLLM_WAITING
#define LLAMACPP_RUNNING SPELLED(LLAMACPP("requests_processing"))
#define LLAMACPP_WAITING SPELLED(LLAMACPP("requests_deferred"))
#define LLAMACPP_REQUESTS LLAMACPP_RUNNING, LLAMACPP_WAITING

/* SGLang: only the first tensor-parallel rank of each data-parallel rank reports, unless
 * --enable-metrics-for-all-schedulers makes all of them report the same figure. With priority
 * scheduling the label priority breaks the total down, and is empty on the total itself.
 * A worker that only prefills or only decodes has queues of its own before the usual one, which is empty there;
 * prefilled requests of which the other worker has not got the KV cache yet are in flight, but do not wait. */
#define SGLANG_RUNNING SPELLED(SGLANG("num_running_reqs"))
#define SGLANG_QUEUES                                                                                                  \
	"num_queue_reqs|num_prefill_prealloc_queue_reqs|num_prefill_bootstrap_queue_reqs|"                             \
	"num_decode_prealloc_queue_reqs|num_decode_transfer_queue_reqs"
#define SGLANG_WAITING SPELLED(SGLANG("(" SGLANG_QUEUES ")"))
#define SGLANG_BEHIND SPELLED(SGLANG("(" SGLANG_QUEUES "|num_prefill_inflight_queue_reqs)"))
#define SGLANG_BY(pods, series, labels)                                                                                \
	"sum(max(" OF_LABELLED(pods, series, "priority=\"\"") ") by (<<.GroupBy>>, " labels "))" BY
#define SGLANG_OF(pods, series) SGLANG_BY(pods, series, "dp_rank")
#define SGLANG_ALL_OF(pods, series) SGLANG_BY(pods, series, "dp_rank, __name__")
#define SGLANG_BOTH_OF(pods, running, queues) SGLANG_OF(pods, running) " + " SGLANG_ALL_OF(pods, queues)

/* LMDeploy: the engine's queue, and before it that of the API server, told since 0.12.1. */
#define LMDEPLOY_RUNNING SPELLED(LMDEPLOY("num_requests_running"))
#define LMDEPLOY_QUEUES SPELLED(LMDEPLOY("num_requests_waiting")), SPELLED(LMDEPLOY("num_api_requests_waiting"))
#define LMDEPLOY_WAITING_OF(pods, queue, before) "(" COUNT_BOTH_OF(pods, queue, before) " or " COUNT_OF(pods, queue) ")"
#define LMDEPLOY_IN_FLIGHT_OF(pods, running, queue, before)                                                            \
	COUNT_OF(pods, running) " + " LMDEPLOY_WAITING_OF(pods, queue, before)
#define LMDEPLOY_WAITING COUNTED(LMDEPLOY_WAITING_OF, LMDEPLOY_QUEUES)
#define LMDEPLOY_IN_FLIGHT COUNTED(LMDEPLOY_IN_FLIGHT_OF, LMDEPLOY_RUNNING, LMDEPLOY_QUEUES)

/* Triton: "active" are the requests that the backend has, "scheduled" those in the batch, and
 * "waiting", told since April 2025, is their difference (model_instance_state.cc). */
#define TRITON_REQUESTS "nv_trt_llm_request_metrics"
#define TRITON_OF(pods, type) SUM(OF_LABELLED(pods, NAMED(TRITON_REQUESTS), "request_type=\"" type "\""))
#define TRITON_WAITING_OF(pods, waiting, active, scheduled)                                                            \
	TRITON_OF(pods, waiting) " or clamp_min(" TRITON_OF(pods, active) " - " TRITON_OF(pods, scheduled) ", 0)"
#define TRITON(type) COUNTED(TRITON_OF, type)
#define TRITON_WAITING COUNTED(TRITON_WAITING_OF, "waiting", "active", "scheduled")
#define TRITON_FILL "nv_trt_llm_kv_cache_block_metrics"
#define TRITON_FRACTION "kv_cache_block_type=\"fraction\""
#define TRITON_PERCENT_OF(pods, label) "100 * " MAX(OF_LABELLED(pods, NAMED(TRITON_FILL), label))
#define TRITON_PERCENT COUNTED(TRITON_PERCENT_OF, TRITON_FRACTION)

/* NIM: its own names have no prefix; since 2.0 it passes on those of vLLM. */
#define NIM_REQUESTS "num_requests_running", "num_requests_waiting"
#define NIM_FILL NAMED("gpu_cache_usage_perc"), SPELLED("vllm[:_]kv_cache_usage_perc")
#define NIM_OF(pods, name) "(" COUNT_OF(pods, NAMED(name)) " or " COUNT_OF(pods, SPELLED("vllm[:_]" name)) ")"
#define NIM_BOTH_OF(pods, a, b) NIM_OF(pods, a) " + " NIM_OF(pods, b)
#define NIM(name) COUNTED(NIM_OF, name)
#define NIM_BOTH(pair) COUNTED(NIM_BOTH_OF, pair)

const struct engine
	engines[] =
		{
			{
				/* github.com/vllm-project/vllm, docs/usage/metrics. The label engine is the
		 * data-parallel rank. vllm:gpu_cache_usage_perc was replaced by
		 * vllm:kv_cache_usage_perc and is gone since 0.12. The second place is that of a NIM
		 * which passes the page on. */
				.type = "VLLM",
				.places = {{8000, "/metrics"}, {8000, "/v1/metrics"}},
				.marks = {"vllm:num_requests_running"},
				.version_path = "/version",
				.version_member = "version",
				.latency = "vllm:e2e_request_latency_seconds",
				.ranks_flags = {"--data-parallel-size", "-dp"},
				.config_flag = "--config",
				.signals =
					{
						{
							.name = "Running",
							.metric = "vllm_num_requests_running",
							.series = {"vllm:num_requests_running"},
							.series_query = DISCOVER(VLLM("num_requests_running")),
							.metrics_query = COUNT(VLLM_RUNNING),
							.default_target_milli = 4000,
							.limits = {{.flags = {"--max-num-seqs"}}},
						},
						{
							.name = "Waiting",
							.metric = "vllm_num_requests_waiting",
							.series = {"vllm:num_requests_waiting"},
							.series_query = DISCOVER(VLLM("num_requests_waiting")),
							.metrics_query = COUNT(VLLM_WAITING),
							.default_target_milli = 1000,
						},
						{
							.name = "InFlight",
							.metric = "vllm_num_requests_in_flight",
							.series = {"vllm:num_requests_running"},
							.series_query = DISCOVER(VLLM("num_requests_running")),
							.metrics_query = COUNT_BOTH(VLLM_REQUESTS),
							.default_target_milli = 4000,
						},
						{
							.name = "KVCache",
							.metric = "vllm_kv_cache_usage_percent",
							.series = {"vllm:kv_cache_usage_perc",
								"vllm:gpu_cache_usage_perc"},
							.series_query = DISCOVER(VLLM("(kv|gpu)_cache_usage_perc")),
							.metrics_query = PERCENT_OR(VLLM_FILL),
							.default_target_milli = 80000,
							.former = "vllm:gpu_cache_usage_perc",
							.gone_in = "vLLM 0.12",
						},
					},
			},
			{
				/* github.com/sgl-project/sglang, srt/observability/metrics_collector.py (formerly
		 * srt/metrics/collector.py); only with --enable-metrics. */
				.type = "SGLang",
				.places = {{30000, "/metrics"}, {8000, "/v1/metrics"}},
				.marks = {"sglang:num_running_reqs", "sglang:token_usage"},
				.version_path = "/get_server_info",
				.version_member = "version",
				.version_max = VERSION_AMONG_SETTINGS,
				.latency = "sglang:e2e_request_latency_seconds",
				.ranks_flags = {"--data-parallel-size", "--dp-size", "--dp"},
				.config_flag = "--config",
				.signals =
					{
						{
							.name = "Running",
							.metric = "sglang_num_requests_running",
							.series = {"sglang:num_running_reqs"},
							.series_query = DISCOVER(SGLANG("num_running_reqs")),
							.metrics_query = COUNTED(SGLANG_OF, SGLANG_RUNNING),
							.default_target_milli = 4000,
							.limits = {{.flags = {"--max-running-requests"}}},
						},
						{
							.name = "Waiting",
							.metric = "sglang_num_requests_waiting",
							.series = {"sglang:num_queue_reqs"},
							.series_query = DISCOVER(SGLANG("num_queue_reqs")),
							.metrics_query = COUNTED(SGLANG_ALL_OF, SGLANG_WAITING),
							.default_target_milli = 1000,
							.limits = {{.flags = {"--max-queued-requests"}}},
						},
						{
							.name = "InFlight",
							.metric = "sglang_num_requests_in_flight",
							.series = {"sglang:num_running_reqs"},
							.series_query = DISCOVER(SGLANG("num_running_reqs")),
							.metrics_query =
								COUNTED(SGLANG_BOTH_OF, SGLANG_RUNNING, SGLANG_BEHIND),
							.default_target_milli = 4000,
						},
						{
							.name = "KVCache",
							.metric = "sglang_kv_cache_usage_percent",
							.series = {"sglang:token_usage"},
							.series_query = DISCOVER(SGLANG("token_usage")),
							.metrics_query = PERCENT(SPELLED(SGLANG("token_usage"))),
							.default_target_milli = 80000,
						},
					},
			},
			{
				/* github.com/huggingface/text-generation-inference, router/src/server.rs and
		 * docs/source/reference/metrics.md. The page is empty until the first request. Nothing
		 * on it tells how full the cache is. The image listens on 80, the program alone on 3000. */
				.type = "TGI",
				.places = {{80, "/metrics"}, {3000, "/metrics"}},
				.marks = {"tgi_batch_current_size", "tgi_queue_size", "tgi_request_count"},
				.version_path = "/info",
				.version_member = "version",
				.latency = "tgi_request_duration",
				.signals =
					{
						{
							.name = "Running",
							.metric = "tgi_num_requests_running",
							.series = {"tgi_batch_current_size"},
							.series_query = DISCOVER("tgi_batch_current_size"),
							.metrics_query = COUNT(TGI_RUNNING),
							.default_target_milli = 4000,
							.limits = {TGI_CONCURRENT, {.flags = {"--max-batch-size"},
											   .env = "MAX_BATCH_SIZE"}},
						},
						{
							.name = "Waiting",
							.metric = "tgi_num_requests_waiting",
							.series = {"tgi_queue_size"},
							.series_query = DISCOVER("tgi_queue_size"),
							.metrics_query = COUNT(TGI_WAITING),
							.default_target_milli = 1000,
						},
						{
							.name = "InFlight",
							.metric = "tgi_num_requests_in_flight",
							.series = {"tgi_batch_current_size"},
							.series_query = DISCOVER("tgi_batch_current_size"),
							.metrics_query = COUNT_BOTH(TGI_REQUESTS),
							.default_target_milli = 4000,
							.limits = {TGI_CONCURRENT},
						},
					},
			},
			{
				/* github.com/NVIDIA/TensorRT-LLM, tensorrt_llm/metrics/collector.py and
		 * serve/openai_server.py: trtllm-serve, whose /metrics is JSON. Only with
		 * return_perf_metrics, and the counts only with enable_iter_perf_stats; older releases have
		 * of these the cache alone. */
				.type = "TensorRTLLM",
				.places = {{8000, "/prometheus/metrics"}},
				.marks =
					{"trtllm_num_requests_running", "trtllm_kv_cache_utilization",
						"trtllm_request_success_total"},
				.version_path = "/version",
				.version_member = "version",
				.latency = "trtllm_e2e_request_latency_seconds",
				.signals =
					{
						{
							.name = "Running",
							.metric = "trtllm_num_requests_running",
							.series = {"trtllm_num_requests_running"},
							.series_query = DISCOVER("trtllm_num_requests_running"),
							.metrics_query = COUNT(TRTLLM_RUNNING),
							.default_target_milli = 4000,
							.limits = {{.flags = {"--max-batch-size"}}},
							.limit_series = "trtllm_max_num_active_requests",
						},
						{
							.name = "Waiting",
							.metric = "trtllm_num_requests_waiting",
							.series = {"trtllm_num_requests_waiting"},
							.series_query = DISCOVER("trtllm_num_requests_waiting"),
							.metrics_query = COUNT(TRTLLM_WAITING),
							.default_target_milli = 1000,
						},
						{
							.name = "InFlight",
							.metric = "trtllm_num_requests_in_flight",
							.series = {"trtllm_num_requests_running"},
							.series_query = DISCOVER("trtllm_num_requests_running"),
							.metrics_query = COUNT_BOTH(TRTLLM_REQUESTS),
							.default_target_milli = 4000,
						},
						{
							.name = "KVCache",
							.metric = "trtllm_kv_cache_usage_percent",
							.series = {"trtllm_kv_cache_utilization"},
							.series_query = DISCOVER("trtllm_kv_cache_utilization"),
							.metrics_query = PERCENT(NAMED("trtllm_kv_cache_utilization")),
							.default_target_milli = 80000,
						},
					},
			},
			{
				/* github.com/triton-inference-server/tensorrtllm_backend, README.md, "Triton Metrics";
		 * github.com/NVIDIA/TensorRT-LLM, triton_backend, custom_metrics_reporter.cc. The port of
		 * the metrics serves nothing else: the version is not told there. */
				.type = "Triton",
				.places = {{8002, "/metrics"}},
				.marks = {TRITON_REQUESTS},
				.signals =
					{
						{
							.name = "Running",
							.metric = "triton_trtllm_num_requests_running",
							.series = {TRITON_REQUESTS "{request_type=\"scheduled\"}"},
							.series_query = DISCOVER_LABELLED(TRITON_REQUESTS,
								"request_type=\"scheduled\""),
							.metrics_query = TRITON("scheduled"),
							.default_target_milli = 4000,
							.limit_series = TRITON_REQUESTS "{request_type=\"max\"}",
						},
						{
							.name = "Waiting",
							.metric = "triton_trtllm_num_requests_waiting",
							.series = {TRITON_REQUESTS "{request_type=\"waiting\"}",
								TRITON_REQUESTS "{request_type=\"active\"}"},
							.series_query = DISCOVER_LABELLED(TRITON_REQUESTS,
								"request_type=~\"^(waiting|active)$\""),
							.metrics_query = TRITON_WAITING,
							.default_target_milli = 1000,
						},
						{
							.name = "InFlight",
							.metric = "triton_trtllm_num_requests_in_flight",
							.series = {TRITON_REQUESTS "{request_type=\"active\"}"},
							.series_query = DISCOVER_LABELLED(TRITON_REQUESTS,
								"request_type=\"active\""),
							.metrics_query = TRITON("active"),
							.default_target_milli = 4000,
							.limit_series = TRITON_REQUESTS "{request_type=\"max\"}",
						},
						{
							.name = "KVCache",
							.metric = "triton_trtllm_kv_cache_usage_percent",
							.series = {TRITON_FILL "{" TRITON_FRACTION "}"},
							.series_query = DISCOVER_LABELLED(TRITON_FILL, TRITON_FRACTION),
							.metrics_query = TRITON_PERCENT,
							.default_target_milli = 80000,
						},
					},
			},
			{
				/* github.com/InternLM/lmdeploy, lmdeploy/metrics/loggers.py; since 0.9.2. The label
		 * engine is the data-parallel rank. There is no way to ask for the version. */
				.type = "LMDeploy",
				.places = {{23333, "/metrics"}},
				.marks = {"lmdeploy:num_requests_running"},
				.latency = "lmdeploy:e2e_request_latency_seconds",
				.ranks_flags = {"--dp"},
				.signals =
					{
						{
							.name = "Running",
							.metric = "lmdeploy_num_requests_running",
							.series = {"lmdeploy:num_requests_running"},
							.series_query = DISCOVER(LMDEPLOY("num_requests_running")),
							.metrics_query = COUNT(LMDEPLOY_RUNNING),
							.default_target_milli = 4000,
							.limits = {{.flags = {"--max-batch-size"}}},
						},
						{
							.name = "Waiting",
							.metric = "lmdeploy_num_requests_waiting",
							.series = {"lmdeploy:num_requests_waiting"},
							.series_query = DISCOVER(LMDEPLOY("num_requests_waiting")),
							.metrics_query = LMDEPLOY_WAITING,
							.default_target_milli = 1000,
						},
						{
							.name = "InFlight",
							.metric = "lmdeploy_num_requests_in_flight",
							.series = {"lmdeploy:num_requests_running"},
							.series_query = DISCOVER(LMDEPLOY("num_requests_running")),
							.metrics_query = LMDEPLOY_IN_FLIGHT,
							.default_target_milli = 4000,
						},
						{
							.name = "KVCache",
							.metric = "lmdeploy_kv_cache_usage_percent",
							.series = {"lmdeploy:gpu_cache_usage_perc"},
							.series_query = DISCOVER(LMDEPLOY("gpu_cache_usage_perc")),
							.metrics_query =
								PERCENT(SPELLED(LMDEPLOY("gpu_cache_usage_perc"))),
							.default_target_milli = 80000,
						},
					},
			},
			{
				/* docs.nvidia.com/nim/large-language-models, "Observability" and "API Reference". Other
		 * engines have unprefixed names too; num_request_max is NIM's alone. */
				.type = "NIM",
				.places = {{8000, "/v1/metrics"}, {8000, "/metrics"}},
				.marks = {"num_request_max"},
				.version_path = "/v1/version",
				.version_member = "release",
				.latency = "e2e_request_latency_seconds",
				.signals =
					{
						{
							.name = "Running",
							.metric = "nim_num_requests_running",
							.series = {"num_requests_running", "vllm:num_requests_running"},
							.series_query = DISCOVER("(vllm[:_])?num_requests_running"),
							.metrics_query = NIM("num_requests_running"),
							.default_target_milli = 4000,
							.limit_series = "num_request_max",
						},
						{
							.name = "Waiting",
							.metric = "nim_num_requests_waiting",
							.series = {"num_requests_waiting", "vllm:num_requests_waiting"},
							.series_query = DISCOVER("(vllm[:_])?num_requests_waiting"),
							.metrics_query = NIM("num_requests_waiting"),
							.default_target_milli = 1000,
						},
						{
							.name = "InFlight",
							.metric = "nim_num_requests_in_flight",
							.series = {"num_requests_running", "vllm:num_requests_running"},
							.series_query = DISCOVER("(vllm[:_])?num_requests_running"),
							.metrics_query = NIM_BOTH(NIM_REQUESTS),
							.default_target_milli = 4000,
						},
						{
							.name = "KVCache",
							.metric = "nim_kv_cache_usage_percent",
							.series = {"gpu_cache_usage_perc", "vllm:kv_cache_usage_perc"},
							.series_query = DISCOVER("(gpu|vllm[:_]kv)_cache_usage_perc"),
							.metrics_query = PERCENT_OR(NIM_FILL),
							.default_target_milli = 80000,
						},
					},
			},
			{
				/* github.com/ggml-org/llama.cpp, tools/server; only with --metrics. The fill of the cache
		 * is gone since May 2025 (pull request 13660). It works on as many requests as it has slots: 4 when it
		 * is told nothing, formerly 1; /props says how many. */
				.type = "LlamaCpp",
				.places = {{8080, "/metrics"}},
				.marks = {"llamacpp:requests_processing"},
				.version_path = "/props",
				.version_member = "build_info",
				.version_max = VERSION_AMONG_SETTINGS,
				.signals =
					{
						{
							.name = "Running",
							.metric = "llamacpp_num_requests_running",
							.series = {"llamacpp:requests_processing"},
							.series_query = DISCOVER(LLAMACPP("requests_processing")),
							.metrics_query = COUNT(LLAMACPP_RUNNING),
							.default_target_milli = 3000,
							.limits =
								{
									{.flags = {"--parallel", "-np"},
										.env = "LLAMA_ARG_N_PARALLEL"}},
							.limit_member = "total_slots",
						},
						{
							.name = "Waiting",
							.metric = "llamacpp_num_requests_waiting",
							.series = {"llamacpp:requests_deferred"},
							.series_query = DISCOVER(LLAMACPP("requests_deferred")),
							.metrics_query = COUNT(LLAMACPP_WAITING),
							.default_target_milli = 1000,
						},
						{
							.name = "InFlight",
							.metric = "llamacpp_num_requests_in_flight",
							.series = {"llamacpp:requests_processing"},
							.series_query = DISCOVER(LLAMACPP("requests_processing")),
							.metrics_query = COUNT_BOTH(LLAMACPP_REQUESTS),
							.default_target_milli = 4000,
						},
						{
							.name = "KVCache",
							.metric = "llamacpp_kv_cache_usage_percent",
							.series = {"llamacpp:kv_cache_usage_ratio"},
							.series_query = DISCOVER(LLAMACPP("kv_cache_usage_ratio")),
							.metrics_query =
								PERCENT(SPELLED(LLAMACPP("kv_cache_usage_ratio"))),
							.default_target_milli = 80000,
							.former = "llamacpp:kv_cache_usage_ratio",
							.gone_in = "llama.cpp of May 2025",
						},
					},
			},
};

const size_t engines_count = sizeof(engines) / sizeof(engines[0]);

/* github.com/vllm-project/production-stack, vllm_router/services/metrics_service; github.com/sgl-project/sglang,
 * sgl-router and sgl-model-gateway, whose label worker_addr is the pod's own where both are in one. */
const struct router routers[] = {
	{"the router of vLLM's production stack", "vllm:num_requests_running", "server"},
	{"the router of vLLM's production stack", "vllm:healthy_pods_total", "server"},
	{"SGLang's model gateway", "sglang:num_running_reqs", "worker_addr"},
	{"SGLang's model gateway", "smg_worker_pool_size", NULL},
	{"SGLang's router", "sgl_router_active_workers", NULL},
};

const size_t routers_count = sizeof(routers) / sizeof(routers[0]);

const struct engine *engine_by_type(const char *type)
{
	for (size_t i = 0; i < engines_count; i++) {
		if (strcmp(engines[i].type, type) == 0) {
			return &engines[i];
		}
	}
	return NULL;
}

const struct engine_signal *engine_signal_by_name(const struct engine *engine, const char *name)
{
	for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engine->signals[i].name != NULL; i++) {
		if (strcmp(engine->signals[i].name, name) == 0) {
			return &engine->signals[i];
		}
	}
	return NULL;
}

const struct engine_signal *engine_signal_of_metric(const struct engine *engine, const char *metric)
{
	for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engine->signals[i].name != NULL; i++) {
		if (strcmp(engine->signals[i].metric, metric) == 0) {
			return &engine->signals[i];
		}
	}
	return NULL;
}

const struct engine_signal *engine_signal_by_metric(const char *metric)
{
	const struct engine_signal *signal = engine_signal_of_metric(&custom_rules, metric);

	for (size_t e = 0; signal == NULL && e < engines_count; e++) {
		signal = engine_signal_of_metric(&engines[e], metric);
	}
	if (signal == NULL && strcmp(gpu_utilization.metric, metric) == 0) {
		signal = &gpu_utilization;
	}
	return signal;
}

const char *engine_page_query(const struct engine_signal *signal)
{
	return signal->page_query != NULL ? signal->page_query : signal->metrics_query;
}

bool engine_metric_is_percent(const char *metric)
{
	static const char suffix[] = "_percent";
	size_t len = strlen(metric);

	return len >= sizeof(suffix) && strcmp(metric + len - (sizeof(suffix) - 1), suffix) == 0;
}

char *engine_signals_text(const struct engine *engine)
{
	struct strbuf text = STRBUF_INIT;
	size_t count = 0;

	while (count < ENGINE_SIGNALS_MAX && engine->signals[count].name != NULL) {
		count++;
	}
	for (size_t i = 0; i < count; i++) {
		strbuf_addf(&text, "%s%s", i == 0 ? "" : i + 1 < count ? ", " : " or ", engine->signals[i].name);
	}
	return strbuf_take(&text);
}
