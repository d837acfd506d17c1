/* From answers to evidence. */
#include "reading.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/quantity.h"
#include "base/text.h"
#include "engine/histogram.h"
#include "engine/page.h"
#include "engine/query.h"
#include "pods/pod_counts.h"
#include "question.h"

#define MISSING_MAX 5
#define TEXT_MAX 4096 /* several quotes, and what we say around them */
#define LATENCY_MAX 1e9
#define LIMIT_MAX 1e6

char *reading_text(const char *text)
{
	return text_fit(text, TEXT_MAX);
}

/* The ports that the pod's containers list, in order. */
static void read_ports(const struct view_pod *pod, struct pods_seen *seen)
{
	for (uint32_t i = 0; pod != NULL && i < pod->ports_count; i++) {
		struct container_port *port = shape_add(&shape_container_port, &seen->ports);

		port->name = pod->ports[i].name[0] != '\0' ? xstrdup(pod->ports[i].name) : NULL;
		port->number = pod->ports[i].number;
		port->protocol = strcmp(pod->ports[i].protocol, "TCP") != 0 ? xstrdup(pod->ports[i].protocol) : NULL;
	}
}

static void add_unready(struct pods_seen *seen, const char *name, int64_t since_ms)
{
	if (seen->unready.count < MISSING_MAX) {
		struct unready_pod *unready = shape_add(&shape_unready_pod, &seen->unready);

		unready->name = xstrdup(name);
		unready->since_ms = since_ms;
	}
}

const struct view_pod *reading_pods(const struct pod_list *list, const struct target_ref *target,
	struct counted_pods *counted, struct pods_seen *seen)
{
	const struct view_pod *first_ready = NULL;
	const struct view_pod *first_unready = NULL;
	const struct view_pod *first;

	seen->ready = 0;
	for (size_t i = 0; i < list->count; i++) {
		const struct view_pod *pod = list->pods[i];
		const char *name = pod->view.meta.name;
		int64_t since_ms;
		enum pod_counts counts = pod_counts(pod, &since_ms);

		if (pod->ended) {
			continue;
		}
		if (!pod_made_by(pod, target->kind != NULL ? target->kind : "",
			    target->name != NULL ? target->name : "")) {
			if (seen->foreign.count < MISSING_MAX) {
				texts_add(&seen->foreign, name);
			}
			continue;
		}
		seen->total++;
		if (counts == POD_COUNTS) {
			counted_pods_add(counted, name, since_ms);
			seen->ready++;
			first_ready = first_ready != NULL ? first_ready : pod;
		} else if (counts == POD_COUNTS_WITH_LOAD) {
			counted_pods_add(counted, name, -1);
			add_unready(seen, name, since_ms);
			first_unready = first_unready != NULL ? first_unready : pod;
		}
	}
	counted_pods_sort(counted);
	first = first_ready != NULL ? first_ready : first_unready;
	read_ports(first, seen);
	return first;
}

/* How long the slowest of 100 requests took; nothing when the page does not tell. */
static void read_latency(const struct page *page, const struct engine *engine, struct page_latency *latency)
{
	struct quantile q;

	if (engine == NULL || engine->latency == NULL || !histogram_quantile(page, engine->latency, 0.99, &q) ||
		q.count > LATENCY_MAX || q.over > LATENCY_MAX) {
		return;
	}
	latency->requests = (int64_t)q.count;
	latency->over_ms = (int64_t)(q.over * 1000);
	latency->upto_ms = q.upto <= LATENCY_MAX ? (int64_t)(q.upto * 1000) : -1;
}

/* The most that signals can be, as far as the page tells. */
static void read_limits(const struct page *page, const struct engine *engine, struct page_seen *seen)
{
	for (size_t i = 0; engine != NULL && i < ENGINE_SIGNALS_MAX && engine->signals[i].name != NULL; i++) {
		const char *series = engine->signals[i].limit_series;
		size_t len = series != NULL ? strcspn(series, "{") : 0;
		const struct page_sample *one = NULL;
		double most = 0;

		while (series != NULL && (one = page_next_sample(page, series, len, one)) != NULL) {
			most += page_sample_matches(one, series + len + (series[len] == '{' ? 1 : 0)) ? one->value : 0;
		}
		if (most >= 1 && most <= LIMIT_MAX) {
			struct signal_limit *limit = shape_add(&shape_signal_limit, &seen->limits);

			limit->signal = xstrdup(engine->signals[i].name);
			limit->most = (int64_t)most;
		}
	}
}

