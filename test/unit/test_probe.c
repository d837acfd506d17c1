/* The prober against a fake cluster: what each state of the chain leaves as evidence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <fnmatch.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "kube_rig.h"
#include "probe/probe.h"

#define KEY "team/gemma"
#define POD(name) \
	"{\"metadata\":{\"name\":\"" name "\"},\"spec\":{\"containers\":[{\"image\":\"vllm:1\"}]}," \
	"\"status\":{\"phase\":\"Running\",\"podIP\":\"127.0.0.1\",\"conditions\":[{\"type\":\"Ready\"," \
	"\"status\":\"True\",\"lastTransitionTime\":\"2026-01-01T00:00:00Z\"}]}}"
#define PODS "{\"items\":[" POD("p-0") "," POD("p-1") "]}"
#define PAGE "# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running 1\nvllm:num_requests_waiting 0\n"
#define RESULT(rows) "{\"status\":\"success\",\"data\":{\"result\":[" rows "]}}"
#define SCRAPES RESULT("{\"metric\":{\"namespace\":\"team\",\"job\":\"gemma-metrics\",\"up\":\"1\"},\"value\":[100,\"2\"]}")
#define SAMPLES \
	RESULT("{\"metric\":{\"namespace\":\"team\",\"pod\":\"p-0\"},\"value\":[100,\"95\"]}," \
	       "{\"metric\":{\"namespace\":\"team\",\"pod\":\"p-1\"},\"value\":[100,\"40\"]}")
#define VALUES "{\"items\":[{\"describedObject\":{\"name\":\"p-0\"},\"value\":\"4\"}]}"
#define ASK(metric) "GET /apis/custom.metrics.k8s.io/v1beta1/namespaces/team/pods/[*]/" metric "[?]labelSelector=app%3Dx"

/* What the fake says to requests that match; the first one that does counts. */
struct saying {
	const char *pattern;
	struct fake_answer answer;
	int asked;
};

/* The healthy cluster; a test puts its own sayings before these. */
static const struct saying healthy[] = {
	{"GET /api/v1/namespaces/*/pods[?]labelSelector=app%3Dx", {.status = 200, .body = PODS}, 0},
	{"GET /metrics", {.status = 200, .body = PAGE}, 0},
	{"GET /version", {.status = 200, .body = "{\"version\":\"0.32.0\"}"}, 0},
	{"GET /api/v1/query[?]query=count_values*", {.status = 200, .body = SCRAPES}, 0},
	{"GET /api/v1/query[?]query=max*", {.status = 200, .body = SAMPLES}, 0},
	{ASK("*"), {.status = 200, .body = VALUES}, 0},
};

#define SAYINGS_MAX 16

struct scene {
	struct kube_rig rig;
	struct prober *prober;
	struct saying sayings[SAYINGS_MAX];
	size_t count;
	int seen;
	int port;
	bool closed;
	json_t *wish;
};

static struct fake_answer on_request(void *ctx, const struct fake_request *request)
{
	struct scene *scene = ctx;

	for (size_t i = 0; i < scene->count; i++) {
		if (fnmatch(scene->sayings[i].pattern, request->line, 0) == 0) {
			scene->sayings[i].asked++;
			return scene->sayings[i].answer;
		}
	}
	return (struct fake_answer){.status = 404, .body = "404 page not found"};
}

static void on_seen(void *ctx, const char *key)
{
	(void)key;
	((struct scene *)ctx)->seen++;
}

static void say(struct scene *scene, const char *pattern, struct fake_answer answer)
{
	assert_true(scene->count < SAYINGS_MAX);
	memmove(scene->sayings + 1, scene->sayings, scene->count * sizeof(scene->sayings[0]));
	scene->sayings[0] = (struct saying){pattern, answer, 0};
	scene->count++;
}

/* How often the saying of this very pattern was asked for. */
static int asked(const struct scene *scene, const char *pattern)
{
	for (size_t i = 0; i < scene->count; i++) {
		if (strcmp(scene->sayings[i].pattern, pattern) == 0) {
			return scene->sayings[i].asked;
		}
	}
	fail_msg("nothing is said to '%s'", pattern);
	return 0;
}

