/* The links, each broken alone in facts that are otherwise whole; of mode Combined, which has all of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <ctype.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/yaml.h"
#include "chain/links.h"
#include "engine/gpu.h"

#define NOW_MS INT64_C(1767398400000) /* 2026-01-03T00:00:00Z */
#define MADE_MS (NOW_MS - 3600000)

/* Facts with all they borrow from; rows break one thing in them, of the evidence in its document. */
struct rig {
	struct facts facts;
	struct autoscaler spec;
	struct settings settings;
	struct error invalid;
	json_t *object;
	json_t *target;
	json_t *evidence;
	json_t *request;
	json_t *hpas;
	json_t *autoscalers;
	json_t *gpu;
	struct gpu_survey *survey; /* of that */
	json_t *gpu_evidence;
	struct evidence *seen;
	struct evidence *next; /* only what it asks */
	struct shared_evidence *shared;
	const struct view *object_view;
	const struct view *target_view;
	struct view_list hpa_views;
	struct view_list autoscaler_views;
};

static json_t *parsed(const char *text)
{
	json_t *value = yaml_parse(text, strlen(text), NULL);

	assert_non_null(value);
	return value;
}

static void rig_init(struct rig *rig)
{
	*rig = (struct rig){
		.settings = SETTINGS_DEFAULT,
		.invalid = ERROR_INIT,
		.object = parsed("metadata: {namespace: shop, name: gemma, uid: u1, "
				 "creationTimestamp: '2026-01-02T00:00:00Z'}\n"
				 "spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, "
				 "name: server}, maxReplicas: 5, mode: Combined}\n"
				 "status: {conditions: [{type: SeriesFresh, status: 'True', lastTransitionTime: "
				 "'2026-01-02T00:00:00Z'}, {type: SeriesRecorded, status: 'True', lastTransitionTime: "
				 "'2026-01-02T00:00:00Z'}]}\n"),
		.target = parsed("spec: {replicas: 1, selector: {matchLabels: {app: server}}}\n"),
		.evidence =
			parsed("asked: {selector: app=server, pages: [{port: 8000, path: /metrics}], scheme: http,\n"
			       "        signals: [{metric: vllm_num_requests_running, page: true, series: "
			       "['vllm:num_requests_running']}, {metric: gpu_utilization_percent}],\n"
			       "        prometheus: 'http://p:9090'}\n"
			       "pods: {total: 1, ready: 1}\n"
			       "page: {url: 'http://10.0.0.1:8000/metrics', port: 8000, path: /metrics, engine: VLLM,\n"
			       "       series: ['vllm:num_requests_running']}\n"
			       "prometheus: {up: 1, down: 0}\n"
			       "signals: {vllm_num_requests_running: {series: {pods: 1}, metric: {pods: 1}},\n"
			       "          gpu_utilization_percent: {series: {pods: 1}, metric: {pods: 1}}}\n"),
		.gpu = parsed("exporters: {Auto: {service: gpus/dcgm, ready: 1, monitor: theirs, "
			      "selectedBy: monitoring/k8s}}\n"
			      "rule: {name: monitoring/gpu, selectedBy: monitoring/k8s}\n"),
		.gpu_evidence = parsed("exporter: {up: 1, down: 0, series: 2, withPod: 1}\n"
				       "rule: {loaded: true, health: ok}\n"),
		.hpas = parsed("- metadata: {namespace: shop, name: gemma, ownerReferences: [{uid: u1}]}\n"
			       "  spec: {scaleTargetRef: {kind: Deployment, name: server}}\n"
			       "  status: {conditions: [{type: AbleToScale, status: 'True'}, {type: "
			       "ScalingActive, status: 'True'}]}\n"),
	};
	assert_int_equal(autoscaler_decode(rig->object, &rig->spec, NULL), 0);
	rig->request = json_deep_copy(json_object_get(rig->evidence, "asked"));
	rig->autoscalers = json_pack("[O]", rig->object);
	rig->facts = (struct facts){
		.workload = {.spec = &rig->spec,
			.engine = &engines[0],
			.signals = {{engine_signal_by_name(&engines[0], "Running"), 4000, false},
				{&gpu_utilization, 70000, true}},
			.signals_count = 2,
			.match_labels = json_path(rig->target, "spec.selector.matchLabels"),
			.port = 8000,
			.path = "/metrics",
			.scheme = "http",
			.replicas = 1},
		.settings = &rig->settings,
		.adapter_names = {"monitoring", "prometheus-adapter", "prometheus-adapter", "config.yaml"},
		.now_ms = NOW_MS,
		.monitor_made_ms = MADE_MS,
		.target_watched = true,
		.port_known = true,
		.selected_by = "monitoring/k8s",
		.monitor = "shop/gemma",
		.exporter_id = "Auto",
		.adapter = ADAPTER_LOADED,
	};
}

