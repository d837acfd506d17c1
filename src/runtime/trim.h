/*
 * Freed memory goes back to the system, once a minute.
 *
 * The C library keeps what was freed, for the next time: of a thousand autoscalers that came at once, or a restart, most
 * of what the operator ever had. Where the C library has no such call this does nothing.
 */
#ifndef RUNTIME_TRIM_H
#define RUNTIME_TRIM_H

#include <uv.h>

struct trim {
	uv_timer_t timer;
	void (*closed)(void *ctx);
	void *ctx;
};

void trim_start(struct trim *trim, uv_loop_t *loop);
/* closed(ctx) from the loop; the struct is the caller's until then. */
void trim_close(struct trim *trim, void (*closed)(void *ctx), void *ctx);

#endif
