/* One probe of an autoscaler's chain: pods, page, scrape, then each signal by itself. */
#include "key_probe.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "kube/resource.h"
#include "page_reads.h"
#include "page_search.h"
#include "pod_start.h"
#include "question.h"
#include "reading.h"
#include "scale_query.h"
#include "signal_probe.h"

#define UNCONFIRMED_AGAIN_MS 1500

static const struct kube_resource pods = {"", "v1", "pods", "Pod", true};

struct key_probe {
	struct probe_context context;
	json_t *request;
	json_t *last;
	json_t *evidence;
	json_t *list;    /* PodList; NULL = not answered yet */
	json_t *counted; /* the pods that do: reading.h */
	bool healthy;
	bool cancelled;
	struct kube_call *call;
	struct scale_query *scale;
	struct page_search *search;
	struct page_reads *reads;
	struct signal_probe *signals;
	size_t signals_count;
	size_t signals_running; /* of them, still under way */
	int64_t again_ms;       /* how soon another probe is wanted; 0 = at its time */
	void (*listed)(void *ctx);
	void (*done)(void *ctx, json_t *evidence_take);
	void *ctx;
};

json_t *probe_unconfirmed(const json_t *before, const json_t *document)
{
	json_t *copy;

	if (json_path(document, "error") == NULL || before == NULL || json_path(before, "error") != NULL) {
		return NULL;
	}
	copy = json_copy((json_t *)before);
	json_object_del(copy, "values");
	return copy;
}

void probe_record(json_t *evidence, const char *name, json_t *document, int64_t at_ms)
{
	json_object_set_new(document, "at", json_integer(at_ms));
	json_object_set_new(evidence, name, document);
}

void probe_fail(json_t *document, const struct prometheus_answer *answer)
{
	if (answer->error != NULL) {
		json_object_set_new(document, "error", reading_text(answer->error));
	}
	if (answer->cause != NULL) {
		json_object_set_new(document, "cause", json_string(answer->cause));
	}
}

/* The error of the first of these pods by name, or of a target that is no pod's; NULL when none has any. */
static json_t *error_of(const json_t *errors, const json_t *blamed)
{
	auto_json *names = json_sorted_keys(errors);
	size_t i;
	json_t *name;

	json_array_foreach(names, i, name) {
		const char *pod = json_string_value(name);

		if (blamed == NULL || pod[0] == '\0' || json_object_get(blamed, pod) != NULL) {
			return json_object_get(errors, pod);
		}
	}
	return NULL;
}

void probe_blame(json_t *document, const char *pool, const json_t *blamed, const struct prometheus_answer *answer)
{
	json_t *error = error_of(json_object_get(answer->index, pool), blamed);

	if (answer->error != NULL) {
		auto_free char *text = xasprintf("its words cannot be read (%s)", answer->error);

		json_object_set_new(document, "lastError", reading_text(text));
	} else if (error != NULL) {
		json_object_set(document, "lastError", error);
	}
}

static void key_probe_end(struct key_probe *probe)
{
	if (probe->again_ms > 0) {
		json_object_set_new(probe->evidence, "againMs", json_integer(probe->again_ms));
	}
	probe->done(probe->ctx, probe->evidence);
	json_decref(probe->request);
	json_decref(probe->last);
	json_decref(probe->list);
	json_decref(probe->counted);
	free_indirect(&probe->signals);
	free_indirect(&probe);
}

/* The pods' labels: told, or found on the target. */
static const char *selector_of(const struct key_probe *probe)
{
	return json_path_string(probe->request, "selector", json_path_string(probe->evidence, "target.selector", ""));
}

static void ask(struct key_probe *probe, char *target_take, json_t *(*index)(const json_t *), prometheus_done_fn *done,
	void *ctx)
{
	const struct prometheus_question question = {.base = json_path_string(probe->request, "prometheus", ""),
		.target = target_take,
		.index = index,
		.steady = index == question_scrapes_index};

	prometheus_ask(probe->context.prometheus, &question, probe->healthy, done, ctx);
	free_indirect(&target_take);
}

/* 4. Each signal by itself. */

static bool shares_element(const json_t *one, const json_t *other)
{
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)one, i, item) {
		if (json_holds(other, item)) {
			return true;
		}
	}
	return false;
}

/* Whether what lies before the signal's own links showed something. */
static bool can_probe(const struct key_probe *probe, const json_t *signal)
{
	if (json_path_string(probe->request, "prometheus", NULL) == NULL || probe->cancelled) {
		return false;
	}
	if (!json_path_bool(signal, "page", false)) {
		return true;
	}
	return json_path(probe->evidence, "prometheus") != NULL &&
	       json_path(probe->evidence, "prometheus.error") == NULL &&
	       shares_element(json_object_get(signal, "series"), json_path(probe->evidence, "page.series"));
}

