/* Keys, their probes and their evidence, in a fake cluster. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "event_loop.h"
#include "probe_rig.h"

#define RUNNING "signals.vllm_num_requests_running"
/* So many pods that are scraped for a Service. */
#define SCRAPED(name, up)                                                                                              \
	"{\"metric\":{\"namespace\":\"team\",\"job\":\"" name "-metrics\",\"up\":\"1\"},\"value\":[100,\"" up "\"]}"

#define NAME_OF_CROWD "gemma-7c9d8f6b5d-%05d"
#define POD_OF_CROWD                                                                                                   \
	"{\"metadata\":{\"name\":\"" NAME_OF_CROWD "\"},\"status\":{\"phase\":\"Running\",\"podIP\":\"127.0.0.1\","    \
	"\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\",\"lastTransitionTime\":\"2026-01-01T00:00:00Z\"}]}}"
#define SAMPLE_OF_CROWD                                                                                                \
	"{\"metric\":{\"namespace\":\"team\",\"pod\":\"" NAME_OF_CROWD "\",\"part\":\"%s\"},\"value\":[100,\"%d\"]}"

static void test_a_healthy_chain_is_seen_to_its_end(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	probe_rig_open(&rig);
	e = probe_rig_look(&rig);
	assert_true(json_equal(json_object_get(e, "asked"), rig.request));
	assert_found(e, "pods.total", "2");
	assert_found(e, "pods.ready", "2");
	assert_found(e, "page.engine", "\"VLLM\"");
	assert_found(e, "page.version", "\"0.32.0\"");
	assert_found(e, "page.pod", "\"p-0\"");
	assert_found(e, "page.path", "\"/metrics\"");
	assert_int_equal(json_path_int(e, "page.port", 0), rig.port);
	assert_found(e, "page.series", "[\"vllm:num_requests_running\"]");
	assert_found(e, "prometheus.up", "2");
	assert_found(e, "prometheus.down", "absent");
	assert_found(e, RUNNING ".series.pods", "1");
	assert_found(e, RUNNING ".series.suspects", "[\"p-1\"]");
	assert_found(e, RUNNING ".metric.pods", "1");
	assert_found(e, RUNNING ".metric.http", "200");
	assert_found(e, RUNNING ".metric.suspects", "[\"p-1\"]");
	assert_found(e, RUNNING ".metric.values", "{\"p-0\":4000}");
	/* The hops, side by side: the metrics API's 4 mismatches the 1 that Prometheus has. */
	assert_found(e, "page.values",
		"{\"p-0\":{\"vllm_num_requests_running\":1000},"
		"\"p-1\":{\"vllm_num_requests_running\":1000}}");
	assert_found(e, RUNNING ".series.samples",
		"{\"p-0\":{\"age\":5000,\"milli\":1000,\"time\":95000},\"p-1\":{\"age\":60000,\"time\":40000}}");
	assert_found(e, RUNNING ".apart.page", "absent");
	assert_found(e, RUNNING ".apart.metric.p-0.values", "[4000,4000]");
	assert_found(e, RUNNING ".apart.metric.p-0.series", "[1000,1000]");
	assert_found(e, RUNNING ".apart.hpa", "absent");
	probe_rig_close(&rig);
}

static void test_the_hpas_average_lies_between_what_is_served(void **state)
{
	static const struct {
		json_int_t average;
		const char *mismatch;
	} rows[] = {{-1, "absent"}, {4000, "absent"}, {6500, "absent"}, {9000, "absent"}, {3000, "[3000,3000]"},
		{10000, "[10000,10000]"}};
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		probe_rig_open(&rig);
		probe_rig_say(&rig, PROBE_ASK("vllm_num_requests_running"),
			(struct fake_answer){.status = 200,
				.body = PROBE_VALUES(PROBE_VALUE("p-0", "4") "," PROBE_VALUE("p-1", "9"))});
		rig.hpa.average_milli = rows[i].average;
		e = probe_rig_look(&rig);
		assert_found(e, RUNNING ".apart.hpa.values", rows[i].mismatch);
		if (strcmp(rows[i].mismatch, "absent") != 0) {
			assert_found(e, RUNNING ".apart.hpa.series", "[4000,9000]");
			assert_found(e, RUNNING ".apart.hpa.sampleTime", "95000");
		}
		probe_rig_close(&rig);
	}
}

