/* The rows of each engine's page, and how they are written. */
#include "kinds.h"

#include <string.h>

#include "base/memory.h"
#include "text.h"
#include "vllm_page.h"

/* One sample. A row without a type has more of the family above it. Rows end with name NULL. */
struct kind_row {
	const char *name, *type, *help;
	const char *labels; /* '$' stands for the model's name; NULL is none */
	enum standin_value value;
	double times; /* the value is multiplied by this; 0 is 1 */
};

#define SGLANG_SCHEDULER "engine_type=\"unified\",model_name=\"$\",moe_ep_rank=\"0\",pp_rank=\"0\",tp_rank=\"0\""
#define SGLANG_TOKENIZER "engine_type=\"unified\",model_name=\"$\""

static const struct kind_row sglang[] = {
	{"sglang:num_running_reqs", "gauge", "The number of running requests.", SGLANG_SCHEDULER, VALUE_RUNNING, 0},
	{"sglang:num_queue_reqs", "gauge", "The number of requests in the waiting queue.", SGLANG_SCHEDULER,
		VALUE_WAITING, 0},
	{"sglang:num_grammar_queue_reqs", "gauge", "The number of requests in the grammar waiting queue.",
		SGLANG_SCHEDULER, VALUE_ZERO, 0},
	{"sglang:gen_throughput", "gauge", "The generation throughput (token/s).", SGLANG_SCHEDULER, VALUE_ZERO, 0},
	{"sglang:cache_hit_rate", "gauge", "The prefix cache hit rate.", SGLANG_SCHEDULER, VALUE_ZERO, 0},
	{"sglang:token_usage", "gauge", "The token usage.", SGLANG_SCHEDULER, VALUE_CACHE_USAGE, 0},
	{"sglang:full_token_usage", "gauge", "The token usage for full attention layers.", SGLANG_SCHEDULER,
		VALUE_CACHE_USAGE, 0},
	{"sglang:num_used_tokens", "gauge", "The number of used tokens.", SGLANG_SCHEDULER, VALUE_CACHE_USAGE, 1048576},
	{"sglang:prompt_tokens_total", "counter", "Number of prefill tokens processed.", SGLANG_TOKENIZER,
		VALUE_PROMPT_TOKENS, 0},
	{"sglang:generation_tokens_total", "counter", "Number of generation tokens processed.", SGLANG_TOKENIZER,
		VALUE_GENERATION_TOKENS, 0},
	{"sglang:num_requests_total", "counter", "Number of requests processed.", SGLANG_TOKENIZER,
		VALUE_SUCCESS_LENGTH, 0},
	{0},
};

static const struct kind_row tgi[] = {
	{"tgi_request_count", "counter", "Total number of requests", NULL, VALUE_SUCCESS_LENGTH, 0},
	{"tgi_request_success", "counter", "Number of successful requests", "method=\"batch\"", VALUE_SUCCESS_LENGTH,
		0},
	{"tgi_batch_current_size", "gauge", "Current batch size", NULL, VALUE_RUNNING, 0},
	{"tgi_batch_current_max_tokens", "gauge", "Maximum tokens for the current batch", NULL, VALUE_RUNNING, 4096},
	{"tgi_queue_size", "gauge", "Current queue size", NULL, VALUE_WAITING, 0},
	{0},
};

#define TRTLLM "engine_type=\"trtllm\",model_name=\"$\""
#define TRTLLM_REQUESTS                                                                                                \
	{                                                                                                              \
		"trtllm_request_success_total", "counter", "Count of successfully processed requests.",                \
			"engine_type=\"trtllm\",finished_reason=\"length\",model_name=\"$\"", VALUE_SUCCESS_LENGTH, 0  \
	}
#define TRTLLM_CACHE                                                                                                   \
	{"trtllm_kv_cache_hit_rate", "gauge", "KV cache hit rate", TRTLLM, VALUE_ZERO, 0},                             \
	{                                                                                                              \
		"trtllm_kv_cache_utilization", "gauge", "KV cache utilization", TRTLLM, VALUE_CACHE_USAGE, 0           \
	}

