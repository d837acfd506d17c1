/* `vllm-standin serve`: vLLM's HTTP interface in front of the engine. */
#ifndef STANDIN_SERVE_H
#define STANDIN_SERVE_H

#include <stdint.h>

#include "page.h"

struct serve_options {
	const char *listen; /* HOST:PORT */
	const char *model;
	int max_num_seqs;
	int64_t latency_ms;
	int64_t startup_delay_ms;
	enum standin_names names;
	int refuse; /* /metrics answers 503 */
	int hang;   /* /metrics never answers */
};

/* Serves until SIGTERM or SIGINT; the exit code. */
int serve(const struct serve_options *options);

#endif
