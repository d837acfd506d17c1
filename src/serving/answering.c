/* From pages to an answer. */
#include "answering.h"

#include <string.h>

#include "answer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "engine/gpu.h"
#include "gpu_source.h"
#include "place.h"
#include "view/selector.h"

/* A page that is read for a pod. Of a pod's GPUs there may be two, of which the first that knows the pod counts. */
struct answering_page {
	struct reader_ask ask;
	struct answering *answering;
	size_t pod; /* among the targets */
};

void answering_reply(struct answering_context *context, struct metrics_asker *asker, int status, const char *body)
{
	measure_request(context->measures, status);
	asker->reply(asker, status, "application/json", body, strlen(body));
}

void answering_reply_failure(struct answering_context *context, struct metrics_asker *asker, const struct error *err)
{
	int status;
	auto_free char *body = NULL;

	if (err->kind == ERROR_NOT_FOUND && forward_ask(context->forward, asker)) {
		return;
	}
	body = answer_failure(err, &status);
	answering_reply(context, asker, status, body);
}

static void answering_free(struct answering *answering)
{
	for (size_t i = 0; i < answering->count; i++) {
		reader_leave(answering->context->reader, &answering->pages[i].ask);
	}
	list_leave(&answering->place);
	answering->context->count--;
	free_indirect(&answering->pages);
	targets_release(&answering->targets);
	metrics_request_release(&answering->request);
	free_indirect(&answering);
}

static bool is_gpu_metric(const struct answering *answering)
{
	return strcmp(answering->request.metric, gpu_utilization.metric) == 0;
}

/* What went wrong, in words. */

/* The diagnosis of the autoscaler, when it has one. Of the link that asks this very API none is told: it would quote us. */
static const char *diagnosis_of(const struct view_autoscaler *autoscaler)
{
	static const char own[] = "MetricServed: ";
	const struct view_condition *ready = view_condition(&autoscaler->status.conditions, "Ready");

	if (ready == NULL || strcmp(ready->status, "True") == 0 || ready->message == NULL ||
		ready->message[0] == '\0' || strncmp(ready->message, own, sizeof(own) - 1) == 0) {
		return NULL;
	}
	return ready->message;
}

static int no_autoscaler(const struct answering *answering, struct error *err)
{
	const struct metrics_request *request = &answering->request;
	const char *whose = request->kind == REQUEST_OBJECT_METRIC ? request->name
	                    : request->selector != NULL            ? request->selector
	                    : request->name != NULL                ? request->name
	                                                           : "*";

	if (answering->targets.prometheus) {
		return error_set(err, ERROR_NOT_FOUND,
			"the InferenceAutoscaler in namespace '%s' that has metric '%s' for '%s' is served from Prometheus: "
			"set its spec.source to Auto or Direct",
			request->ns, request->metric, whose);
	}
	return error_set(err, ERROR_NOT_FOUND,
		"no InferenceAutoscaler in namespace '%s' has metric '%s' for '%s': create one for the workload, or "
		"correct the metric's name",
		request->ns, request->metric, whose);
}

/* The first page that was not read. */
static const struct answering_page *failed_page(const struct answering *answering)
{
	for (size_t i = 0; i < answering->count; i++) {
		if (answering->pages[i].ask.place.in != NULL || reader_failure(&answering->pages[i].ask) != NULL) {
			return &answering->pages[i];
		}
	}
	return NULL;
}

static int explain_page(const struct answering *answering, const struct answering_page *page, struct error *err)
{
	const char *pod = answering->targets.items[page->pod].pod->view.meta.name;
	const char *failure = reader_failure(&page->ask);

	if (page->ask.place.in != NULL || failure == NULL) {
		return error_set(err, ERROR_UNAVAILABLE, "the page of pod '%s' did not come within a second", pod);
	}
	return error_set(err, ERROR_UNAVAILABLE, "the page of pod '%s' %s", pod, failure);
}

static int no_value(const struct answering *answering, struct error *err)
{
	const struct targets *targets = &answering->targets;
	const struct view_autoscaler *autoscaler = view_autoscaler(targets->autoscaler);
	const struct object_meta *meta = &autoscaler->view.meta;
	const char *diagnosis = diagnosis_of(autoscaler);
	const struct answering_page *failed = failed_page(answering);

	if (diagnosis != NULL) {
		return error_set(err, ERROR_UNAVAILABLE, "InferenceAutoscaler '%s/%s': %s", meta->ns, meta->name,
			diagnosis);
	}
	if (targets->count == 0) {
		return error_set(err, ERROR_UNAVAILABLE,
			targets->uncounted > 0
				? "no pod of InferenceAutoscaler '%s/%s' is ready yet, so '%s' has no value"
				: "InferenceAutoscaler '%s/%s' has no pods that are asked for, so '%s' has no value",
			meta->ns, meta->name, answering->request.metric);
	}
	if (failed != NULL) {
		return explain_page(answering, failed, err);
	}
	if (answering->count == 0 && is_gpu_metric(answering)) {
		return error_set(err, ERROR_UNAVAILABLE,
			"no ready DCGM exporter runs on the nodes of the pods of InferenceAutoscaler '%s/%s', so '%s' has no value",
			meta->ns, meta->name, answering->request.metric);
	}
	return error_set(err, ERROR_UNAVAILABLE,
		"no page of the pods of InferenceAutoscaler '%s/%s' has a value of '%s'", meta->ns, meta->name,
		answering->request.metric);
}