static const struct kind_row trtllm[] = {
	TRTLLM_REQUESTS,
	{"trtllm_prompt_tokens_total", "counter", "Cumulative number of prompt (input) tokens processed.", TRTLLM,
		VALUE_PROMPT_TOKENS, 0},
	{"trtllm_generation_tokens_total", "counter", "Cumulative number of generation (output) tokens produced.",
		TRTLLM, VALUE_GENERATION_TOKENS, 0},
	TRTLLM_CACHE,
	{"trtllm_num_requests_running", "gauge", "Number of active requests", TRTLLM, VALUE_RUNNING, 0},
	{"trtllm_num_requests_waiting", "gauge", "Number of queued requests", TRTLLM, VALUE_WAITING, 0},
	{"trtllm_max_num_active_requests", "gauge", "Maximum number of active requests", TRTLLM, VALUE_MAX_NUM_SEQS, 0},
	{0},
};

/* Before the figures of an iteration were counted. */
static const struct kind_row trtllm_old[] = {TRTLLM_REQUESTS, TRTLLM_CACHE, {0}};

#define TRITON_REQUEST "nv_trt_llm_request_metrics"
#define TRITON_CACHE "nv_trt_llm_kv_cache_block_metrics"
#define TRITON_TYPE(type) "model=\"$\",request_type=\"" type "\",version=\"1\""
#define TRITON_BLOCK(type) "kv_cache_block_type=\"" type "\",model=\"$\",version=\"1\""
/* All of them: VALUE_AWAKE is always 1. */
#define TRITON_BLOCKS 6239
#define TRITON_BASE                                                                                                    \
	{                                                                                                              \
		"nv_inference_request_success", "counter", "Number of successful inference requests, all batch sizes", \
			"model=\"$\",version=\"1\"", VALUE_SUCCESS_LENGTH, 0                                           \
	}
#define TRITON_REST                                                                                                    \
	{TRITON_REQUEST, NULL, NULL, TRITON_TYPE("context"), VALUE_ZERO, 0},                                           \
		{TRITON_REQUEST, NULL, NULL, TRITON_TYPE("scheduled"), VALUE_RUNNING, 0},                              \
		{TRITON_REQUEST, NULL, NULL, TRITON_TYPE("max"), VALUE_MAX_NUM_SEQS, 0},                               \
		{TRITON_REQUEST, NULL, NULL, TRITON_TYPE("active"), VALUE_ACTIVE, 0},                                  \
		{TRITON_CACHE, "gauge", "TRT LLM KV cache block metrics", TRITON_BLOCK("fraction"), VALUE_CACHE_USAGE, \
			0},                                                                                            \
		{TRITON_CACHE, NULL, NULL, TRITON_BLOCK("used"), VALUE_CACHE_USAGE, TRITON_BLOCKS},                    \
		{TRITON_CACHE, NULL, NULL, TRITON_BLOCK("max"), VALUE_AWAKE, TRITON_BLOCKS},                           \
	{                                                                                                              \
		0                                                                                                      \
	}

static const struct kind_row triton[] = {
	TRITON_BASE,
	{TRITON_REQUEST, "gauge", "TRT LLM request metrics", TRITON_TYPE("waiting"), VALUE_WAITING, 0},
	TRITON_REST,
};

/* "waiting" is younger than the others. */
static const struct kind_row triton_old[] = {
	TRITON_BASE,
	{TRITON_REQUEST, "gauge", "TRT LLM request metrics", NULL, VALUES, 0},
	TRITON_REST,
};

