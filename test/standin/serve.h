/* `vllm-standin serve`: an engine's HTTP interface in front of the queue. */
#ifndef STANDIN_SERVE_H
#define STANDIN_SERVE_H

#include <stdint.h>

#include "kinds.h"

struct serve_options {
	const struct standin_kind *kind;
	const char *listen; /* HOST:PORT */
	const char *model;
	int max_num_seqs;
	int64_t latency_ms;
	int64_t startup_delay_ms;
	int page_status;         /* HTTP status answered for the metrics page instead of it; 0 is the page */
	const char *page_moved;  /* the path of the page, to which its usual one redirects; NULL is the usual one */
	int hang;                /* the metrics page never answers */
	int health_hangs_above;  /* requests, above which /health never answers; 0 is never */
	int64_t unhealthy_ms;    /* so long /health answers 503, while the page has zeros */
	int64_t clock_behind_ms; /* samples are stamped with a clock that is late by this; 0 leaves stamps out */
};

/* Serves until SIGTERM or SIGINT; the exit code. */
int serve(const struct serve_options *options);

#endif
