/*
 * Pages of pods, read when somebody asks for what is on them.
 *
 * Nothing is polled. What two ask for while a page is under way, or within a second after it came, is read once. Of a page its
 * figures are kept, for a minute after they were last asked for: they may stand in for a pod that does not answer for once.
 *
 * The bounds, for all together: so many pages are under way at once, of each namespace no more than its share, and fewer of
 * those that did not answer the last time, so that pods that hang take nothing from others. Of a page under way only the
 * lines that are needed are kept (engine/page_sieve.h). Answers are worked out for so long in one turn of the loop.
 * Private to src/serving.
 */
#ifndef SERVING_READER_H
#define SERVING_READER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/list.h"
#include "net/http_client.h"
#include "questions.h"
#include "view/pod.h"

/* A page that was read less than so long ago is not read again. */
#define READER_FRESH_MS 1000
/* One read has so long, from when it begins. */
#define READER_TIMEOUT_MS 1000
/* Pages under way: of pods that answered the last time, of others, and of each those of one namespace. */
#define READER_KNOWN_MAX 64
#define READER_KNOWN_SHARE 32
#define READER_OTHERS_MAX 32
#define READER_OTHERS_SHARE 8
/* Bytes that one page under way may keep in any case, and that all together may keep beyond that. */
#define READER_KEPT_MAX (64u * 1024)
#define READER_KEPT_BEYOND_MAX (8u * 1024 * 1024)

struct reader;
struct reader_page;

/* What is read where. */
struct reader_order {
	const struct view_pod *pod; /* the rest is read during the call; the page is that of its watched address */
	const char *scheme;
	int64_t port;
	const char *path;            /* begins with '/' */
	struct questions *questions; /* a reference is taken */
};

/* Who asks for a page; embedded in the caller's struct. It stays where it is from reader_ask() to reader_leave(). */
struct reader_ask {
	struct list_item place; /* among those who wait for the page; in no list once it was read */
	struct reader_page *page;
	void (*done)(struct reader_ask *ask);
};

struct reader_counts {
	uint64_t read;   /* pages */
	uint64_t failed; /* that were not read */
	uint64_t shared; /* asked for, and no read began for it */
	uint64_t bytes;  /* of pages */
};

/* The client is borrowed; `loopback`: see pods/pod_address.h. */
struct reader *reader_new(uv_loop_t *loop, struct http_client *http, bool loopback);
/* How long a page may take, instead of READER_TIMEOUT_MS. */
void reader_set_patience(struct reader *reader, int64_t ms);
/* Everybody left. Ends what is under way; closed(ctx) comes from the loop, and the client may be closed after it. */
void reader_close(struct reader *reader, void (*closed)(void *ctx), void *ctx);
/* False when there is nothing to wait for; otherwise ask->done(ask) comes from the loop, once, unless it leaves before. */
bool reader_ask(struct reader *reader, const struct reader_order *order, struct reader_ask *ask);
/* Nothing of the page is valid for it afterwards. Once for each reader_ask(), waiting or not. */
void reader_leave(struct reader *reader, struct reader_ask *ask);
/* Whether the page was read, at most so long ago, and had this figure; `read_ms` becomes when, wall. */
bool reader_figure(const struct reader_ask *ask, const char *name, int64_t max_age_ms, int64_t *milli,
	int64_t *read_ms);
/* Why the last read failed, as the end of a sentence that begins with the page; NULL when it did not, or is under way for
 * the first time. Borrowed. */
const char *reader_failure(const struct reader_ask *ask);
struct reader_counts reader_counts(const struct reader *reader);
/* Forgets what was last asked for a minute before `now_ms`, monotonic; it does so by itself, too. */
void reader_forget(struct reader *reader, int64_t now_ms);
/* How many pages' figures are kept. */
size_t reader_pages(const struct reader *reader);

#endif
