/* What each state of an autoscaler's chain leaves as evidence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "probe_rig.h"

#define RUNNING "signals.vllm_num_requests_running"

#define NOT_FOUND "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"message\":\"the server could not find the metric\"}"

static void add_gpu(struct probe_rig *rig)
{
	json_array_append_new(json_object_get(rig->request, "signals"),
		json_pack("{s:s, s:s, s:b, s:[s]}", "name", "Utilization", "metric", "gpu", "page", false, "series",
			"rec"));
}

static void test_a_probe_ends_where_nothing_shows(void **state)
{
	struct probe_rig rig;
	auto_error forbidden = ERROR_INIT;
	const json_t *e;

	(void)state;
	probe_rig_open(&rig);
	probe_rig_pods(&rig, "[]");
	e = probe_rig_look(&rig);
	assert_found(e, "pods.total", "absent");
	assert_found(e, "page", "absent");
	error_set(&forbidden, ERROR_FORBIDDEN, "pods is forbidden");
	pods_set_state(rig.pods, true, &forbidden);
	e = probe_rig_look(&rig);
	assert_found(e, "pods.error",
		"\"cannot list the target's pods: pods is forbidden; give the operator this right, by "
		"the chart's roles\"");
	assert_found(e, "page", "absent");
	assert_int_equal(probe_rig_asked(&rig, "GET /metrics"), 0);
	probe_rig_close(&rig);
}

static void test_a_failing_scrape_reports_why(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	probe_rig_open(&rig);
	probe_rig_say(&rig, "GET /api/v1/query[?]query=count_values*",
		(struct fake_answer){.status = 200,
			.body = PROBE_RESULT(
				"{\"metric\":{\"namespace\":\"team\",\"job\":\"gemma-metrics\",\"up\":\"0\"},"
				"\"value\":[100,\"2\"]}")});
	probe_rig_say(&rig, "GET /api/v1/targets[?]state=active&scrapePool=serviceMonitor%2Fteam%2Fgemma%2F0",
		(struct fake_answer){.status = 200,
			.body = "{\"status\":\"success\",\"data\":{\"activeTargets\":[{\"health\":\"down\","
				"\"scrapePool\":\"serviceMonitor/team/gemma/0\","
				"\"lastError\":\"context deadline exceeded\"}]}}"});
	e = probe_rig_look(&rig);
	assert_found(e, "prometheus.up", "absent");
	assert_found(e, "prometheus.down", "2");
	assert_found(e, "prometheus.lastError", "\"context deadline exceeded\"");
	/* Of a pod that left. */
	probe_rig_say(&rig, "GET /api/v1/targets*",
		(struct fake_answer){.status = 200,
			.body = "{\"status\":\"success\",\"data\":{\"activeTargets\":[{\"health\":\"down\","
				"\"scrapePool\":\"p\",\"labels\":{\"pod\":\"gone\"},"
				"\"lastError\":\"connection refused\"}]}}"});
	json_object_set_new(rig.request, "pool", json_string("p"));
	e = probe_rig_look(&rig);
	assert_found(e, "prometheus.down", "2");
	assert_found(e, "prometheus.lastError", "absent");
	/* A server like Prometheus, which tells of everything but scrapes. */
	probe_rig_say(&rig, "GET /api/v1/targets*", (struct fake_answer){.status = 404, .body = "not found"});
	json_object_set_new(rig.request, "pool", json_string("q"));
	e = probe_rig_look(&rig);
	assert_says(e, "prometheus.lastError", "its words cannot be read (");
	assert_found(e, "prometheus.error", "absent");
	probe_rig_close(&rig);
}

static void test_a_prometheus_that_fails_is_reported(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	probe_rig_open(&rig);
	probe_rig_say(&rig, "GET /api/v1/query*", (struct fake_answer){.status = 200, .body = "<html>"});
	e = probe_rig_look(&rig);
	assert_says(e, "prometheus.error", "is not a Prometheus");
	assert_found(e, "prometheus.cause", "\"NotPrometheus\"");
	assert_found(e, "signals", "absent");
	json_object_set_new(rig.request, "prometheus", json_string("http://127.0.0.1:1"));
	e = probe_rig_look(&rig);
	assert_says(e, "prometheus.error", "Prometheus at 'http://127.0.0.1:1' cannot be asked: ");
	json_object_del(rig.request, "prometheus");
	e = probe_rig_look(&rig);
	assert_found(e, "page.engine", "\"VLLM\"");
	assert_found(e, "prometheus", "absent");
	probe_rig_close(&rig);
}

