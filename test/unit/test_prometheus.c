/* Questions to Prometheus are shared, kept, and their failures put into words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "kube_rig.h"
#include "probe/prometheus.h"

#define REFRESH_MS 40
#define SUCCESS "{\"status\":\"success\",\"data\":{\"n\":7}}"

/* A fake Prometheus, its asker, and what those who asked were told. */
struct scene {
	struct kube_rig rig;
	struct access *access;
	struct prometheus *prometheus;
	struct fake_answer answer;
	int reported;
	char *error; /* the last one */
	const char *cause;
	const char *wanted; /* in the head of a request */
	json_t *index;
	int indexed; /* answers parsed into an index */
	int broken;  /* requests for /broken */
	int turned;  /* times that there was news */
	bool closed;
};

static struct scene *scene_now; /* an index function has no context */

static struct fake_answer on_request(void *ctx, const struct fake_request *request)
{
	struct scene *scene = ctx;

	scene->broken += strcmp(request->line, "GET /broken") == 0;
	return scene->answer;
}

static json_t *index_n(const json_t *answer)
{
	scene_now->indexed++;
	return json_incref(json_path(answer, "data.n"));
}

static void on_answer(void *ctx, const struct prometheus_answer *answer)
{
	struct scene *scene = ctx;

	scene->reported++;
	assert_true((answer->error == NULL) == (answer->index != NULL));
	free_indirect(&scene->error);
	json_decref(scene->index);
	scene->error = xstrdup(answer->error);
	scene->cause = answer->cause;
	scene->index = json_incref((json_t *)answer->index);
}

static void on_turned(void *ctx, const struct prometheus_news *news)
{
	struct scene *scene = ctx;

	scene->turned++;
	assert_true((news->now == NULL) == (scene->answer.status != 200));
	assert_false(json_equal(news->before, news->now));
}

static void scene_open_with(struct scene *scene, int64_t refresh_ms, fake_handler_fn *handler)
{
	*scene = (struct scene){.answer = {.status = 200, .body = SUCCESS}};
	scene_now = scene;
	rig_open(&scene->rig, handler, scene, NULL);
	scene->access = access_new(&(struct access_options){.url = NULL}, NULL);
	scene->prometheus =
		prometheus_new(&scene->rig.loop, scene->rig.http, scene->access, refresh_ms, on_turned, scene);
}

static void scene_open(struct scene *scene)
{
	scene_open_with(scene, REFRESH_MS, on_request);
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
	prometheus_close(scene->prometheus, on_closed, &scene->closed);
	assert_true(run_until(&scene->rig.loop, is_true, &scene->closed));
	free_indirect(&scene->error);
	json_decref(scene->index);
	access_free(scene->access);
	assert_int_equal(rig_close(&scene->rig), 0);
}

static void ask(struct scene *scene, const char *target, bool healthy)
{
	const struct prometheus_question question = {.base = fake_url(scene->rig.fake),
		.target = target,
		.index = index_n,
		.steady = true};

	prometheus_ask(scene->prometheus, &question, healthy, on_answer, scene);
}

struct count {
	const struct scene *scene;
	int reported;
};

static bool were_reported(void *ctx)
{
	const struct count *count = ctx;

	return count->scene->reported >= count->reported;
}

static void wait_reported(struct scene *scene, int reported)
{
	struct count count = {scene, reported};

	assert_true(run_until(&scene->rig.loop, were_reported, &count));
	assert_int_equal(scene->reported, reported);
}

static void test_a_question_under_way_is_joined(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene);
	ask(&scene, "/api/v1/query?query=a", true);
	ask(&scene, "/api/v1/query?query=a", false);
	ask(&scene, "/api/v1/query?query=b", true);
	assert_int_equal(scene.reported, 0);
	wait_reported(&scene, 3);
	assert_int_equal(fake_requests(scene.rig.fake), 2);
	assert_int_equal(scene.indexed, 2);
	assert_int_equal(json_integer_value(scene.index), 7);
	scene_close(&scene);
}

