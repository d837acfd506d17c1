/* Counting, and telling the counts. */
#include "measures.h"

#include <stddef.h>

#include "base/memory.h"
#include "request.h"

#define OWN "inference_autoscaler_custom_metrics_"

static const int codes[MEASURE_CODES] = {200, 400, 404, 500, 503};
static const int64_t bounds_ms[MEASURE_BOUNDS] = {5, 10, 25, 50, 100, 250, 500, 1000, 2500, 15000};

void measure_add(struct measure_histogram *histogram, int64_t ms)
{
	size_t i = 0;

	ms = ms > 0 ? ms : 0; /* the clock of the wall may have been set */
	while (i < MEASURE_BOUNDS && ms > bounds_ms[i]) {
		i++;
	}
	histogram->counts[i]++;
	histogram->sum_ms += (uint64_t)ms;
}

void measure_request(struct measures *measures, int status)
{
	size_t i = 0;

	while (i < MEASURE_CODES && codes[i] != status) {
		i++;
	}
	measures->requests[i]++;
}

static void add_head(struct strbuf *page, const char *name, const char *type, const char *help)
{
	strbuf_addf(page, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_counter(struct strbuf *page, const char *name, const char *type, const char *help, uint64_t value)
{
	add_head(page, name, type, help);
	strbuf_addf(page, "%s %llu\n", name, (unsigned long long)value);
}

/* `labels` of all its series, "" = none. */
static void add_histogram(struct strbuf *page, const char *name, const char *labels, const char *help,
	const struct measure_histogram *histogram)
{
	const char *comma = labels[0] != '\0' ? "," : "";
	auto_free char *all = labels[0] != '\0' ? xasprintf("{%s}", labels) : xstrdup("");
	uint64_t count = 0;

	add_head(page, name, "histogram", help);
	for (size_t i = 0; i < MEASURE_BOUNDS; i++) {
		count += histogram->counts[i];
		strbuf_addf(page, "%s_bucket{%s%sle=\"%g\"} %llu\n", name, labels, comma, (double)bounds_ms[i] / 1000,
			(unsigned long long)count);
	}
	count += histogram->counts[MEASURE_BOUNDS];
	strbuf_addf(page, "%s_bucket{%s%sle=\"+Inf\"} %llu\n", name, labels, comma, (unsigned long long)count);
	strbuf_addf(page, "%s_sum%s %.3f\n", name, all, (double)histogram->sum_ms / 1000);
	strbuf_addf(page, "%s_count%s %llu\n", name, all, (unsigned long long)count);
}

void measures_report(const struct measures *measures, const struct reader *reader, struct strbuf *page)
{
	const struct reader_counts counts = reader_counts(reader);

	add_head(page, OWN "requests_total", "counter",
		"Requests to the custom metrics API, by the code of the reply.");
	for (size_t i = 0; i <= MEASURE_CODES; i++) {
		auto_free char *code = i < MEASURE_CODES ? xasprintf("%d", codes[i]) : xstrdup("other");

		strbuf_addf(page, OWN "requests_total{code=\"%s\"} %llu\n", code,
			(unsigned long long)measures->requests[i]);
	}
	add_counter(page, OWN "forwarded_total", "counter",
		"Requests that the server answered whose metrics API was taken over.", measures->forwarded);
	add_counter(page, OWN "forward_failures_total", "counter", "Requests that could not be passed on to it.",
		measures->forward_failures);
	add_histogram(page, OWN "request_seconds", "", "How long requests for metrics took.", &measures->took);
	add_counter(page, OWN "page_reads_total", "counter", "Pages of pods that were read.", counts.read);
	add_counter(page, OWN "page_read_failures_total", "counter", "Pages of pods that could not be read.",
		counts.failed);
	add_counter(page, OWN "page_reads_shared_total", "counter",
		"Times a page was wanted that another request had read, or was reading.", counts.shared);
	add_counter(page, OWN "page_bytes_total", "counter", "Bytes of pages that were read.", counts.bytes);
	add_counter(page, OWN "pages_kept", "gauge", "Pages whose figures are kept.", reader_pages(reader));
	/* The name that all servers have which are made with the library of kubernetes-sigs/custom-metrics-apiserver. */
	add_histogram(page, "metrics_apiserver_metric_freshness_seconds", "group=\"" SERVING_GROUP "\"",
		"Freshness of metrics exported.", &measures->age);
}