/* Samples of both pods in each of these namespaces; heap. */
static char *samples_of_a_crowd(int crowd)
{
	auto_json *rows = json_array();
	auto_json *answer = json_pack("{s:s, s:{s:O}}", "status", "success", "data", "result", rows);
	static const char *const pods[] = {"p-0", "p-1"};

	for (int n = 0; n < crowd; n++) {
		auto_free char *ns = xasprintf("team-%d", n);

		for (size_t p = 0; p < ARRAY_LEN(pods); p++) {
			json_array_append_new(rows, json_pack("{s:{s:s, s:s, s:s}, s:[i, s]}", "metric", "namespace",
							    ns, "pod", pods[p], "part", "time", "value", 100, "95"));
			json_array_append_new(rows, json_pack("{s:{s:s, s:s, s:s}, s:[i, s]}", "metric", "namespace",
							    ns, "pod", pods[p], "part", "milli", "value", 100, "1"));
		}
	}
	return json_dumps(answer, JSON_COMPACT);
}

/* Of chains that are whole: one that misses something is probed again, soon. */
static void test_many_autoscalers_share_the_questions_of_one(void **state)
{
	static const int crowds[] = {1, 100, 1000};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(crowds); i++) {
		struct probe_rig rig;
		auto_free char *samples = samples_of_a_crowd(crowds[i]);
		int64_t start = clock_monotonic_ms();
		int most;
		int again;

		probe_rig_open(&rig);
		probe_rig_say(&rig, "GET /api/v1/query[?]query=label_replace*",
			(struct fake_answer){.status = 200, .body = samples});
		probe_rig_say(&rig, "GET /apis/custom.metrics.k8s.io/v1beta1/namespaces/*/pods/*",
			(struct fake_answer){.status = 200,
				.body = PROBE_VALUES(PROBE_VALUE("p-0", "1") "," PROBE_VALUE("p-1", "1"))});
		for (int n = 0; n < crowds[i]; n++) {
			auto_free char *ns = xasprintf("team-%d", n);

			json_object_set_new(rig.request, "namespace", json_string(ns));
			probe_rig_want(&rig, ns, PROBE_HEALTHY);
			if (n % 50 == 49) {
				probe_rig_wait(&rig, n + 1); /* a wait has a deadline */
			}
		}
		probe_rig_wait(&rig, crowds[i]);
		/* On a busy machine the first ones may be due again, 24 s after. */
		again = clock_monotonic_ms() - start < 24000 ? 0 : crowds[i];
		assert_in_range(probe_rig_asked(&rig, "GET /metrics"), 2 * crowds[i], 2 * (crowds[i] + again));
		assert_in_range(probe_rig_asked(&rig, "GET /apis/custom.metrics.k8s.io/v1beta1/namespaces/*/pods/*"),
			crowds[i], crowds[i] + again);
		/* A first probe takes no answer older than 2 s. */
		most = 1 + (int)((clock_monotonic_ms() - start) / 2000);
		print_message("%d autoscalers: %d requests of each question\n", crowds[i],
			probe_rig_asked(&rig, "GET /api/v1/query[?]query=label_replace*"));
		assert_in_range(probe_rig_asked(&rig, "GET /api/v1/query[?]query=count_values*"), 1, most);
		assert_in_range(probe_rig_asked(&rig, "GET /api/v1/query[?]query=label_replace*"), 1, most);
		probe_rig_close(&rig);
	}
}

static void want_crowd(struct probe_rig *rig, int count)
{
	for (int n = 0; n < count; n++) {
		auto_free char *ns = xasprintf("team-%d", n);

		json_object_set_new(rig->request, "namespace", json_string(ns));
		probe_rig_want(rig, ns, PROBE_HEALTHY);
	}
}

