/* When each key is probed. */
#include "probe/probe.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/map.h"
#include "base/memory.h"
#include "key_probe.h"
#include "question.h"

#define HEALTHY_MS 30000
#define BROKEN_FIRST_MS 2000
#define TURNED_MS 1000 /* within this many after Prometheus has news, or the chain became whole */
#define BROKEN_MAX_MS 30000
/* At once, so that a thousand that are new do not all list their pods in the same second. The API server counts a
 * list as up to dozens of requests, by the objects of the namespace, and keeps our writes waiting behind them. */
#define LISTS_MAX 8
#define WAITING_MAX_MS 5000

/* Else the questions of an autoscaler that is alone would rest until it comes back: Prometheus would have fewer of
 * them, and its news would come late. HEALTHY_MS is jittered by 20 %. */
_Static_assert(PROMETHEUS_KEPT_REFRESHES *PROMETHEUS_REFRESH_MS > HEALTHY_MS * 12 / 10,
	"a question is kept until a healthy autoscaler asks it again");

struct prober {
	struct probe_context context;
	struct prober_hooks hooks;
	struct map entries;          /* key → struct entry */
	unsigned seed;               /* of the jitter */
	unsigned lists;              /* under way: probes that do not know their pods yet */
	struct entry *first_waiting; /* due, but there are LISTS_MAX; in order */
	struct entry *last_waiting;
	unsigned open; /* entries not freed yet, and the asker of Prometheus */
	bool closing;
	void (*closed)(void *ctx);
	void *closed_ctx;
	uv_async_t last; /* tells `closed` from the loop, never from inside close */
};

/* One key that is probed. Lives until its timer is closed and no probe is under way. */
struct entry {
	struct prober *prober;
	char *key;
	uv_timer_t timer;
	json_t *request;
	json_t *evidence; /* of the last probe that ended */
	enum probe_interval interval;
	bool changed; /* since the last probe began: the next one is due at once */
	bool anew;    /* that next one wants answers of its own time */
	int64_t delay_ms;
	bool gone; /* forgotten: to be freed */
	bool timer_closed;
	bool waiting; /* among the prober's */
	struct entry *next_waiting;
	bool listing;            /* its probe does not know its pods yet */
	bool running;            /* a probe is under way */
	bool dropped;            /* it, since Prometheus fails from now on: it is begun again */
	struct key_probe *probe; /* it, when it can be cancelled */
};

static void on_due(uv_timer_t *timer);
static void finish_close(struct prober *prober);

static void entry_free_if_done(struct entry *entry)
{
	struct prober *prober = entry->prober;

	if (!entry->gone || !entry->timer_closed || entry->running) {
		return;
	}
	json_decref(entry->request);
	json_decref(entry->evidence);
	free_indirect(&entry->key);
	free_indirect(&entry);
	prober->open--;
	finish_close(prober);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct entry *entry = handle->data;

	entry->timer_closed = true;
	entry_free_if_done(entry);
}

/* The line of those that are due. */

static void wait_in_line(struct entry *entry)
{
	struct prober *prober = entry->prober;

	if (entry->waiting) {
		return;
	}
	entry->waiting = true;
	entry->next_waiting = NULL;
	if (prober->first_waiting == NULL) {
		prober->first_waiting = entry;
	} else {
		prober->last_waiting->next_waiting = entry;
	}
	prober->last_waiting = entry;
}

static void leave_line(struct entry *entry)
{
	struct prober *prober = entry->prober;
	struct entry *before = prober->first_waiting;

	if (!entry->waiting) {
		return;
	}
	entry->waiting = false;
	if (before == entry) {
		prober->first_waiting = entry->next_waiting;
		return;
	}
	while (before->next_waiting != entry) {
		before = before->next_waiting;
	}
	before->next_waiting = entry->next_waiting;
	if (prober->last_waiting == entry) {
		prober->last_waiting = before;
	}
}

static void entry_close(struct entry *entry)
{
	entry->gone = true;
	leave_line(entry);
	if (entry->probe != NULL) {
		key_probe_cancel(entry->probe);
	}
	uv_close((uv_handle_t *)&entry->timer, on_timer_closed);
}

/* ± 20 %, so that many autoscalers do not ask at the same moment. */
static uint64_t jittered(int64_t ms, unsigned *seed)
{
	return (uint64_t)(ms * 8 / 10 + rand_r(seed) % (ms * 4 / 10 + 1));
}

