/*
 * A loop for tests of the network: waits for a condition with a deadline, and ends empty.
 *
 * Only the time out is a timer; nothing sleeps.
 */
#ifndef TEST_EVENT_LOOP_H
#define TEST_EVENT_LOOP_H

#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <uv.h>

#define EVENT_LOOP_DEADLINE_MS 60000

struct event_loop {
	uv_loop_t uv;
	uv_timer_t deadline;
	bool late;
};

/* The timer's data is the bool that becomes true. */
static inline void event_loop_on_deadline(uv_timer_t *timer)
{
	*(bool *)timer->data = true;
}

/*
 * One turn, in which the loop waits first and works then. UV_RUN_ONCE runs the timers before it waits (libuv before 1.45):
 * what a timer made true would be seen only after something else has happened, which may be never.
 */
static inline void event_loop_turn(uv_loop_t *loop)
{
	struct pollfd events = {.fd = uv_backend_fd(loop), .events = POLLIN};

	uv_update_time(loop);
	poll(&events, 1, uv_backend_timeout(loop));
	uv_run(loop, UV_RUN_NOWAIT);
}

static inline void event_loop_init(struct event_loop *loop)
{
	uv_loop_init(&loop->uv);
	uv_timer_init(&loop->uv, &loop->deadline);
	loop->deadline.data = &loop->late;
	loop->late = false;
}

/* Runs the loop until *count reaches `want`; false when that takes longer than `ms`. */
static inline bool event_loop_wait_for(struct event_loop *loop, const int *count, int want, uint64_t ms)
{
	loop->late = false;
	uv_update_time(&loop->uv);
	uv_timer_start(&loop->deadline, event_loop_on_deadline, ms, 0);
	while (*count < want && !loop->late) {
		event_loop_turn(&loop->uv);
	}
	uv_timer_stop(&loop->deadline);
	return *count >= want;
}

static inline bool event_loop_wait(struct event_loop *loop, const int *count, int want)
{
	return event_loop_wait_for(loop, count, want, EVENT_LOOP_DEADLINE_MS);
}

/* For the `closed` callbacks: counts. */
static inline void event_loop_count(void *ctx)
{
	++*(int *)ctx;
}

/* Everything must be closed by now: true when no handle was left behind. */
static inline bool event_loop_end(struct event_loop *loop)
{
	uv_close((uv_handle_t *)&loop->deadline, NULL);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	return uv_loop_close(&loop->uv) == 0;
}

#endif