#define LMDEPLOY "engine=\"0\",model_name=\"$\""
#define LMDEPLOY_BOTH                                                                                                  \
	{"lmdeploy:num_requests_running", "gauge", "Number of requests in model execution batches.", LMDEPLOY,         \
		VALUE_RUNNING, 0},                                                                                     \
		{"lmdeploy:num_requests_waiting", "gauge", "Number of requests waiting to be processed.", LMDEPLOY,    \
			VALUE_WAITING, 0},                                                                             \
		{"lmdeploy:gpu_cache_usage_perc", "gauge", "GPU KV-cache usage. 1 means 100 percent usage.", LMDEPLOY, \
			VALUE_CACHE_USAGE, 0},                                                                         \
		{"lmdeploy:prompt_tokens_total", "counter", "Number of prefill tokens processed.", LMDEPLOY,           \
			VALUE_PROMPT_TOKENS, 0},                                                                       \
		{"lmdeploy:generation_tokens_total", "counter", "Number of generation tokens processed.", LMDEPLOY,    \
			VALUE_GENERATION_TOKENS, 0},                                                                   \
	{                                                                                                              \
		0                                                                                                      \
	}

static const struct kind_row lmdeploy[] = {
	{"lmdeploy:num_requests_succeeded", "gauge", "Number of current succeeded requests.", LMDEPLOY,
		VALUE_SUCCESS_LENGTH, 0},
	{"lmdeploy:num_requests_failed", "gauge", "Number of current failed requests.", LMDEPLOY, VALUE_SUCCESS_ABORT,
		0},
	{"lmdeploy:num_api_requests_routed", "gauge", "Number of requests routed to request handles.", LMDEPLOY,
		VALUE_ACTIVE, 0},
	{"lmdeploy:num_api_requests_waiting", "gauge", "Number of requests waiting for free request handles.", LMDEPLOY,
		VALUE_ZERO, 0},
	LMDEPLOY_BOTH,
};

static const struct kind_row lmdeploy_old[] = {
	{"lmdeploy:num_requests_finished", "gauge", "Number of current finished requests.", LMDEPLOY,
		VALUE_SUCCESS_LENGTH, 0},
	{"lmdeploy:num_requests_unfinished", "gauge", "Number of current unfinished requests.", LMDEPLOY, VALUE_ACTIVE,
		0},
	LMDEPLOY_BOTH,
};

#define NIM "model_name=\"$\""

static const struct kind_row nim[] = {
	{"num_requests_running", "gauge", "Number of requests currently running on GPU.", NIM, VALUE_RUNNING, 0},
	{"num_requests_waiting", "gauge", "Number of requests waiting to be processed.", NIM, VALUE_WAITING, 0},
	{"num_request_max", "gauge", "Max number of concurrently running requests.", NIM, VALUE_MAX_NUM_SEQS, 0},
	{"gpu_cache_usage_perc", "gauge", "GPU KV-cache usage. 1 means 100 percent usage.", NIM, VALUE_CACHE_USAGE, 0},
	{"prompt_tokens_total", "counter", "Number of prefill tokens processed.", NIM, VALUE_PROMPT_TOKENS, 0},
	{"generation_tokens_total", "counter", "Number of generation tokens processed.", NIM, VALUE_GENERATION_TOKENS,
		0},
	{"request_success_total", "counter", "Count of successfully processed requests.", NIM, VALUE_SUCCESS_LENGTH, 0},
	{0},
};

#define LLAMACPP_COUNTERS                                                                                              \
	{"llamacpp:prompt_tokens_total", "counter", "Number of prompt tokens processed.", NULL, VALUE_PROMPT_TOKENS,   \
		0},                                                                                                    \
	{                                                                                                              \
		"llamacpp:tokens_predicted_total", "counter", "Number of generation tokens processed.", NULL,          \
			VALUE_GENERATION_TOKENS, 0                                                                     \
	}

static const struct kind_row llamacpp[] = {
	LLAMACPP_COUNTERS,
	{"llamacpp:requests_processing", "gauge", "Number of requests processing.", NULL, VALUE_RUNNING, 0},
	{"llamacpp:requests_deferred", "gauge", "Number of requests deferred.", NULL, VALUE_WAITING, 0},
	{0},
};