static void scene_open(struct scene *scene)
{
	*scene = (struct scene){.count = ARRAY_LEN(healthy)};
	memcpy(scene->sayings, healthy, sizeof(healthy));
	rig_open(&scene->rig, on_request, scene, NULL);
	scene->port = atoi(strrchr(fake_url(scene->rig.fake), ':') + 1);
	scene->prober = prober_new(scene->rig.client, scene->rig.http, on_seen, scene);
	scene->wish = json_pack("{s:s, s:s, s:s, s:[{s:i, s:s}], s:s, s:s, s:s, s:s, s:i, s:[{s:s, s:s, s:b, s:[s]}]}",
		"namespace", "team", "name", "gemma", "selector", "app=x", "pages", "port", scene->port, "path",
		"/metrics", "scheme", "http", "prometheus", fake_url(scene->rig.fake), "service", "gemma-metrics",
		"pool", "serviceMonitor/team/gemma/0",
		"intervalMs", 15000, "signals", "name", "Running", "metric", "vllm_num_requests_running", "page", true,
		"series", "vllm:num_requests_running");
}

static void on_closed(void *ctx)
{
	*(bool *)ctx = true;
}

static bool is_true(void *ctx)
{
	return *(bool *)ctx;
}

static void scene_close(struct scene *scene)
{
	prober_close(scene->prober, on_closed, &scene->closed);
	assert_true(run_until(&scene->rig.loop, is_true, &scene->closed));
	json_decref(scene->wish);
	assert_int_equal(rig_close(&scene->rig), 0);
}

struct count {
	const struct scene *scene;
	int seen;
};

static bool was_seen(void *ctx)
{
	const struct count *count = ctx;

	return count->scene->seen >= count->seen;
}

static void wait_seen(struct scene *scene, int seen)
{
	struct count count = {scene, seen};

	assert_true(run_until(&scene->rig.loop, was_seen, &count));
}

/* One round; its evidence. */
static const json_t *look(struct scene *scene)
{
	int before = scene->seen;

	prober_want(scene->prober, KEY, scene->wish, true);
	if (before > 0) {
		prober_kick(scene->prober, KEY);
	}
	wait_seen(scene, before + 1);
	return prober_evidence(scene->prober, KEY);
}

static void assert_found(const json_t *evidence, const char *path, const char *wanted)
{
	json_t *value = json_path(evidence, path);
	auto_free char *text = value != NULL ? json_text(value) : xstrdup("absent");

	assert_string_equal(text, wanted);
}

static void assert_says(const json_t *evidence, const char *path, const char *words)
{
	const char *text = json_path_string(evidence, path, NULL);

	if (text == NULL || strstr(text, words) == NULL) {
		fail_msg("%s is '%s', not '…%s…'", path, text != NULL ? text : "absent", words);
	}
}

static void set_pages(struct scene *scene, json_t *pages_take)
{
	json_object_set_new(scene->wish, "pages", pages_take);
}

#define RUNNING "signals.vllm_num_requests_running"

static void test_a_healthy_chain_is_seen_to_its_end(void **state)
{
	struct scene scene;
	const json_t *e;

	(void)state;
	scene_open(&scene);
	e = look(&scene);
	assert_true(json_equal(json_object_get(e, "asked"), scene.wish));
	assert_found(e, "pods.total", "2");
	assert_found(e, "pods.ready", "2");
	assert_found(e, "page.engine", "\"VLLM\"");
	assert_found(e, "page.version", "\"0.32.0\"");
	assert_found(e, "page.pod", "\"p-0\"");
	assert_found(e, "page.path", "\"/metrics\"");
	assert_int_equal(json_path_int(e, "page.port", 0), scene.port);
	assert_found(e, "page.series", "[\"vllm:num_requests_running\"]");
	assert_found(e, "prometheus.up", "2");
	assert_found(e, "prometheus.down", "0");
	assert_found(e, RUNNING ".series.pods", "1");
	assert_found(e, RUNNING ".series.missing", "[\"p-1\"]");
	assert_found(e, RUNNING ".metric.pods", "1");
	assert_found(e, RUNNING ".metric.http", "200");
	assert_found(e, RUNNING ".metric.missing", "[\"p-1\"]");
	assert_found(e, RUNNING ".metric.values", "{\"p-0\":4000}");
	scene_close(&scene);
}