static void test_a_young_answer_serves_those_who_ask_later(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene);
	ask(&scene, "/q", false);
	wait_reported(&scene, 1);
	ask(&scene, "/q", false);
	assert_int_equal(scene.reported, 1); /* never from inside the call */
	wait_reported(&scene, 2);
	assert_int_equal(fake_requests(scene.rig.fake), 1);
	scene_close(&scene);
}

/* For how many requests' time a healthy crowd keeps asking. */
#define REQUESTS 6

struct crowd {
	struct scene scene;
	size_t askers;
	uv_timer_t tick;
	bool stopped;
};

static void on_tick(uv_timer_t *timer)
{
	struct crowd *crowd = timer->data;

	for (size_t i = 0; i < crowd->askers; i++) {
		ask(&crowd->scene, "/q", true);
	}
}

static bool was_asked_enough(void *ctx)
{
	const struct crowd *crowd = ctx;

	return fake_requests(crowd->scene.rig.fake) >= REQUESTS;
}

static void on_tick_closed(uv_handle_t *handle)
{
	((struct crowd *)handle->data)->stopped = true;
}

static bool has_stopped(void *ctx)
{
	return ((const struct crowd *)ctx)->stopped;
}

/* How long it takes until Prometheus got REQUESTS of a crowd that asks all the time. */
static int64_t crowd_ms(size_t askers)
{
	struct crowd crowd = {.askers = askers};
	int64_t start;
	int64_t spent;

	scene_open(&crowd.scene);
	uv_timer_init(&crowd.scene.rig.loop, &crowd.tick);
	crowd.tick.data = &crowd;
	start = clock_monotonic_ms();
	uv_timer_start(&crowd.tick, on_tick, 0, REFRESH_MS / 4);
	assert_true(run_until(&crowd.scene.rig.loop, was_asked_enough, &crowd));
	spent = clock_monotonic_ms() - start;
	uv_close((uv_handle_t *)&crowd.tick, on_tick_closed);
	assert_true(run_until(&crowd.scene.rig.loop, has_stopped, &crowd));
	assert_true(crowd.scene.reported >= (int)askers);
	scene_close(&crowd.scene);
	return spent;
}

static void test_a_thousand_healthy_ones_cost_as_much_as_one(void **state)
{
	static const size_t crowds[] = {1, 100, 1000};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(crowds); i++) {
		int64_t spent = crowd_ms(crowds[i]);

		print_message("%zu askers: %d requests in %lld ms\n", crowds[i], REQUESTS, (long long)spent);
		/* One at the start, then at most one a period; a period's length is rounded to ms. */
		assert_true(spent >= (REQUESTS - 2) * (REFRESH_MS - 2));
	}
}

static bool was_asked_five_times(void *ctx)
{
	return fake_requests(((const struct scene *)ctx)->rig.fake) >= 5;
}

static void test_what_only_broken_ones_asked_is_not_kept(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene);
	ask(&scene, "/broken", false);
	wait_reported(&scene, 1);
	ask(&scene, "/healthy", true);
	wait_reported(&scene, 2);
	/* The healthy one's is asked again and again, by itself. */
	assert_true(run_until(&scene.rig.loop, was_asked_five_times, &scene));
	assert_int_equal(scene.broken, 1);
	scene_close(&scene);
}

static void test_what_nobody_asks_any_more_is_forgotten(void **state)
{
	struct scene scene;
	size_t before;
	int64_t start;

	(void)state;
	scene_open(&scene);
	ask(&scene, "/q", true);
	wait_reported(&scene, 1);
	start = clock_monotonic_ms();
	while (clock_monotonic_ms() - start < 2 * PROMETHEUS_KEPT_REFRESHES * REFRESH_MS) {
		uv_run(&scene.rig.loop, UV_RUN_ONCE);
	}
	before = fake_requests(scene.rig.fake);
	assert_true(before >= 2 && before <= PROMETHEUS_KEPT_REFRESHES + 2);
	ask(&scene, "/q", true);
	wait_reported(&scene, 2);
	assert_int_equal(fake_requests(scene.rig.fake), before + 1);
	scene_close(&scene);
}

