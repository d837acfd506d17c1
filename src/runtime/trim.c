/* Freed memory goes back to the system. */
#include "trim.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#define FIRST_MS 10000
#define INTERVAL_MS 60000

static void on_timer(uv_timer_t *timer)
{
	(void)timer;
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

void trim_start(struct trim *trim, uv_loop_t *loop)
{
#ifdef __GLIBC__
	/* One arena: what a thread of the pool allocates is freed on the loop, and each arena keeps its own. Above 128 KiB a
	 * block is mapped by itself, however many such were freed before: else the C library raises that. */
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
#endif
	uv_timer_init(loop, &trim->timer);
	trim->timer.data = trim;
	uv_timer_start(&trim->timer, on_timer, FIRST_MS, INTERVAL_MS);
}

static void on_closed(uv_handle_t *handle)
{
	struct trim *trim = handle->data;

	trim->closed(trim->ctx);
}

void trim_close(struct trim *trim, void (*closed)(void *ctx), void *ctx)
{
	trim->closed = closed;
	trim->ctx = ctx;
	uv_close((uv_handle_t *)&trim->timer, on_closed);
}
