/*
 * One asker of Prometheus for all that is probed, so that Prometheus pays for questions, not for
 * autoscalers.
 *
 * A question is a URL that names no autoscaler. Who asks what is under way joins it; an answer
 * serves everybody who asks while it is young: 2 s for one whose chain is broken, the refresh period
 * for a healthy one. Questions that healthy ones ask are asked again by themselves at that period,
 * so their number a minute is the same for one autoscaler and for a thousand. An answer is parsed
 * once, into the index that its readers look things up in.
 *
 * What is asked again by itself can bring news that nobody waits for: an answer where there was an
 * error, an error where there was an answer, a steady question's other index. Then turned(ctx) is called.
 */
#ifndef PROBE_PROMETHEUS_H
#define PROBE_PROMETHEUS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/http_client.h"
#include "probe/access.h"

/* As often as a probe of Prometheus is allowed to be late: a fault that shows there is said within this. */
#define PROMETHEUS_REFRESH_MS 5000
/* For so many periods after a healthy one asked it, a question is asked again by itself, and then forgotten. */
#define PROMETHEUS_KEPT_REFRESHES 8

struct prometheus;

struct prometheus_question {
	const char *base;   /* URL of the Prometheus */
	const char *target; /* "/api/v1/…?…" */
	/* Whole answer → what its readers need, a new reference. The same for the same target. */
	json_t *(*index)(const json_t *answer);
	/* The index of a healthy cluster stays the same for long, so that a change is news. */
	bool steady;
};

/* Borrowed for the call that hands it out. */
struct prometheus_answer {
	const json_t *index; /* NULL exactly when `error` is set */
	const char *error;   /* a sentence that names the URL */
	const char *cause;   /* of the error, when it is one of probe/probe.h; else NULL */
	int64_t at_ms;       /* of the wall, when it came */
};

/* A question that was answered fails now, or the other way round, or what is asked by itself came to another thing.
 * Borrowed. */
struct prometheus_news {
	json_t *(*index)(const json_t *answer); /* tells which question */
	const json_t *before;                   /* the index; NULL = it failed */
	const json_t *now;                      /* NULL = it fails from now on */
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
