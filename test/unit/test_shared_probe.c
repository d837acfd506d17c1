/* What each state of the GPU exporter and the recording rule leaves as evidence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "probe_rig.h"

/* Of the targets that are believed about all pods, and of those of namespace "team". */
#define BELIEVED "*up%7Bx%7D*"
#define OWN "*team*"
#define SERIES "GET /api/v1/query[?]query=count%20by*"
#define WORKLOADS "GET /api/v1/query[?]query=count%28*"
#define JOBS "GET /api/v1/query[?]query=count_values%20by%20%28job%29*"
#define POOL "GET /api/v1/targets[?]state=active&scrapePool=p%2F0"
#define RULE "GET /api/v1/rules[?]type=record&rule_name%5B%5D=rec"

#define ROW(job, count) "{\"metric\":{\"job\":\"" job "\"},\"value\":[9,\"" count "\"]}"
#define UP(job, up, count) "{\"metric\":{\"job\":\"" job "\",\"up\":\"" up "\"},\"value\":[9,\"" count "\"]}"

/* The shared part in place of the rig's autoscaler, with an exporter whose eight GPUs six pods use. */
static void open_shared(struct probe_rig *rig)
{
	probe_rig_open(rig);
	json_decref(rig->request);
	rig->request = json_pack("{s:s, s:i, s:[s, s], s:s, s:{s:s, s:[s], s:s}}", "prometheus",
		fake_url(rig->kube.fake), "intervalMs", 15000, "dcgm", "A", "B", "record", "rec", "believed", "targets",
		"up{x}", "jobs", "dcgm", "pool", "p/0");
	probe_rig_say(rig, SERIES,
		(struct fake_answer){.status = 200, .body = PROBE_RESULT(ROW("second", "2") "," ROW("dcgm", "6"))});
	probe_rig_say(rig, WORKLOADS,
		(struct fake_answer){.status = 200, .body = PROBE_RESULT("{\"metric\":{},\"value\":[9,\"6\"]}")});
	probe_rig_say(rig, JOBS,
		(struct fake_answer){.status = 200,
			.body = PROBE_RESULT(UP("dcgm", "1", "3") "," UP("second", "1", "1"))});
	probe_rig_say(rig, RULE,
		(struct fake_answer){.status = 200,
			.body = "{\"status\":\"success\",\"data\":{\"groups\":[{\"rules\":[{\"name\":\"rec\","
				"\"health\":\"ok\"}]}]}}"});
}

static void test_shared_parts_that_work(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	open_shared(&rig);
	e = probe_rig_look(&rig);
	assert_true(json_equal(json_object_get(e, "asked"), rig.request));
	assert_found(e, "exporter.jobs", "[\"dcgm\",\"second\"]");
	assert_found(e, "exporter.series", "8");
	assert_found(e, "exporter.withPod", "6");
	assert_found(e, "exporter.up", "4");
	assert_found(e, "exporter.down", "absent");
	assert_found(e, "exporter.error", "absent");
	assert_found(e, "rule.loaded", "true");
	assert_found(e, "rule.health", "\"ok\"");
	probe_rig_close(&rig);
}

static void test_a_probe_is_reported_with_the_evidence_before(void **state)
{
	struct probe_rig rig;
	auto_json *first = NULL;

	(void)state;
	open_shared(&rig);
	first = json_incref((json_t *)(uintptr_t)probe_rig_look(&rig));
	assert_null(rig.before);
	json_object_set_new(rig.request, "intervalMs", json_integer(30000));
	assert_false(json_equal(probe_rig_look(&rig), first));
	assert_true(json_equal(rig.before, first));
	probe_rig_close(&rig);
}

/* Else whoever serves such series would seem to scrape the exporter, and ours would go; and that a tenant's works would hide
 * that the platform's does not. */
