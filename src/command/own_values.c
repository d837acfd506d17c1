/* Values at each hop, read with the caller's own rights. */
#include "own_values.h"

#include <stdlib.h>
#include <string.h>

#include "api/kinds.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/quantity.h"
#include "base/strbuf.h"
#include "engine/custom.h"
#include "engine/page.h"
#include "engine/query.h"
#include "prometheus_proxy.h"
#include "target_scale.h"
#include "view/hpa.h"

#define METRICS_API "/apis/custom.metrics.k8s.io/v1beta1"
#define ANY_NAMESPACE "namespace!=\"\""

struct own_values {
	struct session *session;
	struct prometheuses *prometheuses; /* NULL = none is known */
	struct error no_prometheus;
};

/* What is read for one autoscaler. */
struct reading {
	struct own_values *own;
	const struct view_autoscaler *autoscaler;
	const char *ns;
	char *selector;
	char *prometheus; /* path of the API server's proxy to it; NULL = not known */
	json_t *pods;     /* the target's, by name: {} each; NULL = not known */
	json_t *warnings;
	struct custom_engine *custom; /* NULL = the spec describes none */
};

/* NULL when the metric is nobody's. */
static const struct engine_signal *signal_of(const struct reading *r, const char *metric)
{
	const struct engine_signal *own = r->custom != NULL ? custom_engine(r->custom)->signals : NULL;

	for (size_t i = 0; own != NULL && i < ENGINE_SIGNALS_MAX && own[i].name != NULL; i++) {
		if (strcmp(own[i].metric, metric) == 0) {
			return &own[i];
		}
	}
	return engine_signal_by_metric(metric);
}

static void warn(const struct reading *r, const char *what, const struct error *err)
{
	auto_free char *text = xasprintf("%s: %s", what, err->message);

	json_array_append_new(r->warnings, json_string(text));
}

/* The pod's row among the rows by pod; NULL when it is not one of the target's. Borrowed. */
static json_t *row_of(const struct reading *r, json_t *rows, const char *pod)
{
	if (r->pods != NULL && json_object_get(r->pods, pod) == NULL) {
		return NULL;
	}
	if (json_object_get(rows, pod) == NULL) {
		json_object_set_new(rows, pod, json_pack("{s:s}", "pod", pod));
	}
	return json_object_get(rows, pod);
}

static void set_value(const struct reading *r, json_t *rows, const char *pod, const char *hop, int64_t milli)
{
	json_t *row = milli >= 0 ? row_of(r, rows, pod) : NULL;
	auto_free char *text = row != NULL ? quantity_plain_milli(milli) : NULL;

	if (row != NULL) {
		json_object_set_new(row, hop, json_string(text));
	}
}

/* The pods, and their pages ------------------------------------------------------------------- */

static void read_pods(struct reading *r)
{
	const struct autoscaler *spec = &r->autoscaler->spec;
	auto_error err = ERROR_INIT;
	auto_strbuf query = STRBUF_INIT;
	auto_json *list = NULL;
	size_t i;
	json_t *pod;

	r->selector = target_scale_selector(r->own->session, r->ns, spec->target_api_version, spec->target_kind,
		spec->target_name, &err);
	if (r->selector != NULL) {
		strbuf_addstr(&query, "labelSelector=");
		strbuf_add_urlencoded(&query, r->selector);
		list = session_list(r->own->session, &kinds[KIND_POD].resource, r->ns, query.buf, &err);
	}
	if (list == NULL) {
		warn(r, "the target's pods are not known", &err);
		return;
	}
	r->pods = json_object();
	json_array_foreach(list, i, pod) {
		json_object_set_new(r->pods, kube_object_name(pod),
			json_string(json_path_string(pod, "status.phase", "")));
	}
}

/* Through the API server's proxy, which asks the pod in the caller's place. Heap. */
static char *page_text_of(const struct reading *r, const char *pod, struct error *err)
{
	const struct view_engine *engine = &r->autoscaler->status.engine;
	const char *scheme = r->autoscaler->spec.scheme != NULL ? r->autoscaler->spec.scheme : "http";
	auto_free char *path = xasprintf("/api/v1/namespaces/%s/pods/%s:%s:%lld/proxy%s", r->ns, scheme, pod,
		(long long)engine->port, engine->path);

	return session_read_text(r->own->session, path, PAGE_MAX_BYTES, err);
}

static void add_page(const struct reading *r, json_t *rows_of_metrics, const char *pod, const struct page *page)
{
	const char *metric;
	json_t *rows;

	json_object_foreach(rows_of_metrics, metric, rows) {
		const struct engine_signal *signal = signal_of(r, metric);
		double value;
		int64_t milli;

		if (signal != NULL && query_on_page(engine_page_query(signal), page, &value) &&
			query_milli(value, &milli)) {
			set_value(r, rows, pod, "page", milli);
		}
	}
}

