/* The families, and how each type is written. */
#include "vllm_page.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "text.h"

static const char *const waiting_reasons[] = {"capacity", "deferred", NULL};
static const char *const sleep_states[] = {"awake", "weights_offloaded", "discard_all", NULL};
static const char *const prompt_sources[] = {"local_compute", "local_cache_hit", "external_kv_transfer", NULL};
static const char *const cache_tiers[] = {"device", "host", "p2p", "disk", "external_unspecified", NULL};
static const char *const finish_reasons[] = {"stop", "length", "abort", "error", "repetition", NULL};
static const char *const rejection_reasons[] = {"max_num_queued_reqs", "max_num_queued_tokens", NULL};
static const char *const no_label_values[] = {"", NULL};

enum family_type {
	GAUGE,
	COUNTER, /* NAME_total, and NAME_created beside it */
	HISTOGRAM,
};

struct family {
	const char *name; /* after "vllm:" */
	enum family_type type;
	const char *help;
	enum standin_value value; /* of a gauge or counter: that of the first label value */
	enum standin_distribution distribution;
	const char *label; /* NULL: engine and model_name only */
	const char *const *label_values;
	bool no_engine;
};

/* In the order of the captured page. */
static const struct family families[] = {
	{.name = "estimated_flops_per_gpu",
		.type = COUNTER,
		.help = "Estimated number of floating point operations per GPU (for Model Flops Utilization "
			"calculations)."},
	{.name = "estimated_read_bytes_per_gpu",
		.type = COUNTER,
		.help = "Estimated number of bytes read from memory per GPU (for Model Flops Utilization "
			"calculations)."},
	{.name = "estimated_write_bytes_per_gpu",
		.type = COUNTER,
		.help = "Estimated number of bytes written to memory per GPU (for Model Flops Utilization "
			"calculations)."},
	{.name = "num_requests_running",
		.type = GAUGE,
		.value = VALUE_RUNNING,
		.help = "Number of requests in model execution batches."},
	{.name = "num_requests_waiting",
		.type = GAUGE,
		.value = VALUE_WAITING,
		.help = "Number of requests waiting to be processed."},
	{.name = "num_requests_waiting_by_reason",
		.type = GAUGE,
		.value = VALUE_WAITING_CAPACITY,
		.label = "reason",
		.label_values = waiting_reasons,
		.help = "Number of waiting requests by reason. Reason labels: 'capacity' = waiting for "
			"scheduling capacity; 'deferred' = deferred by transient constraints (LoRA budget, "
			"KV transfer, blocked status). Sum of all reasons equals vllm:num_requests_waiting."},
	{.name = "engine_sleep_state",
		.type = GAUGE,
		.value = VALUE_AWAKE,
		.label = "sleep_state",
		.label_values = sleep_states,
		.help = "Engine sleep state; awake = 0 means engine is sleeping; awake = 1 means engine is "
			"awake; weights_offloaded = 1 means sleep level 1; discard_all = 1 means sleep level "
			"2."},
	{.name = "kv_cache_usage_perc",
		.type = GAUGE,
		.value = VALUE_CACHE_USAGE,
		.help = "KV-cache usage. 1 means 100 percent usage."},
	{.name = "prefix_cache_queries",
		.type = COUNTER,
		.help = "Prefix cache queries, in terms of number of queried tokens."},
	{.name = "prefix_cache_hits",
		.type = COUNTER,
		.help = "Prefix cache hits, in terms of number of cached tokens."},
	{.name = "external_prefix_cache_queries",
		.type = COUNTER,
		.help = "External prefix cache queries from KV connector cross-instance cache sharing, in "
			"terms of number of queried tokens."},
	{.name = "external_prefix_cache_hits",
		.type = COUNTER,
		.help = "External prefix cache hits from KV connector cross-instance cache sharing, in terms "
			"of number of cached tokens."},
	{.name = "mm_cache_queries",
		.type = COUNTER,
		.help = "Multi-modal cache queries, in terms of number of queried items."},
	{.name = "mm_cache_hits",
		.type = COUNTER,
		.help = "Multi-modal cache hits, in terms of number of cached items."},
	{.name = "num_preemptions", .type = COUNTER, .help = "Cumulative number of preemption from the engine."},
	{.name = "prompt_tokens",
		.type = COUNTER,
		.value = VALUE_PROMPT_TOKENS,
		.help = "Number of prefill tokens processed."},
	{.name = "prompt_tokens_by_source",
		.type = COUNTER,
		.value = VALUE_PROMPT_LOCAL_COMPUTE,
		.label = "source",
		.label_values = prompt_sources,
		.help = "Number of prompt tokens by source."},
	{.name = "prompt_tokens_cached", .type = COUNTER, .help = "Number of cached prompt tokens (local + external)."},
	{.name = "prompt_tokens_cached_by_source",
		.type = COUNTER,
		.label = "source",
		.label_values = cache_tiers,
		.help = "Prefix-cache hit tokens by the cache tier that supplied them: device (local HBM), "
			"host (offloaded to DRAM), disk, p2p (transferred from another vLLM instance) or "
			"external_unspecified. Counted at admission; sums to vllm:prefix_cache_hits + "
			"vllm:external_prefix_cache_hits."},
	{.name = "generation_tokens",
		.type = COUNTER,
		.value = VALUE_GENERATION_TOKENS,
		.help = "Number of generation tokens processed."},
	{.name = "request_success",
		.type = COUNTER,
		.value = VALUE_SUCCESS_STOP,
		.label = "finished_reason",
		.label_values = finish_reasons,
		.help = "Count of successfully processed requests."},
	{.name = "admission_rejections",
		.type = COUNTER,
		.label = "reason",
		.label_values = rejection_reasons,
		.no_engine = true,
		.help = "Number of admission attempts rejected by a queue limit, by reason."},
	{.name = "request_prompt_tokens",
		.type = HISTOGRAM,
		.distribution = DISTRIBUTION_PROMPT_TOKENS,
		.help = "Number of prefill tokens processed."},
	{.name = "request_generation_tokens",
		.type = HISTOGRAM,
		.distribution = DISTRIBUTION_GENERATION_TOKENS,
		.help = "Number of generation tokens processed."},
	{.name = "iteration_tokens_total",
		.type = HISTOGRAM,
		.distribution = DISTRIBUTION_ITERATION_TOKENS,
		.help = "Histogram of number of tokens per engine_step."},
	{.name = "request_max_num_generation_tokens",
		.type = HISTOGRAM,
		.distribution = DISTRIBUTION_MAX_GENERATION_TOKENS,
		.help = "Histogram of maximum number of requested generation tokens."},
	{.name = "request_params_n",
		.type = HISTOGRAM,
		.distribution = DISTRIBUTION_N,
		.help = "Histogram of the n request parameter."},
	{.name = "request_params_max_tokens",
		.type = HISTOGRAM,
		.distribution = DISTRIBUTION_MAX_TOKENS,
		.help = "Histogram of the max_tokens request parameter."},
	{.name = "time_to_first_token_seconds",
		.type = HISTOGRAM,
		.distribution = DISTRIBUTION_FIRST_TOKEN,
		.help = "Histogram of time to first token in seconds."},
	{.name = "inter_token_latency_seconds",
		.type = HISTOGRAM,
		.distribution = DISTRIBUTION_INTER_TOKEN,
		.help = "Histogram of inter-token latency in seconds."},
	{.name = "request_time_per_output_token_seconds",
		.type = HISTOGRAM,
		.distribution = DISTRIBUTION_PER_OUTPUT_TOKEN,
		.help = "Histogram of time_per_output_token_seconds per request."},
	{.name = "e2e_request_latency_seconds",
		.type = HISTOGRAM,
		.distribution = DISTRIBUTION_E2E,
		.help = "Histogram of e2e request latency in seconds."},
	{.name = "request_queue_time_seconds",
		.type = HISTOGRAM,
		.distribution = DISTRIBUTION_QUEUE,
		.help = "Histogram of time spent in WAITING phase for request."},
	{.name = "request_inference_time_seconds",
		.type = HISTOGRAM,
		.distribution = DISTRIBUTION_INFERENCE,
		.help = "Histogram of time spent in RUNNING phase for request."},
	{.name = "request_prefill_time_seconds",
		.type = HISTOGRAM,
		.distribution = DISTRIBUTION_PREFILL,
		.help = "Histogram of time spent in PREFILL phase for request."},
	{.name = "request_decode_time_seconds",
		.type = HISTOGRAM,
		.distribution = DISTRIBUTION_DECODE,
		.help = "Histogram of time spent in DECODE phase for request."},
	{.name = "request_num_preemptions",
		.type = HISTOGRAM,
		.distribution = DISTRIBUTION_PREEMPTIONS,
		.help = "Histogram of the number of times a request was preempted."},
	{.name = "request_prefill_kv_computed_tokens",
		.type = HISTOGRAM,
		.distribution = DISTRIBUTION_PREFILL_KV,
		.help = "Histogram of new KV tokens computed during prefill (excluding cached tokens)."},
};