/* Views of its own. */
static struct view_list views_of(enum kind kind, const json_t *objects)
{
	struct view_list list = {xcalloc(json_array_size(objects), sizeof(*list.items)), json_array_size(objects)};

	for (size_t i = 0; i < list.count; i++) {
		list.items[i] = view_decode(kind, json_array_get(objects, i));
	}
	return list;
}

static void views_free(struct view_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		view_unref(list->items[i]);
	}
	view_list_release(list);
}

/* Before the facts are checked: what the documents tell. */
static void rig_read(struct rig *rig)
{
	auto_json *next = json_pack("{s:O}", "asked", rig->request);

	rig->object_view = view_decode(KIND_AUTOSCALER, rig->object);
	rig->facts.object = view_autoscaler(rig->object_view);
	rig->target_view = rig->target != NULL ? view_decode(KIND_DEPLOYMENT, rig->target) : NULL;
	rig->facts.target = view_workload(rig->target_view);
	rig->hpa_views = views_of(KIND_HPA, rig->hpas);
	rig->facts.hpas = rig->hpa_views;
	rig->facts.hpa = rig->hpa_views.count > 0 ? view_hpa(rig->hpa_views.items[0]) : NULL;
	rig->autoscaler_views = views_of(KIND_AUTOSCALER, rig->autoscalers);
	rig->facts.autoscalers = rig->autoscaler_views;

	rig->next = evidence_decode(next, NOW_MS);
	rig->facts.request = rig->next->asked;
	if (rig->evidence != NULL) {
		rig->seen = evidence_decode(rig->evidence, NOW_MS);
		rig->facts.evidence = rig->seen;
	}
	if (rig->gpu != NULL) {
		rig->survey = gpu_survey_new();
		shape_decode(&shape_gpu_survey, rig->gpu, NOW_MS, rig->survey);
		rig->facts.gpu = rig->survey;
	}
	if (rig->gpu_evidence != NULL) {
		rig->shared = shared_evidence_decode(rig->gpu_evidence, NOW_MS);
		rig->facts.shared = rig->shared;
	}
}

static size_t check_links(struct rig *rig, struct verdict *verdicts)
{
	rig_read(rig);
	return links_check(&rig->facts, verdicts);
}

static void rig_release(struct rig *rig)
{
	evidence_free(rig->seen);
	evidence_free(rig->next);
	shared_evidence_free(rig->shared);
	gpu_survey_free(rig->survey);
	view_unref(rig->object_view);
	view_unref(rig->target_view);
	views_free(&rig->hpa_views);
	views_free(&rig->autoscaler_views);
	autoscaler_release(&rig->spec);
	error_release(&rig->invalid);
	json_decref(rig->object);
	json_decref(rig->target);
	json_decref(rig->evidence);
	json_decref(rig->request);
	json_decref(rig->hpas);
	json_decref(rig->autoscalers);
	json_decref(rig->gpu);
	json_decref(rig->gpu_evidence);
}

static void no_evidence(struct rig *rig)
{
	json_decref(rig->evidence);
	rig->evidence = NULL;
}

static void invalid(struct rig *rig)
{
	error_set(&rig->invalid, ERROR_INVALID, "spec.mode is wrong: use Requests");
	rig->facts.invalid = &rig->invalid;
}

static void unsupported(struct rig *rig)
{
	rig->facts.target_watched = false;
	json_object_set_new(rig->evidence, "target",
		parsed("{error: it has no scale subresource, cause: NotScalable}"));
}

static void no_target(struct rig *rig)
{
	json_decref(rig->target);
	rig->target = NULL;
	rig->facts.workload.match_labels = NULL;
}

static void target_to_come(struct rig *rig)
{
	no_target(rig);
	rig->facts.now_ms = NOW_MS - 86400000 + 3000; /* the autoscaler is three seconds old */
}