static void test_probes_wait_until_the_pods_are_known(void **state)
{
	struct probe_rig rig;

	(void)state;
	probe_rig_open(&rig);
	pods_set_state(rig.pods, false, NULL);
	prober_pods_known(rig.prober);
	want_crowd(&rig, 20);
	run_for(&rig.kube.loop, 100);
	assert_int_equal(probe_rig_asked(&rig, "GET /metrics"), 0);
	/* One that waits is forgotten like any other. */
	prober_forget(rig.prober, "team-0");
	prober_forget(rig.prober, "team-7");
	prober_forget(rig.prober, "team-19");
	pods_set_state(rig.pods, true, NULL);
	prober_pods_known(rig.prober);
	probe_rig_wait(&rig, 17);
	assert_non_null(prober_evidence(rig.prober, "team-18"));
	assert_null(prober_evidence(rig.prober, "team-7"));
	probe_rig_close(&rig);
}

static void test_what_becomes_of_the_right_to_pods_is_seen_soon(void **state)
{
	auto_error forbidden = ERROR_INIT;
	struct probe_rig rig;

	(void)state;
	probe_rig_open(&rig);
	probe_rig_look(&rig);
	error_set(&forbidden, ERROR_FORBIDDEN, "no");
	pods_set_state(rig.pods, true, &forbidden);
	prober_pods_known(rig.prober);
	probe_rig_wait(&rig, 2);
	assert_says(probe_rig_evidence(&rig), "pods.error", "cannot list the target's pods: no; give");
	pods_set_state(rig.pods, true, NULL);
	prober_pods_known(rig.prober);
	probe_rig_wait(&rig, 3);
	assert_found(probe_rig_evidence(&rig), "pods.total", "2");
	probe_rig_close(&rig);
}

#define PENDING "{\"metadata\":{\"name\":\"p-2\"}}"
#define STARTED "{\"metadata\":{\"name\":\"p-2\"},\"status\":{\"podIP\":\"127.0.0.1\"}}"

/* Of a healthy chain, which would not be probed again for half a minute: a wait has a deadline. */
static void test_a_pod_that_changes_is_seen_soon(void **state)
{
	struct probe_rig rig;

	(void)state;
	probe_rig_open(&rig);
	probe_rig_want(&rig, PROBE_KEY, PROBE_HEALTHY);
	probe_rig_wait(&rig, 1);
	probe_rig_pods(&rig, "[" PENDING "]");
	probe_rig_wait(&rig, 2);
	assert_found(probe_rig_evidence(&rig), "pods.total", "1");
	/* One that changes while the probe is under way, which saw it as it was. */
	probe_rig_pods(&rig, PROBE_PODS);
	while (probe_rig_asked(&rig, "GET /metrics") < 3) {
		event_loop_turn(&rig.kube.loop);
	}
	probe_rig_pods(&rig, "[]");
	probe_rig_wait(&rig, 3);
	assert_found(probe_rig_evidence(&rig), "pods.total", "2");
	probe_rig_wait(&rig, 4);
	assert_found(probe_rig_evidence(&rig), "pods.total", "absent");
	probe_rig_close(&rig);
}

/* A rollout: pods change all the time. One probe begins a second. */
static void test_a_rollout_of_many_pods_is_probed_at_a_pace(void **state)
{
	struct probe_rig rig;
	int64_t start;
	int changes = 0;

	(void)state;
	probe_rig_open(&rig);
	probe_rig_want(&rig, PROBE_KEY, PROBE_HEALTHY);
	probe_rig_wait(&rig, 1);
	start = clock_monotonic_ms();
	while (clock_monotonic_ms() - start < 3500 || changes < 1000) {
		const char *text = changes++ % 2 ? PENDING : STARTED;
		auto_json *object = json_parse(text, strlen(text), NULL);
		auto_view *pod = NULL;

		json_object_update_new(json_object_get(object, "metadata"),
			json_pack("{s:s, s:{s:s}}", "namespace", "team", "labels", "app", "x"));
		pod = view_decode_as(&view_pod_type, object);
		pods_put(rig.pods, pod);
		run_for(&rig.kube.loop, 1);
	}
	print_message("%d changes, %d probes\n", changes, rig.seen - 1);
	assert_in_range(rig.seen - 1, 3, 1 + (clock_monotonic_ms() - start) / 1000);
	probe_rig_close(&rig);
}

