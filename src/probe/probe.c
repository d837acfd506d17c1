/* When each key is probed. */
#include "probe/probe.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/memory.h"
#include "key_probe.h"
#include "line.h"
#include "question.h"
#include "timing.h"

/* Of a turn of the loop: as the queue of passes has it (runtime/queue.c). */
#define TURN_NS INT64_C(10000000)

struct prober {
	struct probe_context context;
	struct prober_hooks hooks;
	struct pods *pods;
	struct map entries;  /* key → struct entry */
	unsigned seed;       /* of the jitter */
	struct line waiting; /* due, but the pods are awaited, or it is another turn's */
	uv_timer_t turn;     /* the next turn */
	uint64_t turn_ms;    /* the loop's time in the last turn in which probes began */
	int64_t turn_ns;     /* how much of that turn they took */
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
	struct evidence *evidence; /* of the last probe that ended */
	/* Of what is shared, NULL of an autoscaler. */
	struct shared_request *shared_request;
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
static void begin_next(struct prober *prober);
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
	entry->running = false;
	entry->probe = NULL;
	if (entry->dropped) {
		entry->dropped = false;
		entry->timing.changed = true;
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

static void begin(struct entry *entry)
{
	const struct probe_context *context = &entry->prober->context;
	bool healthy = timing_begin(&entry->timing);

	/* It may be due once more: this is that probe too. */
	uv_timer_stop(&entry->timer);
	entry->running = true;
	if (entry->shared_request != NULL) {
		shared_probe_start(
			&(struct shared_task){context, entry->shared_request, healthy, on_shared_done, entry});
		return;
	}
	key_probe_start(&(struct probe_task){context, entry->request, entry->evidence, &entry->pods, healthy,
				on_probe_done, entry},
		&entry->probe);
}

static void on_turn(uv_timer_t *timer)
{
	begin_next(timer->data);
}

/* Of those that are due as many as there is time for in this turn of the loop: a thousand may be due at once. */
static void begin_next(struct prober *prober)
{
	uint64_t turn_ms = uv_now(prober->turn.loop);

	if (pods_awaited(prober->pods)) {
		return;
	}
	if (turn_ms != prober->turn_ms) {
		prober->turn_ms = turn_ms;
		prober->turn_ns = 0;
	}
	while (prober->waiting.first != NULL && prober->turn_ns < TURN_NS) {
		struct entry *entry = container_of(prober->waiting.first, struct entry, waiting);
		int64_t start = clock_worked_ns();

		line_leave(&prober->waiting, &entry->waiting);
		begin(entry);
		prober->turn_ns += clock_worked_ns() - start;
	}
	if (prober->waiting.first != NULL) {
		uv_timer_start(&prober->turn, on_turn, 1, 0);
	}
}

static void on_due(uv_timer_t *timer)
{
	struct entry *entry = timer->data;

	if (entry->shared_request != NULL) {
		begin(entry);
		return;
	}
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
		/* From the loop, never from inside close. */
		uv_close((uv_handle_t *)&prober->turn, on_last_closed);
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
	return news->type != &answer_scrapes || news->before == NULL || news->now == NULL || request == NULL ||
	       request->service == NULL ||
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
	uv_timer_init(kube_client_loop(client), &prober->turn);
	prober->turn.data = prober;
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
		entry = xcalloc(1, sizeof(*entry));
		*entry = (struct entry){.prober = prober, .key = xstrdup(key), .timing = {.changed = true}};
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
		entry->request = probe_request_ref(request);
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
	begin_next(prober);
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
