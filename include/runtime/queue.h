/*
 * A work queue of keys, with client-go's promises (util/workqueue): a key waits at most once, is
 * never worked on twice at a time, and one added while it is being worked on comes again after.
 *
 * The queue calls work(ctx, key) from the loop, at most `parallel` keys at a time; the worker says
 * queue_done() when it is through. Keys come in the order in which they are due, and of those due at the same time the
 * one that was added first; but some keys are urgent, and the others give way to them, for as long as they have one turn
 * in QUEUE_OTHERS_SHARE. However many are due, a turn of the loop starts no more than 10 ms of work, so that sockets
 * and timers have their turns in between. Failures back off by 5 ms · 2^n up to a minute per key, and all
 * keys together are held to 10 per second with a burst of 100.
 */
#ifndef RUNTIME_QUEUE_H
#define RUNTIME_QUEUE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct queue;

#define QUEUE_OTHERS_SHARE 8

typedef void queue_work_fn(void *ctx, const char *key);

/* Whether the key is urgent; asked when it begins to wait. */
typedef bool queue_urgent_fn(void *ctx, const char *key);

/* `urgent` NULL = none is. */
struct queue *queue_new(uv_loop_t *loop, unsigned parallel, queue_work_fn *work, queue_urgent_fn *urgent, void *ctx);
/* No more work is started; closed(ctx) from the loop, freed after it. What is worked on may still say done. */
void queue_close(struct queue *queue, void (*closed)(void *ctx), void *ctx);

/* As soon as possible, from the loop, never from inside this call. */
void queue_add(struct queue *queue, const char *key);
/* Not before `delay_ms` from now; an earlier time already set stays, and so does a server's request (see below). */
void queue_add_after(struct queue *queue, const char *key, int64_t delay_ms);
/* After this key's own back-off, which grows by the call. A longer `at_least_ms` (Retry-After) is honoured, also by
 * the adds before and after it, until the key is forgotten. The delay in ms. */
int64_t queue_add_limited(struct queue *queue, const char *key, int64_t at_least_ms);
/* The key went well: its back-off starts over. */
void queue_forget(struct queue *queue, const char *key);
/* The worker is through with the key. */
void queue_done(struct queue *queue, const char *key);
/* Keys waiting or being worked on. */
size_t queue_length(const struct queue *queue);

#endif
