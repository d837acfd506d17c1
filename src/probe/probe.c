/* When each key is probed. */
#include "probe/probe.h"

#include "base/clock.h"
#include "base/keep.h"
#include "base/map.h"
#include "base/memory.h"
#include "key_probe.h"
#include "line.h"
#include "question.h"
#include "timing.h"

struct prober {
	struct probe_context context;
	struct prober_hooks hooks;
	struct pods *pods;
	struct map entries;  /* key → struct entry */
	unsigned seed;       /* of the jitter */
	struct line waiting; /* due; held while the pods are awaited */
	unsigned open;       /* entries not freed yet, and the asker of Prometheus */
	bool closing;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

/* One key that is probed. Lives until its timer is closed and no probe is under way. */
struct entry {
	struct prober *prober;
	char *key;
	uv_timer_t timer;
	/* Of an autoscaler, NULL of what is shared. */
	struct probe_request *request;
	struct evidence *evidence;             /* of the last probe that ended */
	struct shared_request *shared_request; /* of what is shared, NULL of an autoscaler, as the next */
	struct shared_evidence *shared_evidence;
	struct pod_reader pods;
	struct timing timing;
	bool gone; /* forgotten: to be freed */
	bool timer_closed;
	struct line_item waiting; /* among the prober's */
	bool running;             /* a probe is under way */
	bool dropped;             /* it, since Prometheus fails from now on: it is begun again */
	struct key_probe *probe;  /* it, when it can be cancelled */
};

static void on_due(uv_timer_t *timer);
static void finish_close(struct prober *prober);

/* NULL when it is not probed, or the prober ends. */
static struct entry *entry_at(const struct prober *prober, const char *key)
{
	return prober->closing ? NULL : map_get(&prober->entries, key);
}

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
	keep_text_free(entry->key);
	keep_free(entry, sizeof(*entry));
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
	pod_reader_release(&entry->pods);
	line_leave(&entry->prober->waiting, &entry->waiting);
	if (entry->probe != NULL) {
		key_probe_cancel(entry->probe);
	}
	uv_close((uv_handle_t *)&entry->timer, on_timer_closed);
}

static void schedule(struct entry *entry)
{
	int64_t again_ms = entry->evidence != NULL ? entry->evidence->again_ms : 0;

	if (!entry->gone) {
		uv_timer_start(&entry->timer, on_due, timing_next(&entry->timing, again_ms, &entry->prober->seed), 0);
	}
}

/* As a healthy one: from then on Prometheus is asked by itself, and its news is reported. */
static void probe_soon(struct entry *entry)
{
	uv_timer_start(&entry->timer, on_due, timing_soon(&entry->prober->seed), 0);
}

/* One of its pods came, changed or went. */
static void on_pods_changed(struct pod_reader *reader)
{
	struct entry *entry = container_of(reader, struct entry, pods);
	uint64_t wait_ms = timing_after_pods(&entry->timing);

	entry->timing.pods_changed = true;
	if (!entry->running && !entry->waiting.waiting && wait_ms < uv_timer_get_due_in(&entry->timer)) {
		uv_timer_start(&entry->timer, on_due, wait_ms, 0);
	}
}

/* Whether the probe that ended counts: its evidence is to be kept and reported. */
static bool probe_ended(struct entry *entry)
{
	bool dropped = entry->dropped;
	bool counts = !dropped && !entry->gone;

	entry->running = entry->dropped = false;
	entry->probe = NULL;
	if (dropped) {
		entry->timing.changed = true;
		schedule(entry);
	}
	entry_free_if_done(entry);
	return counts;
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
	entry->evidence = evidence_pack(evidence_take);
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

static void begin_shared(struct entry *entry)
{
	entry->running = true;
	shared_probe_start(&(struct shared_task){&entry->prober->context, entry->shared_request,
		timing_begin(&entry->timing), on_shared_done, entry});
}

static void begin(struct line_item *item)
{
	struct entry *entry = container_of(item, struct entry, waiting);
	bool healthy = timing_begin(&entry->timing);

	entry->running = true;
	key_probe_start(&(struct probe_task){&entry->prober->context, entry->request, entry->evidence, &entry->pods,
				healthy, on_probe_done, entry},
		&entry->probe);
}

static void on_due(uv_timer_t *timer)
{
	struct entry *entry = timer->data;

	if (entry->shared_request != NULL) {
		begin_shared(entry);
	} else {
		line_join(&entry->prober->waiting, &entry->waiting);
	}
}

static void on_last_closed(uv_handle_t *handle)
{
	struct prober *prober = container_of(handle, struct prober, waiting.turn);
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
		/* From the loop, never from inside close. */
		line_close(&prober->waiting, on_last_closed);
	}
}