static void on_signal_probed(void *ctx)
{
	struct key_probe *probe = ctx;

	if (--probe->signals_running > 0) {
		return;
	}
	for (size_t i = 0; i < probe->signals_count; i++) {
		int64_t again_ms = probe->signals[i].again_ms;

		if (again_ms > 0 && (probe->again_ms == 0 || again_ms < probe->again_ms)) {
			probe->again_ms = again_ms;
		}
	}
	key_probe_end(probe);
}

static void probe_signals(struct key_probe *probe)
{
	const json_t *signals = json_object_get(probe->request, "signals");
	json_t *evidence = json_object();
	size_t i;
	json_t *signal;

	json_object_set_new(probe->evidence, "signals", evidence);
	probe->signals = xcalloc(json_array_size(signals) + 1, sizeof(*probe->signals));
	json_array_foreach((json_t *)signals, i, signal) {
		if (can_probe(probe, signal)) {
			json_t *own = json_object();

			json_object_set_new(evidence, json_path_string(signal, "metric", ""), own);
			probe->signals[probe->signals_count++] = (struct signal_probe){.context = &probe->context,
				.request = probe->request,
				.last = probe->last,
				.chain = probe->evidence,
				.counted = probe->counted,
				.selector = selector_of(probe),
				.signal = signal,
				.evidence = own,
				.healthy = probe->healthy,
				.done = on_signal_probed,
				.ctx = probe};
		}
	}
	probe->signals_running = probe->signals_count;
	for (i = 0; i < probe->signals_count; i++) {
		signal_probe_start(&probe->signals[i]);
	}
	if (probe->signals_count == 0) {
		key_probe_end(probe);
	}
}

/* 3. The scrape of our metrics Service. */

static void on_pool(void *ctx, const struct prometheus_answer *answer)
{
	struct key_probe *probe = ctx;

	/* A pod that leaves refuses its last scrape: that is no failure. */
	probe_blame(json_object_get(probe->evidence, "prometheus"), json_path_string(probe->request, "pool", ""),
		probe->counted, answer);
	probe_signals(probe);
}

static void on_scrapes(void *ctx, const struct prometheus_answer *answer)
{
	struct key_probe *probe = ctx;
	const char *url = json_path_string(probe->request, "prometheus", "");
	const char *ns = json_path_string(probe->request, "namespace", "");
	const json_t *jobs = json_object_get(answer->index, ns);
	const json_t *scrapes = json_object_get(jobs, json_path_string(probe->request, "service", ""));
	const char *pool = json_path_string(probe->request, "pool", NULL);

	if (answer->error != NULL) {
		json_t *document = json_pack("{s:s}", "url", url);

		probe_fail(document, answer);
		probe_record(probe->evidence, "prometheus", document, answer->at_ms);
		probe_signals(probe);
		return;
	}
	probe_record(probe->evidence, "prometheus",
		json_pack("{s:s, s:I, s:I}", "url", url, "up", json_path_int(scrapes, "up", 0), "down",
			json_path_int(scrapes, "down", 0)),
		answer->at_ms);
	if (json_path_int(scrapes, "down", 0) > 0 && pool != NULL && !probe->cancelled) {
		ask(probe, question_pool(pool), question_pool_index, on_pool, probe);
	} else {
		probe_signals(probe);
	}
}

/* 2. One pod's page, a ready one's if there is any, then the values on some others'. */

static void on_read(void *ctx)
{
	struct key_probe *probe = ctx;

	probe->reads = NULL;
	if (json_path_string(probe->request, "prometheus", NULL) != NULL && !probe->cancelled) {
		ask(probe, question_scrapes(), question_scrapes_index, on_scrapes, probe);
	} else {
		probe_signals(probe);
	}
}

/* A pod that is about to go refuses us before we are notified that it goes: the first failed read after a good one
 * is unconfirmed, and the good one stands until the next read, soon. NULL = it is to be believed. */
static json_t *page_of_before(struct key_probe *probe, const json_t *document)
{
	const json_t *before = json_object_get(probe->last, "page");
	json_t *page;

	if (json_path_bool(before, "doubted", false) ||
		!json_equal(json_object_get(probe->last, "asked"), probe->request)) {
		return NULL;
	}
	page = probe_unconfirmed(before, document);
	if (page != NULL) {
		json_object_set_new(page, "doubted", json_true());
		probe->again_ms = UNCONFIRMED_AGAIN_MS;
	}
	return page;
}