/* However many are due in one moment, nothing else waits long for them. */
static void test_many_that_are_due_leave_turns_to_others(void **state)
{
	struct probe_rig rig;
	int64_t longest = 0;

	(void)state;
	probe_rig_open(&rig);
	probe_rig_say(&rig, "GET /metrics", (struct fake_answer){.end = FAKE_MUTE});
	pods_set_state(rig.pods, false, NULL);
	prober_pods_known(rig.prober);
	want_crowd(&rig, 2000);
	run_for(&rig.kube.loop, 100);
	pods_set_state(rig.pods, true, NULL);
	prober_pods_known(rig.prober);
	for (int turn = 0; turn < 200; turn++) {
		int64_t start = clock_worked_ns();
		int64_t took;

		uv_run(&rig.kube.loop, UV_RUN_NOWAIT);
		took = clock_worked_ns() - start;
		longest = took > longest ? took : longest;
	}
	print_message("the longest turn: %lld us\n", (long long)(longest / 1000));
	assert_true(longest < INT64_C(50000000));
	probe_rig_close(&rig);
}

/* Its turn comes in the moment when it is due once more: two probes of a key would be in each other's way. */
static void test_one_that_is_due_twice_is_probed_once(void **state)
{
	struct probe_rig rig;

	(void)state;
	probe_rig_open(&rig);
	probe_rig_say(&rig, "GET /metrics", (struct fake_answer){.end = FAKE_MUTE});
	pods_set_state(rig.pods, false, NULL);
	probe_rig_want(&rig, PROBE_KEY, PROBE_HEALTHY);
	run_for(&rig.kube.loop, 100); /* it waits for the pods */
	prober_wake(rig.prober, PROBE_KEY);
	pods_set_state(rig.pods, true, NULL);
	prober_pods_known(rig.prober);
	run_for(&rig.kube.loop, 300);
	assert_int_equal(probe_rig_asked(&rig, "GET /metrics"), 1);
	probe_rig_close(&rig);
}

static void test_many_pages_are_not_fetched_all_at_once(void **state)
{
	struct probe_rig rig;

	(void)state;
	probe_rig_open(&rig);
	/* Pods that do not answer, of many autoscalers: each may still send a large page. */
	probe_rig_say(&rig, "GET /metrics", (struct fake_answer){.end = FAKE_MUTE});
	for (int n = 0; n < 60; n++) {
		auto_free char *ns = xasprintf("team-%d", n);

		json_object_set_new(rig.request, "namespace", json_string(ns));
		probe_rig_want(&rig, ns, PROBE_HEALTHY);
	}
	while (probe_rig_asked(&rig, "GET /metrics") < 16) {
		event_loop_turn(&rig.kube.loop);
	}
	run_for(&rig.kube.loop, 200);
	assert_int_equal(probe_rig_asked(&rig, "GET /metrics"), 16);
	/* One that is forgotten while it fetches makes room for the next. */
	for (int n = 0; n < 60; n += 20) {
		auto_free char *ns = xasprintf("team-%d", n);

		prober_forget(rig.prober, ns);
	}
	run_for(&rig.kube.loop, 200);
	assert_in_range(probe_rig_asked(&rig, "GET /metrics"), 17, 19);
	probe_rig_close(&rig);
}

static void test_a_request_that_changes_is_probed_at_once(void **state)
{
	struct probe_rig rig;

	(void)state;
	probe_rig_open(&rig);
	probe_rig_want(&rig, PROBE_KEY, PROBE_HEALTHY);
	while (probe_rig_asked(&rig, "GET /metrics") < 1) {
		event_loop_turn(&rig.kube.loop);
	}
	json_object_set_new(rig.request, "intervalMs", json_integer(30000));
	probe_rig_want(&rig, PROBE_KEY, PROBE_HEALTHY);
	probe_rig_wait(&rig, 1);
	assert_found(probe_rig_evidence(&rig), "asked.intervalMs", "15000");
	probe_rig_wait(&rig, 2);
	assert_found(probe_rig_evidence(&rig), "asked.intervalMs", "30000");
	probe_rig_close(&rig);
}

/* With a probe as a healthy one, long before the next 30 s are over; from then on Prometheus is asked every 5 s. */
static void become_healthy(struct probe_rig *rig)
{
	probe_rig_want(rig, PROBE_KEY, PROBE_BROKEN);
	probe_rig_wait(rig, 1);
	probe_rig_want(rig, PROBE_KEY, PROBE_HEALTHY);
	probe_rig_wait(rig, 2);
}

