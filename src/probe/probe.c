/* When each key is probed. */
#include "probe/probe.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/memory.h"
#include "key_probe.h"
#include "line.h"
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
	struct map entries;  /* key → struct entry */
	unsigned seed;       /* of the jitter */
	unsigned lists;      /* under way: probes that do not know their pods yet */
	struct line waiting; /* due, but there are LISTS_MAX */
	unsigned open;       /* entries not freed yet, and the asker of Prometheus */
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
	/* Of an autoscaler, NULL of what is shared. */
	struct probe_request *request;
	struct evidence *evidence; /* of the last probe that ended */
	/* Of what is shared, NULL of an autoscaler. */
	struct shared_request *shared_request;
	struct shared_evidence *shared_evidence;
	enum probe_interval interval;
	bool changed; /* since the last probe began: the next one is due at once */
	bool anew;    /* that next one wants answers of its own time */
	int64_t delay_ms;
	bool gone; /* forgotten: to be freed */
	bool timer_closed;
	struct line_item waiting; /* among the prober's */
	bool listing;             /* its probe does not know its pods yet */
	bool running;             /* a probe is under way */
	bool dropped;             /* it, since Prometheus fails from now on: it is begun again */
	struct key_probe *probe;  /* it, when it can be cancelled */
};

static void on_due(uv_timer_t *timer);
static void finish_close(struct prober *prober);