static void test_exporters_of_two_kinds_are_counted_apart(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	open_shared(&rig);
	json_object_set_new(rig.request, "own",
		json_pack("{s:s, s:[s]}", "targets", "up{namespace=~\"|team\"}", "jobs", "a-tenants"));
	probe_rig_say(&rig, SERIES BELIEVED, (struct fake_answer){.status = 200, .body = PROBE_RESULT("")});
	probe_rig_say(&rig, JOBS BELIEVED,
		(struct fake_answer){.status = 200, .body = PROBE_RESULT(UP("dcgm", "0", "2"))});
	probe_rig_say(&rig, SERIES OWN,
		(struct fake_answer){.status = 200, .body = PROBE_RESULT(ROW("a-tenants", "3"))});
	probe_rig_say(&rig, JOBS OWN,
		(struct fake_answer){.status = 200, .body = PROBE_RESULT(UP("a-tenants", "1", "1"))});
	probe_rig_say(&rig, POOL,
		(struct fake_answer){.status = 200,
			.body = "{\"status\":\"success\",\"data\":{\"activeTargets\":["
				"{\"scrapePool\":\"p/0\",\"lastError\":\"refused\"}]}}"});
	e = probe_rig_look(&rig);
	assert_found(e, "exporter.jobs", "absent");
	assert_found(e, "exporter.series", "absent");
	assert_found(e, "exporter.up", "absent");
	assert_found(e, "exporter.down", "2");
	assert_found(e, "exporter.lastError", "\"refused\"");
	assert_found(e, "own.jobs", "[\"a-tenants\"]");
	assert_found(e, "own.series", "3");
	assert_found(e, "own.up", "1");
	assert_found(e, "own.down", "absent");
	assert_found(e, "rule.health", "\"ok\"");
	probe_rig_close(&rig);
}

static void test_an_exporter_whose_scrape_fails_reports_why(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	open_shared(&rig);
	probe_rig_say(&rig, SERIES, (struct fake_answer){.status = 200, .body = PROBE_RESULT("")});
	probe_rig_say(&rig, JOBS, (struct fake_answer){.status = 200, .body = PROBE_RESULT(UP("dcgm", "0", "3"))});
	probe_rig_say(&rig, POOL,
		(struct fake_answer){.status = 200,
			.body = "{\"status\":\"success\",\"data\":{\"activeTargets\":["
				"{\"scrapePool\":\"p/0\",\"lastError\":\"refused\"}]}}"});
	e = probe_rig_look(&rig);
	assert_found(e, "exporter.jobs", "absent");
	assert_found(e, "exporter.series", "absent");
	assert_found(e, "exporter.down", "3");
	assert_found(e, "exporter.lastError", "\"refused\"");
	probe_rig_close(&rig);
}

static void test_a_rule_that_is_not_loaded_or_fails(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	open_shared(&rig);
	probe_rig_say(&rig, RULE,
		(struct fake_answer){.status = 200,
			.body = "{\"status\":\"success\",\"data\":{\"groups\":[{\"rules\":[{\"name\":\"other\","
				"\"health\":\"ok\"}]}]}}"});
	e = probe_rig_look(&rig);
	assert_found(e, "rule.loaded", "absent");
	assert_found(e, "rule.health", "absent");
	probe_rig_close(&rig);

	open_shared(&rig);
	probe_rig_say(&rig, RULE,
		(struct fake_answer){.status = 200,
			.body = "{\"status\":\"success\",\"data\":{\"groups\":[{\"rules\":[{\"name\":\"rec\","
				"\"health\":\"err\",\"lastError\":\"many-to-many\"}]}]}}"});
	e = probe_rig_look(&rig);
	assert_found(e, "rule.loaded", "true");
	assert_found(e, "rule.health", "\"err\"");
	assert_found(e, "rule.lastError", "\"many-to-many\"");
	probe_rig_close(&rig);
}

#define GROUP(file, health, query)                                                                                     \
	"{\"file\":\"/etc/prometheus/rules/k8s-0/" file "\",\"rules\":[{\"name\":\"rec\",\"health\":\"" health         \
	"\",\"query\":\"" query "\"}]}"
#define UID_YAML "-0f8fad5b-d9cb-469f-a165-70867728950e.yaml"