static void test_a_chain_that_became_whole_is_looked_at_soon(void **state)
{
	struct probe_rig rig;

	(void)state;
	probe_rig_open(&rig);
	become_healthy(&rig);
	probe_rig_close(&rig);
}

/* Else ten thousand that wait for their passes would be probed again and again, and hold the passes up. */
static void test_nothing_is_probed_again_before_a_pass_has_read_it(void **state)
{
	struct probe_rig rig;

	(void)state;
	probe_rig_open(&rig);
	rig.passes_wait = true;
	probe_rig_want(&rig, PROBE_KEY, PROBE_BROKEN);
	probe_rig_wait(&rig, 1);
	run_for(&rig.kube.loop, 2600);
	assert_int_equal(rig.seen, 1);
	probe_rig_want(&rig, PROBE_KEY, PROBE_BROKEN);
	probe_rig_wait(&rig, 2);
	probe_rig_close(&rig);
}

static void test_a_wake_is_not_answered_with_what_was_known(void **state)
{
	struct probe_rig rig;

	(void)state;
	probe_rig_open(&rig);
	probe_rig_look(&rig);
	/* What is younger than 2 s may serve anybody. */
	run_for(&rig.kube.loop, 2100);
	probe_rig_look(&rig);
	assert_int_equal(probe_rig_asked(&rig, "GET /api/v1/query[?]query=label_replace*"), 2);
	probe_rig_close(&rig);
}

/* A pod that goes refuses us before we are notified that it goes. */
static void test_a_page_that_was_good_is_asked_twice_before_it_is_called_bad(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	probe_rig_open(&rig);
	probe_rig_look(&rig);
	probe_rig_say(&rig, "GET /metrics", (struct fake_answer){.status = 500});
	e = probe_rig_look(&rig);
	assert_found(e, "page.error", "absent");
	assert_found(e, "page.doubted", "true");
	assert_found(e, "prometheus.up", "2");
	assert_found(e, "againMs", "1500");
	e = probe_rig_look(&rig);
	assert_says(e, "page.error", "HTTP 500");
	probe_rig_say(&rig, "GET /metrics", (struct fake_answer){.status = 200, .body = PROBE_PAGE});
	e = probe_rig_look(&rig);
	assert_found(e, "page.doubted", "absent");
	probe_rig_close(&rig);
}

static void test_what_is_forgotten_is_not_reported(void **state)
{
	struct probe_rig rig;
	int64_t start;

	(void)state;
	probe_rig_open(&rig);
	probe_rig_say(&rig, "GET /metrics", (struct fake_answer){.end = FAKE_MUTE});
	probe_rig_want(&rig, PROBE_KEY, PROBE_HEALTHY);
	probe_rig_want(&rig, "team/other", PROBE_HEALTHY);
	while (probe_rig_asked(&rig, "GET /metrics") < 2) {
		event_loop_turn(&rig.kube.loop);
	}
	prober_forget(rig.prober, PROBE_KEY);
	assert_null(probe_rig_evidence(&rig));
	start = clock_monotonic_ms();
	probe_rig_close(&rig); /* with probes under way, whose answers would be awaited for 5 s */
	assert_true(clock_monotonic_ms() - start < 4000);
	assert_int_equal(rig.seen, 0);
}