static void scale_to_come(struct rig *rig)
{
	target_to_come(rig);
	rig->facts.target_watched = false;
	json_object_set_new(rig->evidence, "target", parsed("{error: not found, cause: NotFound}"));
}

static void no_match_labels(struct rig *rig)
{
	rig->facts.workload.match_labels = NULL;
}

/* Lays these members on the member of the evidence. */
static void evidence(struct rig *rig, const char *member, const char *text)
{
	auto_json *patch = parsed(text);

	assert_int_equal(json_object_update(json_object_get(rig->evidence, member), patch), 0);
}

/* The same of a part of a signal's evidence. */
static void signal_part(struct rig *rig, size_t i, const char *part, const char *text)
{
	const json_t *signals = json_object_get(rig->evidence, "signals");
	const json_t *own = json_object_get(signals, rig->facts.workload.signals[i].signal->metric);
	auto_json *patch = parsed(text);

	assert_int_equal(json_object_update(json_object_get(own, part), patch), 0);
}

static void no_pods(struct rig *rig)
{
	evidence(rig, "pods", "{total: 0, ready: 0}");
}

static void pods_forbidden(struct rig *rig)
{
	evidence(rig, "pods", "{error: pods cannot be listed}");
}

static void other_hpa(struct rig *rig)
{
	json_array_append_new(rig->hpas, parsed("metadata: {namespace: shop, name: theirs}\n"
						"spec: {scaleTargetRef: {kind: Deployment, name: server}}\n"));
}

static void older_autoscaler(struct rig *rig)
{
	json_array_append_new(rig->autoscalers, parsed("metadata: {namespace: shop, name: zz, creationTimestamp: "
						       "'2026-01-01T00:00:00Z'}\n"
						       "spec: {scaleTargetRef: {kind: Deployment, name: server}}\n"));
}

static void name_taken(struct rig *rig)
{
	rig->facts.foreign_child = "Service 'shop/gemma-metrics'";
}

static void no_port(struct rig *rig)
{
	rig->facts.port_known = false;
	free(rig->spec.port_name);
	rig->spec.port_name = xstrdup("web");
}

static void none_ready(struct rig *rig)
{
	evidence(rig, "pods", "{ready: 0}");
}

static void page_error(struct rig *rig)
{
	evidence(rig, "page", "{error: connection refused}");
}

static void no_engine(struct rig *rig)
{
	struct workload *w = &rig->facts.workload;

	w->engine = NULL;
	w->signals[0] = w->signals[1];
	w->signals_count = 1;
}

static void no_series(struct rig *rig)
{
	evidence(rig, "page", "{series: []}");
}

static void no_operator(struct rig *rig)
{
	rig->facts.prometheus_missing = true;
}

static void not_selected(struct rig *rig)
{
	rig->facts.selected_by = NULL;
	rig->facts.select_problem = "there is none";
}

static void prometheus_error(struct rig *rig)
{
	evidence(rig, "prometheus", "{error: timed out}");
}

static void prometheus_unauthorized(struct rig *rig)
{
	evidence(rig, "prometheus", "{error: HTTP 401, cause: Unauthorized}");
}

static void prometheus_untrusted(struct rig *rig)
{
	evidence(rig, "prometheus", "{error: an unknown CA, cause: TLS}");
}

static void no_prometheus_there(struct rig *rig)
{
	evidence(rig, "prometheus", "{error: a web page, cause: NotPrometheus}");
}

static void no_targets(struct rig *rig)
{
	evidence(rig, "prometheus", "{up: 0}");
}

static void targets_down(struct rig *rig)
{
	evidence(rig, "prometheus", "{up: 0, down: 1, lastError: no route to host}");
}

static void no_samples(struct rig *rig)
{
	signal_part(rig, 0, "series", "{pods: 0, missing: [server-0]}");
}

static void adapter_unknown(struct rig *rig)
{
	rig->facts.adapter = ADAPTER_UNKNOWN;
}

static void adapter_rolling(struct rig *rig)
{
	rig->facts.adapter = ADAPTER_ROLLING;
}

static void adapter_leaves_out(struct rig *rig)
{
	json_object_set_new(rig->request, "conflicts", parsed("{gpu_utilization_percent: another exposes it}"));
	rig->facts.adapter_conflicts = json_object_get(rig->request, "conflicts");
}