static void test_a_round_ends_where_nothing_shows(void **state)
{
	struct scene scene;
	const json_t *e;

	(void)state;
	scene_open(&scene);
	say(&scene, "GET /api/v1/namespaces/team/pods*", (struct fake_answer){.status = 200, .body = "{\"items\":[]}"});
	e = look(&scene);
	assert_found(e, "pods.total", "0");
	assert_found(e, "page", "absent");
	say(&scene, "GET /api/v1/namespaces/team/pods*",
		(struct fake_answer){.status = 403, .body = "{\"reason\":\"Forbidden\",\"message\":\"pods is forbidden\"}"});
	e = look(&scene);
	assert_says(e, "pods.error", "cannot list the target's pods: ");
	assert_says(e, "pods.error", "pods is forbidden");
	assert_found(e, "page", "absent");
	assert_int_equal(asked(&scene, "GET /metrics"), 0);
	scene_close(&scene);
}

static void test_pages_that_cannot_be_read(void **state)
{
	static char large[5 * 1024 * 1024];
	static const struct {
		struct fake_answer answer;
		const char *words;
	} cases[] = {
		{{.status = 404, .body = "no"}, "answers HTTP 404 at 'http://127.0.0.1:"},
		{{.status = 302, .headers = "Location: /other\r\n"}, "answers HTTP 302 at '"},
		{{.status = 302, .headers = "Location: /other\r\n"}, "a redirect, which is not followed"},
		{{.status = 200, .body = large}, "is larger than 4194304 bytes"},
		{{.end = FAKE_MUTE}, "no answer from '"},
	};

	(void)state;
	memset(large, '#', sizeof(large) - 1);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scene scene;
		const json_t *e;

		scene_open(&scene);
		say(&scene, "GET /metrics", cases[i].answer);
		e = look(&scene);
		assert_says(e, "page.error", cases[i].words);
		assert_says(e, "page.error", "pod 'p-0' ");
		assert_says(e, "page.error", ": set spec.engine.port and path to its metrics page");
		assert_found(e, "prometheus", "absent");
		assert_found(e, "signals", "{}");
		scene_close(&scene);
	}
}

static void test_the_first_page_of_a_known_engine_is_taken(void **state)
{
	struct scene scene;
	const json_t *e;

	(void)state;
	scene_open(&scene);
	say(&scene, "GET /json", (struct fake_answer){.status = 200, .body = "{\"requests\": 1}"});
	set_pages(&scene, json_pack("[{s:i, s:s}, {s:i, s:s}, {s:i, s:s}, {s:i, s:s}]", "port", 1, "path", "/metrics",
				  "port", scene.port, "path", "/json", "port", scene.port, "path", "/metrics", "port",
				  scene.port, "path", "/never"));
	say(&scene, "GET /never", (struct fake_answer){.status = 200, .body = PAGE});
	e = look(&scene);
	assert_found(e, "page.engine", "\"VLLM\"");
	assert_found(e, "page.path", "\"/metrics\"");
	assert_int_equal(asked(&scene, "GET /never"), 0);
	scene_close(&scene);
}

static void test_a_page_of_no_known_engine_is_better_than_none(void **state)
{
	struct scene scene;
	const json_t *e;

	(void)state;
	scene_open(&scene);
	say(&scene, "GET /a", (struct fake_answer){.status = 200, .body = "own_metric 1\n"});
	say(&scene, "GET /b", (struct fake_answer){.status = 200, .body = "own_metric 2\n"});
	set_pages(&scene, json_pack("[{s:i, s:s}, {s:i, s:s}, {s:i, s:s}]", "port", scene.port, "path", "/none", "port",
				  scene.port, "path", "/a", "port", scene.port, "path", "/b"));
	e = look(&scene);
	assert_found(e, "page.error", "absent");
	assert_found(e, "page.engine", "absent");
	assert_found(e, "page.path", "\"/a\"");
	assert_found(e, "page.series", "[]");
	assert_found(e, "signals", "{}");
	scene_close(&scene);
}