/* What is said of the answer, and its cause (NULL = none). "$" in the message is the base URL. */
static void assert_failure(struct fake_answer answer, const char *cause, const char *message)
{
	struct scene scene;
	const char *gap = strchr(message, '$');
	auto_free char *whole = NULL;

	scene_open(&scene);
	scene.answer = answer;
	ask(&scene, "/q", false);
	wait_reported(&scene, 1);
	whole = xasprintf("%.*s%s%s", (int)(gap - message), message, fake_url(scene.rig.fake), gap + 1);
	assert_non_null(scene.error);
	assert_string_equal(scene.error, whole);
	assert_string_equal(scene.cause != NULL ? scene.cause : "none", cause != NULL ? cause : "none");
	scene_close(&scene);
}

static void test_failures_are_reported_in_words(void **state)
{
	(void)state;
	assert_failure((struct fake_answer){.status = 503, .body = "busy"}, NULL,
		"Prometheus at '$' answered HTTP 503 to a query");
	assert_failure((struct fake_answer){.status = 422,
			       .body = "{\"status\":\"error\",\"error\":\"too many samples\"}"},
		NULL, "Prometheus at '$' answered HTTP 422 to a query: too many samples");
	assert_failure((struct fake_answer){.status = 200, .body = "{}"}, "NotPrometheus",
		"what answers at '$' is not a Prometheus: its answer has no status 'success'");
}

static void test_the_remedy_stands_behind_many_words(void **state)
{
	auto_free char *much = xcalloc(1, 3001);
	auto_free char *headers = NULL;
	auto_free char *message = NULL;

	(void)state;
	memset(much, 'x', 3000);
	headers = xasprintf("Location: https://sso.example/%s\r\n", much);
	message = xasprintf(
		"what answers at '$' is not Prometheus: it redirects to 'https://sso.example/%.*s…' (HTTP 302), which is not "
		"followed; is it a login page? give --prometheus-url (chart: prometheus.url) an address that takes a token, "
		"and --prometheus-token-file",
		TEXT_QUOTE_MAX - (int)strlen("https://sso.example/") - (int)strlen("…"), much);
	assert_failure((struct fake_answer){.status = 302, .headers = headers}, "NotPrometheus", message);
}

static void test_what_is_no_prometheus_is_reported(void **state)
{
	(void)state;
	assert_failure((struct fake_answer){.status = 302,
			       .headers = "Location: https://sso.example/login?state=x\r\n"},
		"NotPrometheus",
		"what answers at '$' is not Prometheus: it redirects to 'https://sso.example/login' (HTTP 302), which is not "
		"followed; is it a login page? give --prometheus-url (chart: prometheus.url) an address that takes a token, and "
		"--prometheus-token-file");
	assert_failure((struct fake_answer){.status = 404, .body = "404 page not found\n"}, "NotPrometheus",
		"what answers at '$' is not Prometheus: it has no '/api/v1' there (HTTP 404); give --prometheus-url (chart: "
		"prometheus.url) with the path that Prometheus is under");
	assert_failure((struct fake_answer){.status = 200, .headers = "Content-Type: text/html\r\n", .body = "<html>"},
		"NotPrometheus",
		"what answers at '$' is not Prometheus: it sends a web page (HTTP 200); is it a login page? give "
		"--prometheus-url (chart: prometheus.url) the address of Prometheus itself");
}