/* Prometheus went between our question to it and the adapter's. */
static void test_a_metric_that_fails_is_unconfirmed_until_all_before_it_was_seen_again(void **state)
{
	struct probe_rig rig;
	const json_t *e;
	int looks;

	(void)state;
	probe_rig_open(&rig);
	e = probe_rig_look(&rig);
	assert_found(e, RUNNING ".metric.pods", "1");
	probe_rig_say(&rig, PROBE_ASK("vllm_num_requests_running"),
		(struct fake_answer){.status = 500, .body = "unable to fetch metrics"});
	e = probe_rig_look(&rig);
	assert_found(e, RUNNING ".metric.error", "absent");
	assert_found(e, RUNNING ".metric.pods", "1");
	/* Probed for another reason meanwhile, with answers of Prometheus that may be older than the failure. */
	e = probe_rig_look(&rig);
	assert_found(e, RUNNING ".metric.error", "absent");
	probe_rig_say(&rig, "GET /api/v1/query*", (struct fake_answer){.status = 503, .body = "down"});
	looks = rig.seen;
	do {
		probe_rig_wait(&rig, ++looks);
		e = probe_rig_evidence(&rig);
		assert_found(e, RUNNING ".metric.error", "absent");
	} while (json_path(e, "prometheus.error") == NULL);
	assert_says(e, "prometheus.error", "503");
	probe_rig_close(&rig);

	/* Where all before it works, it is said with the next probe. */
	probe_rig_open(&rig);
	(void)probe_rig_look(&rig);
	probe_rig_say(&rig, PROBE_ASK("vllm_num_requests_running"), (struct fake_answer){.status = 500, .body = "no"});
	e = probe_rig_look(&rig);
	assert_found(e, RUNNING ".metric.error", "absent");
	probe_rig_wait(&rig, 3);
	e = probe_rig_evidence(&rig);
	assert_says(e, RUNNING ".metric.error", "cannot GET");
	assert_found(e, RUNNING ".metric.doubtedAt", "absent");
	probe_rig_close(&rig);
}

/* The adapter waits for a Prometheus that is gone, and we for the adapter. */
static void test_a_metric_that_hangs_keeps_no_news_of_prometheus_back(void **state)
{
	struct probe_rig rig;
	const json_t *e;
	int looks;

	(void)state;
	probe_rig_open(&rig);
	become_healthy(&rig);
	probe_rig_say(&rig, PROBE_ASK("vllm_num_requests_running"), (struct fake_answer){.status = 500, .body = "no"});
	e = probe_rig_look(&rig);
	assert_found(e, RUNNING ".metric.error", "absent");
	probe_rig_say(&rig, PROBE_ASK("vllm_num_requests_running"), (struct fake_answer){.end = FAKE_MUTE});
	prober_wake(rig.prober, PROBE_KEY);
	while (probe_rig_asked(&rig, PROBE_ASK("vllm_num_requests_running")) == 0) {
		event_loop_turn(&rig.kube.loop);
	}
	probe_rig_say(&rig, "GET /api/v1/query*", (struct fake_answer){.status = 503, .body = "down"});
	looks = rig.seen;
	probe_rig_wait(&rig, looks + 1);
	e = probe_rig_evidence(&rig);
	assert_says(e, "prometheus.error", "503");
	probe_rig_close(&rig);
}

static void test_what_changes_elsewhere_is_no_news(void **state)
{
	struct probe_rig rig;

	(void)state;
	probe_rig_open(&rig);
	become_healthy(&rig);
	probe_rig_say(&rig, "GET /api/v1/query[?]query=count_values*",
		(struct fake_answer){.status = 200,
			.body = PROBE_RESULT(SCRAPED("gemma", "2") "," SCRAPED("other", "3"))});
	run_for(&rig.kube.loop, 7000);
	assert_int_equal(rig.seen, 2);
	probe_rig_say(&rig, "GET /api/v1/query[?]query=count_values*",
		(struct fake_answer){.status = 200,
			.body = PROBE_RESULT(SCRAPED("gemma", "1") "," SCRAPED("other", "3"))});
	probe_rig_wait(&rig, 3);
	probe_rig_close(&rig);
}

static void test_what_prometheus_cannot_cause_is_believed_at_once(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	probe_rig_open(&rig);
	(void)probe_rig_look(&rig);
	probe_rig_say(&rig, PROBE_ASK("vllm_num_requests_running"), (struct fake_answer){.status = 403, .body = "no"});
	e = probe_rig_look(&rig);
	assert_says(e, RUNNING ".metric.error", "lacks the permission");
	probe_rig_close(&rig);
}

/* Pods by the number, of which the metrics API says otherwise than Prometheus: all mismatch. */
struct crowd {
	struct strbuf pods, samples, values;
};

