/* A work queue of keys on the loop. */
#include "runtime/queue.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/memory.h"

#define BACKOFF_BASE_MS 5
#define BACKOFF_MAX_MS 1000000
#define RATE_PER_S 10
#define RATE_BURST 100

struct item {
	bool queued;     /* wants to be worked on at due_ms */
	bool processing; /* is being worked on */
	int64_t due_ms;
	int64_t not_before_ms; /* what a server asked for, whatever comes meanwhile */
	unsigned failures;
};

struct queue {
	uv_loop_t *loop;
	uv_timer_t timer;
	unsigned parallel;
	unsigned busy;
	queue_work_fn *work;
	void *ctx;
	struct map items;
	double tokens; /* of the bucket that all failing keys share */
	int64_t tokens_ms;
	bool closing;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static void pump(uv_timer_t *timer);

/* Sets the timer to the earliest due key; none when every worker is busy. */
static void rearm(struct queue *q)
{
	int64_t now = clock_monotonic_ms();
	int64_t earliest = INT64_MAX;
	size_t pos = 0;
	void *value;

	if (q->closing) {
		return;
	}
	if (q->busy < q->parallel) {
		while (map_next(&q->items, &pos, NULL, &value)) {
			const struct item *item = value;

			if (item->queued && !item->processing && item->due_ms < earliest) {
				earliest = item->due_ms;
			}
		}
	}
	if (earliest == INT64_MAX) {
		uv_timer_stop(&q->timer);
		return;
	}
	uv_timer_start(&q->timer, pump, earliest > now ? (uint64_t)(earliest - now) : 0, 0);
}

/* The key that is due longest; borrowed, NULL when none is. */
static const char *due_key(struct queue *q, int64_t now)
{
	const char *best = NULL;
	int64_t best_due = INT64_MAX;
	size_t pos = 0;
	const char *key;
	void *value;

	while (map_next(&q->items, &pos, &key, &value)) {
		const struct item *item = value;

		if (item->queued && !item->processing && item->due_ms <= now && item->due_ms < best_due) {
			best = key;
			best_due = item->due_ms;
		}
	}
	return best;
}

static void pump(uv_timer_t *timer)
{
	struct queue *q = timer->data;
	int64_t now = clock_monotonic_ms();

	while (q->busy < q->parallel && !q->closing) {
		const char *due = due_key(q, now);
		auto_free char *key = xstrdup(due);
		struct item *item;

		if (due == NULL) {
			break;
		}
		item = map_get(&q->items, key);
		item->queued = false;
		item->processing = true;
		q->busy++;
		q->work(q->ctx, key);
	}
	rearm(q);
}

static struct item *item_of(struct queue *q, const char *key)
{
	struct item *item = map_get(&q->items, key);

	if (item == NULL) {
		item = xcalloc(1, sizeof(*item));
		map_put(&q->items, key, item);
	}
	return item;
}

/* A key that neither waits, runs nor fails is not remembered. */
static void drop_if_idle(struct queue *q, const char *key)
{
	const struct item *item = map_get(&q->items, key);

	if (item != NULL && !item->queued && !item->processing && item->failures == 0) {
		map_remove(&q->items, key);
	}
}

struct queue *queue_new(uv_loop_t *loop, unsigned parallel, queue_work_fn *work, void *ctx)
{
	struct queue *q = xcalloc(1, sizeof(*q));

	*q = (struct queue){.loop = loop, .parallel = parallel, .work = work, .ctx = ctx, .tokens = RATE_BURST};
	q->tokens_ms = clock_monotonic_ms();
	map_init(&q->items, free);
	uv_timer_init(loop, &q->timer);
	q->timer.data = q;
	return q;
}

static void on_closed(uv_handle_t *handle)
{
	struct queue *q = handle->data;
	void (*closed)(void *ctx) = q->closed;
	void *ctx = q->closed_ctx;

	map_release(&q->items);
	free_indirect(&q);
	closed(ctx);
}

void queue_close(struct queue *q, void (*closed)(void *ctx), void *ctx)
{
	q->closing = true;
	q->closed = closed;
	q->closed_ctx = ctx;
	uv_close((uv_handle_t *)&q->timer, on_closed);
}

void queue_add(struct queue *q, const char *key)
{
	queue_add_after(q, key, 0);
}

void queue_add_after(struct queue *q, const char *key, int64_t delay_ms)
{
	struct item *item;
	int64_t due = clock_monotonic_ms() + delay_ms;

	if (q->closing) {
		return;
	}
	item = item_of(q, key);
	if (due < item->not_before_ms) {
		due = item->not_before_ms;
	}
	if (!item->queued || due < item->due_ms) {
		item->queued = true;
		item->due_ms = due;
	}
	rearm(q);
}

/* Milliseconds until the shared bucket has a token for one more. */
static int64_t take_token(struct queue *q)
{
	int64_t now = clock_monotonic_ms();

	q->tokens += (double)(now - q->tokens_ms) * RATE_PER_S / 1000.0;
	q->tokens_ms = now;
	if (q->tokens > RATE_BURST) {
		q->tokens = RATE_BURST;
	}
	q->tokens -= 1;
	return q->tokens >= 0 ? 0 : (int64_t)(-q->tokens * 1000.0 / RATE_PER_S);
}

void queue_add_limited(struct queue *q, const char *key, int64_t at_least_ms)
{
	struct item *item;
	int64_t delay = BACKOFF_BASE_MS;
	int64_t shared;

	if (q->closing) {
		return;
	}
	item = item_of(q, key);
	for (unsigned i = 0; i < item->failures && delay < BACKOFF_MAX_MS; i++) {
		delay *= 2;
	}
	if (delay > BACKOFF_MAX_MS) {
		delay = BACKOFF_MAX_MS;
	}
	item->failures++;
	if (at_least_ms > 0) {
		item->not_before_ms = clock_monotonic_ms() + at_least_ms;
	}
	shared = take_token(q);
	delay = delay > shared ? delay : shared;
	queue_add_after(q, key, delay > at_least_ms ? delay : at_least_ms);
}

void queue_forget(struct queue *q, const char *key)
{
	struct item *item = map_get(&q->items, key);

	if (item != NULL) {
		item->failures = 0;
		item->not_before_ms = 0;
		drop_if_idle(q, key);
	}
}

void queue_done(struct queue *q, const char *key)
{
	struct item *item = map_get(&q->items, key);

	item->processing = false;
	q->busy--;
	drop_if_idle(q, key);
	rearm(q);
}

size_t queue_length(const struct queue *q)
{
	size_t count = 0;
	size_t pos = 0;
	void *value;

	while (map_next(&q->items, &pos, NULL, &value)) {
		const struct item *item = value;

		count += item->queued || item->processing ? 1 : 0;
	}
	return count;
}
