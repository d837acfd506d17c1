/* The observer of one chain after another: rounds of requests along the links. */
#include "probe/probe.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "kube/resource.h"
#include "reading.h"

#define HEALTHY_MS 30000
#define BROKEN_FIRST_MS 2000
#define BROKEN_MAX_MS 30000
#define REQUEST_TIMEOUT_MS 5000
#define PAGE_MAX_BYTES (4u * 1024 * 1024)
#define FRESH_INTERVALS 3

static const struct kube_resource pods = {"", "v1", "pods", "Pod", true};

struct prober {
	struct kube_client *client;
	struct http_client *http;
	void (*seen)(void *ctx, const char *key);
	void *ctx;
	struct map entries; /* key → struct entry */
	unsigned seed;      /* of the jitter */
	unsigned open;      /* entries whose timer is not closed yet */
	bool closing;
	void (*closed)(void *ctx);
	void *closed_ctx;
	uv_async_t last; /* tells `closed` from the loop, never from inside close */
};

/* One key that is looked at. Lives until its timer is closed and no round is under way. */
struct entry {
	struct prober *prober;
	char *key;
	uv_timer_t timer;
	json_t *wish;
	json_t *evidence; /* of the last round that ended */
	bool healthy;
	bool changed; /* the wish changed while a round was under way */
	int64_t delay_ms;
	bool gone; /* forgotten: to be freed */
	bool timer_closed;

	/* The round under way. */
	bool running;
	json_t *asked;    /* the wish it started with */
	json_t *found;    /* the evidence so far */
	json_t *names;    /* of ready pods */
	char *url;        /* of the page */
	char *pod;
};

static void round_start(uv_timer_t *timer);
static void finish_close(struct prober *prober);