static void test_of_a_known_engine_any_page_is_taken(void **state)
{
	struct scene scene;
	const json_t *e;

	(void)state;
	scene_open(&scene);
	json_object_set_new(scene.wish, "engine", json_string("VLLM"));
	say(&scene, "GET /a", (struct fake_answer){.status = 200, .body = "own_metric 1\n"});
	set_pages(&scene, json_pack("[{s:i, s:s}, {s:i, s:s}]", "port", scene.port, "path", "/a", "port", scene.port,
				  "path", "/metrics"));
	e = look(&scene);
	assert_found(e, "page.path", "\"/a\"");
	assert_found(e, "page.engine", "absent");
	assert_int_equal(asked(&scene, "GET /metrics"), 0);
	scene_close(&scene);
}

static void test_where_no_page_is_the_tries_are_told(void **state)
{
	struct scene scene;
	const json_t *e;
	json_t *pages = json_array();

	(void)state;
	scene_open(&scene);
	for (int i = 0; i < 5; i++) {
		json_array_append_new(pages, json_pack("{s:i, s:s}", "port", i == 0 ? 1 : scene.port, "path", "/none"));
	}
	set_pages(&scene, pages);
	e = look(&scene);
	assert_says(e, "page.error", "pod 'p-0' does not serve 'http://127.0.0.1:1/none': cannot reach ");
	assert_says(e, "page.error", "Connection refused; pod 'p-0' answers HTTP 404 at '");
	assert_says(e, "page.error", "; and 2 more: set spec.engine.port");
	scene_close(&scene);
}

static void test_the_version_is_asked_once(void **state)
{
	struct scene scene;
	const json_t *e;

	(void)state;
	scene_open(&scene);
	look(&scene);
	e = look(&scene);
	assert_int_equal(asked(&scene, "GET /metrics"), 2);
	assert_int_equal(asked(&scene, "GET /version"), 1);
	assert_found(e, "page.version", "\"0.32.0\"");
	/* Another image is another version. */
	say(&scene, "GET /api/v1/namespaces/team/pods*",
		(struct fake_answer){.status = 200,
			.body = "{\"items\":[{\"metadata\":{\"name\":\"n\"},\"spec\":{\"containers\":[{\"image\":\"vllm:2\"}]},"
				"\"status\":{\"podIP\":\"127.0.0.1\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}]}"});
	say(&scene, "GET /version", (struct fake_answer){.status = 404, .body = "none"});
	e = look(&scene);
	assert_found(e, "page.version", "absent");
	/* And one that tells none is not asked for it again and again. */
	look(&scene);
	assert_int_equal(asked(&scene, "GET /version"), 1);
	scene_close(&scene);
}

static void test_a_failing_scrape_tells_why(void **state)
{
	struct scene scene;
	const json_t *e;

	(void)state;
	scene_open(&scene);
	say(&scene, "GET /api/v1/query[?]query=count_values*",
		(struct fake_answer){.status = 200,
			.body = RESULT("{\"metric\":{\"namespace\":\"team\",\"job\":\"gemma-metrics\",\"up\":\"0\"},"
				       "\"value\":[100,\"2\"]}")});
	say(&scene, "GET /api/v1/targets[?]state=active&scrapePool=serviceMonitor%2Fteam%2Fgemma%2F0",
		(struct fake_answer){.status = 200,
			.body = "{\"status\":\"success\",\"data\":{\"activeTargets\":[{\"health\":\"down\","
				"\"lastError\":\"context deadline exceeded\"}]}}"});
	e = look(&scene);
	assert_found(e, "prometheus.up", "0");
	assert_found(e, "prometheus.down", "2");
	assert_found(e, "prometheus.lastError", "\"context deadline exceeded\"");
	scene_close(&scene);
}