static void adapter_broken(struct rig *rig)
{
	rig->facts.adapter = ADAPTER_BROKEN;
	rig->facts.adapter_reason = "ConfigInvalid";
	rig->facts.adapter_message = "a rule of somebody else";
}

static void metric_error(struct rig *rig)
{
	signal_part(rig, 0, "metric", "{error: not found}");
}

static void no_value(struct rig *rig)
{
	signal_part(rig, 0, "metric", "{pods: 0}");
}

static void pod_without_series(struct rig *rig)
{
	signal_part(rig, 0, "series", "{missing: [server-7, server-8]}");
}

static void pod_without_value(struct rig *rig)
{
	signal_part(rig, 0, "metric", "{missing: [server-7]}");
}

/* Lays these members on a member of the survey, or of what was seen of the shared chain. */
static void shared(json_t *document, const char *member, const char *text)
{
	auto_json *patch = parsed(text);

	assert_int_equal(json_object_update(json_path(document, member), patch), 0);
}

static void not_surveyed(struct rig *rig)
{
	json_decref(rig->gpu);
	rig->gpu = NULL;
}

static void no_exporter(struct rig *rig)
{
	shared(rig->gpu, "exporters.Auto", "{problem: no DCGM exporter was found}");
}

static void exporter_not_ready(struct rig *rig)
{
	shared(rig->gpu, "exporters.Auto", "{ready: 0}");
}

static void exporter_not_selected(struct rig *rig)
{
	shared(rig->gpu, "exporters.Auto", "{selectedBy: null, selectProblem: there is none}");
}

static void exporter_not_seen(struct rig *rig)
{
	json_decref(rig->gpu_evidence);
	rig->gpu_evidence = NULL;
}

static void exporter_down(struct rig *rig)
{
	shared(rig->gpu_evidence, "exporter", "{up: 0, down: 1, series: 0, lastError: no route}");
}

static void exporter_without_target(struct rig *rig)
{
	shared(rig->gpu_evidence, "exporter", "{up: 0, series: 0}");
}

static void exporter_without_series(struct rig *rig)
{
	shared(rig->gpu_evidence, "exporter", "{series: 0}");
}

static void exporter_without_pods(struct rig *rig)
{
	shared(rig->gpu_evidence, "exporter", "{withPod: 0}");
}

static void rule_not_selected(struct rig *rig)
{
	shared(rig->gpu, "rule", "{problem: selected by no Prometheus}");
}

static void rule_not_loaded(struct rig *rig)
{
	shared(rig->gpu_evidence, "rule", "{loaded: false}");
}

static void rule_failing(struct rig *rig)
{
	shared(rig->gpu_evidence, "rule", "{health: err, lastError: many-to-many matching}");
}

static void recorded_twice(struct rig *rig)
{
	shared(rig->gpu_evidence, "rule", "{rivals: [team-by-hand, team-other]}");
}

static void nothing_recorded(struct rig *rig)
{
	signal_part(rig, 1, "series", "{pods: 0, missing: [server-0]}");
}

static void gpu_pod_missing(struct rig *rig)
{
	signal_part(rig, 1, "series", "{missing: [server-7]}");
}

static void gpu_not_served(struct rig *rig)
{
	signal_part(rig, 1, "metric", "{error: not found}");
}