static void test_who_is_not_known_learns_what_to_set(void **state)
{
	(void)state;
	/* The address was found, so it has to be set for a credential to go there. */
	assert_failure((struct fake_answer){.status = 401, .body = "Unauthorized\n"}, "Unauthorized",
		"Prometheus at '$' answers only to those it knows (HTTP 401: Unauthorized): give --prometheus-url (chart: "
		"prometheus.url) and --prometheus-token-file, or --prometheus-username and --prometheus-password-file (chart: "
		"prometheus.auth)");
	assert_failure((struct fake_answer){.status = 400, .body = "Client sent an HTTP request to an HTTPS server.\n"},
		"TLS", "Prometheus at '$' speaks TLS only: give --prometheus-url (chart: prometheus.url) with https");
}

/* A token that its file replaces, at an address that was set: what is sent, and where. */

static struct fake_answer on_authorized(void *ctx, const struct fake_request *request)
{
	struct scene *scene = ctx;

	if (strstr(request->head, scene->wanted) != NULL) {
		return (struct fake_answer){.status = 200, .body = SUCCESS};
	}
	return (struct fake_answer){.status = 401};
}

static void scene_guard(struct scene *scene, const char *url, const char *token)
{
	static const char *const headers[] = {"X-Scope-OrgID: tenant"};

	prometheus_close(scene->prometheus, on_closed, &scene->closed);
	assert_true(run_until(&scene->rig.loop, is_true, &scene->closed));
	scene->closed = false;
	access_free(scene->access);
	scene->access = access_new(&(struct access_options){.url = url,
					   .token_file = token,
					   .headers = headers,
					   .headers_count = 1},
		NULL);
	assert_non_null(scene->access);
	scene->prometheus =
		prometheus_new(&scene->rig.loop, scene->rig.http, scene->access, REFRESH_MS, on_turned, scene);
}

static void test_a_token_that_was_replaced_is_no_failure(void **state)
{
	struct scene scene;
	auto_free char *file = NULL;
	auto_free char *again = NULL;
	auto_free char *url = NULL;

	(void)state;
	scene_open_with(&scene, REFRESH_MS, on_authorized);
	url = xasprintf("%s/", fake_url(scene.rig.fake));
	file = rig_file(scene.rig.dir, "token", "first\n");
	scene_guard(&scene, url, file);
	scene.wanted = "Authorization: Bearer first\r\n";
	ask(&scene, "/a", false);
	wait_reported(&scene, 1);
	assert_null(scene.error);
	assert_non_null(strstr(fake_last_head(scene.rig.fake), "X-Scope-OrgID: tenant\r\n"));

	again = rig_file(scene.rig.dir, "token", "second\n");
	scene.wanted = "Authorization: Bearer second\r\n";
	ask(&scene, "/b", false);
	wait_reported(&scene, 2);
	assert_null(scene.error);
	assert_int_equal(fake_requests(scene.rig.fake), 3);

	/* One that is the same as before is not tried again. */
	scene.wanted = "Authorization: Bearer third\r\n";
	ask(&scene, "/c", false);
	wait_reported(&scene, 3);
	assert_int_equal(fake_requests(scene.rig.fake), 4);
	assert_string_equal(scene.cause, "Unauthorized");
	assert_non_null(strstr(scene.error, "refuses the token of --prometheus-token-file"));
	assert_non_null(strstr(scene.error, file));
	assert_null(strstr(scene.error, "second"));
	scene_close(&scene);
}

static void test_a_token_goes_to_no_other_address(void **state)
{
	struct scene scene;
	auto_free char *file = NULL;

	(void)state;
	scene_open(&scene);
	file = rig_file(scene.rig.dir, "token", "first");
	scene_guard(&scene, "https://prometheus.example", file);
	ask(&scene, "/q", false);
	wait_reported(&scene, 1);
	assert_null(scene.error);
	assert_null(strstr(fake_last_head(scene.rig.fake), "Authorization"));
	assert_null(strstr(fake_last_head(scene.rig.fake), "X-Scope-OrgID"));
	scene_close(&scene);
}

static void test_a_page_that_is_no_json_is_no_prometheus(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene);
	scene.answer = (struct fake_answer){.status = 200, .body = "<html>"};
	ask(&scene, "/q", false);
	wait_reported(&scene, 1);
	assert_non_null(strstr(scene.error, "is not a Prometheus"));
	scene_close(&scene);
}