/* vllm:cache_config_info describes the configuration in its labels. */
static const char cache_config[] =
	"_block_size_resolved=\"True\",block_size=\"128\",cache_dtype=\"auto\","
	"cache_hit_alignment_tokens=\"None\",effective_attention_block_size=\"128\","
	"enable_mamba_shared_prefix_checkpoint=\"False\",enable_prefix_caching=\"True\",engine=\"0\","
	"gpu_memory_utilization=\"0.92\",hash_block_size=\"None\",is_attention_free=\"False\","
	"kv_cache_dtype_skip_layers=\"[]\",kv_cache_layout=\"None\",kv_cache_max_concurrency=\"1024.0\","
	"kv_cache_memory_bytes=\"1073741824\",kv_cache_size_tokens=\"1048576\","
	"kv_offloading_backend=\"native\",kv_offloading_size=\"None\",kv_sharing_fast_prefill=\"False\","
	"mamba_block_size=\"None\",mamba_cache_dtype=\"auto\",mamba_cache_mode=\"none\","
	"mamba_page_size_padded=\"None\",mamba_ssm_cache_dtype=\"float32\",num_cpu_blocks=\"None\","
	"num_gpu_blocks=\"8192\",num_gpu_blocks_override=\"None\",prefix_cache_retention_interval=\"0\","
	"prefix_caching_hash_algo=\"sha256\",prefix_match_unit=\"None\",replayssm_buffer_len=\"16\","
	"skip_page_size_padded=\"None\",sliding_window=\"None\",swa_bounded_replay=\"True\","
	"use_kda_recoverssm=\"False\",use_replayssm=\"False\",user_specified_block_size=\"False\"";