static void test_a_prometheus_that_fails_is_told(void **state)
{
	struct scene scene;
	const json_t *e;

	(void)state;
	scene_open(&scene);
	say(&scene, "GET /api/v1/query*", (struct fake_answer){.status = 200, .body = "<html>"});
	e = look(&scene);
	assert_says(e, "prometheus.error", "is not a Prometheus");
	assert_found(e, "signals", "{}");
	json_object_set_new(scene.wish, "prometheus", json_string("http://127.0.0.1:1"));
	e = look(&scene);
	assert_says(e, "prometheus.error", "Prometheus at 'http://127.0.0.1:1' cannot be asked: ");
	json_object_del(scene.wish, "prometheus");
	e = look(&scene);
	assert_found(e, "page.engine", "\"VLLM\"");
	assert_found(e, "prometheus", "absent");
	scene_close(&scene);
}

static void test_a_metric_is_asked_only_for_when_its_series_is_there(void **state)
{
	struct scene scene;
	const json_t *e;

	(void)state;
	scene_open(&scene);
	say(&scene, "GET /api/v1/query[?]query=max*", (struct fake_answer){.status = 200, .body = RESULT("")});
	e = look(&scene);
	assert_found(e, RUNNING ".series.pods", "0");
	assert_found(e, RUNNING ".series.missing", "[\"p-0\",\"p-1\"]");
	assert_found(e, RUNNING ".metric", "absent");
	assert_int_equal(asked(&scene, ASK("*")), 0);
	scene_close(&scene);
}

#define NOT_FOUND "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"message\":\"the server could not find the metric\"}"

static void test_refusals_of_the_metrics_api_are_told_apart(void **state)
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
		{{.status = 404, .body = NOT_FOUND}, {.status = 200, .body = "{\"resources\":[{\"name\":\"pods/other\"}]}"},
			"\"NotListed\"", "404", "does not know 'vllm_num_requests_running'"},
		{{.status = 404, .body = NOT_FOUND},
			{.status = 200, .body = "{\"resources\":[{\"name\":\"pods/vllm_num_requests_running\"}]}"},
			"\"NoValue\"", "404", "knows 'vllm_num_requests_running' but has no value"},
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
		{{.status = 200, .body = "<html>"}, {.status = 0}, "\"Failed\"", "0", "not JSON"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scene scene;
		const json_t *e;

		scene_open(&scene);
		say(&scene, ASK("*"), cases[i].answer);
		say(&scene, "GET /apis/custom.metrics.k8s.io/v1beta1", cases[i].discovery);
		e = look(&scene);
		assert_found(e, RUNNING ".metric.cause", cases[i].cause);
		assert_found(e, RUNNING ".metric.http", cases[i].http);
		assert_says(e, RUNNING ".metric.error", cases[i].words);
		assert_int_equal(asked(&scene, "GET /apis/custom.metrics.k8s.io/v1beta1"), cases[i].discovery.status != 0);
		scene_close(&scene);
	}
}

static void add_gpu(struct scene *scene)
{
	json_array_append_new(json_object_get(scene->wish, "signals"),
		json_pack("{s:s, s:s, s:b, s:[s]}", "name", "Utilization", "metric", "gpu", "page", false, "series", "rec"));
}

static void test_signals_walk_by_themselves(void **state)
{
	struct scene scene;
	const json_t *e;

	(void)state;
	scene_open(&scene);
	add_gpu(&scene);
	say(&scene, ASK("vllm*"), (struct fake_answer){.status = 403, .body = "{\"message\":\"no\"}"});
	e = look(&scene);
	assert_found(e, RUNNING ".metric.cause", "\"Forbidden\"");
	assert_found(e, "signals.gpu.metric.pods", "1");
	scene_close(&scene);

	scene_open(&scene);
	add_gpu(&scene);
	say(&scene, "GET /api/v1/query[?]query=max*rec%29%29", (struct fake_answer){.status = 500, .body = "no"});
	e = look(&scene);
	assert_found(e, RUNNING ".metric.pods", "1");
	assert_says(e, "signals.gpu.series.error", "answered HTTP 500 to a query");
	assert_found(e, "signals.gpu.metric", "absent");
	scene_close(&scene);
}