static void test_a_metric_is_asked_only_for_when_its_series_is_there(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	probe_rig_open(&rig);
	probe_rig_say(&rig, "GET /api/v1/query[?]query=label_replace*",
		(struct fake_answer){.status = 200, .body = PROBE_RESULT("")});
	e = probe_rig_look(&rig);
	assert_found(e, RUNNING ".series.pods", "absent");
	assert_found(e, RUNNING ".series.suspects", "[\"p-0\",\"p-1\"]");
	assert_found(e, RUNNING ".metric", "absent");
	assert_int_equal(probe_rig_asked(&rig, PROBE_ASK("*")), 0);
	probe_rig_close(&rig);
}

static void test_refusals_of_the_metrics_api_are_distinguished(void **state)
{
	static const struct {
		struct fake_answer answer;
		struct fake_answer discovery;
		const char *cause;
		const char *http;
		const char *words;
	} cases[] = {
		{{.status = 404, .body = "404 page not found"}, {.status = 404, .body = "404 page not found"},
			"\"NotRegistered\"", "404", "'v1beta1.custom.metrics.k8s.io' is not registered"},
		{{.status = 404, .body = NOT_FOUND},
			{.status = 200, .body = "{\"resources\":[{\"name\":\"pods/other\"}]}"}, "\"NotListed\"", "404",
			"does not know 'vllm_num_requests_running'"},
		{{.status = 403, .body = "{\"reason\":\"Forbidden\",\"message\":\"forbidden: no\"}"}, {.status = 0},
			"\"Forbidden\"", "403",
			"lacks the permission to get 'pods/vllm_num_requests_running' of custom.metrics.k8s.io in namespace "
			"'team'"},
		{{.status = 503, .body = "service unavailable"}, {.status = 0}, "\"Unavailable\"", "503",
			"APIService 'v1beta1.custom.metrics.k8s.io' is not available"},
		{{.status = 404, .body = NOT_FOUND}, {.status = 503, .body = "service unavailable"}, "\"Unavailable\"",
			"503", "is not available"},
		{{.status = 500, .body = "{\"message\":\"relist failed\"}"}, {.status = 0}, "\"Failed\"", "500",
			"relist failed"},
		{{.status = 200, .body = "<html>"}, {.status = 0}, "\"Failed\"", "absent", "not JSON"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct probe_rig rig;
		const json_t *e;

		probe_rig_open(&rig);
		probe_rig_say(&rig, PROBE_ASK("*"), cases[i].answer);
		probe_rig_say(&rig, "GET /apis/custom.metrics.k8s.io/v1beta1", cases[i].discovery);
		e = probe_rig_look(&rig);
		assert_found(e, RUNNING ".metric.cause", cases[i].cause);
		assert_found(e, RUNNING ".metric.http", cases[i].http);
		assert_says(e, RUNNING ".metric.error", cases[i].words);
		assert_int_equal(probe_rig_asked(&rig, "GET /apis/custom.metrics.k8s.io/v1beta1"),
			cases[i].discovery.status != 0);
		probe_rig_close(&rig);
	}
}

static void test_a_metric_that_is_known_may_have_no_value(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	probe_rig_open(&rig);
	probe_rig_say(&rig, PROBE_ASK("*"), (struct fake_answer){.status = 404, .body = NOT_FOUND});
	probe_rig_say(&rig, "GET /apis/custom.metrics.k8s.io/v1beta1",
		(struct fake_answer){.status = 200,
			.body = "{\"resources\":[{\"name\":\"pods/vllm_num_requests_running\"}]}"});
	e = probe_rig_look(&rig);
	assert_found(e, RUNNING ".metric.error", "absent");
	assert_found(e, RUNNING ".metric.pods", "absent");
	assert_found(e, RUNNING ".metric.suspects", "[\"p-0\",\"p-1\"]");
	probe_rig_close(&rig);
}

/* A pod that went since it was listed has no value, and nothing is wrong. */
static void test_a_pod_is_missing_when_two_looks_miss_it(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	probe_rig_open(&rig);
	e = probe_rig_look(&rig);
	assert_found(e, RUNNING ".metric.missing", "absent");
	assert_found(e, RUNNING ".metric.suspects", "[\"p-1\"]");
	assert_found(e, "againMs", "1500");
	e = probe_rig_look(&rig);
	assert_found(e, RUNNING ".series.missing", "[\"p-1\"]");
	assert_found(e, RUNNING ".metric.missing", "[\"p-1\"]");
	assert_found(e, RUNNING ".metric.suspects", "absent");
	e = probe_rig_look(&rig);
	assert_found(e, RUNNING ".metric.missing", "[\"p-1\"]");
	probe_rig_close(&rig);
}

static void test_signals_are_probed_by_themselves(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	probe_rig_open(&rig);
	add_gpu(&rig);
	probe_rig_say(&rig, PROBE_ASK("vllm*"), (struct fake_answer){.status = 403, .body = "{\"message\":\"no\"}"});
	e = probe_rig_look(&rig);
	assert_found(e, RUNNING ".metric.cause", "\"Forbidden\"");
	assert_found(e, "signals.gpu.metric.pods", "1");
	probe_rig_close(&rig);

	probe_rig_open(&rig);
	add_gpu(&rig);
	probe_rig_say(&rig, "GET /api/v1/query[?]query=label_replace*rec%29%29*",
		(struct fake_answer){.status = 500, .body = "no"});
	e = probe_rig_look(&rig);
	assert_found(e, RUNNING ".metric.pods", "1");
	assert_says(e, "signals.gpu.series.error", "answered HTTP 500 to a query");
	assert_found(e, "signals.gpu.metric", "absent");
	probe_rig_close(&rig);
}

static void test_a_recorded_sample_is_fresh_by_its_rules_interval(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	probe_rig_open(&rig);
	add_gpu(&rig);
	json_object_set_new(rig.request, "intervalMs", json_integer(1000));
	e = probe_rig_look(&rig); /* at a sample that is 5 s old */
	assert_found(e, RUNNING ".series.pods", "absent");
	assert_found(e, "signals.gpu.series.pods", "1");
	probe_rig_close(&rig);
}

static void test_a_gpu_signal_needs_no_page(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	probe_rig_open(&rig);
	add_gpu(&rig);
	probe_rig_say(&rig, "GET /metrics", (struct fake_answer){.status = 404, .body = "none"});
	e = probe_rig_look(&rig);
	assert_says(e, "page.error", "HTTP 404");
	assert_found(e, RUNNING ".series.pods", "1"); /* Prometheus may read it all the same */
	assert_found(e, "signals.gpu.metric.pods", "1");
	/* Mode GPU: no page at all. */
	json_object_del(rig.request, "pages");
	e = probe_rig_look(&rig);
	assert_found(e, "page", "absent");
	assert_found(e, "prometheus", "absent");
	assert_found(e, "signals.gpu.series.pods", "1");
	probe_rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_probe_ends_where_nothing_shows),
		cmocka_unit_test(test_a_failing_scrape_reports_why),
		cmocka_unit_test(test_a_prometheus_that_fails_is_reported),
		cmocka_unit_test(test_a_metric_is_asked_only_for_when_its_series_is_there),
		cmocka_unit_test(test_refusals_of_the_metrics_api_are_distinguished),
		cmocka_unit_test(test_a_metric_that_is_known_may_have_no_value),
		cmocka_unit_test(test_a_pod_is_missing_when_two_looks_miss_it),
		cmocka_unit_test(test_signals_are_probed_by_themselves),
		cmocka_unit_test(test_a_recorded_sample_is_fresh_by_its_rules_interval),
		cmocka_unit_test(test_a_gpu_signal_needs_no_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
