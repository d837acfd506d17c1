/* `vllm-standin load`: keeps a fixed number of completions in flight. */
#ifndef STANDIN_LOAD_H
#define STANDIN_LOAD_H

#include <stdint.h>

struct load_options {
	const char *url;   /* http://HOST:PORT */
	const char *model; /* NULL: the server's own */
	int inflight;
	int64_t duration_ms; /* 0: until a signal */
};

/* Runs to the end of the duration, or SIGTERM or SIGINT; the exit code: failure when time is up and
 * not one request was answered. */
int load(const struct load_options *options);

#endif
