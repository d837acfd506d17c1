/* One probe of an autoscaler's chain: pods, page, scrape, then each signal by itself. Of one that is direct there is no
 * scrape. */
#include "key_probe.h"

#include "base/clock.h"
#include "base/memory.h"
#include "page_reads.h"
#include "page_search.h"
#include "page_trust.h"
#include "pod_start.h"
#include "question.h"
#include "reading.h"
#include "scale_query.h"
#include "signal_probe.h"

#define UNCONFIRMED_AGAIN_MS 1500

struct key_probe {
	struct probe_context context;
	const struct probe_request *request;
	const struct evidence *last;
	struct evidence *evidence;
	struct pod_reader *pods;
	struct pod_list list;
	struct counted_pods counted; /* the pods that do */
	const struct hpa_silence *silence;
	bool healthy;
	enum timing_calm calm;
	bool page_stands; /* it was not read in this probe */
	bool cancelled;
	struct scale_query *scale;
	struct page_search *search;
	struct page_reads *reads;
	struct signal_probe *signals;
	size_t signals_count;
	size_t signals_running; /* of them, still under way */
	void (*done)(void *ctx, struct evidence *evidence_take);
	void *ctx;
};

static void key_probe_end(struct key_probe *probe)
{
	probe->done(probe->ctx, probe->evidence);
	pod_list_release(&probe->list);
	counted_pods_release(&probe->counted);
	free_indirect(&probe->signals);
	free_indirect(&probe);
}

/* The pods' labels: told, or found on the target. */
static const char *selector_of(const struct key_probe *probe)
{
	const char *found = probe->evidence->target.selector;

	return probe->request->selector != NULL ? probe->request->selector : found != NULL ? found : "";
}

static void ask(struct key_probe *probe, char *target_take, const struct answer_type *type, prometheus_done_fn *done)
{
	const struct prometheus_question question = {.base = probe->request->prometheus,
		.target = target_take,
		.type = type};

	prometheus_ask(probe->context.prometheus, &question, probe->healthy, done, probe);
	free_indirect(&target_take);
}

/* 4. Each signal by itself. */

/* Whether what lies before the signal's own links showed something. */
static bool can_probe(const struct key_probe *probe, const struct signal_request *signal)
{
	const struct scrape_seen *scrape = &probe->evidence->scrape;
	const struct page_seen *page = &probe->evidence->page;

	if (probe->cancelled || (probe->request->prometheus == NULL && !probe->request->direct)) {
		return false;
	}
	if (probe->request->direct) {
		return !signal->page || (page->failure.text == NULL && texts_share(&signal->series, &page->series));
	}
	return !signal->page || (scrape->seen_ms > 0 && scrape->failure.text == NULL &&
					(page->failure.text != NULL || texts_share(&signal->series, &page->series)));
}

/* Whether each signal has its metric, or waits for the HPA to read it. */
static bool awaits_hpa_alone(const struct key_probe *probe)
{
	bool awaits = false;

	for (size_t i = 0; i < probe->signals_count; i++) {
		const struct signal_probe *signal = &probe->signals[i];

		if (!signal->awaited && signal->seen->value.seen_ms == 0) {
			return false;
		}
		awaits = awaits || signal->awaited;
	}
	return awaits && probe->signals_count == probe->request->signals.count;
}

static void on_signal_probed(void *ctx)
{
	struct key_probe *probe = ctx;
	int64_t *least_ms = &probe->evidence->again_ms;

	if (--probe->signals_running > 0) {
		return;
	}
	probe->evidence->awaited_ms = awaits_hpa_alone(probe) ? hpa_silence_awaited_ms(probe->silence) : 0;
	if (probe->page_stands && probe->calm == TIMING_CALM && page_is_doubted(probe->evidence, &probe->counted)) {
		*least_ms = UNCONFIRMED_AGAIN_MS;
	}
	for (size_t i = 0; i < probe->signals_count; i++) {
		int64_t again_ms = probe->signals[i].again_ms;

		if (again_ms > 0 && (*least_ms == 0 || again_ms < *least_ms)) {
			*least_ms = again_ms;
		}
	}
	key_probe_end(probe);
}