static void on_prometheus_closed(void *ctx)
{
	struct prober *prober = ctx;

	prober->open--;
	finish_close(prober);
}

/* When pods come and go elsewhere, a thousand others need not be notified. */
static bool concerns(const struct prometheus_news *news, const struct probe_request *request)
{
	return news->type != &answer_scrapes || request == NULL ||
	       answer_scrapes_differ(news->before, news->now, request->ns, request->service);
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

		if (entry->timing.interval != PROBE_HEALTHY || entry->gone) {
			continue;
		}
		if (entry->running && news->now == NULL && entry->probe != NULL) {
			entry->dropped = true;
			key_probe_cancel(entry->probe);
		} else if (!entry->running && concerns(news, entry->request)) {
			entry->timing.anew = true;
			probe_soon(entry);
		}
	}
}

struct prober *prober_new(struct kube_client *client, struct http_client *http, struct access *access,
	struct pods *pods, const struct prober_hooks *hooks)
{
	struct prober *prober = xcalloc(1, sizeof(*prober));

	*prober = (struct prober){.hooks = *hooks, .pods = pods, .open = 1};
	prober->context = (struct probe_context){.client = client,
		.fetches = page_fetches_new(http),
		.prometheus = prometheus_new(kube_client_loop(client), http, access, PROMETHEUS_REFRESH_MS, on_turned,
			prober),
		.hpa = hooks->hpa,
		.hpa_ctx = hooks->ctx};
	prober->seed = (unsigned)clock_wall_ms();
	map_init(&prober->entries, NULL);
	line_init(&prober->waiting, kube_client_loop(client), begin);
	line_hold(&prober->waiting, pods_awaited(pods));
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

/* Made when there is none; NULL when the prober ends. */
static struct entry *entry_of(struct prober *prober, const char *key)
{
	struct entry *entry = entry_at(prober, key);

	if (entry == NULL && !prober->closing) {
		entry = keep_new(sizeof(*entry));
		*entry = (struct entry){.prober = prober, .key = keep_text(key), .timing = {.changed = true}};
		uv_timer_init(kube_client_loop(prober->context.client), &entry->timer);
		entry->timer.data = entry;
		pod_reader_init(&entry->pods, prober->pods, on_pods_changed);
		map_put(&prober->entries, key, entry);
		prober->open++;
	}
	return entry;
}

/* After its request (NULL is allowed): has it probed when that, or the interval, is another now. */
static void want(struct entry *entry, enum probe_interval interval)
{
	bool turned = entry != NULL && entry->timing.interval != interval;

	if (turned) {
		entry->timing.interval = interval;
		entry->timing.healed = interval == PROBE_HEALTHY;
	}
	if (entry == NULL || entry->running || !(entry->timing.changed || turned)) {
		return;
	}
	if (interval == PROBE_HEALTHY && !entry->timing.changed) {
		probe_soon(entry);
	} else {
		schedule(entry);
	}
}

void prober_want(struct prober *prober, const char *key, const struct probe_request *request,
	enum probe_interval interval)
{
	struct entry *entry = entry_of(prober, key);

	if (entry != NULL && !probe_request_equal(entry->request, request)) {
		probe_request_unref(entry->request);
		entry->request = request != NULL ? probe_request_pack(request) : NULL;
		entry->timing.changed = true;
	}
	want(entry, interval);
}

void prober_want_shared(struct prober *prober, const char *key, const struct shared_request *request,
	enum probe_interval interval)
{
	struct entry *entry = entry_of(prober, key);

	if (entry != NULL && !shared_request_equal(entry->shared_request, request)) {
		shared_request_unref(entry->shared_request);
		entry->shared_request = shared_request_ref(request);
		entry->timing.changed = true;
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
	struct entry *entry = entry_at(prober, key);

	if (entry != NULL) {
		entry->timing.changed = true;
		if (!entry->running) {
			schedule(entry);
		}
	}
}

void prober_pods_known(struct prober *prober)
{
	size_t pos = 0;
	void *value;

	while (!prober->closing && map_next(&prober->entries, &pos, NULL, &value)) {
		struct entry *entry = value;

		if (entry->request != NULL && !entry->running && !entry->waiting.waiting) {
			probe_soon(entry);
		}
	}
	line_hold(&prober->waiting, prober->closing || pods_awaited(prober->pods));
}

const struct evidence *prober_evidence(const struct prober *prober, const char *key)
{
	const struct entry *entry = entry_at(prober, key);

	return entry != NULL ? entry->evidence : NULL;
}

const struct shared_evidence *prober_shared_evidence(const struct prober *prober, const char *key)
{
	const struct entry *entry = entry_at(prober, key);

	return entry != NULL ? entry->shared_evidence : NULL;
}
