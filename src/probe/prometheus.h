/*
 * One asker of Prometheus for all that is probed, so that Prometheus pays for questions, not for
 * autoscalers.
 *
 * A question is a URL that names no autoscaler. Who asks what is under way joins it; an answer
 * serves everybody who asks while it is young: 2 s for one whose chain is broken, the refresh period
 * for a healthy one. Questions that healthy ones ask are asked again by themselves at that period,
 * so their number a minute is the same for one autoscaler and for a thousand. An answer is read
 * once, off the loop, into the table that its readers look things up in.
 *
 * No more than PROMETHEUS_BODY_MAX is read of an answer. One that is larger is asked for again in parts, one after the
 * other, if the question has any, and from then on as long as the question is kept.
 *
 * What is asked again by itself can bring news that nobody waits for: an answer where there was an
 * error, an error where there was an answer, a steady question's other table. Then turned(ctx) is called.
 */
#ifndef PROBE_PROMETHEUS_H
#define PROBE_PROMETHEUS_H

#include <stdbool.h>
#include <stdint.h>

#include "body_read.h"
#include "evidence/evidence.h"
#include "net/http_client.h"
#include "probe/access.h"

/* As often as a probe of Prometheus is allowed to be late: a fault that shows there is said within this. */
#define PROMETHEUS_REFRESH_MS 5000
/* For so many periods after a healthy one asked it, a question is asked again by itself, and then forgotten. */
#define PROMETHEUS_KEPT_REFRESHES 8

/* JSON takes many times its size; an answer about 15,000 pods is about as large as this. */
#define PROMETHEUS_BODY_MAX (4u * 1024 * 1024)

struct prometheus;

struct prometheus_question {
	const char *base;   /* URL of the Prometheus */
	const char *target; /* "/api/v1/…?…" */
	const char *part;   /* the same of a part (question.h); NULL = there are none */
	const struct answer_type *type;
	bool rare; /* of few autoscalers, while there may be many such: not asked again by itself */
};

/* Borrowed for the call that hands it out; the table may be kept by table_ref(). */
struct prometheus_answer {
	struct table *table; /* NULL exactly when `error` is set */
	const char *error;   /* a sentence that names the URL */
	enum cause cause;    /* of the error */
	int64_t at_ms;       /* of the wall, when it came */
};

/* A question that was answered fails now, or the other way round, or what is asked by itself came to another thing.
 * Borrowed. */
struct prometheus_news {
	const struct answer_type *type; /* tells which question */
	const struct table *before;     /* NULL = it failed */
	const struct table *now;        /* NULL = it fails from now on */
};

typedef void prometheus_turned_fn(void *ctx, const struct prometheus_news *news);

typedef void prometheus_done_fn(void *ctx, const struct prometheus_answer *answer);

/* Borrows the client and the access. `turned` may be NULL. */
struct prometheus *prometheus_new(uv_loop_t *loop, struct http_client *http, struct access *access, int64_t refresh_ms,
	prometheus_turned_fn *turned, void *ctx);
/* `done` comes exactly once, from the loop. The question is copied. */
void prometheus_ask(struct prometheus *prometheus, const struct prometheus_question *question, bool healthy,
	prometheus_done_fn *done, void *ctx);
/* Everybody who waits is given an error; then closed(ctx) from the loop, freed before it. */
void prometheus_close(struct prometheus *prometheus, void (*closed)(void *ctx), void *ctx);

#endif