static const struct row {
	void (*break_it)(struct rig *rig);
	const char *link;
	enum verdict_status status;
	const char *reason;
	const char *says; /* part of the message */
} rows[] = {
	{invalid, "Accepted", VERDICT_FALSE, "InvalidSpec", "use Requests"},
	{unsupported, "TargetFound", VERDICT_FALSE, "KindNotScalable", "scale subresource"},
	{no_target, "TargetFound", VERDICT_FALSE, "TargetNotFound", "Deployment 'shop/server' does not exist"},
	{target_to_come, "TargetFound", VERDICT_UNKNOWN, "Waiting", "'shop/server' does not exist yet"},
	{scale_to_come, "TargetFound", VERDICT_UNKNOWN, "Waiting", "'shop/server' does not exist yet"},
	{no_match_labels, "TargetFound", VERDICT_FALSE, "SelectorNotSupported", "use matchLabels"},
	{no_evidence, "TargetFound", VERDICT_UNKNOWN, "Probing", "waiting"},
	{pods_forbidden, "TargetFound", VERDICT_FALSE, "PodsNotReadable", "pods cannot be listed"},
	{no_pods, "TargetFound", VERDICT_FALSE, "NoPods", "see its events"},
	{other_hpa, "TargetExclusive", VERDICT_FALSE, "OwnedByAnotherHPA", "'shop/theirs'"},
	{older_autoscaler, "TargetExclusive", VERDICT_FALSE, "OwnedByAnotherAutoscaler", "'shop/zz'"},
	{name_taken, "TargetExclusive", VERDICT_FALSE, "NameTaken", "Service 'shop/gemma-metrics'"},
	{no_port, "MetricsExposed", VERDICT_FALSE, "PortNotFound", "'web'"},
	{none_ready, "MetricsExposed", VERDICT_UNKNOWN, "NoReadyPod", "waiting for its model"},
	{page_error, "MetricsExposed", VERDICT_FALSE, "PageNotServed", "connection refused"},
	{no_engine, "MetricsExposed", VERDICT_FALSE, "EngineNotRecognised", "set spec.engine.type"},
	{no_series, "MetricsExposed", VERDICT_FALSE, "SeriesNotOnPage", "'vllm:num_requests_running'"},
	{no_operator, "ScrapeSelected", VERDICT_FALSE, "PrometheusOperatorMissing", "install it"},
	{not_selected, "ScrapeSelected", VERDICT_FALSE, "NotSelected", "there is none"},
	{prometheus_error, "ScrapeHealthy", VERDICT_FALSE, "PrometheusNotReachable", "timed out"},
	{prometheus_unauthorized, "ScrapeHealthy", VERDICT_FALSE, "PrometheusUnauthorized", "HTTP 401"},
	{prometheus_untrusted, "ScrapeHealthy", VERDICT_FALSE, "PrometheusTLSFailed", "an unknown CA"},
	{no_prometheus_there, "ScrapeHealthy", VERDICT_FALSE, "NotPrometheus", "a web page"},
	{no_targets, "ScrapeHealthy", VERDICT_FALSE, "NoTargets", "'shop/gemma'"},
	{targets_down, "ScrapeHealthy", VERDICT_FALSE, "ScrapeFailing", "no route to host"},
	{no_samples, "SeriesFresh", VERDICT_FALSE, "SeriesMissing", "three scrape intervals"},
	{adapter_unknown, "AdapterConfigured", VERDICT_UNKNOWN, "Probing", "waiting"},
	{adapter_rolling, "AdapterConfigured", VERDICT_UNKNOWN, "RollingOut", "'monitoring/prometheus-adapter'"},
	{adapter_leaves_out, "AdapterConfigured", VERDICT_FALSE, "RuleConflict",
		"has another rule: another exposes it"},
	{adapter_broken, "AdapterConfigured", VERDICT_FALSE, "ConfigInvalid", "a rule of somebody else"},
	{metric_error, "MetricServed", VERDICT_FALSE, "MetricNotServed", "not found"},
	{no_value, "MetricServed", VERDICT_FALSE, "NoValue", "next relist"},
	{pod_without_series, "SeriesFresh", VERDICT_FALSE, "PodsWithoutSeries",
		"requests: Prometheus 'monitoring/k8s' has no fresh sample of 'vllm:num_requests_running' for pod "
		"'server-7' and 'server-8'"},
	{pod_without_value, "MetricServed", VERDICT_FALSE, "PodsWithoutValue", "'server-7'"},
	{not_surveyed, "MetricsExposed", VERDICT_UNKNOWN, "Probing", "GPU: waiting"},
	{no_exporter, "MetricsExposed", VERDICT_FALSE, "ExporterNotFound", "GPU: no DCGM exporter"},
	{exporter_not_ready, "MetricsExposed", VERDICT_FALSE, "ExporterNotReady", "'gpus/dcgm'"},
	{exporter_not_selected, "ScrapeSelected", VERDICT_FALSE, "NotSelected", "there is none"},
	{exporter_not_seen, "ScrapeHealthy", VERDICT_UNKNOWN, "Probing", "waiting"},
	{exporter_down, "ScrapeHealthy", VERDICT_FALSE, "ScrapeFailing", "no route"},
	{exporter_without_target, "ScrapeHealthy", VERDICT_FALSE, "NoTargets", "DCGM exporter"},
	{exporter_without_series, "SeriesFresh", VERDICT_FALSE, "SeriesMissing", "list of fields"},
	{exporter_without_pods, "SeriesFresh", VERDICT_FALSE, "NoPodLabels", "DCGM_EXPORTER_KUBERNETES=true"},
	{rule_not_selected, "SeriesRecorded", VERDICT_FALSE, "RuleNotSelected", "selected by no"},
	{rule_not_loaded, "SeriesRecorded", VERDICT_FALSE, "RuleNotLoaded", "'monitoring/gpu'"},
	{rule_failing, "SeriesRecorded", VERDICT_FALSE, "RuleFailing", "many-to-many"},
	{recorded_twice, "SeriesRecorded", VERDICT_FALSE, "RecordedTwice", "PrometheusRule 'team-by-hand'"},
	{nothing_recorded, "SeriesRecorded", VERDICT_FALSE, "NothingRecorded", "nvidia.com/gpu"},
	{gpu_pod_missing, "SeriesRecorded", VERDICT_FALSE, "PodsWithoutSeries", "'server-7'"},
	{gpu_not_served, "MetricServed", VERDICT_FALSE, "MetricNotServed", "GPU: not found"},
};

