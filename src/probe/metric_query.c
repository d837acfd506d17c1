/* The metrics API's answer for one metric, or what stands in its way. */
#include "metric_query.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "reading.h"

#define API "/apis/custom.metrics.k8s.io/v1beta1"
#define APISERVICE "v1beta1.custom.metrics.k8s.io"

struct metric_query {
	struct api_reads *reads;
	struct api_read *read;
	char *ns;
	char *selector;
	char *metric;
	const struct counted_pods *counted;
	bool direct;
	int64_t grace_ms;
	void (*done)(void *ctx, struct metric_seen *seen_take);
	void *ctx;
};

static void finish(struct metric_query *query, struct metric_seen *seen)
{
	query->done(query->ctx, seen);
	free_indirect(&query->ns);
	free_indirect(&query->selector);
	free_indirect(&query->metric);
	free_indirect(&query);
}

static void finish_refused(struct metric_query *query, enum cause cause, int http, char *message_take)
{
	struct metric_seen seen;

	shape_clear(&shape_metric_seen, &seen);
	seen.http = http;
	failure_set(&seen.failure, cause, reading_text(message_take));
	free_indirect(&message_take);
	finish(query, &seen);
}

/* The values of a list, NULL = none. */
static void finish_read(struct metric_query *query, const json_t *list, int http)
{
	const struct reading_grace grace = {clock_wall_ms(), query->grace_ms};
	struct metric_seen seen;

	shape_clear(&shape_metric_seen, &seen);
	seen.http = http;
	reading_metric(list, query->counted, &grace, &seen);
	finish(query, &seen);
}

#define ANSWERS "the operator's metrics API answers: "

/* Of our own API: its words, behind the name of what was read. They may be those of a status in which we quoted it. */
static char *direct_text(const struct error *err)
{
	const char *words = strstr(err->message, ": ");
	const char *quoted;

	words = words != NULL ? words + 2 : err->message;
	while ((quoted = strstr(words, ANSWERS)) != NULL) {
		words = quoted + strlen(ANSWERS);
	}
	return xasprintf(ANSWERS "%s", words);
}

/* Any failure but "not found". */
static void finish_failed(struct metric_query *query, const struct error *err)
{
	if (query->direct && err->kind != ERROR_FORBIDDEN) {
		finish_refused(query, err->http == 503 ? CAUSE_UNAVAILABLE : CAUSE_FAILED, err->http, direct_text(err));
	} else if (err->kind == ERROR_FORBIDDEN) {
		finish_refused(query, CAUSE_FORBIDDEN, err->http,
			xasprintf("the operator may not read the metric: it lacks the permission to get 'pods/%s' of "
				  "custom.metrics.k8s.io in namespace '%s'; apply the chart's ClusterRole again (%s)",
				query->metric, query->ns, err->message));
	} else if (err->http == 503) {
		finish_refused(query, CAUSE_UNAVAILABLE, err->http,
			xasprintf("APIService '" APISERVICE
				  "' is not available: the API server does not reach what serves "
				  "it; see the Service that it names, and that Service's pods (%s)",
				err->message));
	} else {
		finish_refused(query, CAUSE_FAILED, err->http,
			xasprintf("the metrics API cannot be read: %s", err->message));
	}
}

/* 2. "Not found" is said of the whole API, of a metric that is not known, and of one without a value. */
static void on_discovery(void *ctx, json_t *result, const struct error *err)
{
	struct metric_query *query = ctx;

	query->read = NULL;
	if (err != NULL && err->kind == ERROR_NOT_FOUND) {
		finish_refused(query, CAUSE_NOT_REGISTERED, err->http,
			xstrdup("the metrics API is not there: APIService '" APISERVICE "' is not registered; install "
				"prometheus-adapter, or let it register the APIService"));
	} else if (err != NULL) {
		finish_failed(query, err);
	} else if (!reading_metric_listed(result, query->metric)) {
		finish_refused(query, CAUSE_NOT_LISTED, 404,
			xasprintf(
				"the metrics API does not know '%s': the adapter finds a new metric at its next relist; if "
				"it stays so, is '" APISERVICE
				"' the adapter's, and does the adapter ask the Prometheus that "
				"scrapes the pods?",
				query->metric));
	} else {
		finish_read(query, NULL, 404);
	}
}

/* 1. The value. */
static void on_value(void *ctx, json_t *result, const struct error *err)
{
	struct metric_query *query = ctx;

	query->read = NULL;
	if (err != NULL && err->kind == ERROR_NOT_FOUND && !query->direct) {
		query->read = api_read_start(query->reads, API, on_discovery, query);
	} else if (err != NULL) {
		finish_failed(query, err);
	} else {
		finish_read(query, result, 200);
	}
}

struct metric_query *metric_query_start(const struct metric_order *order)
{
	struct metric_query *query = xcalloc(1, sizeof(*query));
	auto_strbuf path = STRBUF_INIT;

	*query = (struct metric_query){.reads = order->reads,
		.ns = xstrdup(order->ns),
		.selector = xstrdup(order->selector),
		.metric = xstrdup(order->metric),
		.counted = order->counted,
		.direct = order->direct,
		.grace_ms = order->grace_ms,
		.done = order->done,
		.ctx = order->ctx};
	strbuf_addstr(&path, API "/namespaces/");
	strbuf_add_urlencoded(&path, query->ns);
	strbuf_addstr(&path, "/pods/*/");
	strbuf_add_urlencoded(&path, query->metric);
	strbuf_addstr(&path, "?labelSelector=");
	strbuf_add_urlencoded(&path, query->selector);
	query->read = api_read_start(query->reads, path.buf, on_value, query);
	return query;
}

void metric_query_cancel(struct metric_query *query)
{
	api_read_cancel(query->read);
}