static void crowd_fill(struct crowd *crowd, int count)
{
	strbuf_addstr(&crowd->pods, "[");
	strbuf_addstr(&crowd->samples, "{\"status\":\"success\",\"data\":{\"result\":[");
	strbuf_addstr(&crowd->values, "{\"items\":[");
	for (int i = 0; i < count; i++) {
		const char *comma = i > 0 ? "," : "";

		strbuf_addf(&crowd->pods, "%s" POD_OF_CROWD, comma, i);
		strbuf_addf(&crowd->samples, "%s" SAMPLE_OF_CROWD "," SAMPLE_OF_CROWD, comma, i, "time", 95, i, "milli",
			1);
		strbuf_addf(&crowd->values, "%s{\"describedObject\":{\"name\":\"" NAME_OF_CROWD "\"},\"value\":\"4\"}",
			comma, i);
	}
	strbuf_addstr(&crowd->pods, "]");
	strbuf_addstr(&crowd->samples, "]}}");
	strbuf_addstr(&crowd->values, "]}");
}

static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* What the second probe of so many pods costs, which remembers all mismatches of the first. */
static double cost_of_crowd(int count)
{
	struct crowd crowd = {STRBUF_INIT, STRBUF_INIT, STRBUF_INIT};
	struct probe_rig rig;
	double begin;
	double cost;

	crowd_fill(&crowd, count);
	probe_rig_open(&rig);
	json_object_del(rig.request, "pages");
	json_object_set_new(rig.request, "signals",
		json_pack("[{s:s, s:s, s:[s]}]", "name", "Utilization", "metric", "gpu", "series", "rec"));
	probe_rig_pods(&rig, crowd.pods.buf);
	probe_rig_say(&rig, "GET /api/v1/query[?]query=label_replace*",
		(struct fake_answer){.status = 200, .body = crowd.samples.buf});
	probe_rig_say(&rig, PROBE_ASK("*"), (struct fake_answer){.status = 200, .body = crowd.values.buf});
	probe_rig_look(&rig);
	begin = cpu_ms();
	prober_wake(rig.prober, PROBE_KEY);
	probe_rig_wait(&rig, 2);
	cost = cpu_ms() - begin;
	assert_int_equal(json_object_size(json_path(probe_rig_evidence(&rig), "signals.gpu.apart.metric")), count);
	probe_rig_close(&rig);
	strbuf_release(&crowd.pods);
	strbuf_release(&crowd.samples);
	strbuf_release(&crowd.values);
	return cost;
}

/* Four times as many cost four times as much and a little, not sixteen times. */
static void test_pods_cost_by_their_number(void **state)
{
	double few = cost_of_crowd(2500);
	double many = cost_of_crowd(10000);

	(void)state;
	print_message("2500 pods: %.0f ms of the processor, 10000: %.0f ms\n", few, many);
	assert_true(many < 8 * few);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_healthy_chain_is_seen_to_its_end),
		cmocka_unit_test(test_the_hpas_average_lies_between_what_is_served),
		cmocka_unit_test(test_a_metric_that_fails_is_unconfirmed_until_all_before_it_was_seen_again),
		cmocka_unit_test(test_a_metric_that_hangs_keeps_no_news_of_prometheus_back),
		cmocka_unit_test(test_what_changes_elsewhere_is_no_news),
		cmocka_unit_test(test_what_prometheus_cannot_cause_is_believed_at_once),
		cmocka_unit_test(test_many_autoscalers_share_the_questions_of_one),
		cmocka_unit_test(test_probes_wait_until_the_pods_are_known),
		cmocka_unit_test(test_what_becomes_of_the_right_to_pods_is_seen_soon),
		cmocka_unit_test(test_a_pod_that_changes_is_seen_soon),
		cmocka_unit_test(test_a_rollout_of_many_pods_is_probed_at_a_pace),
		cmocka_unit_test(test_many_that_are_due_leave_turns_to_others),
		cmocka_unit_test(test_one_that_is_due_twice_is_probed_once),
		cmocka_unit_test(test_many_pages_are_not_fetched_all_at_once),
		cmocka_unit_test(test_a_request_that_changes_is_probed_at_once),
		cmocka_unit_test(test_a_chain_that_became_whole_is_looked_at_soon),
		cmocka_unit_test(test_nothing_is_probed_again_before_a_pass_has_read_it),
		cmocka_unit_test(test_a_wake_is_not_answered_with_what_was_known),
		cmocka_unit_test(test_a_page_that_was_good_is_asked_twice_before_it_is_called_bad),
		cmocka_unit_test(test_what_is_forgotten_is_not_reported),
		cmocka_unit_test(test_pods_cost_by_their_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