/* What Kubernetes wants of a reason, and this project of a message. */
static void check_words(const struct verdict *verdict)
{
	size_t len = strlen(verdict->message);

	assert_true(isupper((unsigned char)verdict->reason[0]));
	for (const char *c = verdict->reason; *c != '\0'; c++) {
		assert_true(isalnum((unsigned char)*c));
	}
	assert_true(len > 0);
	assert_int_not_equal(verdict->message[len - 1], '.');
	assert_null(strstr(verdict->message, "(null)"));
}

static void each_link_breaks_alone(void **state)
{
	(void)state;
	for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
		struct rig rig;
		auto_free struct verdict *verdicts = xcalloc(links_count, sizeof(*verdicts));
		size_t first;

		rig_init(&rig);
		rows[r].break_it(&rig);
		first = check_links(&rig, verdicts);
		assert_true(first < links_count);
		assert_string_equal(links[first].type, rows[r].link);
		for (size_t i = 0; i < links_count; i++) {
			check_words(&verdicts[i]);
			assert_int_equal(verdicts[i].status, i < first    ? VERDICT_TRUE
							     : i == first ? rows[r].status
									  : VERDICT_UNKNOWN);
			if (i > first) {
				assert_string_equal(verdicts[i].reason,
					rows[r].status == VERDICT_FALSE ? "UpstreamBroken" : "UpstreamPending");
			}
		}
		assert_string_equal(verdicts[first].reason, rows[r].reason);
		assert_non_null(strstr(verdicts[first].message, rows[r].says));
		verdicts_release(verdicts);
		rig_release(&rig);
	}
}

/* A link that no row breaks would be a link that no test holds. */
static void every_link_that_counts_has_a_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < links_count; i++) {
		bool found = links[i].beyond_ready;

		for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
			found = found || strcmp(rows[r].link, links[i].type) == 0;
		}
		assert_true(found);
	}
}

static void whole_facts_make_every_link_true(void **state)
{
	struct rig rig;
	auto_free struct verdict *verdicts = xcalloc(links_count, sizeof(*verdicts));

	(void)state;
	rig_init(&rig);
	assert_int_equal(check_links(&rig, verdicts), links_count);
	for (size_t i = 0; i < links_count; i++) {
		assert_int_equal(verdicts[i].status, VERDICT_TRUE);
		check_words(&verdicts[i]);
	}
	verdicts_release(verdicts);
	rig_release(&rig);
}

static void rule_to_come(struct rig *rig)
{
	shared(rig->gpu_evidence, "rule", "{loaded: false}");
	shared(rig->gpu, "rule", "{since: 0}");
}

static void nothing_new(struct rig *rig)
{
	(void)rig;
}

static void no_hpa(struct rig *rig)
{
	json_array_clear(rig->hpas);
}

/* What time alone can change: all are ready. */
static const struct {
	void (*change)(struct rig *rig);
	bool settled;
} ready_ones[] = {
	{nothing_new, true}, {no_hpa, false}, /* it is awaited, then missed */
	{rule_to_come, false},                /* the same */
};

static void what_waits_is_not_settled(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ready_ones); i++) {
		struct rig rig;
		auto_free struct verdict *verdicts = xcalloc(links_count, sizeof(*verdicts));

		rig_init(&rig);
		ready_ones[i].change(&rig);
		assert_int_equal(check_links(&rig, verdicts), links_count);
		assert_int_equal(links_settled(&rig.facts, verdicts), ready_ones[i].settled);
		verdicts_release(verdicts);
		rig_release(&rig);
	}
}