static const struct kind_row llamacpp_old[] = {
	LLAMACPP_COUNTERS,
	{"llamacpp:kv_cache_usage_ratio", "gauge", "KV-cache usage. 1 means 100 percent usage.", NULL,
		VALUE_CACHE_USAGE, 0},
	{"llamacpp:kv_cache_tokens", "gauge", "KV-cache tokens.", NULL, VALUE_CACHE_USAGE, 65536},
	{"llamacpp:requests_processing", "gauge", "Number of request processing.", NULL, VALUE_RUNNING, 0},
	{"llamacpp:requests_deferred", "gauge", "Number of request deferred.", NULL, VALUE_WAITING, 0},
	{0},
};

#define ROUTER "server=\"http://10.0.0.1:8000\""

static const struct kind_row vllm_router[] = {
	{"vllm:current_qps", "gauge", "Current Queries Per Second", ROUTER, VALUE_ZERO, 0},
	{"vllm:healthy_pods_total", "gauge", "Number of healthy vLLM pods", ROUTER, VALUE_AWAKE, 0},
	{"vllm:num_requests_running", "gauge", "Number of running requests", ROUTER, VALUE_RUNNING, 0},
	{"vllm:num_requests_waiting", "gauge", "Number of waiting requests", ROUTER, VALUE_WAITING, 0},
	{"vllm:gpu_prefix_cache_hit_rate", "gauge", "GPU Prefix Cache Hit Rate", ROUTER, VALUE_ZERO, 0},
	{0},
};

static const struct standin_kind kinds[] = {
	{.name = "vllm",
		.port = 8000,
		.path = "/metrics",
		.version_path = "/version",
		.version = "{\"version\":\"0.32.0+standin\"}"},
	{.name = "vllm",
		.generation = GENERATION_OLD,
		.port = 8000,
		.path = "/metrics",
		.version_path = "/version",
		.version = "{\"version\":\"0.10.2+standin\"}"},
	{.name = "sglang",
		.port = 30000,
		.path = "/metrics",
		.version_path = "/get_server_info",
		.version = "{\"model_path\":\"standin\",\"version\":\"0.5.6+standin\"}",
		.python = true,
		.rows = sglang},
	{.name = "tgi",
		.port = 80,
		.path = "/metrics",
		.version_path = "/info",
		.version = "{\"router\":\"text-generation-router\",\"version\":\"3.3.7+standin\"}",
		.unused = UNUSED_EMPTY,
		.gap = true,
		.rows = tgi},
	{.name = "tensorrt-llm",
		.port = 8000,
		.path = "/prometheus/metrics",
		.version_path = "/version",
		.version = "{\"version\":\"1.3.0+standin\"}",
		.stats_path = "/metrics",
		.unused = UNUSED_ANNOUNCED,
		.python = true,
		.rows = trtllm},
	{.name = "tensorrt-llm",
		.generation = GENERATION_OLD,
		.port = 8000,
		.path = "/prometheus/metrics",
		.version_path = "/version",
		.version = "{\"version\":\"1.2.0+standin\"}",
		.stats_path = "/metrics",
		.unused = UNUSED_ANNOUNCED,
		.python = true,
		.rows = trtllm_old},
	{.name = "triton", .port = 8002, .path = "/metrics", .rows = triton},
	{.name = "triton", .generation = GENERATION_OLD, .port = 8002, .path = "/metrics", .rows = triton_old},
	{.name = "lmdeploy", .port = 23333, .path = "/metrics", .python = true, .rows = lmdeploy},
	{.name = "lmdeploy",
		.generation = GENERATION_OLD,
		.port = 23333,
		.path = "/metrics",
		.python = true,
		.rows = lmdeploy_old},
	/* A new one passes on what vLLM says. */
	{.name = "nim",
		.port = 8000,
		.path = "/v1/metrics",
		.version_path = "/v1/version",
		.version = "{\"release\":\"2.0.3+standin\",\"api\":\"2.0.3\"}"},
	{.name = "nim",
		.generation = GENERATION_OLD,
		.port = 8000,
		.path = "/v1/metrics",
		.version_path = "/v1/version",
		.version = "{\"release\":\"1.14.0+standin\",\"api\":\"1.14.0\"}",
		.python = true,
		.rows = nim},
	{.name = "llamacpp",
		.port = 8080,
		.path = "/metrics",
		.version_path = "/props",
		.version = "{\"build_info\":\"b6900-standin\",\"model_path\":\"standin.gguf\"}",
		.rows = llamacpp},
	{.name = "llamacpp",
		.generation = GENERATION_OLD,
		.port = 8080,
		.path = "/metrics",
		.version_path = "/props",
		.version = "{\"build_info\":\"b5400-standin\",\"model_path\":\"standin.gguf\"}",
		.rows = llamacpp_old},
	{.name = "vllm-router",
		.port = 8000,
		.path = "/metrics",
		.version_path = "/version",
		.version = "{\"version\":\"0.1.7+standin\"}",
		.python = true,
		.rows = vllm_router},
};

