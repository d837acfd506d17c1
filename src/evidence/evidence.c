/* Evidence: its tables of fields, and its life. */
#include "evidence/evidence.h"

#include <string.h>

#include "base/keep.h"
#include "fields.h"
#include "shapes.h"

static const char *const cause_names[] = {
	[CAUSE_NONE] = NULL,
	[CAUSE_NOT_FOUND] = "NotFound",
	[CAUSE_NOT_SCALABLE] = "NotScalable",
	[CAUSE_NOT_REGISTERED] = "NotRegistered",
	[CAUSE_NOT_LISTED] = "NotListed",
	[CAUSE_NO_VALUE] = "NoValue",
	[CAUSE_UNAVAILABLE] = "Unavailable",
	[CAUSE_FORBIDDEN] = "Forbidden",
	[CAUSE_FAILED] = "Failed",
	[CAUSE_UNAUTHORIZED] = "Unauthorized",
	[CAUSE_TLS] = "TLS",
	[CAUSE_NOT_PROMETHEUS] = "NotPrometheus",
	[CAUSE_PAGE_TOO_LARGE] = "PageTooLarge",
	NULL,
};

static const char *const health_names[] = {
	[RULE_HEALTH_NONE] = NULL,
	[RULE_HEALTH_OK] = "ok",
	[RULE_HEALTH_UNKNOWN] = "unknown",
	[RULE_HEALTH_ERR] = "err",
	NULL,
};

static const struct field target_fields[] = {
	SEEN(target_seen),
	FAILURE(target_seen),
	INT("replicas", target_seen, replicas, 0),
	INT("current", target_seen, current, 0),
	TEXT("selector", target_seen, selector),
};
static const struct shape shape_target_seen = SHAPE(target_seen, target_fields);

static const struct field unready_fields[] = {
	TEXT("pod", unready_pod, name),
	TIME(NULL, unready_pod, since_ms),
};
const struct shape shape_unready_pod = SHAPE(unready_pod, unready_fields);

static const struct field port_fields[] = {
	TEXT("name", container_port, name),
	INT("containerPort", container_port, number, 0),
	TEXT("protocol", container_port, protocol),
};
const struct shape shape_container_port = SHAPE(container_port, port_fields);

static const struct field start_fields[] = {
	TEXT("pod", pod_start, pod),
	INT("seconds", pod_start, seconds, -1),
};
static const struct shape shape_pod_start = SHAPE(pod_start, start_fields);

static const struct field pods_fields[] = {
	SEEN(pods_seen),
	FAILURE(pods_seen),
	INT("total", pods_seen, total, 0),
	INT("ready", pods_seen, ready, -1),
	MAP("unready", pods_seen, unready, shape_unready_pod),
	TEXTS("foreign", pods_seen, foreign),
	LIST("ports", pods_seen, ports, shape_container_port),
	PART("start", pods_seen, start, shape_pod_start),
};
const struct shape shape_pods_seen = SHAPE(pods_seen, pods_fields);

static const struct field latency_fields[] = {
	INT("requests", page_latency, requests, 0),
	INT("overMs", page_latency, over_ms, 0),
	INT("uptoMs", page_latency, upto_ms, -1),
};
static const struct shape shape_page_latency = SHAPE(page_latency, latency_fields);

static const struct field limit_fields[] = {
	TEXT("signal", signal_limit, signal),
	INT(NULL, signal_limit, most, 0),
};
const struct shape shape_signal_limit = SHAPE(signal_limit, limit_fields);

static const struct field metric_value_fields[] = {
	TEXT("metric", metric_value, metric),
	INT(NULL, metric_value, milli, MILLI_NONE),
};
const struct shape shape_metric_value = SHAPE(metric_value, metric_value_fields);

static const struct field page_values_fields[] = {
	TEXT("pod", page_values, pod),
	MAP(NULL, page_values, values, shape_metric_value),
};
const struct shape shape_page_values = SHAPE(page_values, page_values_fields);

static const struct field page_fields[] = {
	SEEN(page_seen),
	FAILURE(page_seen),
	TEXT("url", page_seen, url),
	TEXT("pod", page_seen, pod),
	INT("port", page_seen, port, 0),
	TEXT("path", page_seen, path),
	TEXT("engine", page_seen, engine),
	TEXT("router", page_seen, router),
	TEXT("version", page_seen, version),
	TEXT("image", page_seen, image),
	TEXTS("series", page_seen, series),
	PART("latency", page_seen, latency, shape_page_latency),
	MAP("limits", page_seen, limits, shape_signal_limit),
	MAP("values", page_seen, values, shape_page_values),
	BOOL("doubted", page_seen, unconfirmed),
};
const struct shape shape_page_seen = SHAPE(page_seen, page_fields);