static void probe_signals(struct key_probe *probe)
{
	const struct probe_request *request = probe->request;
	struct evidence *evidence = probe->evidence;

	for (size_t i = 0; i < request->signals.count; i++) {
		if (can_probe(probe, &request->signals.items[i])) {
			evidence_add_signal(evidence, request->signals.items[i].metric);
		}
	}
	probe->signals_count = probe->signals_running = evidence->signals.count;
	if (probe->signals_count == 0) {
		key_probe_end(probe);
		return;
	}
	probe->signals = xcalloc(probe->signals_count, sizeof(*probe->signals));
	for (size_t i = 0; i < probe->signals_count; i++) {
		struct signal_seen *own = &evidence->signals.items[i];

		probe->signals[i] = (struct signal_probe){.context = &probe->context,
			.request = request,
			.last = probe->last,
			.page = probe->page_stands && !request->direct ? NULL : &evidence->page,
			.counted = &probe->counted,
			.selector = selector_of(probe),
			.signal = probe_request_signal(request, own->metric),
			.seen = own,
			.silence = probe->silence,
			.healthy = probe->healthy,
			.done = on_signal_probed,
			.ctx = probe};
	}
	for (size_t i = 0, count = probe->signals_count; i < count; i++) {
		signal_probe_start(&probe->signals[i]);
	}
}

/* 3. The scrape of our metrics Service. */

static void on_pool(void *ctx, const struct prometheus_answer *answer)
{
	struct key_probe *probe = ctx;

	/* A pod that leaves refuses its last scrape: that is no failure. */
	probe->evidence->scrape.last_error = probe_blame(probe->request->pool, &probe->counted, answer);
	probe_signals(probe);
}

static void on_scrapes(void *ctx, const struct prometheus_answer *answer)
{
	struct key_probe *probe = ctx;
	const struct probe_request *request = probe->request;
	const char *service = request->service != NULL ? request->service : "";
	struct scrape_seen *scrape = &probe->evidence->scrape;
	size_t count;
	const struct scrapes_row *row = table_find(answer->table, request->ns, service, &count);

	scrape->seen_ms = answer->at_ms;
	scrape->url = xstrdup(request->prometheus);
	probe_fail(&scrape->failure, answer);
	if (row != NULL) {
		scrape->up = row->up;
		scrape->down = row->down;
	}
	if (scrape->down > 0 && request->pool != NULL && !probe->cancelled) {
		ask(probe, question_pool(request->pool), &answer_pool, on_pool);
	} else {
		probe_signals(probe);
	}
}

/* 2. One pod's page, a ready one's if there is any, then the values on some others'. */

static void on_pages_read(void *ctx)
{
	struct key_probe *probe = ctx;

	probe->reads = NULL;
	if (probe->request->prometheus != NULL && !probe->cancelled) {
		ask(probe, question_scrapes(), &answer_scrapes, on_scrapes);
	} else {
		probe_signals(probe);
	}
}

/* A pod that is about to go refuses us before we are notified that it goes: the first failed read after a good one
 * is unconfirmed, and the good one stands until the next read, soon; without its values, which are not of this probe. */
static bool stands_unconfirmed(const struct key_probe *probe, const struct page_seen *seen)
{
	const struct evidence *last = probe->last;

	return seen->failure.text != NULL && last != NULL && last->asked == probe->request && last->page.seen_ms > 0 &&
	       last->page.failure.text == NULL && !last->page.unconfirmed;
}