/* NULL when it is refused. */
static struct page *page_of(const struct reading *r, const char *text, struct error *err)
{
	struct page *page;

	if (r->custom == NULL) {
		return page_of_engines(text, err);
	}
	page = page_new();
	for (size_t i = 0; i < ENGINE_SIGNALS_MAX && custom_engine(r->custom)->signals[i].name != NULL; i++) {
		page_want(page, engine_page_query(&custom_engine(r->custom)->signals[i]));
	}
	if (page_read(page, text, err) < 0) {
		page_free(page);
		return NULL;
	}
	return page;
}

static void read_pages(const struct reading *r, json_t *rows_of_metrics)
{
	auto_json *names = json_sorted_keys(r->pods);
	size_t read = 0;
	size_t i;
	json_t *name;

	json_array_foreach(names, i, name) {
		const char *pod = json_string_value(name);
		auto_error err = ERROR_INIT;
		auto_free char *text = NULL;
		auto_page *page = NULL;

		if (read == OWN_PAGES_MAX || strcmp(json_path_string(r->pods, pod, ""), "Running") != 0) {
			continue;
		}
		read++;
		text = page_text_of(r, pod, &err);
		page = text != NULL ? page_of(r, text, &err) : NULL;
		if (page == NULL) {
			/* The others would fare no better. */
			warn(r, "the pods' pages are not known", &err);
			return;
		}
		add_page(r, rows_of_metrics, pod, page);
	}
}

/* Prometheus ---------------------------------------------------------------------------------- */

/* The metrics query for the pods of the namespace; heap. */
static char *promql_of(const struct reading *r, const char *metric)
{
	const struct engine_signal *signal = signal_of(r, metric);
	auto_free char *all = signal != NULL ? query_for_all(signal->metrics_query, NULL) : xstrdup("vector(0)");
	struct strbuf promql = STRBUF_INIT;
	const char *rest = all;
	const char *any;

	while ((any = strstr(rest, ANY_NAMESPACE)) != NULL) {
		strbuf_addf(&promql, "%.*snamespace=\"%s\"", (int)(any - rest), rest, r->ns);
		rest = any + strlen(ANY_NAMESPACE);
	}
	strbuf_addstr(&promql, rest);
	return strbuf_take(&promql);
}

static bool read_samples(const struct reading *r, const char *metric, json_t *rows, struct error *err)
{
	auto_free char *promql = promql_of(r, metric);
	auto_strbuf path = STRBUF_INIT;
	auto_json *answer = NULL;
	size_t i;
	json_t *sample;

	if (r->prometheus == NULL) {
		error_copy(err, &r->own->no_prometheus);
		return false;
	}
	strbuf_addf(&path, "%s/api/v1/query", r->prometheus);
	strbuf_add_query(&path, "query", promql);
	answer = session_read(r->own->session, path.buf, err);
	json_array_foreach(json_path(answer, "data.result"), i, sample) {
		const char *text = json_string_value(json_array_get(json_object_get(sample, "value"), 1));
		int64_t milli;

		if (text != NULL && query_milli(strtod(text, NULL), &milli)) {
			set_value(r, rows, json_path_string(sample, "metric.pod", ""), "prometheus", milli);
		}
	}
	return answer != NULL;
}

/* The metrics API ----------------------------------------------------------------------------- */

static bool read_served(const struct reading *r, const char *metric, json_t *rows, struct error *err)
{
	auto_strbuf path = STRBUF_INIT;
	auto_json *answer = NULL;
	size_t i;
	json_t *item;

	strbuf_addf(&path, METRICS_API "/namespaces/%s/pods/*/%s", r->ns, metric);
	if (r->selector != NULL) {
		strbuf_add_query(&path, "labelSelector", r->selector);
	}
	answer = session_read(r->own->session, path.buf, err);
	json_array_foreach(json_object_get(answer, "items"), i, item) {
		set_value(r, rows, json_path_string(item, "describedObject.name", ""), "served",
			quantity_parse_milli(json_path_string(item, "value", "")));
	}
	return answer != NULL;
}

/* Its figures do not come over Prometheus. */
static bool is_direct(const struct reading *r)
{
	const char *source = r->autoscaler->status.source;

	return source != NULL && strcmp(source, "Direct") == 0;
}