static void test_nobody_there(void **state)
{
	struct scene scene;
	const struct prometheus_question question = {.base = "http://127.0.0.1:1", .target = "/q", .index = index_n};

	(void)state;
	scene_open(&scene);
	prometheus_ask(scene.prometheus, &question, false, on_answer, &scene);
	wait_reported(&scene, 1);
	assert_string_equal(scene.error,
		"Prometheus at 'http://127.0.0.1:1' cannot be asked: cannot reach "
		"'http://127.0.0.1:1': Connection refused; see whether its pods run, and whether a "
		"NetworkPolicy keeps the operator from them, or give another address by "
		"--prometheus-url (chart: prometheus.url)");
	scene_close(&scene);
}

static void test_those_who_wait_at_the_end_are_notified(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene);
	ask(&scene, "/cached", true);
	wait_reported(&scene, 1);
	scene.answer.end = FAKE_MUTE;
	ask(&scene, "/cached", true);
	ask(&scene, "/mute", true);
	scene_close(&scene);
	assert_int_equal(scene.reported, 3);
}

static bool has_answer(void *ctx)
{
	return ((struct scene *)ctx)->reported > 0;
}

struct news {
	const struct scene *scene;
	int turned;
};

static bool is_news(void *ctx)
{
	const struct news *news = ctx;

	return news->scene->turned >= news->turned;
}

/* Answers from now on like this, and waits until that is called news. */
static void becomes_news(struct scene *scene, struct fake_answer answer)
{
	struct news news = {scene, scene->turned + 1};

	/* The question is kept only while somebody asks it now and then. */
	scene->reported = 0;
	ask(scene, "/api/v1/query?query=up", true);
	assert_true(run_until(&scene->rig.loop, has_answer, scene));
	scene->answer = answer;
	assert_true(run_until(&scene->rig.loop, is_news, &news));
	assert_int_equal(scene->turned, news.turned);
}

static bool has_indexed_more(void *ctx)
{
	return ((struct scene *)ctx)->indexed >= 3;
}

static void test_what_turns_by_itself_is_news(void **state)
{
	struct scene scene;

	(void)state;
	/* Slower than usual: a busy machine must not forget the question between two steps. */
	scene_open_with(&scene, 10 * REFRESH_MS, on_request);
	ask(&scene, "/api/v1/query?query=up", true);
	assert_true(run_until(&scene.rig.loop, has_indexed_more, &scene));
	assert_int_equal(scene.turned, 0);
	becomes_news(&scene,
		(struct fake_answer){.status = 200, .body = "{\"status\":\"success\",\"data\":{\"n\":8}}"});
	becomes_news(&scene, (struct fake_answer){.status = 503, .body = "{}"});
	becomes_news(&scene, (struct fake_answer){.status = 200, .body = SUCCESS});
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_question_under_way_is_joined),
		cmocka_unit_test(test_a_young_answer_serves_those_who_ask_later),
		cmocka_unit_test(test_a_thousand_healthy_ones_cost_as_much_as_one),
		cmocka_unit_test(test_what_only_broken_ones_asked_is_not_kept),
		cmocka_unit_test(test_what_nobody_asks_any_more_is_forgotten),
		cmocka_unit_test(test_failures_are_reported_in_words),
		cmocka_unit_test(test_the_remedy_stands_behind_many_words),
		cmocka_unit_test(test_what_is_no_prometheus_is_reported),
		cmocka_unit_test(test_who_is_not_known_learns_what_to_set),
		cmocka_unit_test(test_a_token_that_was_replaced_is_no_failure),
		cmocka_unit_test(test_a_token_goes_to_no_other_address),
		cmocka_unit_test(test_a_page_that_is_no_json_is_no_prometheus),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_what_turns_by_itself_is_news),
		cmocka_unit_test(test_those_who_wait_at_the_end_are_notified),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