static void the_last_link_does_not_count_for_ready(void **state)
{
	struct rig rig;
	auto_free struct verdict *verdicts = xcalloc(links_count, sizeof(*verdicts));

	(void)state;
	rig_init(&rig);
	no_hpa(&rig);
	assert_int_equal(check_links(&rig, verdicts), links_count);
	assert_string_equal(links[links_count - 1].type, "ScalingActive");
	assert_int_equal(verdicts[links_count - 1].status, VERDICT_UNKNOWN);
	assert_string_equal(verdicts[links_count - 1].reason, "AwaitingHPA");
	verdicts_release(verdicts);
	rig_release(&rig);
}

/* What a change of the probe request makes of evidence that answers the former one. */
static const struct {
	const char *request;
	const char *link; /* NULL = all stays believed */
} changes[] = {
	{"{selector: app=other}", "TargetFound"},
	{"{pages: [{port: 8080, path: /metrics}]}", "MetricsExposed"},
	{"{pages: [{port: 8000, path: /m}]}", "MetricsExposed"},
	/* found where it still would be looked for */
	{"{pages: [{port: 1, path: /m}, {port: 8000, path: /metrics}]}", NULL},
	{"{scheme: https}", "MetricsExposed"},
	{"{signals: [{metric: vllm_num_requests_waiting, page: true, series: ['vllm:num_requests_waiting']}]}",
		"MetricsExposed"},
	{"{prometheus: 'http://q:9090'}", "ScrapeHealthy"},
	{"{signals: [{metric: vllm_num_requests_running, page: true, name: Other, series: "
	 "['vllm:num_requests_running']}]}",
		"SeriesFresh"},
	{"{intervalMs: 30000}", NULL},
};

static void an_answer_to_another_question_is_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct rig rig;
		auto_free struct verdict *verdicts = xcalloc(links_count, sizeof(*verdicts));
		auto_json *change = parsed(changes[i].request);
		size_t first;

		rig_init(&rig);
		json_object_update(rig.request, change);
		first = check_links(&rig, verdicts);
		if (changes[i].link == NULL) {
			assert_int_equal(first, links_count);
		} else {
			assert_string_equal(links[first].type, changes[i].link);
			assert_string_equal(verdicts[first].reason, "Probing");
			assert_int_equal(verdicts[first].status, VERDICT_UNKNOWN);
		}
		verdicts_release(verdicts);
		rig_release(&rig);
	}
}

static const struct {
	const char *other; /* metadata and spec of another autoscaler */
	bool taken;
} others[] = {
	{"{metadata: {name: a, creationTimestamp: '2026-01-01T00:00:00Z'}, spec: {scaleTargetRef: "
	 "{kind: Deployment, name: server}}}",
		true},
	{"{metadata: {name: a, creationTimestamp: '2026-01-03T00:00:00Z'}, spec: {scaleTargetRef: "
	 "{kind: Deployment, name: server}}}",
		false},
	{"{metadata: {name: a, creationTimestamp: '2026-01-01T00:00:00Z'}, spec: {scaleTargetRef: "
	 "{kind: Deployment, name: else}}}",
		false},
	{"{metadata: {name: a, creationTimestamp: '2026-01-01T00:00:00Z'}, spec: {scaleTargetRef: "
	 "{kind: StatefulSet, name: server}}}",
		false},
	/* of the same second: by name */
	{"{metadata: {name: a, creationTimestamp: '2026-01-02T00:00:00Z'}, spec: {scaleTargetRef: "
	 "{kind: Deployment, name: server}}}",
		true},
	{"{metadata: {name: z, creationTimestamp: '2026-01-02T00:00:00Z'}, spec: {scaleTargetRef: "
	 "{kind: Deployment, name: server}}}",
		false},
};

static void of_two_autoscalers_one_has_the_target(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		struct rig rig;

		rig_init(&rig);
		json_array_append_new(rig.autoscalers, parsed(others[i].other));
		rig_read(&rig);
		assert_int_equal(links_target_taken(&rig.facts), others[i].taken);
		assert_int_equal(links_target_exclusive(&rig.facts), !others[i].taken);
		rig_release(&rig);
	}
}