static const struct field scrape_fields[] = {
	SEEN(scrape_seen),
	FAILURE(scrape_seen),
	TEXT("url", scrape_seen, url),
	INT("up", scrape_seen, up, 0),
	INT("down", scrape_seen, down, 0),
	TEXT("lastError", scrape_seen, last_error),
};
static const struct shape shape_scrape_seen = SHAPE(scrape_seen, scrape_fields);

static const struct field sample_fields[] = {
	TEXT("pod", sample, pod),
	INT("age", sample, age_ms, 0),
	INT("time", sample, time_ms, 0),
	INT("milli", sample, milli, MILLI_NONE),
	INT("source", sample, source, MILLI_NONE),
	BOOL("shared", sample, shared),
};
const struct shape shape_sample = SHAPE(sample, sample_fields);

static const struct field series_fields[] = {
	SEEN(series_seen),
	FAILURE(series_seen),
	INT("pods", series_seen, pods, 0),
	TEXTS("missing", series_seen, missing),
	TEXTS("suspects", series_seen, unconfirmed),
	MAP("samples", series_seen, samples, shape_sample),
};
const struct shape shape_series_seen = SHAPE(series_seen, series_fields);

static const struct field pod_value_fields[] = {
	TEXT("pod", pod_value, pod),
	INT(NULL, pod_value, milli, MILLI_NONE),
};
const struct shape shape_pod_value = SHAPE(pod_value, pod_value_fields);

static const struct field metric_fields[] = {
	SEEN(metric_seen),
	FAILURE(metric_seen),
	INT("http", metric_seen, http, 0),
	INT("pods", metric_seen, pods, 0),
	TEXTS("missing", metric_seen, missing),
	TEXTS("suspects", metric_seen, unconfirmed),
	MAP("values", metric_seen, values, shape_pod_value),
	BOOL("byHpa", metric_seen, by_hpa),
	TIME("doubtedAt", metric_seen, unconfirmed_ms),
};
const struct shape shape_metric_seen = SHAPE(metric_seen, metric_fields);

#define MISMATCH(type, prefix)                                                                                         \
	TIME("since", type, prefix since_ms), INT("looks", type, prefix looks, 0),                                     \
		INT("samples", type, prefix samples, 0), PAIR("near", type, prefix near),                              \
		PAIR("values", type, prefix values), PAIR("series", type, prefix series),                              \
		INT("sampleTime", type, prefix sample_time_ms, 0), INT("sampleAt", type, prefix sample_ms, 0)

static const struct field mismatch_fields[] = {MISMATCH(mismatch, )};
const struct shape shape_mismatch = SHAPE(mismatch, mismatch_fields);

static const struct field pod_mismatch_fields[] = {
	TEXT("pod", pod_mismatch, pod),
	MISMATCH(pod_mismatch, mismatch.),
};
const struct shape shape_pod_mismatch = SHAPE(pod_mismatch, pod_mismatch_fields);

static const struct field mismatches_fields[] = {
	MAP("page", mismatches, page, shape_pod_mismatch),
	MAP("record", mismatches, record, shape_pod_mismatch),
	MAP("metric", mismatches, metric, shape_pod_mismatch),
	PART("hpa", mismatches, hpa, shape_mismatch),
};
static const struct shape shape_mismatches = SHAPE(mismatches, mismatches_fields);

static const struct field scrapers_fields[] = {
	TEXT("pod", scrapers, pod),
	TEXTS(NULL, scrapers, jobs),
};
const struct shape shape_scrapers = SHAPE(scrapers, scrapers_fields);

static const struct field signal_fields[] = {
	TEXT("metric", signal_seen, metric),
	PART("series", signal_seen, series, shape_series_seen),
	PART("metric", signal_seen, value, shape_metric_seen),
	PART("apart", signal_seen, mismatches, shape_mismatches),
	MAP("scrapers", signal_seen, scrapers, shape_scrapers),
};
static const struct shape shape_signal_seen = SHAPE(signal_seen, signal_fields);

static const struct field evidence_fields[] = {
	PART("target", evidence, target, shape_target_seen),
	PART("pods", evidence, pods, shape_pods_seen),
	PART("page", evidence, page, shape_page_seen),
	PART("prometheus", evidence, scrape, shape_scrape_seen),
	MAP("signals", evidence, signals, shape_signal_seen),
	TIME("hpaSilentAt", evidence, hpa_silent_ms),
	INT("awaitedMs", evidence, awaited_ms, 0),
	INT("againMs", evidence, again_ms, 0),
};
const struct shape shape_evidence = SHAPE(evidence, evidence_fields);

static const struct field exporter_fields[] = {
	SEEN(exporter_seen),
	FAILURE(exporter_seen),
	TEXT("url", exporter_seen, url),
	TEXTS("jobs", exporter_seen, jobs),
	INT("up", exporter_seen, up, 0),
	INT("down", exporter_seen, down, 0),
	TEXT("lastError", exporter_seen, last_error),
	INT("series", exporter_seen, series, 0),
	INT("withPod", exporter_seen, with_pod, 0),
};
static const struct shape shape_exporter_seen = SHAPE(exporter_seen, exporter_fields);