/* When the last probe wants the next one, at the latest. */
static uint64_t at_most_again(const struct entry *entry, uint64_t wait_ms)
{
	uint64_t again_ms = (uint64_t)json_path_int(entry->evidence, "againMs", 0);

	return again_ms > 0 && again_ms < wait_ms ? again_ms : wait_ms;
}

static void schedule(struct entry *entry)
{
	int64_t max_ms = entry->interval == PROBE_WAITING ? WAITING_MAX_MS : BROKEN_MAX_MS;
	int64_t wait_ms = 0;

	if (entry->gone) {
		return;
	}
	if (entry->changed) {
		entry->changed = false;
		entry->anew = true;
		entry->delay_ms = 0;
		uv_timer_start(&entry->timer, on_due, 0, 0);
		return;
	}
	if (entry->interval == PROBE_HEALTHY) {
		entry->delay_ms = 0;
		wait_ms = HEALTHY_MS;
	} else {
		entry->delay_ms = entry->delay_ms == 0 ? BROKEN_FIRST_MS : entry->delay_ms * 3 / 2;
		if (entry->delay_ms > max_ms) {
			entry->delay_ms = max_ms;
		}
		wait_ms = entry->delay_ms;
	}
	uv_timer_start(&entry->timer, on_due, at_most_again(entry, jittered(wait_ms, &entry->prober->seed)), 0);
}

static void begin_next(struct prober *prober);

/* The next one's turn. */
static void end_list(struct entry *entry)
{
	if (entry->listing) {
		entry->listing = false;
		entry->prober->lists--;
		begin_next(entry->prober);
	}
}

static void on_listed(void *ctx)
{
	end_list(ctx);
}

static void on_probe_done(void *ctx, json_t *evidence_take)
{
	struct entry *entry = ctx;
	struct prober *prober = entry->prober;
	auto_json *before = NULL;

	end_list(entry);
	entry->running = false;
	entry->probe = NULL;
	if (entry->dropped) {
		entry->dropped = false;
		entry->changed = true;
		json_decref(evidence_take);
		schedule(entry);
		entry_free_if_done(entry);
		return;
	}
	before = entry->evidence;
	entry->evidence = evidence_take;
	if (entry->gone) {
		entry_free_if_done(entry);
	} else {
		/* Report first, so that the verdict on this probe decides when the next one is due. */
		schedule(entry);
		prober->hooks.seen(prober->hooks.ctx, entry->key, before);
	}
}

static void begin(struct entry *entry)
{
	const struct probe_task task = {.context = &entry->prober->context,
		.request = entry->request,
		.last = entry->evidence,
		.healthy = entry->interval == PROBE_HEALTHY && !entry->anew,
		.listed = on_listed,
		.done = on_probe_done,
		.ctx = entry};

	entry->running = true;
	entry->anew = false;
	if (json_object_get(entry->request, "record") != NULL) {
		shared_probe_start(&task);
	} else {
		entry->listing = true;
		entry->prober->lists++;
		entry->probe = key_probe_start(&task);
	}
}

static void begin_next(struct prober *prober)
{
	while (prober->first_waiting != NULL && prober->lists < LISTS_MAX) {
		struct entry *entry = prober->first_waiting;

		leave_line(entry);
		begin(entry);
	}
}

static void on_due(uv_timer_t *timer)
{
	wait_in_line(timer->data);
	begin_next(((struct entry *)timer->data)->prober);
}

static void on_last_closed(uv_handle_t *handle)
{
	struct prober *prober = handle->data;
	void (*closed)(void *ctx) = prober->closed;
	void *ctx = prober->closed_ctx;

	free_indirect(&prober);
	closed(ctx);
}

static void finish_close(struct prober *prober)
{
	if (prober->closing && prober->open == 0) {
		map_release(&prober->entries);
		page_fetches_free(prober->context.fetches);
		uv_close((uv_handle_t *)&prober->last, on_last_closed);
	}
}

static void on_prometheus_closed(void *ctx)
{
	struct prober *prober = ctx;

	prober->open--;
	finish_close(prober);
}

/* Soon, and not all in one moment. */
static void probe_soon(struct entry *entry)
{
	uv_timer_start(&entry->timer, on_due, (uint64_t)(rand_r(&entry->prober->seed) % TURNED_MS), 0);
}