static void on_page(void *ctx, json_t *document_take)
{
	struct key_probe *probe = ctx;
	json_t *before = page_of_before(probe, document_take);

	probe->search = NULL;
	if (before != NULL) {
		json_decref(document_take);
		json_object_set_new(probe->evidence, "page", before);
		on_read(probe);
		return;
	}
	probe_record(probe->evidence, "page", document_take, clock_wall_ms());
	if (json_path(document_take, "error") != NULL || probe->cancelled) {
		probe_signals(probe);
		return;
	}
	probe->reads = page_reads_start(&(struct page_reads_order){.fetches = probe->context.fetches,
		.request = probe->request,
		.pods = probe->list,
		.counted = probe->counted,
		.page = document_take,
		.done = on_read,
		.ctx = probe});
	if (probe->reads == NULL) {
		on_read(probe);
	}
}

/* 1. The target's pods. */

static void on_pods(void *ctx, json_t *result, const struct error *err)
{
	struct key_probe *probe = ctx;
	const json_t *first = NULL;
	json_t *pods_document;
	json_t *start;

	probe->call = NULL;
	probe->listed(probe->ctx);
	if (err != NULL) {
		auto_free char *text = xasprintf("cannot list the target's pods: %s%s", err->message,
			err->kind == ERROR_FORBIDDEN ? "; give the operator this right, by the chart's roles" : "");

		probe_record(probe->evidence, "pods", json_pack("{s:o}", "error", reading_text(text)), clock_wall_ms());
		key_probe_end(probe);
		return;
	}
	pods_document = reading_pods(result, json_object_get(probe->request, "target"), probe->counted, &first);
	start = pod_start_quickest(result, probe->counted, json_path(probe->last, "pods.start"));
	if (start != NULL) {
		json_object_set_new(pods_document, "start", start);
	}
	probe_record(probe->evidence, "pods", pods_document, clock_wall_ms());
	probe->list = json_incref(result);
	if (first == NULL || probe->cancelled) {
		key_probe_end(probe);
	} else if (json_array_size(json_object_get(probe->request, "pages")) == 0) {
		probe_signals(probe);
	} else {
		probe->search = page_search_start(&(struct page_search_order){.fetches = probe->context.fetches,
			.request = probe->request,
			.pod = first,
			.last = json_object_get(probe->last, "page"),
			.done = on_page,
			.ctx = probe});
	}
}

static void ask_pods(struct key_probe *probe)
{
	auto_free char *path = kube_resource_path(&pods, json_path_string(probe->request, "namespace", ""), NULL);
	auto_strbuf query = STRBUF_INIT;

	strbuf_addf(&query, "%s?labelSelector=", path);
	strbuf_add_urlencoded(&query, selector_of(probe));
	probe->call = kube_request(probe->context.client, "GET", query.buf, NULL, NULL, on_pods, probe);
}

/* 0. The target itself, when it is of a kind that is not watched. */

static void on_scale(void *ctx, json_t *document_take)
{
	struct key_probe *probe = ctx;

	probe->scale = NULL;
	probe_record(probe->evidence, "target", document_take, clock_wall_ms());
	if (json_path(document_take, "error") == NULL && !probe->cancelled) {
		ask_pods(probe);
	} else {
		key_probe_end(probe);
	}
}

struct key_probe *key_probe_start(const struct probe_task *task)
{
	struct key_probe *probe = xcalloc(1, sizeof(*probe));

	*probe = (struct key_probe){.context = *task->context,
		.request = json_incref(task->request),
		.last = json_incref((json_t *)task->last),
		.evidence = json_pack("{s:O}", "asked", task->request),
		.counted = json_object(),
		.healthy = task->healthy,
		.listed = task->listed,
		.done = task->done,
		.ctx = task->ctx};
	if (json_path_string(task->request, "selector", NULL) != NULL) {
		ask_pods(probe);
	} else {
		probe->scale =
			scale_query_start(probe->context.client, json_path_string(task->request, "namespace", ""),
				json_object_get(task->request, "target"), on_scale, probe);
	}
	return probe;
}

void key_probe_cancel(struct key_probe *probe)
{
	probe->cancelled = true;
	if (probe->call != NULL) {
		kube_call_cancel(probe->call);
	}
	if (probe->scale != NULL) {
		scale_query_cancel(probe->scale);
	}
	if (probe->search != NULL) {
		page_search_cancel(probe->search);
	}
	if (probe->reads != NULL) {
		page_reads_cancel(probe->reads);
	}
	for (size_t i = 0; i < probe->signals_count; i++) {
		signal_probe_cancel(&probe->signals[i]);
	}
}
