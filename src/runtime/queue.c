/* A work queue of keys on the loop. */
#include "runtime/queue.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/heap.h"
#include "base/keep.h"
#include "base/map.h"
#include "base/memory.h"

#define BACKOFF_BASE_MS 5
/* Whoever grants a missing right, or takes a webhook away, waits so long at most. */
#define BACKOFF_MAX_MS 60000
#define RATE_PER_S 10
#define RATE_BURST 100
/* At a time: the loop renews the Lease and answers /healthz in between, which nothing may hold up for 50 ms. What was
 * begun comes on top: a pass takes half a millisecond. */
#define TURN_NS INT64_C(10000000)

struct item {
	struct heap_item waiting; /* of one of the queue's; in no heap while it is not queued, or is being worked on */
	const char *key;          /* the map's */
	bool urgent;              /* while it waits */
	bool queued;              /* wants to be worked on at due_ms */
	bool processing;          /* is being worked on */
	int64_t due_ms;
	uint64_t number;       /* of those due at the same time, the lower comes first */
	int64_t not_before_ms; /* what a server asked for, whatever comes meanwhile */
	unsigned failures;
};

struct queue {
	uv_loop_t *loop;
	uv_timer_t timer;
	unsigned parallel;
	unsigned busy;
	queue_work_fn *work;
	queue_urgent_fn *urgent;
	void *ctx;
	struct map items; /* key → struct item */
	/* The items that wait, by when they are due. */
	struct heap urgent_ones;
	struct heap others;
	unsigned urgent_turns; /* since the last one of another key */
	uint64_t numbers;      /* given out so far */
	uint64_t turn_ms;      /* the loop's time in the last turn that had work */
	double tokens;         /* of the bucket that all failing keys share */
	int64_t tokens_ms;
	bool closing;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static void pump(uv_timer_t *timer);

static struct heap *heap_of(struct queue *q, const struct item *item)
{
	return item->urgent ? &q->urgent_ones : &q->others;
}

static struct item *item_at(const struct heap_item *waiting)
{
	return container_of(waiting, struct item, waiting);
}

static bool comes_before(const struct heap_item *a, const struct heap_item *b)
{
	const struct item *left = item_at(a);
	const struct item *right = item_at(b);

	return left->due_ms != right->due_ms ? left->due_ms < right->due_ms : left->number < right->number;
}

static struct item *first_of(const struct heap *heap)
{
	return heap_first(heap) != NULL ? item_at(heap_first(heap)) : NULL;
}

/* The one that is due soonest; NULL when none waits. */
static struct item *first_waiting(const struct queue *q)
{
	struct item *urgent = first_of(&q->urgent_ones);
	struct item *other = first_of(&q->others);

	if (urgent == NULL || other == NULL) {
		return urgent != NULL ? urgent : other;
	}
	return comes_before(&urgent->waiting, &other->waiting) ? urgent : other;
}

/* Whose turn it is; NULL when none is due. */
static struct item *next_due(struct queue *q, int64_t now_ms)
{
	struct item *urgent = first_of(&q->urgent_ones);
	struct item *other = first_of(&q->others);
	bool urgent_due = urgent != NULL && urgent->due_ms <= now_ms;
	bool other_due = other != NULL && other->due_ms <= now_ms;

	if (other_due && (!urgent_due || q->urgent_turns >= QUEUE_OTHERS_SHARE - 1)) {
		q->urgent_turns = 0;
		return other;
	}
	q->urgent_turns++;
	return urgent_due ? urgent : NULL;
}

/* Sets the timer to the earliest due key; none when every worker is busy. */
static void rearm(struct queue *q)
{
	const struct item *first = first_waiting(q);
	/* In the turn that had work already, libuv would run a timer without a delay once more. */
	int64_t least = uv_now(q->loop) == q->turn_ms ? 1 : 0;
	int64_t wait;

	if (q->closing) {
		return;
	}
	if (q->busy == q->parallel || first == NULL) {
		uv_timer_stop(&q->timer);
		return;
	}
	wait = first->due_ms - clock_monotonic_ms();
	uv_timer_start(&q->timer, pump, (uint64_t)(wait > least ? wait : least), 0);
}

static void begin(struct queue *q, struct item *item)
{
	auto_free char *key = xstrdup(item->key); /* the item may go while it is worked on */

	heap_remove(heap_of(q, item), &item->waiting);
	item->queued = false;
	item->processing = true;
	q->busy++;
	q->work(q->ctx, key);
}

static void pump(uv_timer_t *timer)
{
	struct queue *q = timer->data;
	int64_t now = clock_monotonic_ms();
	int64_t start = clock_worked_ns();

	q->turn_ms = uv_now(q->loop);
	while (q->busy < q->parallel && !q->closing && clock_worked_ns() - start < TURN_NS) {
		struct item *item = next_due(q, now);

		if (item == NULL) {
			break;
		}
		begin(q, item);
	}
	rearm(q);
}

static void item_free(void *value)
{
	keep_free(value, sizeof(struct item));
}

static struct item *item_of(struct queue *q, const char *key)
{
	struct item *item = map_get(&q->items, key);

	if (item == NULL) {
		item = keep_new(sizeof(*item));
		item->key = map_put(&q->items, key, item);
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

struct queue *queue_new(uv_loop_t *loop, unsigned parallel, queue_work_fn *work, queue_urgent_fn *urgent, void *ctx)
{
	struct queue *q = xcalloc(1, sizeof(*q));

	*q = (struct queue){.loop = loop,
		.parallel = parallel,
		.work = work,
		.urgent = urgent,
		.ctx = ctx,
		.tokens = RATE_BURST,
		.tokens_ms = clock_monotonic_ms()};
	map_init(&q->items, item_free);
	heap_init(&q->urgent_ones, comes_before);
	heap_init(&q->others, comes_before);
	uv_timer_init(loop, &q->timer);
	q->timer.data = q;
	return q;
}

static void on_closed(uv_handle_t *handle)
{
	struct queue *q = handle->data;
	void (*closed)(void *ctx) = q->closed;
	void *ctx = q->closed_ctx;

	heap_release(&q->urgent_ones);
	heap_release(&q->others);
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

/* One that is being worked on waits for the end of that. */
static void wait_if_free(struct queue *q, struct item *item)
{
	if (item->queued && !item->processing) {
		heap_add(heap_of(q, item), &item->waiting);
	}
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
		heap_remove(heap_of(q, item), &item->waiting);
		item->queued = true;
		item->urgent = q->urgent != NULL && q->urgent(q->ctx, key);
		item->due_ms = due;
		item->number = q->numbers++;
		wait_if_free(q, item);
	}
	/* Of ten thousand that are added in a turn, only the first moves the timer. */
	if (first_waiting(q) == item) {
		rearm(q);
	}
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

int64_t queue_add_limited(struct queue *q, const char *key, int64_t at_least_ms)
{
	struct item *item;
	int64_t delay = BACKOFF_BASE_MS;
	int64_t shared;

	if (q->closing) {
		return 0;
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
		/* Also for what came while it was worked on. */
		heap_remove(heap_of(q, item), &item->waiting);
		item->queued = false;
	}
	shared = take_token(q);
	delay = delay > shared ? delay : shared;
	delay = delay > at_least_ms ? delay : at_least_ms;
	queue_add_after(q, key, delay);
	return delay;
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
	wait_if_free(q, item);
	drop_if_idle(q, key);
	rearm(q);
}

size_t queue_length(const struct queue *q)
{
	return q->urgent_ones.count + q->others.count + q->busy;
}