void reading_page(const struct page *page, const struct texts *wanted, struct page_seen *seen)
{
	const struct engine *engine = page_engine(page);
	const struct router *router = page_router(page);

	if (router != NULL) {
		seen->router = xstrdup(router->name);
		return;
	}
	seen->engine = engine != NULL ? xstrdup(engine->type) : NULL;
	for (size_t i = 0; i < wanted->count; i++) {
		if (page_has_series(page, wanted->items[i])) {
			texts_add(&seen->series, wanted->items[i]);
		}
	}
	read_latency(page, engine, &seen->latency);
	read_limits(page, engine, seen);
}

void reading_page_values(const struct page *page, const struct probe_request *request, struct page_values *values)
{
	for (size_t i = 0; i < request->signals.count; i++) {
		const struct signal_request *wanted = &request->signals.items[i];
		const struct engine_signal *signal = engine_signal_by_metric(wanted->metric);
		double value;
		int64_t milli;

		if (wanted->page && signal != NULL && query_on_page(signal->metrics_query, page, &value) &&
			query_milli(value, &milli)) {
			struct metric_value *own = shape_add(&shape_metric_value, &values->values);

			own->metric = xstrdup(wanted->metric);
			own->milli = milli;
		}
	}
}

/* A pod that counts, and whether it has what is looked for: one that has not although it had the time is missing. */
static void cover(const struct counted_pod *pod, bool has, const struct reading_grace *grace, int64_t *pods,
	struct texts *missing)
{
	if (has) {
		++*pods;
	} else if (pod->ready_ms >= 0 && pod->ready_ms + grace->grace_ms < grace->now_ms &&
		   missing->count < MISSING_MAX) {
		texts_add(missing, pod->name);
	}
}

void reading_series(const struct table *samples, const char *ns, const struct counted_pods *counted, int64_t max_age_ms,
	const struct reading_grace *grace, struct series_seen *seen)
{
	for (size_t i = 0; i < counted->count; i++) {
		const struct counted_pod *pod = &counted->items[i];
		size_t count;
		const struct sample_row *row = table_find(samples, ns, pod->name, &count);
		/* What of a pod is told without its age is not its sample: only the GPUs' source. */
		bool sampled = row != NULL && row->time_ms >= 0;

		if (sampled) {
			struct sample *sample = shape_add(&shape_sample, &seen->samples);

			*sample = (struct sample){.pod = xstrdup(pod->name),
				.age_ms = row->age_ms,
				.time_ms = row->time_ms,
				.milli = row->milli,
				.source = row->source,
				.shared = row->shared != 0};
		}
		cover(pod, sampled && row->age_ms < max_age_ms, grace, &seen->pods, &seen->missing);
	}
}

static int compare_values(const void *one, const void *other)
{
	return strcmp(((const struct pod_value *)one)->pod, ((const struct pod_value *)other)->pod);
}

static int compare_pod(const void *pod, const void *value)
{
	return strcmp(pod, ((const struct pod_value *)value)->pod);
}

const struct pod_value *reading_value_of(const struct metric_seen *seen, const char *pod)
{
	return seen->values.count > 0
	               ? bsearch(pod, seen->values.items, seen->values.count, sizeof(*seen->values.items), compare_pod)
	               : NULL;
}

void reading_metric(const json_t *list, const struct counted_pods *counted, const struct reading_grace *grace,
	struct metric_seen *seen)
{
	size_t i;
	json_t *item;

	json_array_foreach(json_object_get(list, "items"), i, item) {
		int64_t milli = quantity_parse_milli(json_path_string(item, "value", ""));
		struct pod_value *value = shape_add(&shape_pod_value, &seen->values);

		value->pod = xstrdup(json_path_string(item, "describedObject.name", ""));
		value->milli = milli >= 0 ? milli : MILLI_NONE;
	}
	if (seen->values.count > 1) {
		qsort(seen->values.items, seen->values.count, sizeof(*seen->values.items), compare_values);
	}
	for (i = 0; i < counted->count; i++) {
		const struct counted_pod *pod = &counted->items[i];

		cover(pod, reading_value_of(seen, pod->name) != NULL, grace, &seen->pods, &seen->missing);
	}
}

bool reading_metric_listed(const json_t *resources, const char *metric)
{
	auto_free char *wanted = xasprintf("pods/%s", metric);
	size_t i;
	json_t *resource;

	json_array_foreach(json_object_get(resources, "resources"), i, resource) {
		if (strcmp(json_path_string(resource, "name", ""), wanted) == 0) {
			return true;
		}
	}
	return false;
}