static void entry_free_if_done(struct entry *entry)
{
	struct prober *prober = entry->prober;

	if (!entry->gone || !entry->timer_closed || entry->running) {
		return;
	}
	json_decref(entry->wish);
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

static void entry_close(struct entry *entry)
{
	entry->gone = true;
	uv_close((uv_handle_t *)&entry->timer, on_timer_closed);
}

/* ± 20 %, so that many autoscalers do not ask at the same moment. */
static uint64_t jittered(int64_t ms, unsigned *seed)
{
	return (uint64_t)(ms * 8 / 10 + rand_r(seed) % (ms * 4 / 10 + 1));
}

static void schedule(struct entry *entry)
{
	if (entry->gone) {
		return;
	}
	if (entry->changed) {
		entry->changed = false;
		entry->delay_ms = 0;
		uv_timer_start(&entry->timer, round_start, 0, 0);
	} else if (entry->healthy) {
		entry->delay_ms = 0;
		uv_timer_start(&entry->timer, round_start, jittered(HEALTHY_MS, &entry->prober->seed), 0);
	} else {
		entry->delay_ms = entry->delay_ms == 0 ? BROKEN_FIRST_MS : entry->delay_ms * 3 / 2;
		if (entry->delay_ms > BROKEN_MAX_MS) {
			entry->delay_ms = BROKEN_MAX_MS;
		}
		uv_timer_start(&entry->timer, round_start, jittered(entry->delay_ms, &entry->prober->seed), 0);
	}
}

static void round_end(struct entry *entry)
{
	struct prober *prober = entry->prober;

	entry->running = false;
	json_decref(entry->evidence);
	entry->evidence = entry->found;
	entry->found = NULL;
	json_decref(entry->asked);
	json_decref(entry->names);
	entry->asked = entry->names = NULL;
	free_indirect(&entry->url);
	free_indirect(&entry->pod);
	if (entry->gone) {
		entry_free_if_done(entry);
		return;
	}
	/* First tell, so that the verdict on this round decides when the next one is due. */
	schedule(entry);
	prober->seen(prober->ctx, entry->key);
}

static void record_take(struct entry *entry, const char *name, json_t *document)
{
	json_object_set_new(document, "at", json_integer(clock_wall_ms()));
	json_object_set_new(entry->found, name, document);
}

static void record_error(struct entry *entry, const char *name, char *message_take)
{
	record_take(entry, name, json_pack("{s:s}", "error", message_take));
	free_indirect(&message_take);
}

/* 4. The metrics API, asked as the HPA controller asks it. */
static void on_metric(void *ctx, json_t *result, const struct error *err)
{
	struct entry *entry = ctx;
	const char *metric = json_path_string(entry->asked, "metric", "");

	if (err == NULL) {
		record_take(entry, "metric", reading_metric(result));
	} else if (err->kind == ERROR_NOT_FOUND) {
		/* The adapter answers 404 both without the rule and without a value. */
		record_error(entry, "metric",
			xasprintf("the metrics API has no '%s' for the target's pods (%s): the adapter finds a new metric at "
				  "its next relist; if it stays so, is v1beta1.custom.metrics.k8s.io the adapter's, and does the "
				  "adapter ask the Prometheus that scrapes the pods?",
				metric, err->message));
	} else if (err->kind != ERROR_CANCELLED) {
		record_error(entry, "metric", xasprintf("the metrics API cannot be read: %s", err->message));
	}
	round_end(entry);
}

static void ask_metric(struct entry *entry)
{
	auto_strbuf path = STRBUF_INIT;

	strbuf_addstr(&path, "/apis/custom.metrics.k8s.io/v1beta1/namespaces/");
	strbuf_add_urlencoded(&path, json_path_string(entry->asked, "namespace", ""));
	strbuf_addstr(&path, "/pods/*/");
	strbuf_add_urlencoded(&path, json_path_string(entry->asked, "metric", ""));
	strbuf_addstr(&path, "?labelSelector=");
	strbuf_add_urlencoded(&path, json_path_string(entry->asked, "selector", ""));
	kube_request(entry->prober->client, "GET", path.buf, NULL, NULL, on_metric, entry);
}

/* 3. Prometheus: our targets, then the samples' age. */
static json_t *prometheus_answer(struct entry *entry, const struct http_response *response)
{
	const char *url = json_path_string(entry->asked, "prometheus", "");
	auto_error err = ERROR_INIT;
	json_t *answer;

	if (response->error != NULL) {
		record_error(entry, "prometheus",
			xasprintf("Prometheus at '%s' cannot be asked: %s", url, response->error->message));
		return NULL;
	}
	if (response->status != 200) {
		record_error(entry, "prometheus",
			xasprintf("Prometheus at '%s' answered HTTP %d to a query", url, response->status));
		return NULL;
	}
	answer = json_parse(response->body, response->body_len, &err);
	if (answer == NULL) {
		record_error(entry, "prometheus",
			xasprintf("what answers at '%s' is not a Prometheus: %s", url, err.message));
	}
	return answer;
}

static void get(struct entry *entry, const char *url, size_t max_body, http_done_fn *done)
{
	const struct http_request request = {.method = "GET",
		.url = url,
		.timeout_ms = REQUEST_TIMEOUT_MS,
		.connect_timeout_ms = REQUEST_TIMEOUT_MS,
		.max_body = max_body,
		.proxy = "",
		.done = done,
		.ctx = entry};

	http_client_start(entry->prober->http, &request);
}

static void on_samples(void *ctx, const struct http_response *response)
{
	struct entry *entry = ctx;
	auto_json *answer = prometheus_answer(entry, response);
	int64_t interval = json_path_int(entry->asked, "intervalMs", 15000);

	if (answer == NULL) {
		round_end(entry);
		return;
	}
	reading_samples(answer, entry->names, clock_wall_ms(), interval * FRESH_INTERVALS,
		json_object_get(entry->found, "prometheus"));
	ask_metric(entry);
}

static void on_targets(void *ctx, const struct http_response *response)
{
	struct entry *entry = ctx;
	auto_json *answer = prometheus_answer(entry, response);
	auto_strbuf url = STRBUF_INIT;
	auto_free char *query = NULL;
	json_t *prometheus;

	if (answer == NULL) {
		round_end(entry);
		return;
	}
	prometheus = json_object();
	reading_targets(answer, prometheus);
	record_take(entry, "prometheus", prometheus);
	query = reading_sample_query(json_object_get(entry->asked, "series"),
		json_path_string(entry->asked, "namespace", ""));
	strbuf_addf(&url, "%s/api/v1/query?query=", json_path_string(entry->asked, "prometheus", ""));
	strbuf_add_urlencoded(&url, query);
	get(entry, url.buf, PAGE_MAX_BYTES, on_samples);
}

static void ask_prometheus(struct entry *entry)
{
	const char *base = json_path_string(entry->asked, "prometheus", NULL);
	auto_free char *pool = NULL;
	auto_strbuf url = STRBUF_INIT;

	if (base == NULL) {
		round_end(entry);
		return;
	}
	/* prometheus-operator's name for the scrape pool of a ServiceMonitor's first endpoint. */
	pool = xasprintf("serviceMonitor/%s/%s/0", json_path_string(entry->asked, "namespace", ""),
		json_path_string(entry->asked, "name", ""));
	strbuf_addf(&url, "%s/api/v1/targets?state=active&scrapePool=", base);
	strbuf_add_urlencoded(&url, pool);
	get(entry, url.buf, PAGE_MAX_BYTES, on_targets);
}

/* 2. One ready pod's page. */
static void on_page(void *ctx, const struct http_response *response)
{
	struct entry *entry = ctx;

	if (response->error != NULL) {
		record_error(entry, "page",
			xasprintf("pod '%s' does not serve '%s': %s", entry->pod, entry->url, response->error->message));
	} else if (response->status != 200) {
		record_error(entry, "page",
			xasprintf("pod '%s' answers HTTP %d at '%s': set spec.engine.port and path to its metrics page",
				entry->pod, response->status, entry->url));
	} else {
		record_take(entry, "page",
			reading_page(response->body, entry->url, entry->pod, json_object_get(entry->asked, "series")));
		ask_prometheus(entry);
		return;
	}
	round_end(entry);
}

static void ask_page(struct entry *entry, const json_t *pod)
{
	const char *ip = json_path_string(pod, "status.podIP", "");
	bool v6 = strchr(ip, ':') != NULL;

	entry->pod = xstrdup(kube_object_name(pod));
	entry->url = xasprintf("%s://%s%s%s:%lld%s", json_path_string(entry->asked, "scheme", "http"), v6 ? "[" : "", ip,
		v6 ? "]" : "", (long long)json_path_int(entry->asked, "port", 0),
		json_path_string(entry->asked, "path", "/metrics"));
	get(entry, entry->url, PAGE_MAX_BYTES, on_page);
}

/* 1. The target's pods. */
static void on_pods(void *ctx, json_t *result, const struct error *err)
{
	struct entry *entry = ctx;
	const json_t *first = NULL;

	if (err != NULL) {
		if (err->kind != ERROR_CANCELLED) {
			record_error(entry, "pods", xasprintf("cannot list the target's pods: %s", err->message));
		}
		round_end(entry);
		return;
	}
	record_take(entry, "pods", reading_pods(result, entry->names, &first));
	if (first == NULL || json_path_int(entry->asked, "port", 0) == 0) {
		round_end(entry);
		return;
	}
	ask_page(entry, first);
}

static void round_start(uv_timer_t *timer)
{
	struct entry *entry = timer->data;
	auto_free char *path = NULL;
	auto_strbuf query = STRBUF_INIT;

	entry->running = true;
	entry->asked = json_incref(entry->wish);
	entry->found = json_pack("{s:O}", "asked", entry->asked);
	entry->names = json_array();
	path = kube_resource_path(&pods, json_path_string(entry->asked, "namespace", ""), NULL);
	strbuf_addf(&query, "%s?labelSelector=", path);
	strbuf_add_urlencoded(&query, json_path_string(entry->asked, "selector", ""));
	kube_request(entry->prober->client, "GET", query.buf, NULL, NULL, on_pods, entry);
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
		uv_close((uv_handle_t *)&prober->last, on_last_closed);
	}
}

struct prober *prober_new(struct kube_client *client, struct http_client *http, void (*seen)(void *ctx, const char *key),
	void *ctx)
{
	struct prober *prober = xcalloc(1, sizeof(*prober));

	*prober = (struct prober){.client = client, .http = http, .seen = seen, .ctx = ctx};
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
	finish_close(prober);
}

void prober_want(struct prober *prober, const char *key, const json_t *wish, bool healthy)
{
	struct entry *entry = map_get(&prober->entries, key);
	bool turned;

	if (prober->closing) {
		return;
	}
	if (entry == NULL) {
		entry = xcalloc(1, sizeof(*entry));
		*entry = (struct entry){.prober = prober, .key = xstrdup(key), .changed = true};
		uv_timer_init(kube_client_loop(prober->client), &entry->timer);
		entry->timer.data = entry;
		map_put(&prober->entries, key, entry);
		prober->open++;
	}
	turned = entry->healthy != healthy;
	entry->healthy = healthy;
	if (!json_equal(entry->wish, wish)) {
		json_decref(entry->wish);
		entry->wish = json_deep_copy(wish);
		entry->changed = true;
	}
	if ((entry->changed || turned) && !entry->running) {
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

void prober_kick(struct prober *prober, const char *key)
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