/* What all samples of one page share. */
struct sheet {
	struct strbuf *page;
	const struct standin_metrics *metrics;
	const char *model;
};

/* One sample; `label` is the family's own or "le", NULL for none. Labels are sorted, as from Python. */
static void add_sample(const struct sheet *sheet, const struct family *family, const char *suffix, const char *label,
	const char *label_value, double value)
{
	struct strbuf *page = sheet->page;

	strbuf_addf(page, "vllm:%s%s{", family->name, suffix);
	if (!family->no_engine) {
		text_add_label(page, "engine", "0");
	}
	if (label != NULL && strcmp(label, "model_name") < 0) {
		text_add_label(page, label, label_value);
	}
	text_add_label(page, "model_name", sheet->model);
	if (label != NULL && strcmp(label, "model_name") > 0) {
		text_add_label(page, label, label_value);
	}
	strbuf_addstr(page, "} ");
	text_add_float(page, value);
	strbuf_addch(page, '\n');
}

static void add_heading(const struct sheet *sheet, const struct family *family, const char *suffix, const char *type)
{
	strbuf_addf(sheet->page, "# HELP vllm:%s%s %s\n", family->name, suffix, family->help);
	strbuf_addf(sheet->page, "# TYPE vllm:%s%s %s\n", family->name, suffix, type);
}

static void add_values(const struct sheet *sheet, const struct family *family, const char *suffix)
{
	const char *const *values = family->label != NULL ? family->label_values : no_label_values;

	for (size_t i = 0; values[i] != NULL; i++) {
		size_t at = family->value == VALUE_ZERO ? VALUE_ZERO : family->value + i;

		add_sample(sheet, family, suffix, family->label, values[i], sheet->metrics->value[at]);
	}
}

static void add_created(const struct sheet *sheet, const struct family *family)
{
	const char *const *values = family->label != NULL ? family->label_values : no_label_values;

	add_heading(sheet, family, "_created", "gauge");
	for (size_t i = 0; values[i] != NULL; i++) {
		add_sample(sheet, family, "_created", family->label, values[i], sheet->metrics->created_s);
	}
}

static void add_histogram(const struct sheet *sheet, const struct family *family)
{
	const struct standin_metrics *metrics = sheet->metrics;
	size_t count;
	const double *bounds = standin_metrics_bounds(family->distribution, &count);
	auto_strbuf le = STRBUF_INIT;

	add_heading(sheet, family, "", "histogram");
	for (size_t i = 0; i < count; i++) {
		strbuf_reset(&le);
		text_add_float(&le, bounds[i]);
		add_sample(sheet, family, "_bucket", "le", le.buf,
			metrics->distribution[family->distribution].buckets[i]);
	}
	add_sample(sheet, family, "_count", NULL, NULL, metrics->distribution[family->distribution].count);
	add_sample(sheet, family, "_sum", NULL, NULL, metrics->distribution[family->distribution].sum);
}

static void add_family(const struct sheet *sheet, const struct family *family)
{
	switch (family->type) {
	case GAUGE:
		add_heading(sheet, family, "", "gauge");
		add_values(sheet, family, "");
		break;
	case COUNTER:
		add_heading(sheet, family, "_total", "counter");
		add_values(sheet, family, "_total");
		add_created(sheet, family);
		break;
	case HISTOGRAM:
		add_histogram(sheet, family);
		add_created(sheet, family);
		break;
	}
}

void vllm_page(struct strbuf *page, const struct standin_metrics *metrics, const char *model,
	enum standin_generation generation)
{
	const struct sheet sheet = {page, metrics, model};

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct family family = families[i];

		if (generation == GENERATION_OLD && strcmp(family.name, "kv_cache_usage_perc") == 0) {
			family.name = "gpu_cache_usage_perc";
			family.help = "GPU KV-cache usage. 1 means 100 percent usage.";
		}
		add_family(&sheet, &family);
	}
	strbuf_addf(page,
		"# HELP vllm:cache_config_info Information of the LLMEngine CacheConfig\n"
		"# TYPE vllm:cache_config_info gauge\n"
		"vllm:cache_config_info{%s} 1.0\n",
		cache_config);
}
