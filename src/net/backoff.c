/* Exponential back-off with jitter. */
#include "net/backoff.h"

void backoff_init(struct backoff *backoff, uint64_t seed)
{
	*backoff = (struct backoff){
		.base_ms = 800,
		.max_ms = 30000,
		.reset_after_ms = 120000,
		.seed = seed,
	};
}

/* splitmix64: any seed will do, zero too. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15U;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

int64_t backoff_next(struct backoff *backoff, int64_t now_ms, int64_t retry_after_ms)
{
	int64_t delay;

	if (backoff->current_ms > 0 && now_ms - backoff->last_ms > backoff->reset_after_ms) {
		backoff->current_ms = 0;
	}
	if (backoff->current_ms == 0) {
		backoff->current_ms = backoff->base_ms;
	} else if (backoff->current_ms > backoff->max_ms / 2) {
		backoff->current_ms = backoff->max_ms;
	} else {
		backoff->current_ms *= 2;
	}
	backoff->last_ms = now_ms;
	delay = backoff->current_ms;
	delay += (int64_t)(next_random(&backoff->seed) % (uint64_t)backoff->current_ms);
	return retry_after_ms > delay ? retry_after_ms : delay;
}

void backoff_reset(struct backoff *backoff)
{
	backoff->current_ms = 0;
}
