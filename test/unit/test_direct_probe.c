/* A probe where the operator serves the metrics API itself: no Prometheus is asked, and the metrics API is at once. */
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
#define ANSWERS "the operator's metrics API answers: "
#define BOTH PROBE_VALUES(PROBE_VALUE("p-0", "1") "," PROBE_VALUE("p-1", "1"))

/* Whose HPA is there and has not read anything yet. */
static void open_direct(struct probe_rig *rig)
{
	probe_rig_open(rig);
	json_object_set_new(rig->request, "direct", json_true());
	json_object_del(rig->request, "prometheus");
	json_object_del(rig->request, "service");
	json_object_del(rig->request, "pool");
	rig->hpa = (struct hpa_says){.there = true, .average_milli = MILLI_NONE};
	probe_rig_say(rig, "GET /api/v1/*", (struct fake_answer){.status = 500, .body = "no"});
	probe_rig_say(rig, PROBE_ASK("*"), (struct fake_answer){.status = 200, .body = BOTH});
}

static void test_the_metrics_api_is_asked_before_the_hpa_has_read(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	open_direct(&rig);
	e = probe_rig_look(&rig);
	assert_found(e, RUNNING ".metric.pods", "2");
	assert_found(e, RUNNING ".metric.byHpa", "absent");
	assert_found(e, "awaitedMs", "absent");
	assert_int_equal(probe_rig_asked(&rig, PROBE_ASK("*")), 1);
	assert_int_equal(probe_rig_asked(&rig, "GET /api/v1/*"), 0);
	probe_rig_close(&rig);
}

static void test_the_pages_are_what_values_are_compared_with(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	open_direct(&rig);
	e = probe_rig_look(&rig);
	assert_found(e, RUNNING ".series.pods", "2");
	assert_found(e, RUNNING ".series.samples.p-0.milli", "1000");
	assert_found(e, RUNNING ".apart", "absent");
	probe_rig_say(&rig, PROBE_ASK("*"),
		(struct fake_answer){.status = 200,
			.body = PROBE_VALUES(PROBE_VALUE("p-0", "1") "," PROBE_VALUE("p-1", "7"))});
	e = probe_rig_look(&rig);
	assert_found(e, RUNNING ".apart.metric.p-0", "absent");
	assert_found(e, RUNNING ".apart.metric.p-1.values", "[7000,7000]");
	assert_found(e, RUNNING ".apart.metric.p-1.series", "[1000,1000]");
	probe_rig_close(&rig);
}

static void test_what_the_server_says_is_told(void **state)
{
	static const struct {
		struct fake_answer answer;
		const char *cause;
		const char *error;
	} cases[] = {
		{{.status = 404, .body = "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"message\":\"no pod counts\"}"},
			"\"Failed\"", "\"" ANSWERS "no pod counts\""},
		{{.status = 503,
			 .body = "{\"kind\":\"Status\",\"reason\":\"ServiceUnavailable\",\"message\":\"no page\"}"},
			"\"Unavailable\"", "\"" ANSWERS "no page\""},
		/* The status that it repeats quotes it. */
		{{.status = 500, .body = "{\"message\":\"MetricServed: " ANSWERS "MetricServed: " ANSWERS "no\"}"},
			"\"Failed\"", "\"" ANSWERS "no\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct probe_rig rig;
		const json_t *e;

		open_direct(&rig);
		probe_rig_say(&rig, PROBE_ASK("*"), cases[i].answer);
		probe_rig_say(&rig, "GET /apis/custom.metrics.k8s.io/v1beta1",
			(struct fake_answer){.status = 200, .body = "{}"});
		e = probe_rig_look(&rig);
		assert_found(e, RUNNING ".metric.cause", cases[i].cause);
		assert_found(e, RUNNING ".metric.error", cases[i].error);
		/* The list of what it serves says nothing about this metric. */
		assert_int_equal(probe_rig_asked(&rig, "GET /apis/custom.metrics.k8s.io/v1beta1"), 0);
		probe_rig_close(&rig);
	}
}

static void test_a_right_that_is_missing_is_named(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	open_direct(&rig);
	probe_rig_say(&rig, PROBE_ASK("*"), (struct fake_answer){.status = 403, .body = "{\"message\":\"no\"}"});
	e = probe_rig_look(&rig);
	assert_found(e, RUNNING ".metric.cause", "\"Forbidden\"");
	assert_says(e, RUNNING ".metric.error", "lacks the permission to get 'pods/vllm_num_requests_running'");
	probe_rig_close(&rig);
}

/* The API server sends to a replica that ended a moment ago. */
static void test_one_failure_after_a_good_answer_is_not_believed(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	open_direct(&rig);
	probe_rig_look(&rig);
	probe_rig_say(&rig, PROBE_ASK("*"), (struct fake_answer){.status = 503, .body = "service unavailable"});
	e = probe_rig_look(&rig);
	assert_found(e, RUNNING ".metric.error", "absent");
	assert_found(e, RUNNING ".metric.pods", "2");
	assert_true(json_path_int(e, RUNNING ".metric.doubtedAt", 0) > 0);
	assert_true(json_path_int(e, "againMs", 0) > 0);
	probe_rig_close(&rig);
}

static void test_a_page_that_cannot_be_read_ends_the_probe(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	open_direct(&rig);
	probe_rig_say(&rig, "GET /metrics", (struct fake_answer){.status = 404, .body = "none"});
	e = probe_rig_look(&rig);
	assert_says(e, "page.error", "HTTP 404");
	assert_found(e, "signals", "absent");
	assert_int_equal(probe_rig_asked(&rig, PROBE_ASK("*")), 0);
	probe_rig_close(&rig);
}

static void test_gpus_need_no_page(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	open_direct(&rig);
	json_object_del(rig.request, "pages");
	json_object_set_new(rig.request, "signals",
		json_pack("[{s:s, s:s, s:b, s:[s]}]", "name", "Utilization", "metric", "gpu", "page", false, "series",
			"rec"));
	e = probe_rig_look(&rig);
	assert_found(e, "page", "absent");
	assert_found(e, "signals.gpu.series", "absent");
	assert_found(e, "signals.gpu.metric.pods", "2");
	assert_int_equal(probe_rig_asked(&rig, "GET /api/v1/*"), 0);
	probe_rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_metrics_api_is_asked_before_the_hpa_has_read),
		cmocka_unit_test(test_the_pages_are_what_values_are_compared_with),
		cmocka_unit_test(test_what_the_server_says_is_told),
		cmocka_unit_test(test_a_right_that_is_missing_is_named),
		cmocka_unit_test(test_one_failure_after_a_good_answer_is_not_believed),
		cmocka_unit_test(test_a_page_that_cannot_be_read_ends_the_probe),
		cmocka_unit_test(test_gpus_need_no_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