static void test_a_gpu_signal_needs_no_page(void **state)
{
	struct scene scene;
	const json_t *e;

	(void)state;
	scene_open(&scene);
	add_gpu(&scene);
	say(&scene, "GET /metrics", (struct fake_answer){.status = 404, .body = "none"});
	e = look(&scene);
	assert_says(e, "page.error", "HTTP 404");
	assert_found(e, RUNNING, "absent");
	assert_found(e, "signals.gpu.metric.pods", "1");
	/* Mode GPU: no page at all. */
	json_object_del(scene.wish, "pages");
	e = look(&scene);
	assert_found(e, "page", "absent");
	assert_found(e, "prometheus", "absent");
	assert_found(e, "signals.gpu.series.pods", "1");
	scene_close(&scene);
}

static void test_many_autoscalers_share_the_questions_of_one(void **state)
{
	static const int crowds[] = {1, 100, 1000};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(crowds); i++) {
		struct scene scene;
		int64_t start = clock_monotonic_ms();
		int most;

		scene_open(&scene);
		for (int n = 0; n < crowds[i]; n++) {
			auto_free char *ns = xasprintf("team-%d", n);

			json_object_set_new(scene.wish, "namespace", json_string(ns));
			prober_want(scene.prober, ns, scene.wish, true);
			if (n % 50 == 49) {
				wait_seen(&scene, n + 1); /* each holds sockets meanwhile */
			}
		}
		wait_seen(&scene, crowds[i]);
		assert_int_equal(asked(&scene, "GET /metrics"), crowds[i]);
		/* A first look takes no answer older than 2 s. */
		most = 1 + (int)((clock_monotonic_ms() - start) / 2000);
		print_message("%d autoscalers: %d requests of each question\n", crowds[i],
			asked(&scene, "GET /api/v1/query[?]query=max*"));
		assert_in_range(asked(&scene, "GET /api/v1/query[?]query=count_values*"), 1, most);
		assert_in_range(asked(&scene, "GET /api/v1/query[?]query=max*"), 1, most);
		scene_close(&scene);
	}
}

static void test_what_is_forgotten_is_not_reported(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene);
	say(&scene, "GET /metrics", (struct fake_answer){.end = FAKE_MUTE});
	prober_want(scene.prober, KEY, scene.wish, true);
	prober_want(scene.prober, "team/other", scene.wish, true);
	while (asked(&scene, "GET /metrics") < 2) {
		uv_run(&scene.rig.loop, UV_RUN_ONCE);
	}
	prober_forget(scene.prober, KEY);
	assert_null(prober_evidence(scene.prober, KEY));
	scene_close(&scene); /* with a round under way, and without waiting for its answer */
	assert_int_equal(scene.seen, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_healthy_chain_is_seen_to_its_end),
		cmocka_unit_test(test_a_round_ends_where_nothing_shows),
		cmocka_unit_test(test_pages_that_cannot_be_read),
		cmocka_unit_test(test_the_first_page_of_a_known_engine_is_taken),
		cmocka_unit_test(test_a_page_of_no_known_engine_is_better_than_none),
		cmocka_unit_test(test_of_a_known_engine_any_page_is_taken),
		cmocka_unit_test(test_where_no_page_is_the_tries_are_told),
		cmocka_unit_test(test_the_version_is_asked_once),
		cmocka_unit_test(test_a_failing_scrape_tells_why),
		cmocka_unit_test(test_a_prometheus_that_fails_is_told),
		cmocka_unit_test(test_a_metric_is_asked_only_for_when_its_series_is_there),
		cmocka_unit_test(test_refusals_of_the_metrics_api_are_told_apart),
		cmocka_unit_test(test_signals_walk_by_themselves),
		cmocka_unit_test(test_a_gpu_signal_needs_no_page),
		cmocka_unit_test(test_many_autoscalers_share_the_questions_of_one),
		cmocka_unit_test(test_what_is_forgotten_is_not_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
