/*
 * Exponential back-off with jitter: 800 ms, ×2, at most 30 s, jitter factor 1.0 (so a delay lies in
 * [d, 2d)), forgotten after two healthy minutes: client-go's reflector values
 * (tools/cache/reflector.go).
 */
#ifndef NET_BACKOFF_H
#define NET_BACKOFF_H

#include <stdint.h>

struct backoff {
	int64_t base_ms;
	int64_t max_ms;
	int64_t reset_after_ms;
	int64_t current_ms; /* 0 = not failing */
	int64_t last_ms;    /* monotonic time of the last failure */
	uint64_t seed;      /* of the jitter */
};

void backoff_init(struct backoff *backoff, uint64_t seed);
/* The delay before the next try; a Retry-After (≥ 0) is honoured when longer. */
int64_t backoff_next(struct backoff *backoff, int64_t now_ms, int64_t retry_after_ms);
void backoff_reset(struct backoff *backoff);

#endif