/* When pods come and go elsewhere, a thousand others need not be notified. */
static bool concerns(const struct prometheus_news *news, const json_t *request)
{
	const char *ns = json_path_string(request, "namespace", NULL);
	const char *service = json_path_string(request, "service", NULL);

	return news->index != question_scrapes_index || news->before == NULL || news->now == NULL || ns == NULL ||
	       service == NULL ||
	       !json_equal(json_object_get(json_object_get(news->before, ns), service),
		       json_object_get(json_object_get(news->now, ns), service));
}

/* Prometheus has news: the healthy ones are probed. One that is probed already, with what a Prometheus
 * said that fails now, may wait long for an adapter that asks it. */
static void on_turned(void *ctx, const struct prometheus_news *news)
{
	struct prober *prober = ctx;
	size_t pos = 0;
	void *value;

	while (map_next(&prober->entries, &pos, NULL, &value)) {
		struct entry *entry = value;

		if (entry->interval != PROBE_HEALTHY || entry->gone) {
			continue;
		}
		if (entry->running && news->now == NULL && entry->probe != NULL) {
			entry->dropped = true;
			key_probe_cancel(entry->probe);
		} else if (!entry->running && concerns(news, entry->request)) {
			entry->anew = true;
			probe_soon(entry);
		}
	}
}

struct prober *prober_new(struct kube_client *client, struct http_client *http, struct access *access,
	const struct prober_hooks *hooks)
{
	struct prober *prober = xcalloc(1, sizeof(*prober));

	*prober = (struct prober){.hooks = *hooks, .open = 1};
	prober->context = (struct probe_context){.client = client,
		.fetches = page_fetches_new(http),
		.prometheus = prometheus_new(kube_client_loop(client), http, access, PROMETHEUS_REFRESH_MS, on_turned,
			prober),
		.hpa_average = hooks->hpa_average,
		.hpa_ctx = hooks->ctx};
	prober->seed = (unsigned)clock_wall_ms();
	map_init(&prober->entries, NULL);
	uv_async_init(kube_client_loop(client), &prober->last, NULL);
	prober->last.data = prober;
	return prober;
}

void prober_close(struct prober *prober, void (*closed)(void *ctx), void *ctx)
{
	size_t pos = 0;
	void *value;

	prober->closed = closed;
	prober->closed_ctx = ctx;
	while (map_next(&prober->entries, &pos, NULL, &value)) {
		entry_close(value);
	}
	prober->closing = true;
	prometheus_close(prober->context.prometheus, on_prometheus_closed, prober);
}

void prober_want(struct prober *prober, const char *key, const json_t *request, enum probe_interval interval)
{
	struct entry *entry = map_get(&prober->entries, key);
	bool turned;

	if (prober->closing) {
		return;
	}
	if (entry == NULL) {
		entry = xcalloc(1, sizeof(*entry));
		*entry = (struct entry){.prober = prober, .key = xstrdup(key), .changed = true};
		uv_timer_init(kube_client_loop(prober->context.client), &entry->timer);
		entry->timer.data = entry;
		map_put(&prober->entries, key, entry);
		prober->open++;
	}
	turned = entry->interval != interval;
	entry->interval = interval;
	if (!json_equal(entry->request, request)) {
		json_decref(entry->request);
		entry->request = json_deep_copy(request);
		entry->changed = true;
	}
	if (entry->running || !(entry->changed || turned)) {
		return;
	}
	if (interval == PROBE_HEALTHY && !entry->changed) {
		/* As a healthy one: from now on Prometheus is asked by itself, and its news is reported. */
		probe_soon(entry);
	} else {
		schedule(entry);
	}
}

void prober_forget(struct prober *prober, const char *key)
{
	struct entry *entry = prober->closing ? NULL : map_take(&prober->entries, key);

	if (entry != NULL) {
		entry_close(entry);
	}
}

void prober_wake(struct prober *prober, const char *key)
{
	struct entry *entry = prober->closing ? NULL : map_get(&prober->entries, key);

	if (entry != NULL) {
		entry->changed = true;
		if (!entry->running) {
			schedule(entry);
		}
	}
}

const json_t *prober_evidence(const struct prober *prober, const char *key)
{
	const struct entry *entry = prober->closing ? NULL : map_get(&prober->entries, key);

	return entry != NULL ? entry->evidence : NULL;
}
