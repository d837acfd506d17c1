/*
 * How long the turns of the loop take, as histograms: while a turn lasts nothing else is done, neither the Lease renewed
 * nor a probe answered.
 *
 * A turn is all that the loop does from one poll for input to the next, the callbacks of sockets and timers; what it
 * waits in the poll is not of it. The processor's time of a turn is counted beside it: where the two differ much, the
 * operator gets too little of the processors, and is not slow itself.
 */
#ifndef RUNTIME_TURNS_H
#define RUNTIME_TURNS_H

#include <stdint.h>
#include <uv.h>

#include "base/strbuf.h"

struct turns;

/* Before the loop runs. */
struct turns *turns_new(uv_loop_t *loop);
/* closed(ctx) from the loop; freed after it. */
void turns_close(struct turns *turns, void (*closed)(void *ctx), void *ctx);
/* A turn of so many nanoseconds, and of so many of the processor. */
void turns_count(struct turns *turns, uint64_t wall_ns, uint64_t cpu_ns);
/* inference_autoscaler_loop_turn_seconds and inference_autoscaler_loop_turn_cpu_seconds in the Prometheus text format. */
void turns_metrics(const struct turns *turns, struct strbuf *page);

#endif
