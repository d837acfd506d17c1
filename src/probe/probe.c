/* When each key is probed. */
#include "probe/probe.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/memory.h"
#include "entry.h"
#include "question.h"

struct prober {
	struct entry_common common;
	struct map entries; /* key → struct entry */
	bool closing;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

/* NULL when it is not probed, or the prober ends. */
static struct entry *entry_at(const struct prober *prober, const char *key)
{
	return prober->closing ? NULL : map_get(&prober->entries, key);
}

static void on_last_closed(uv_handle_t *handle)
{
	struct prober *prober = container_of(handle, struct prober, common.waiting.turn);
	void (*closed)(void *ctx) = prober->closed;
	void *ctx = prober->closed_ctx;

	free_indirect(&prober);
	closed(ctx);
}

static void on_agenda_closed(uv_handle_t *handle)
{
	struct prober *prober = container_of(handle, struct prober, common.agenda.timer);

	line_close(&prober->common.waiting, on_last_closed);
}

static void on_reads_closed(void *ctx)
{
	struct prober *prober = ctx;

	agenda_close(&prober->common.agenda, on_agenda_closed);
}

static void finish_close(struct entry_common *common)
{
	struct prober *prober = container_of(common, struct prober, common);

	if (prober->closing && common->open == 0) {
		map_release(&prober->entries);
		page_fetches_free(prober->common.context.fetches);
		samples_questions_release(&prober->common.questions);
		/* From the loop, never from inside close. */
		api_reads_close(prober->common.context.reads, on_reads_closed, prober);
	}
}

static void on_prometheus_closed(void *ctx)
{
	struct prober *prober = ctx;

	prober->common.open--;
	finish_close(&prober->common);
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
			entry_probe_soon(entry);
		}
	}
}

struct prober *prober_new(struct kube_client *client, struct http_client *http, struct access *access,
	struct pods *pods, const struct prober_hooks *hooks)
{
	struct prober *prober = xcalloc(1, sizeof(*prober));

	*prober = (struct prober){.common = {.hooks = *hooks, .pods = pods, .open = 1, .freed = finish_close}};
	prober->common.context = (struct probe_context){.fetches = page_fetches_new(http, hooks->loopback),
		.reads = api_reads_new(client),
		.prometheus = prometheus_new(kube_client_loop(client), http, access, PROMETHEUS_REFRESH_MS, on_turned,
			prober),
		.questions = &prober->common.questions,
		.hpa = hooks->hpa,
		.hpa_ctx = hooks->ctx};
	prober->common.seed = (unsigned)clock_wall_ms();
	map_init(&prober->entries, NULL);
	agenda_init(&prober->common.agenda, kube_client_loop(client), entry_due);
	line_init(&prober->common.waiting, kube_client_loop(client), entry_begin);
	line_hold(&prober->common.waiting, pods_awaited(pods));
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
	prometheus_close(prober->common.context.prometheus, on_prometheus_closed, prober);
}

/* Made when there is none; NULL when the prober ends. */
static struct entry *entry_of(struct prober *prober, const char *key)
{
	struct entry *entry = entry_at(prober, key);

	if (entry == NULL && !prober->closing) {
		entry = entry_new(&prober->common);
		entry->key = map_put(&prober->entries, key, entry);
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
	if (entry == NULL || entry->running) {
		return;
	}
	entry_read(entry);
	if (!entry->timing.changed && !turned) {
		return;
	}
	if (interval == PROBE_HEALTHY && !entry->timing.changed) {
		entry_probe_soon(entry);
	} else {
		entry_schedule(entry);
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
		hpa_silence_begin(&entry->silence, &prober->common.hooks, request);
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
			entry_schedule(entry);
		}
	}
}

void prober_notify(struct prober *prober, const char *key)
{
	struct entry *entry = entry_at(prober, key);

	if (entry != NULL && !entry->running && entry->timing.interval != PROBE_HEALTHY) {
		entry_probe_soon(entry);
	}
}

void prober_pods_known(struct prober *prober)
{
	size_t pos = 0;
	void *value;

	while (!prober->closing && map_next(&prober->entries, &pos, NULL, &value)) {
		struct entry *entry = value;

		if (entry->request != NULL && !entry->running && entry->waiting.in == NULL) {
			entry_probe_soon(entry);
		}
	}
	line_hold(&prober->common.waiting, prober->closing || pods_awaited(prober->common.pods));
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