static const struct field rule_fields[] = {
	SEEN(rule_seen),
	FAILURE(rule_seen),
	BOOL("loaded", rule_seen, loaded),
	ENUM("health", rule_seen, health, health_names),
	TEXT("lastError", rule_seen, last_error),
	TEXTS("rivals", rule_seen, rivals),
};
static const struct shape shape_rule_seen = SHAPE(rule_seen, rule_fields);

static const struct field shared_fields[] = {
	PART("exporter", shared_evidence, exporter, shape_exporter_seen),
	PART("own", shared_evidence, own, shape_exporter_seen),
	PART("rule", shared_evidence, rule, shape_rule_seen),
};
static const struct shape shape_shared_evidence = SHAPE(shared_evidence, shared_fields);

struct evidence *evidence_new(struct probe_request *asked_take)
{
	struct evidence *evidence = xcalloc(1, sizeof(*evidence));

	shape_clear(&shape_evidence, evidence);
	evidence->asked = asked_take;
	return evidence;
}

struct evidence *evidence_pack(struct evidence *evidence_take)
{
	size_t bytes;
	struct evidence *packed =
		shape_pack(&shape_evidence, evidence_take, &shape_probe_request, evidence_take->asked, &bytes);

	packed->packed = bytes;
	evidence_take->asked = NULL;
	evidence_free(evidence_take);
	return packed;
}

void evidence_free(struct evidence *evidence)
{
	if (evidence == NULL) {
		return;
	}
	probe_request_unref(evidence->asked);
	if (evidence->packed > 0) {
		keep_free(evidence, evidence->packed);
		return;
	}
	shape_release(&shape_evidence, evidence);
	free_indirect(&evidence);
}

json_t *evidence_encode(const struct evidence *evidence)
{
	json_t *document = shape_encode(&shape_evidence, evidence);

	if (evidence->asked != NULL) {
		json_object_set_new(document, "asked", probe_request_encode(evidence->asked));
	}
	return document;
}

struct evidence *evidence_decode(const json_t *document, int64_t now_ms)
{
	struct evidence *evidence = evidence_new(NULL);
	const json_t *asked = json_object_get(document, "asked");

	shape_decode(&shape_evidence, document, now_ms, evidence);
	if (json_is_object(asked)) {
		evidence->asked = probe_request_new();
		shape_decode(&shape_probe_request, asked, now_ms, evidence->asked);
		evidence->asked->references = 1;
	}
	return evidence;
}

struct signal_seen *evidence_find_signal(const struct evidence *evidence, const char *metric)
{
	return evidence != NULL ? shape_find(&shape_signal_seen, &evidence->signals, metric) : NULL;
}

struct signal_seen *evidence_add_signal(struct evidence *evidence, const char *metric)
{
	struct signal_seen *signal = shape_add(&shape_signal_seen, &evidence->signals);

	signal->metric = xstrdup(metric);
	return signal;
}

struct shared_evidence *shared_evidence_new(struct shared_request *asked_take)
{
	struct shared_evidence *evidence = xcalloc(1, sizeof(*evidence));

	shape_clear(&shape_shared_evidence, evidence);
	evidence->asked = asked_take;
	return evidence;
}

void shared_evidence_free(struct shared_evidence *evidence)
{
	if (evidence == NULL) {
		return;
	}
	shared_request_unref(evidence->asked);
	shape_release(&shape_shared_evidence, evidence);
	free_indirect(&evidence);
}

json_t *shared_evidence_encode(const struct shared_evidence *evidence)
{
	json_t *document = shape_encode(&shape_shared_evidence, evidence);

	if (evidence->asked != NULL) {
		json_object_set_new(document, "asked", shared_request_encode(evidence->asked));
	}
	return document;
}

struct shared_evidence *shared_evidence_decode(const json_t *document, int64_t now_ms)
{
	struct shared_evidence *evidence = shared_evidence_new(NULL);
	const json_t *asked = json_object_get(document, "asked");

	shape_decode(&shape_shared_evidence, document, now_ms, evidence);
	if (json_is_object(asked)) {
		evidence->asked = shared_request_new();
		shape_decode(&shape_shared_request, asked, now_ms, evidence->asked);
		evidence->asked->references = 1;
	}
	return evidence;
}

const char *cause_name(enum cause cause)
{
	return cause_names[cause];
}

void failure_set(struct failure *failure, enum cause cause, char *text_take)
{
	free_indirect(&failure->text);
	*failure = (struct failure){.text = text_take, .cause = cause};
}

bool evidence_matches(const struct mismatches *mismatches)
{
	return mismatches->page.count == 0 && mismatches->record.count == 0 && mismatches->metric.count == 0 &&
	       mismatches->hpa.looks == 0;
}
