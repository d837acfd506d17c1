/*
 * When a replica makes, announces, serves and drops its certificates: so that at no time one is served that the API
 * server does not know.
 *
 * The next one is announced beside the one that is served; once the API server knows it, and has had time to use that,
 * it is served; then the old one is dropped. Private to src/runtime.
 */
#ifndef RUNTIME_TURNOVER_H
#define RUNTIME_TURNOVER_H

#include <stdbool.h>
#include <stdint.h>

/* From a caBundle that was written to an API server that uses it, and from new connections to no old one. */
#define TURNOVER_SETTLE_MS 2000

/* Of something that has not happened. */
#define TURNOVER_NEVER (-1)

struct turnover {
	bool serving;          /* some certificate is served */
	bool asked;            /* an APIService leads to our Service: its API server checks what is served */
	int64_t left_ms;       /* until the one that is served is to be followed by another */
	bool has_next;         /* another one is announced */
	int64_t known_for_ms;  /* for so long the API server has known it */
	int64_t served_for_ms; /* for so long it has been served, while the old one is still announced */
};

enum turnover_step {
	TURNOVER_WAIT,
	TURNOVER_MAKE,  /* make another, and announce it beside the one that is served */
	TURNOVER_SERVE, /* serve it, and go on announcing both */
	TURNOVER_DROP,  /* announce it alone */
};

/* What is to be done. With TURNOVER_WAIT *again_ms says when to ask again at the latest; TURNOVER_NEVER = when something
 * changes. */
enum turnover_step turnover_next(const struct turnover *turnover, int64_t *again_ms);

#endif