/* The first is passed over where nothing comes over Prometheus. */
static const struct hop {
	const char *unknown;
	bool (*read)(const struct reading *r, const char *metric, json_t *rows, struct error *err);
} hops[] = {
	{"Prometheus' values are not known", read_samples},
	{"the metrics API's values are not known", read_served},
};

/* All ----------------------------------------------------------------------------------------- */

/* {metric: {}} of the signals in the status. New reference. */
static json_t *empty_rows(const struct view_status *status)
{
	json_t *rows = json_object();

	for (uint32_t i = 0; i < status->signals_count; i++) {
		json_object_set_new(rows, status->signals[i].metric, json_object());
	}
	return rows;
}

static json_t *hpa_of(const struct reading *r)
{
	const struct view_status *status = &r->autoscaler->status;
	auto_error err = ERROR_INIT;
	json_t *hpa = NULL;

	for (uint32_t i = 0; hpa == NULL && i < status->children_count; i++) {
		if (strcmp(status->children[i].kind, kinds[KIND_HPA].resource.kind) == 0) {
			hpa = session_get(r->own->session, &kinds[KIND_HPA].resource, r->ns, status->children[i].name,
				&err);
		}
	}
	if (err.kind != ERROR_NONE) {
		warn(r, "the HPA's average is not known", &err);
	}
	return hpa;
}

/* By name. New reference. */
static json_t *sorted(json_t *rows)
{
	auto_json *names = json_sorted_keys(rows);
	json_t *pods = json_array();
	size_t i;
	json_t *name;

	json_array_foreach(names, i, name) {
		json_array_append(pods, json_object_get(rows, json_string_value(name)));
	}
	return pods;
}

static json_t *items_of(json_t *rows_of_metrics, bool direct, const json_t *hpa)
{
	auto_view *view = hpa != NULL ? view_decode(KIND_HPA, hpa) : NULL;
	json_t *items = json_array();
	const char *metric;
	json_t *rows;

	json_object_foreach(rows_of_metrics, metric, rows) {
		int64_t average = view_hpa_average_of(view_hpa(view), metric);
		auto_free char *text = average >= 0 ? quantity_plain_milli(average) : NULL;
		json_t *item = json_pack("{s:s, s:b, s:o}", "metric", metric, "percent",
			engine_metric_is_percent(metric), "pods", sorted(rows));

		if (text != NULL) {
			json_object_set_new(item, "hpa", json_string(text));
		}
		if (direct) {
			json_object_set_new(item, "direct", json_true());
		}
		json_array_append_new(items, item);
	}
	return items;
}

static void read_hops(const struct reading *r, json_t *rows_of_metrics)
{
	for (size_t i = is_direct(r) ? 1 : 0; i < ARRAY_LEN(hops); i++) {
		auto_error err = ERROR_INIT;
		const char *metric;
		json_t *rows;

		json_object_foreach(rows_of_metrics, metric, rows) {
			if (!hops[i].read(r, metric, rows, &err)) {
				warn(r, hops[i].unknown, &err);
				break;
			}
		}
	}
}

json_t *own_values_read(struct own_values *own, const struct view_autoscaler *autoscaler, json_t *warnings)
{
	struct reading r = {.own = own, .autoscaler = autoscaler, .ns = autoscaler->view.meta.ns, .warnings = warnings};
	auto_json *rows_of_metrics = empty_rows(&autoscaler->status);
	auto_view_autoscaler_spec spec = view_autoscaler_spec(autoscaler);
	auto_custom_engine *custom = custom_engine_new(spec.engine_type, spec.engine_signals);
	auto_json *hpa = NULL;

	r.custom = custom;
	if (json_object_size(rows_of_metrics) == 0) {
		return json_array();
	}
	read_pods(&r);
	r.prometheus = own->prometheuses != NULL ? prometheus_proxy(own->prometheuses, autoscaler) : NULL;
	if (r.pods != NULL && autoscaler->status.engine.port > 0 && autoscaler->status.engine.path != NULL) {
		read_pages(&r, rows_of_metrics);
	}
	read_hops(&r, rows_of_metrics);
	hpa = hpa_of(&r);
	free_indirect(&r.selector);
	free_indirect(&r.prometheus);
	json_decref(r.pods);
	return items_of(rows_of_metrics, is_direct(&r), hpa);
}

struct own_values *own_values_new(struct session *session)
{
	struct own_values *own = xcalloc(1, sizeof(*own));

	*own = (struct own_values){.session = session, .no_prometheus = ERROR_INIT};
	own->prometheuses = prometheuses_read(session, &own->no_prometheus);
	return own;
}

void own_values_free(struct own_values *own)
{
	prometheuses_free(own->prometheuses);
	error_release(&own->no_prometheus);
	free_indirect(&own);
}
