/*
 * One request for a metric that is being answered: which pages it waits for, and what becomes of them. Private to
 * src/serving.
 */
#ifndef SERVING_ANSWERING_H
#define SERVING_ANSWERING_H

#include "base/list.h"
#include "forward.h"
#include "measures.h"
#include "reader.h"
#include "request.h"
#include "serving/metrics_api.h"
#include "targets.h"

/* The last reading stands in for a pod that does not answer, for one period of the HPA. */
#define ANSWERING_STALE_MS 15000

/* What all have in common. */
struct answering_context {
	const struct metrics_api_hooks *hooks;
	const struct pods *pods;
	struct reader *reader;
	struct measures *measures;
	struct forward *forward;
	size_t count; /* under way */
};

struct answering {
	struct answering_context *context;
	struct list_item place; /* of whoever keeps a list of those under way; whoever is done has left it */
	int64_t begun_ms;       /* monotonic */
	struct metrics_request request;
	struct metrics_asker *asker;
	struct targets targets;
	struct answering_page *pages;
	size_t count;
	size_t waiting;
};

/* Takes what the request holds. It replies at once, and NULL is returned; or later, and then it is to be put in a list. */
struct answering *answering_begin(struct answering_context *context, struct metrics_request *request_take,
	struct metrics_asker *asker);
/* It waits no longer: replies with what there is, and is freed. */
void answering_end(struct answering *answering);
/* The same with an error. */
void answering_refuse(struct answering *answering, const struct error *err);
/* A reply of an error to any request; what is not found here is asked of whom we took the API over from. */
void answering_reply_failure(struct answering_context *context, struct metrics_asker *asker, const struct error *err);
/* A reply of JSON. */
void answering_reply(struct answering_context *context, struct metrics_asker *asker, int status, const char *body);

#endif