/* Values. */

/* A pod that is not ready any more has a value only while it has load. */
static bool value_of(const struct answering_page *page, struct answer_value *value)
{
	const struct answering *answering = page->answering;
	const struct target_pod *target = &answering->targets.items[page->pod];
	const struct object_meta *meta = &target->pod->view.meta;
	auto_free char *name = is_gpu_metric(answering) ? xasprintf("%s/%s", meta->ns, meta->name)
	                                                : xstrdup(answering->request.metric);

	return reader_figure(&page->ask, name, ANSWERING_STALE_MS, &value->milli, &value->read_ms) &&
	       (target->ready || value->milli > 0);
}

/* One of each pod that has any; an array of *count, whose names are borrowed. */
static struct answer_value *values_of(const struct answering *answering, size_t *count)
{
	struct answer_value *values = xcalloc(answering->count + 1, sizeof(*values));
	int64_t now_ms = clock_wall_ms();

	*count = 0;
	for (size_t i = 0; i < answering->count; i++) {
		const struct answering_page *page = &answering->pages[i];
		const char *pod = answering->targets.items[page->pod].pod->view.meta.name;

		/* Pages of one pod stand side by side. */
		if ((*count == 0 || strcmp(values[*count - 1].name, pod) != 0) && value_of(page, &values[*count])) {
			values[*count].name = pod;
			measure_add(&answering->context->measures->age, now_ms - values[*count].read_ms);
			++*count;
		}
	}
	return values;
}

/* The sum over the pods, as old as the oldest value in it. A sum without a pod of its would be too small. */
static int sum(const struct answering *answering, const struct answer_value *values, size_t count,
	struct answer_value *result, struct error *err)
{
	const struct targets *targets = &answering->targets;
	size_t next = 0;

	*result = (struct answer_value){.name = answering->request.name, .read_ms = values[0].read_ms};
	for (size_t i = 0; i < targets->count; i++) {
		const char *pod = targets->items[i].pod->view.meta.name;

		if (next < count && strcmp(values[next].name, pod) == 0) {
			result->milli += values[next].milli;
			result->read_ms =
				values[next].read_ms < result->read_ms ? values[next].read_ms : result->read_ms;
			next++;
		} else if (targets->items[i].ready) {
			const struct answering_page *failed = failed_page(answering);

			return failed != NULL
			               ? explain_page(answering, failed, err)
			               : error_set(err, ERROR_UNAVAILABLE,
						 "the page of pod '%s' has no value of '%s', so the sum is not known",
						 pod, answering->request.metric);
		}
	}
	return 0;
}

static void reply_values(const struct answering *answering, const struct answer_value *values, size_t count)
{
	const struct metrics_request *request = &answering->request;
	bool object = request->kind == REQUEST_OBJECT_METRIC;
	struct answer_value total;
	auto_error err = ERROR_INIT;
	auto_free char *body = NULL;

	if (object && sum(answering, values, count, &total, &err) < 0) {
		answering_reply_failure(answering->context, answering->asker, &err);
		return;
	}
	body = object ? answer_values(request->version, request->metric, &answer_autoscaler, request->ns, &total, 1)
	              : answer_values(request->version, request->metric, &answer_pod, request->ns, values, count);
	answering_reply(answering->context, answering->asker, 200, body);
}

void answering_end(struct answering *answering)
{
	size_t count;
	auto_free struct answer_value *values = values_of(answering, &count);
	auto_error err = ERROR_INIT;

	measure_add(&answering->context->measures->took, clock_monotonic_ms() - answering->begun_ms);
	if (count > 0) {
		reply_values(answering, values, count);
	} else {
		answering->targets.autoscaler == NULL ? no_autoscaler(answering, &err) : no_value(answering, &err);
		answering_reply_failure(answering->context, answering->asker, &err);
	}
	answering_free(answering);
}