#define RULES(groups) "{\"status\":\"success\",\"data\":{\"groups\":[" groups "]}}"
#define OURS GROUP("monitoring-gpu" UID_YAML, "ok", "a")
#define COPY GROUP("team-copy" UID_YAML, "ok", "a")
#define OTHER GROUP("team-by-hand" UID_YAML, "err", "b")

static void test_a_rule_of_somebody_else_by_the_same_name(void **state)
{
	static const struct {
		const char *answer, *loaded, *health, *rivals;
	} rows[] = {
		{RULES(COPY "," OTHER "," OURS), "true", "\"ok\"", "[\"team-by-hand\"]"},
		{RULES(COPY "," OURS), "true", "\"ok\"", "absent"},
		{RULES(OTHER), "absent", "absent", "absent"},
		/* In a file that is not prometheus-operator's, as Mimir's ruler has them, it may be ours. */
		{RULES(GROUP("agent/monitoring/gpu/0f8f", "ok", "a")), "true", "\"ok\"", "absent"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct probe_rig rig;
		const json_t *e;

		open_shared(&rig);
		json_object_set_new(rig.request, "rule", json_string("monitoring/gpu"));
		probe_rig_say(&rig, RULE, (struct fake_answer){.status = 200, .body = rows[i].answer});
		e = probe_rig_look(&rig);
		assert_found(e, "rule.loaded", rows[i].loaded);
		assert_found(e, "rule.health", rows[i].health);
		assert_found(e, "rule.rivals", rows[i].rivals);
		probe_rig_close(&rig);
	}
}

static void test_a_question_that_fails_hides_no_other(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	open_shared(&rig);
	probe_rig_say(&rig, WORKLOADS, (struct fake_answer){.status = 503, .body = "busy"});
	e = probe_rig_look(&rig);
	assert_says(e, "exporter.error", "answered HTTP 503 to a query");
	assert_found(e, "rule.health", "\"ok\"");
	probe_rig_close(&rig);

	open_shared(&rig);
	probe_rig_say(&rig, RULE, (struct fake_answer){.status = 503, .body = "busy"});
	e = probe_rig_look(&rig);
	assert_found(e, "exporter.withPod", "6");
	assert_says(e, "rule.error", "answered HTTP 503 to a query");
	assert_found(e, "rule.loaded", "absent");
	probe_rig_close(&rig);
}

static void test_without_a_prometheus_nothing_is_asked(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	open_shared(&rig);
	json_object_del(rig.request, "prometheus");
	probe_rig_want(&rig, PROBE_KEY, PROBE_HEALTHY);
	uv_run(&rig.kube.loop, UV_RUN_NOWAIT); /* no answer is awaited */
	assert_int_equal(rig.seen, 1);
	e = probe_rig_evidence(&rig);
	assert_found(e, "exporter", "absent");
	assert_found(e, "rule", "absent");
	assert_int_equal(fake_requests(rig.kube.fake), 0);
	probe_rig_close(&rig);
}

static void test_no_job_is_asked_for_where_none_is_known(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	open_shared(&rig);
	json_object_del(json_object_get(rig.request, "believed"), "jobs");
	probe_rig_say(&rig, SERIES, (struct fake_answer){.status = 200, .body = PROBE_RESULT("")});
	e = probe_rig_look(&rig);
	assert_found(e, "exporter.up", "absent");
	assert_found(e, "exporter.down", "absent");
	assert_int_equal(probe_rig_asked(&rig, JOBS), 0);
	probe_rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shared_parts_that_work),
		cmocka_unit_test(test_a_probe_is_reported_with_the_evidence_before),
		cmocka_unit_test(test_exporters_of_two_kinds_are_counted_apart),
		cmocka_unit_test(test_an_exporter_whose_scrape_fails_reports_why),
		cmocka_unit_test(test_a_rule_that_is_not_loaded_or_fails),
		cmocka_unit_test(test_a_rule_of_somebody_else_by_the_same_name),
		cmocka_unit_test(test_a_question_that_fails_hides_no_other),
		cmocka_unit_test(test_without_a_prometheus_nothing_is_asked),
		cmocka_unit_test(test_no_job_is_asked_for_where_none_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