static void on_page(void *ctx, struct page_seen *seen_take)
{
	struct key_probe *probe = ctx;
	struct page_seen *page = &probe->evidence->page;

	probe->search = NULL;
	if (stands_unconfirmed(probe, seen_take)) {
		shape_release(&shape_page_seen, seen_take);
		shape_copy(&shape_page_seen, page, &probe->last->page);
		shape_empty(&shape_page_values, &page->values);
		page->unconfirmed = true;
		probe->evidence->again_ms = UNCONFIRMED_AGAIN_MS;
		on_pages_read(probe);
		return;
	}
	*page = *seen_take;
	page->seen_ms = clock_wall_ms();
	/* Others may read it all the same. */
	if (page->failure.text != NULL || probe->cancelled) {
		on_pages_read(probe);
		return;
	}
	probe->reads = page_reads_start(&(struct page_reads_order){.fetches = probe->context.fetches,
		.request = probe->request,
		.pods = &probe->list,
		.counted = &probe->counted,
		.page = page,
		.done = on_pages_read,
		.ctx = probe});
	if (probe->reads == NULL) {
		on_pages_read(probe);
	}
}

/* 1. The target's pods. */

static void find_page(struct key_probe *probe, const struct view_pod *pod)
{
	const struct page_trust trust = {.request = probe->request,
		.calm = probe->calm,
		.last = probe->last,
		.pod = pod->view.meta.name,
		.counted = &probe->counted,
		.now_ms = clock_wall_ms()};

	if (page_is_trusted(&trust)) {
		shape_copy(&shape_page_seen, &probe->evidence->page, &probe->last->page);
		probe->page_stands = true;
		on_pages_read(probe);
		return;
	}
	probe->search = page_search_start(&(struct page_search_order){.fetches = probe->context.fetches,
		.request = probe->request,
		.pod = pod,
		.last = probe->last != NULL ? &probe->last->page : NULL,
		.done = on_page,
		.ctx = probe});
}

static void read_pods(struct key_probe *probe)
{
	struct pods_seen *seen = &probe->evidence->pods;
	const struct view_pod *first;
	auto_error err = ERROR_INIT;

	pod_reader_select(probe->pods, probe->request->ns, selector_of(probe));
	seen->seen_ms = clock_wall_ms();
	if (pod_reader_find(probe->pods, &probe->list, &err) < 0) {
		auto_free char *text = xasprintf("cannot list the target's pods: %s%s", err.message,
			err.kind == ERROR_FORBIDDEN ? "; give the operator this right, by the chart's roles" : "");

		failure_set(&seen->failure, CAUSE_NONE, reading_text(text));
		key_probe_end(probe);
		return;
	}
	first = reading_pods(&probe->list, &probe->request->target, &probe->counted, seen);
	pod_start_quickest(&probe->list, &probe->counted, probe->last != NULL ? &probe->last->pods.start : NULL,
		&seen->start);
	if (first == NULL) {
		key_probe_end(probe);
	} else if (probe->request->pages.count == 0) {
		probe_signals(probe);
	} else {
		find_page(probe, first);
	}
}

/* 0. The target itself, when it is of a kind that is not watched. */

static void on_scale(void *ctx, struct target_seen *seen_take)
{
	struct key_probe *probe = ctx;
	struct target_seen *target = &probe->evidence->target;

	probe->scale = NULL;
	*target = *seen_take;
	target->seen_ms = clock_wall_ms();
	if (target->failure.text == NULL && !probe->cancelled) {
		read_pods(probe);
	} else {
		key_probe_end(probe);
	}
}

void key_probe_start(const struct probe_task *task, struct key_probe **started)
{
	struct key_probe *probe = *started = xcalloc(1, sizeof(*probe));

	*probe = (struct key_probe){.context = *task->context,
		.request = task->request,
		.last = task->last,
		.evidence = evidence_new(probe_request_ref(task->request)),
		.pods = task->pods,
		.silence = task->silence,
		.healthy = task->healthy,
		.calm = task->calm,
		.done = task->done,
		.ctx = task->ctx};
	probe->evidence->hpa_silent_ms = task->silence->last_ms;
	if (task->request->selector == NULL) {
		probe->scale = scale_query_start(probe->context.reads, task->request->ns, &task->request->target,
			on_scale, probe);
	} else {
		read_pods(probe);
	}
}

void key_probe_cancel(struct key_probe *probe)
{
	probe->cancelled = true;
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