void answering_refuse(struct answering *answering, const struct error *err)
{
	answering_reply_failure(answering->context, answering->asker, err);
	answering_free(answering);
}

/* Asking. */

static void on_page(struct reader_ask *ask)
{
	struct answering *answering = container_of(ask, struct answering_page, ask)->answering;

	if (--answering->waiting == 0) {
		answering_end(answering);
	}
}

static void ask_for(struct answering *answering, size_t pod, const struct reader_order *order)
{
	struct answering_page *page = &answering->pages[answering->count++];

	*page = (struct answering_page){.ask = {.done = on_page}, .answering = answering, .pod = pod};
	answering->waiting += reader_ask(answering->context->reader, order, &page->ask) ? 1 : 0;
}

static void ask_exporters(struct answering *answering)
{
	const struct answering_context *context = answering->context;
	const struct view_autoscaler *autoscaler = NULL;
	auto_gpu_source source = {.count = 0};
	struct questions *questions = questions_of_gpus();

	for (size_t i = 0; i < answering->targets.count; i++) {
		const struct target_pod *target = &answering->targets.items[i];
		const struct gpu_exporter_pod *found[GPU_SOURCE_PER_NODE];
		size_t count;

		if (target->autoscaler != autoscaler) {
			autoscaler = target->autoscaler;
			gpu_source_release(&source);
			gpu_source_find(context->hooks, context->pods, autoscaler, &source);
		}
		count = gpu_source_on(&source, target->pod->node, found);
		for (size_t e = 0; e < count; e++) {
			ask_for(answering, i,
				&(struct reader_order){.pod = found[e]->pod,
					.scheme = "http",
					.port = found[e]->port,
					.path = "/metrics",
					.questions = questions});
		}
	}
	questions_unref(questions);
}

static void ask_engine(struct answering *answering, size_t pod, const struct place *place)
{
	const struct view_pod *view = answering->targets.items[pod].pod;
	int64_t port = place_port(place, view);

	if (port > 0) {
		ask_for(answering, pod,
			&(struct reader_order){.pod = view,
				.scheme = place->scheme,
				.port = port,
				.path = place->path,
				.questions = place->questions});
	}
}

/* -1 when none of the autoscalers knows where to read. */
static int ask_engines(struct answering *answering, struct error *err)
{
	const struct view_autoscaler *autoscaler = NULL;
	auto_place place = {.questions = NULL};
	bool placed = false;

	for (size_t i = 0; i < answering->targets.count; i++) {
		const struct target_pod *target = &answering->targets.items[i];

		if (target->autoscaler != autoscaler) {
			autoscaler = target->autoscaler;
			place_release(&place);
			placed = place_of(autoscaler, &place, err) == 0;
		}
		if (placed) {
			ask_engine(answering, i, &place);
		}
	}
	return answering->count == 0 && err->kind != ERROR_NONE ? -1 : 0;
}

static int begin(struct answering *answering, struct error *err)
{
	struct answering_context *context = answering->context;
	const struct metrics_request *request = &answering->request;
	static const struct view_pairs no_labels;
	auto_free struct view_selector *of_metric =
		view_selector_parse(request->metric_selector != NULL ? request->metric_selector : "", err);

	if (of_metric == NULL) {
		return -1;
	}
	if (!view_selector_matches(of_metric, &no_labels, true)) {
		return error_set(err, ERROR_NOT_FOUND,
			"metric '%s' has no labels that a selector could match: take the metric's selector away",
			request->metric);
	}
	if (targets_find(context->hooks, context->pods, request, &answering->targets, err) < 0) {
		return -1;
	}
	answering->asker->ours = answering->targets.autoscaler != NULL;
	answering->pages = xcalloc(answering->targets.count * GPU_SOURCE_PER_NODE + 1, sizeof(*answering->pages));
	if (is_gpu_metric(answering)) {
		ask_exporters(answering);
		return 0;
	}
	return ask_engines(answering, err) < 0 && diagnosis_of(view_autoscaler(answering->targets.autoscaler)) == NULL
	               ? -1
	               : 0;
}

struct answering *answering_begin(struct answering_context *context, struct metrics_request *request_take,
	struct metrics_asker *asker)
{
	struct answering *answering = xcalloc(1, sizeof(*answering));
	auto_error err = ERROR_INIT;

	*answering = (struct answering){.context = context,
		.begun_ms = clock_monotonic_ms(),
		.request = *request_take,
		.asker = asker};
	*request_take = (struct metrics_request){.kind = REQUEST_DISCOVERY};
	context->count++;
	if (begin(answering, &err) < 0) {
		answering_refuse(answering, &err);
		return NULL;
	}
	if (answering->waiting == 0) {
		answering_end(answering);
		return NULL;
	}
	return answering;
}
