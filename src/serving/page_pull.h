/*
 * Reading one page, in line with all others (reader.h has the bounds): it is fetched, only what is needed of it is kept, and
 * the questions to it are answered. Private to src/serving.
 */
#ifndef SERVING_PAGE_PULL_H
#define SERVING_PAGE_PULL_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "fair_line.h"
#include "net/http_client.h"
#include "net/line.h"
#include "questions.h"

struct page_pull;

struct page_pulls {
	struct http_client *http;
	int64_t timeout_ms; /* of one page, from when it begins */
	struct fair_line known, others;
	struct line answers; /* pages that came */
	size_t beyond;       /* bytes that pages under way keep beyond READER_KEPT_MAX each */
	uint64_t bytes;      /* that came */
	size_t open;
	bool closing;
	void (*closed)(void *ctx);
	void *ctx;
};

struct page_pull_order {
	const char *ns; /* in whose share; read during the call, as the next */
	const char *url;
	bool known;                  /* the pod answered the last time */
	struct questions *questions; /* a reference is taken */
	/* From the loop, once: what the page said, to be taken; or why it was not read, as the end of a sentence that begins
	 * with the page. */
	void (*done)(void *ctx, struct figures *figures, const struct error *err);
	void *ctx;
};

void page_pulls_init(struct page_pulls *pulls, uv_loop_t *loop, struct http_client *http);
/* All were cancelled; closed(ctx) comes from the loop when nothing is under way any more. */
void page_pulls_close(struct page_pulls *pulls, void (*closed)(void *ctx), void *ctx);
/* Valid until it is done or cancelled. */
struct page_pull *page_pull_start(struct page_pulls *pulls, const struct page_pull_order *order);
/* Whether it is in line still: to cancel it costs nothing. */
bool page_pull_waits(const struct page_pull *pull);
/* `done` does not come. */
void page_pull_cancel(struct page_pull *pull);

#endif