/* Writing must not start while the target is somebody else's, whatever comes earlier in the chain.
 */
static void exclusive_is_asked_apart_from_the_order(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig);
	no_evidence(&rig);
	rig_read(&rig);
	assert_true(links_target_exclusive(&rig.facts));
	rig_release(&rig);

	rig_init(&rig);
	no_evidence(&rig);
	other_hpa(&rig);
	rig_read(&rig);
	assert_false(links_target_exclusive(&rig.facts));
	assert_false(links_target_taken(&rig.facts));
	rig_release(&rig);
}

/* Two probes of what the GPU autoscalers share, and whether they are checked alike. */
static const struct {
	const char *before;
	const char *now;
	bool alike;
} shared_looks[] = {
	{"{exporter: {at: 1, up: 1, jobs: [d]}, rule: {at: 1, loaded: true}}",
		"{exporter: {at: 30001, up: 1, jobs: [d]}, rule: {at: 30002, loaded: true}}", true},
	{"{exporter: {at: 1, up: 3, series: 24, withPod: 9}}", "{exporter: {at: 2, up: 4, series: 32, withPod: 10}}",
		true},
	{"{exporter: {at: 1, up: 1, down: 0}}", "{exporter: {at: 2, up: 0, down: 1}}", false},
	{"{exporter: {at: 1, series: 8, withPod: 1}}", "{exporter: {at: 2, series: 8, withPod: 0}}", false},
	{"{exporter: {at: 1, up: 1}}", "{exporter: {at: 2, error: 'no route to host'}}", false},
	{"{exporter: {at: 1, error: '401'}}", "{exporter: {at: 2, error: '401', cause: Unauthorized}}", false},
	{"{exporter: {at: 1, up: 1, jobs: [d]}}", "{exporter: {at: 2, up: 1, jobs: [d, e]}}", true},
	{"{exporter: {at: 1, up: 0, lastError: 'timed out'}}", "{exporter: {at: 2, up: 0, lastError: 'refused'}}",
		false},
	{"{exporter: {at: 1, up: 1}}", "{exporter: {at: 2, up: 1}, rule: {at: 2, loaded: false}}", false},
	{"{rule: {at: 1, loaded: true}}", "{rule: {at: 2, loaded: false}}", false},
	{"{rule: {at: 1, health: ok}}", "{rule: {at: 2, health: err}}", false},
	{"{rule: {at: 1, rivals: []}}", "{rule: {at: 2, rivals: [a-b]}}", false},
	{"{asked: {}}", "{asked: {prometheus: 'http://p:9090'}}", true},
	{NULL, "{asked: {}}", false},
	{NULL, NULL, true},
};

/* NULL for NULL. */
static struct shared_evidence *shared_look(const char *text)
{
	auto_json *document = text != NULL ? parsed(text) : NULL;

	return document != NULL ? shared_evidence_decode(document, NOW_MS) : NULL;
}

static void two_shared_looks_are_alike_but_for_times_and_amounts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(shared_looks); i++) {
		struct shared_evidence *before = shared_look(shared_looks[i].before);
		struct shared_evidence *now = shared_look(shared_looks[i].now);

		assert_int_equal(links_gpu_alike(before, now), shared_looks[i].alike);
		assert_int_equal(links_gpu_alike(now, before), shared_looks[i].alike);
		shared_evidence_free(before);
		shared_evidence_free(now);
	}
}

static void verdicts_have_the_words_of_kubernetes(void **state)
{
	(void)state;
	assert_string_equal(verdict_status_text(VERDICT_TRUE), "True");
	assert_string_equal(verdict_status_text(VERDICT_FALSE), "False");
	assert_string_equal(verdict_status_text(VERDICT_UNKNOWN), "Unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_link_breaks_alone),
		cmocka_unit_test(every_link_that_counts_has_a_row),
		cmocka_unit_test(whole_facts_make_every_link_true),
		cmocka_unit_test(what_waits_is_not_settled),
		cmocka_unit_test(the_last_link_does_not_count_for_ready),
		cmocka_unit_test(an_answer_to_another_question_is_none),
		cmocka_unit_test(of_two_autoscalers_one_has_the_target),
		cmocka_unit_test(exclusive_is_asked_apart_from_the_order),
		cmocka_unit_test(two_shared_looks_are_alike_but_for_times_and_amounts),
		cmocka_unit_test(verdicts_have_the_words_of_kubernetes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