const struct standin_kind *kind_find(const char *name, enum standin_generation generation)
{
	const struct standin_kind *found = NULL;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i].name, name) == 0 && (found == NULL || kinds[i].generation == generation)) {
			found = &kinds[i];
		}
	}
	return found;
}

/* A label's value is written as it is in `labels`, but for the model's name. */
static void add_labels(struct strbuf *page, const char *labels, const char *model)
{
	const char *at = strchr(labels, '$');

	strbuf_addch(page, '{');
	if (at != NULL) {
		auto_strbuf name = STRBUF_INIT;

		/* x="NAME", of which the quotes are there already */
		strbuf_addch(&name, '{');
		text_add_label(&name, "x", model);
		strbuf_add(page, labels, (size_t)(at - labels));
		strbuf_add(page, name.buf + 4, name.len - 5);
		strbuf_addstr(page, at + 1);
	} else {
		strbuf_addstr(page, labels);
	}
	strbuf_addch(page, '}');
}

static void add_sample(struct strbuf *page, const struct standin_kind *kind, const struct kind_row *row,
	const struct standin_metrics *metrics, const char *model)
{
	double value = metrics->value[row->value] * (row->times > 0 ? row->times : 1);

	strbuf_addstr(page, row->name);
	if (row->labels != NULL) {
		add_labels(page, row->labels, model);
	}
	strbuf_addch(page, ' ');
	if (kind->python) {
		text_add_float(page, value);
	} else {
		text_add_number(page, value);
	}
	strbuf_addch(page, '\n');
}

void kind_page(struct strbuf *page, const struct standin_kind *kind, const struct standin_metrics *metrics,
	const char *model)
{
	bool used = metrics->used || kind->unused == UNUSED_SHOWN;

	if (kind->rows == NULL) {
		vllm_page(page, metrics, model, kind->generation);
		return;
	}
	if (!used && kind->unused == UNUSED_EMPTY) {
		return;
	}
	for (const struct kind_row *row = kind->rows; row->name != NULL; row++) {
		if (row->type != NULL) {
			strbuf_addf(page, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name, row->type);
		}
		if (used && row->value < VALUES) {
			add_sample(page, kind, row, metrics, model);
		}
		if (kind->gap) {
			strbuf_addch(page, '\n');
		}
	}
}

void kind_stats(struct strbuf *json, const struct standin_metrics *metrics)
{
	const double *value = metrics->value;

	if (!metrics->used) {
		strbuf_addstr(json, "[]");
		return;
	}
	strbuf_addf(json,
		"[{\"iter\":1,\"numActiveRequests\":%.0f,\"numQueuedRequests\":%.0f,\"maxNumActiveRequests\":%.0f,",
		value[VALUE_RUNNING], value[VALUE_WAITING], value[VALUE_MAX_NUM_SEQS]);
	strbuf_addf(json, "\"kvCacheStats\":{\"maxNumBlocks\":1000,\"usedNumBlocks\":%.0f,\"tokensPerBlock\":32}}]",
		value[VALUE_CACHE_USAGE] * 1000);
}