static void entry_free_if_done(struct entry *entry)
{
	struct prober *prober = entry->prober;

	if (!entry->gone || !entry->timer_closed || entry->running) {
		return;
	}
	probe_request_unref(entry->request);
	evidence_free(entry->evidence);
	shared_request_unref(entry->shared_request);
	shared_evidence_free(entry->shared_evidence);
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

static void entry_close(struct entry *entry)
{
	entry->gone = true;
	line_leave(&entry->prober->waiting, &entry->waiting);
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
	uint64_t again_ms = entry->evidence != NULL ? (uint64_t)entry->evidence->again_ms : 0;

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

/* Whether the probe that ended counts: its evidence is to be kept and reported. */
static bool probe_ended(struct entry *entry)
{
	end_list(entry);
	entry->running = false;
	entry->probe = NULL;
	if (entry->dropped) {
		entry->dropped = false;
		entry->changed = true;
		schedule(entry);
		entry_free_if_done(entry);
		return false;
	}
	if (entry->gone) {
		entry_free_if_done(entry);
		return false;
	}
	return true;
}

static void on_probe_done(void *ctx, struct evidence *evidence_take)
{
	struct entry *entry = ctx;
	const struct prober_hooks *hooks = &entry->prober->hooks;
	struct evidence *before;

	if (!probe_ended(entry)) {
		evidence_free(evidence_take);
		return;
	}
	before = entry->evidence;
	entry->evidence = evidence_take;
	/* Report first, so that the verdict on this probe decides when the next one is due. */
	schedule(entry);
	hooks->seen(hooks->ctx, entry->key, before);
	evidence_free(before);
}

static void on_shared_done(void *ctx, struct shared_evidence *evidence_take)
{
	struct entry *entry = ctx;
	const struct prober_hooks *hooks = &entry->prober->hooks;
	struct shared_evidence *before;

	if (!probe_ended(entry)) {
		shared_evidence_free(evidence_take);
		return;
	}
	before = entry->shared_evidence;
	entry->shared_evidence = evidence_take;
	schedule(entry);
	hooks->shared_seen(hooks->ctx, entry->key, before);
	shared_evidence_free(before);
}

static void begin_shared(struct entry *entry, bool healthy)
{
	shared_probe_start(&(struct shared_task){.context = &entry->prober->context,
		.request = entry->shared_request,
		.healthy = healthy,
		.done = on_shared_done,
		.ctx = entry});
}

static void begin(struct entry *entry)
{
	bool healthy = entry->interval == PROBE_HEALTHY && !entry->anew;

	entry->running = true;
	entry->anew = false;
	if (entry->shared_request != NULL) {
		begin_shared(entry, healthy);
		return;
	}
	entry->listing = true;
	entry->prober->lists++;
	entry->probe = key_probe_start(&(struct probe_task){.context = &entry->prober->context,
		.request = entry->request,
		.last = entry->evidence,
		.healthy = healthy,
		.listed = on_listed,
		.done = on_probe_done,
		.ctx = entry});
}

static void begin_next(struct prober *prober)
{
	while (prober->waiting.first != NULL && prober->lists < LISTS_MAX) {
		struct entry *entry = container_of(prober->waiting.first, struct entry, waiting);

		line_leave(&prober->waiting, &entry->waiting);
		begin(entry);
	}
}

static void on_due(uv_timer_t *timer)
{
	struct entry *entry = timer->data;

	line_join(&entry->prober->waiting, &entry->waiting);
	begin_next(entry->prober);
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

static bool scrapes_differ(const struct prometheus_news *news, const struct probe_request *request)
{
	size_t count;
	const struct scrapes_row *before = table_find(news->before, request->ns, request->service, &count);
	const struct scrapes_row *now = table_find(news->now, request->ns, request->service, &count);

	if (before == NULL || now == NULL) {
		return before != now;
	}
	return before->up != now->up || before->down != now->down;
}

/* When pods come and go elsewhere, a thousand others need not be notified. */
static bool concerns(const struct prometheus_news *news, const struct probe_request *request)
{
	return news->type != &answer_scrapes || news->before == NULL || news->now == NULL || request == NULL ||
	       request->service == NULL || scrapes_differ(news, request);
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
		.pods = pod_list_source(client),
		.fetches = page_fetches_new(http),
		.prometheus = prometheus_new(kube_client_loop(client), http, access, PROMETHEUS_REFRESH_MS, on_turned,
			prober),
		.hpa = hooks->hpa,
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

static struct entry *entry_of(struct prober *prober, const char *key)
{
	struct entry *entry = map_get(&prober->entries, key);

	if (entry == NULL) {
		entry = xcalloc(1, sizeof(*entry));
		*entry = (struct entry){.prober = prober, .key = xstrdup(key), .changed = true};
		uv_timer_init(kube_client_loop(prober->context.client), &entry->timer);
		entry->timer.data = entry;
		map_put(&prober->entries, key, entry);
		prober->open++;
	}
	return entry;
}

/* After its request: has it probed when that, or the interval, is another now. */
static void want(struct entry *entry, enum probe_interval interval)
{
	bool turned = entry->interval != interval;

	entry->interval = interval;
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

void prober_want(struct prober *prober, const char *key, const struct probe_request *request,
	enum probe_interval interval)
{
	struct entry *entry = prober->closing ? NULL : entry_of(prober, key);

	if (entry == NULL) {
		return;
	}
	if (!probe_request_equal(entry->request, request)) {
		probe_request_unref(entry->request);
		entry->request = probe_request_ref(request);
		entry->changed = true;
	}
	want(entry, interval);
}

void prober_want_shared(struct prober *prober, const char *key, const struct shared_request *request,
	enum probe_interval interval)
{
	struct entry *entry = prober->closing ? NULL : entry_of(prober, key);

	if (entry == NULL) {
		return;
	}
	if (!shared_request_equal(entry->shared_request, request)) {
		shared_request_unref(entry->shared_request);
		entry->shared_request = shared_request_ref(request);
		entry->changed = true;
	}
	want(entry, interval);
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

const struct evidence *prober_evidence(const struct prober *prober, const char *key)
{
	const struct entry *entry = prober->closing ? NULL : map_get(&prober->entries, key);

	return entry != NULL ? entry->evidence : NULL;
}

const struct shared_evidence *prober_shared_evidence(const struct prober *prober, const char *key)
{
	const struct entry *entry = prober->closing ? NULL : map_get(&prober->entries, key);

	return entry != NULL ? entry->shared_evidence : NULL;
}
