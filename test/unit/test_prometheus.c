/* Questions to Prometheus are shared, kept, and their failures put into words. */
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
#include "base/text.h"
#include "event_loop.h"
#include "kube_rig.h"
#include "probe/prometheus.h"
#include "probe/question.h"

#define REFRESH_MS 40
#define SUCCESS "{\"status\":\"success\",\"data\":{\"n\":[\"7\"]}}"

/* A fake Prometheus, its asker, and what those who asked were told. */
struct scene {
	struct kube_rig rig;
	struct access *access;
	struct prometheus *prometheus;
	struct fake_answer answer;
	int reported;
	char *error; /* the last one */
	enum cause cause;
	const char *wanted; /* in the head of a request */
	struct table *table;
	int indexed;                      /* answers read into a table */
	int broken;                       /* requests for /broken */
	int turned;                       /* times that there was news */
	char *bodies[QUESTION_PARTS + 1]; /* of each part, and of the whole */
	int parts;                        /* asked for */
	int wholes;
	size_t requests; /* that are awaited */
	bool closed;
};

static struct scene *scene_now; /* what reads has no context */

static struct fake_answer on_request(void *ctx, const struct fake_request *request)
{
	struct scene *scene = ctx;

	scene->broken += strcmp(request->line, "GET /broken") == 0;
	return scene->answer;
}

struct row {
	const char *n;
	const char *more;
};

/* On a thread of the pool, which nobody else of this test looks at meanwhile. */
static void read_n(struct table_rows *rows, const json_t *element)
{
	struct row *row = table_row_add(rows);

	row->n = table_text(rows, json_string_value(element));
	row->more = table_text(rows, "");
	scene_now->indexed++;
}

static const struct table_type row_type = {sizeof(struct row), 2, 2, NULL};
static const struct answer_type answer_n = {"n", &row_type, read_n, true};

static void on_answer(void *ctx, const struct prometheus_answer *answer)
{
	struct scene *scene = ctx;

	scene->reported++;
	assert_true((answer->error == NULL) == (answer->table != NULL));
	free_indirect(&scene->error);
	table_unref(scene->table);
	scene->error = xstrdup(answer->error);
	scene->cause = answer->cause;
	scene->table = table_ref(answer->table);
}

static void on_turned(void *ctx, const struct prometheus_news *news)
{
	struct scene *scene = ctx;

	scene->turned++;
	assert_true((news->now == NULL) == (scene->answer.status != 200));
	assert_false(table_equal(news->before, news->now));
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
	table_unref(scene->table);
	access_free(scene->access);
	assert_int_equal(rig_close(&scene->rig), 0);
}

static void ask_as(struct scene *scene, const char *target, bool rare, bool healthy)
{
	const struct prometheus_question question = {.base = fake_url(scene->rig.fake),
		.target = target,
		.type = &answer_n,
		.rare = rare};

	prometheus_ask(scene->prometheus, &question, healthy, on_answer, scene);
}

static void ask(struct scene *scene, const char *target, bool healthy)
{
	ask_as(scene, target, false, healthy);
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

/* Of answers of many MiB, which take their time where the machine is busy and the build is slow. */
static void wait_reported_long(struct scene *scene, int reported)
{
	struct count count = {scene, reported};
	bool done = false;

	for (int i = 0; i < 6 && !done; i++) {
		done = run_until(&scene->rig.loop, were_reported, &count);
	}
	assert_true(done);
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
	assert_string_equal(((const struct row *)scene.table->rows)->n, "7");
	scene_close(&scene);
}

struct queue {
	struct prometheus *prometheus;
	const struct prometheus_question *question;
	int told;
	int last; /* who was told last; each asks on once */
	bool in_order;
};

struct one {
	struct queue *queue;
	int number;
	bool asks_on;
};

/* Takes its time. */
static void on_answer_of_one(void *ctx, const struct prometheus_answer *answer)
{
	struct one *one = ctx;
	int64_t end = clock_worked_ns() + 100000;

	(void)answer;
	while (clock_worked_ns() < end) {
	}
	one->queue->told++;
	one->queue->in_order = one->queue->in_order && one->number >= one->queue->last;
	one->queue->last = one->number;
	if (one->asks_on) {
		one->asks_on = false;
		one->number += 10000;
		prometheus_ask(one->queue->prometheus, one->queue->question, false, on_answer_of_one, one);
	}
}

/* Ten thousand may come to wait while a slow Prometheus makes its answer. */
static void test_those_who_wait_are_told_over_many_turns(void **state)
{
	enum { MANY = 1000 };
	static struct one ones[MANY];
	struct scene scene;
	struct prometheus_question question;
	struct queue queue = {.question = &question, .in_order = true};
	int most = 0;

	(void)state;
	scene_open_with(&scene, 60000, on_request);
	question = (struct prometheus_question){.base = fake_url(scene.rig.fake), .target = "/q", .type = &answer_n};
	queue.prometheus = scene.prometheus;
	for (int i = 0; i < MANY; i++) {
		ones[i] = (struct one){&queue, i, i % 2 == 0};
		prometheus_ask(scene.prometheus, &question, false, on_answer_of_one, &ones[i]);
	}
	while (queue.told < MANY + MANY / 2) {
		int before = queue.told;

		event_loop_turn(&scene.rig.loop);
		most = queue.told - before > most ? queue.told - before : most;
	}
	/* 5 ms each time, and one more; the timer may fire twice between two looks. */
	assert_in_range(most, 1, 160);
	assert_true(queue.in_order);
	assert_int_equal(fake_requests(scene.rig.fake), 1);
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
	bool healthy;
	size_t requests; /* that it is waited for */
	uv_timer_t tick;
	bool stopped;
};

static void on_tick(uv_timer_t *timer)
{
	struct crowd *crowd = timer->data;

	for (size_t i = 0; i < crowd->askers; i++) {
		ask(&crowd->scene, "/q", crowd->healthy);
	}
}

static bool was_asked_enough(void *ctx)
{
	const struct crowd *crowd = ctx;

	return fake_requests(crowd->scene.rig.fake) >= crowd->requests;
}

static void on_tick_closed(uv_handle_t *handle)
{
	((struct crowd *)handle->data)->stopped = true;
}

static bool has_stopped(void *ctx)
{
	return ((const struct crowd *)ctx)->stopped;
}

/* How long it takes until Prometheus got so many requests of a crowd that asks all the time. */
static int64_t crowd_ms(struct crowd *crowd, int64_t refresh_ms)
{
	int64_t start;
	int64_t spent;

	scene_open_with(&crowd->scene, refresh_ms, on_request);
	uv_timer_init(&crowd->scene.rig.loop, &crowd->tick);
	crowd->tick.data = crowd;
	start = clock_monotonic_ms();
	uv_timer_start(&crowd->tick, on_tick, 0, REFRESH_MS / 4);
	assert_true(run_until(&crowd->scene.rig.loop, was_asked_enough, crowd));
	spent = clock_monotonic_ms() - start;
	uv_close((uv_handle_t *)&crowd->tick, on_tick_closed);
	assert_true(run_until(&crowd->scene.rig.loop, has_stopped, crowd));
	assert_true(crowd->scene.reported >= (int)crowd->askers);
	scene_close(&crowd->scene);
	return spent;
}

static void test_a_thousand_healthy_ones_cost_as_much_as_one(void **state)
{
	static const size_t crowds[] = {1, 100, 1000};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(crowds); i++) {
		struct crowd crowd = {.askers = crowds[i], .healthy = true, .requests = REQUESTS};
		int64_t spent = crowd_ms(&crowd, REFRESH_MS);

		print_message("%zu askers: %d requests in %lld ms\n", crowds[i], REQUESTS, (long long)spent);
		/* One at the start, then at most one a period; a period's length is rounded to ms. */
		assert_true(spent >= (REQUESTS - 2) * (REFRESH_MS - 2));
	}
}

/* One whose chain is broken is not to wait for the refresh period to learn that it is mended. */
static void test_a_broken_one_is_given_no_answer_older_than_two_seconds(void **state)
{
	struct crowd crowd = {.askers = 10, .healthy = false, .requests = 2};
	int64_t spent = crowd_ms(&crowd, 1000000);

	(void)state;
	print_message("asked again after %lld ms\n", (long long)spent);
	assert_in_range(spent, 2000, PROMETHEUS_REFRESH_MS);
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

/* Of those there may be as many as autoscalers: each costs what its own probes ask. */
static void test_a_rare_one_is_not_asked_again_by_itself(void **state)
{
	struct scene scene;

	(void)state;
	scene_open(&scene);
	ask_as(&scene, "/broken", true, true);
	wait_reported(&scene, 1);
	ask(&scene, "/healthy", true);
	wait_reported(&scene, 2);
	assert_true(run_until(&scene.rig.loop, was_asked_five_times, &scene));
	assert_int_equal(scene.broken, 1);
	/* An answer that is young serves others all the same. */
	ask_as(&scene, "/broken", true, true);
	ask_as(&scene, "/broken", true, true);
	wait_reported(&scene, 4);
	assert_int_equal(scene.broken, 2);
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
		event_loop_turn(&scene.rig.loop);
	}
	before = fake_requests(scene.rig.fake);
	assert_true(before >= 2 && before <= PROMETHEUS_KEPT_REFRESHES + 2);
	ask(&scene, "/q", true);
	wait_reported(&scene, 2);
	assert_int_equal(fake_requests(scene.rig.fake), before + 1);
	scene_close(&scene);
}

/* What is said of the answer, and its cause. "$" in the message is the base URL. */
static void assert_failure(struct fake_answer answer, enum cause cause, const char *message)
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
	assert_int_equal(scene.cause, cause);
	scene_close(&scene);
}

static void test_failures_are_reported_in_words(void **state)
{
	(void)state;
	assert_failure((struct fake_answer){.status = 503, .body = "busy"}, CAUSE_NONE,
		"Prometheus at '$' answered HTTP 503 to a query");
	assert_failure((struct fake_answer){.status = 422,
			       .body = "{\"status\":\"error\",\"error\":\"too many samples\"}"},
		CAUSE_NONE, "Prometheus at '$' answered HTTP 422 to a query: too many samples");
	assert_failure((struct fake_answer){.status = 200, .body = "{}"}, CAUSE_NOT_PROMETHEUS,
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
	assert_failure((struct fake_answer){.status = 302, .headers = headers}, CAUSE_NOT_PROMETHEUS, message);
}

static void test_what_is_no_prometheus_is_reported(void **state)
{
	(void)state;
	assert_failure((struct fake_answer){.status = 302,
			       .headers = "Location: https://sso.example/login?state=x\r\n"},
		CAUSE_NOT_PROMETHEUS,
		"what answers at '$' is not Prometheus: it redirects to 'https://sso.example/login' (HTTP 302), which is not "
		"followed; is it a login page? give --prometheus-url (chart: prometheus.url) an address that takes a token, and "
		"--prometheus-token-file");
	assert_failure((struct fake_answer){.status = 404, .body = "404 page not found\n"}, CAUSE_NOT_PROMETHEUS,
		"what answers at '$' is not Prometheus: it has no '/api/v1' there (HTTP 404); give --prometheus-url (chart: "
		"prometheus.url) with the path that Prometheus is under");
	assert_failure((struct fake_answer){.status = 200, .headers = "Content-Type: text/html\r\n", .body = "<html>"},
		CAUSE_NOT_PROMETHEUS,
		"what answers at '$' is not Prometheus: it sends a web page (HTTP 200); is it a login page? give "
		"--prometheus-url (chart: prometheus.url) the address of Prometheus itself");
}

static void test_who_is_not_known_learns_what_to_set(void **state)
{
	(void)state;
	/* The address was found, so it has to be set for a credential to go there. */
	assert_failure((struct fake_answer){.status = 401, .body = "Unauthorized\n"}, CAUSE_UNAUTHORIZED,
		"Prometheus at '$' answers only to those it knows (HTTP 401: Unauthorized): give --prometheus-url (chart: "
		"prometheus.url) and --prometheus-token-file, or --prometheus-username and --prometheus-password-file (chart: "
		"prometheus.auth)");
	assert_failure((struct fake_answer){.status = 400, .body = "Client sent an HTTP request to an HTTPS server.\n"},
		CAUSE_TLS,
		"Prometheus at '$' speaks TLS only: give --prometheus-url (chart: prometheus.url) with https");
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
	assert_int_equal(scene.cause, CAUSE_UNAUTHORIZED);
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

static bool has_requests(void *ctx)
{
	const struct scene *scene = ctx;

	return fake_requests(scene->rig.fake) >= scene->requests;
}

static void wait_requests(struct scene *scene, size_t requests)
{
	scene->requests = requests;
	assert_true(run_until(&scene->rig.loop, has_requests, scene));
}

/* A connection that broke, an answer that took too long: what all share is tried twice before all are told. */
static void test_no_answer_at_all_is_believed_the_second_time(void **state)
{
	struct scene scene;

	(void)state;
	scene_open_with(&scene, 60000, on_request);
	scene.answer.end = FAKE_HOLD;
	ask(&scene, "/q", false);
	wait_requests(&scene, 1);
	scene.answer.end = FAKE_REPLY;
	fake_drop(scene.rig.fake);
	wait_reported(&scene, 1);
	assert_null(scene.error);

	scene.answer.end = FAKE_HOLD;
	ask(&scene, "/other", false);
	wait_requests(&scene, 3);
	fake_drop(scene.rig.fake);
	wait_requests(&scene, 4);
	fake_drop(scene.rig.fake);
	wait_reported(&scene, 2);
	assert_non_null(strstr(scene.error, "cannot be asked"));
	assert_int_equal(fake_requests(scene.rig.fake), 4);
	scene_close(&scene);
}

static void test_nobody_there(void **state)
{
	struct scene scene;
	const struct prometheus_question question = {.base = "http://127.0.0.1:1", .target = "/q", .type = &answer_n};

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
		(struct fake_answer){.status = 200, .body = "{\"status\":\"success\",\"data\":{\"n\":[\"8\"]}}"});
	becomes_news(&scene, (struct fake_answer){.status = 503, .body = "{}"});
	becomes_news(&scene, (struct fake_answer){.status = 200, .body = SUCCESS});
	scene_close(&scene);
}

/* Answers of size. */

/* What a turn of the loop may take of the processor, and in builds that are slower. */
#if defined(__SANITIZE_ADDRESS__)
#define TURN_MAX_MS 400
#else
#define TURN_MAX_MS 50
#endif
#define PODS 30000
#define ROW                                                                                                            \
	"{\"metric\":{\"namespace\":\"team-%02d\",\"part\":\"%s\",\"pod\":\"%s\"},\"value\":[1767225600.123,\"%s\"]}"

struct turns {
	uv_timer_t tick; /* in each turn */
	double last_ms;
	double longest_ms;
	bool closed;
};

/* Of this thread alone: the machine does other things too. */
static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void on_turn(uv_timer_t *timer)
{
	struct turns *turns = timer->data;
	double now_ms = cpu_ms();

	if (turns->last_ms > 0 && now_ms - turns->last_ms > turns->longest_ms) {
		turns->longest_ms = now_ms - turns->last_ms;
	}
	turns->last_ms = now_ms;
}

static void turns_begin(struct turns *turns, uv_loop_t *loop)
{
	*turns = (struct turns){.last_ms = 0};
	uv_timer_init(loop, &turns->tick);
	turns->tick.data = turns;
	uv_timer_start(&turns->tick, on_turn, 0, 1);
}

static void on_tick_ended(uv_handle_t *handle)
{
	((struct turns *)handle->data)->closed = true;
}

static void assert_short_turns(struct turns *turns, uv_loop_t *loop, const char *what)
{
	uv_close((uv_handle_t *)&turns->tick, on_tick_ended);
	assert_true(run_until(loop, is_true, &turns->closed));
	print_message("%s: the longest turn took %.1f ms of the processor\n", what, turns->longest_ms);
	if (turns->longest_ms > TURN_MAX_MS) {
		fail_msg("%s: a turn of %.1f ms, more than %d", what, turns->longest_ms, TURN_MAX_MS);
	}
}

/* As names of a Deployment's pods end, from the letters that the API server draws from; heap. */
static char *pod_name(int i)
{
	static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
	const int count = (int)sizeof(letters) - 1;

	return xasprintf("gemma-7c9d8f6b5d-%c%c%c%c%c", letters[i / count / count / count / count % count],
		letters[i / count / count / count % count], letters[i / count / count % count],
		letters[i / count % count], letters[i % count]);
}

/* The samples of those pods whose name ends with one of the letters, NULL = of all; heap. */
static char *samples_of(const char *letters, size_t *pods)
{
	struct strbuf body = STRBUF_INIT;

	*pods = 0;
	strbuf_addstr(&body, "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[");
	for (int i = 0; i < PODS; i++) {
		auto_free char *name = pod_name(i);

		if (letters != NULL && strchr(letters, name[strlen(name) - 1]) == NULL) {
			continue;
		}
		strbuf_addf(&body, "%s" ROW "," ROW, *pods > 0 ? "," : "", i % 100, "time", name, "1767225590.5",
			i % 100, "milli", name, "17");
		++*pods;
	}
	strbuf_addstr(&body, "]}}");
	return strbuf_take(&body);
}

/* So large, of many rows. */
static char *body_of_size(size_t size)
{
	struct strbuf body = STRBUF_INIT;
	auto_free char *end = xstrdup("]}}");

	strbuf_addstr(&body, "{\"status\":\"success\",\"data\":{\"result\":[");
	for (int i = 0; body.len + 200 < size; i++) {
		auto_free char *name = pod_name(i);

		strbuf_addf(&body, "%s" ROW, i > 0 ? "," : "", i % 100, "milli", name, "17");
	}
	while (body.len + strlen(end) < size) {
		strbuf_addch(&body, ' ');
	}
	strbuf_addstr(&body, end);
	return strbuf_take(&body);
}

static void test_an_answer_of_the_most_that_is_read_holds_the_loop_for_no_long(void **state)
{
	static const struct {
		size_t size;
		const char *error; /* NULL = it is read */
	} rows[] = {{PROMETHEUS_BODY_MAX, NULL},
		{PROMETHEUS_BODY_MAX + 1, "' answers with more than 4096 KiB, the most that is read: "}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *body = body_of_size(rows[i].size);
		auto_free char *what = xasprintf("%zu bytes", rows[i].size);
		struct scene scene;
		struct turns turns;
		struct prometheus_question question = {.target = "/q", .type = &answer_samples};

		assert_int_equal(strlen(body), rows[i].size);
		scene_open_with(&scene, 1000000, on_request);
		scene.answer.body = body;
		turns_begin(&turns, &scene.rig.loop);
		question.base = fake_url(scene.rig.fake);
		prometheus_ask(scene.prometheus, &question, true, on_answer, &scene);
		wait_reported(&scene, 1);
		assert_short_turns(&turns, &scene.rig.loop, what);
		if (rows[i].error == NULL) {
			assert_null(scene.error);
			assert_in_range(scene.table->count, 30000, 40000);
		} else {
			assert_non_null(strstr(scene.error, rows[i].error));
			assert_int_equal(scene.cause, CAUSE_NONE);
		}
		scene_close(&scene);
	}
}

static struct fake_answer on_crowd(void *ctx, const struct fake_request *request)
{
	struct scene *scene = ctx;

	for (unsigned part = 0; part < QUESTION_PARTS; part++) {
		auto_free char *end = xasprintf("%%5B%s%%5D%%22%%7D", question_part_letters(part));

		if (strstr(request->line, end) != NULL) {
			scene->answer.body = scene->bodies[part];
			scene->parts++;
			return scene->answer;
		}
	}
	scene->wholes++;
	scene->answer.body = scene->bodies[QUESTION_PARTS];
	return scene->answer;
}

static bool were_read_again(void *ctx)
{
	return ((struct scene *)ctx)->parts >= 2 * QUESTION_PARTS;
}

static void test_what_is_too_large_is_asked_in_parts(void **state)
{
	struct texts series = {NULL, 0};
	struct scene scene;
	struct turns turns;
	auto_free char *target = NULL;
	auto_free char *part = NULL;
	size_t total = 0;
	size_t pods;
	size_t most = 0;

	(void)state;
	texts_add(&series, "vllm:num_requests_running");
	target = question_samples(&(const struct signal_request){.metric = (char *)(uintptr_t) "another's",
					  .series = series},
		NULL, false);
	part = question_samples(&(const struct signal_request){.metric = (char *)(uintptr_t) "another's",
					.series = series},
		NULL, true);
	scene_open_with(&scene, 1000, on_crowd);
	for (unsigned i = 0; i <= QUESTION_PARTS; i++) {
		scene.bodies[i] = samples_of(i < QUESTION_PARTS ? question_part_letters(i) : NULL, &pods);
		total += i < QUESTION_PARTS ? pods : 0;
		most = i < QUESTION_PARTS && strlen(scene.bodies[i]) > most ? strlen(scene.bodies[i]) : most;
	}
	assert_int_equal(total, PODS);
	assert_true(strlen(scene.bodies[QUESTION_PARTS]) > PROMETHEUS_BODY_MAX);
	turns_begin(&turns, &scene.rig.loop);
	prometheus_ask(scene.prometheus,
		&(struct prometheus_question){.base = fake_url(scene.rig.fake),
			.target = target,
			.part = part,
			.type = &answer_samples},
		true, on_answer, &scene);
	wait_reported_long(&scene, 1);
	assert_null(scene.error);
	assert_int_equal(scene.table->count, PODS);
	for (int i = 0; i < PODS; i++) {
		auto_free char *name = pod_name(i);
		auto_free char *ns = xasprintf("team-%02d", i % 100);
		size_t count;
		const struct sample_row *row = table_find(scene.table, ns, name, &count);

		assert_int_equal(count, 1);
		assert_int_equal(row->milli, 17000);
		assert_in_range(row->age_ms, 9622, 9623);
	}
	print_message("%d pods: %zu KiB, in parts of at most %zu KiB; kept in %zu KiB\n", PODS,
		strlen(scene.bodies[QUESTION_PARTS]) / 1024, most / 1024, table_bytes(scene.table) / 1024);
	assert_in_range(table_bytes(scene.table), 1, PODS * 100);
	/* From then on it is not asked whole; what was done here is no turn. */
	turns.last_ms = 0;
	for (int i = 0; i < 6 && !were_read_again(&scene); i++) {
		run_until(&scene.rig.loop, were_read_again, &scene);
	}
	assert_true(were_read_again(&scene));
	assert_int_equal(scene.wholes, 1);
	assert_short_turns(&turns, &scene.rig.loop, "in parts");
	scene_close(&scene);
	for (unsigned i = 0; i <= QUESTION_PARTS; i++) {
		free_indirect(&scene.bodies[i]);
	}
	texts_release(&series);
}

/* One part that fails fails all. */
static void test_a_part_that_fails_is_no_answer(void **state)
{
	struct scene scene;

	(void)state;
	scene_open_with(&scene, 1000000, on_crowd);
	for (unsigned i = 0; i < QUESTION_PARTS; i++) {
		scene.bodies[i] = xstrdup(i == 3 ? "<html>" : "{\"status\":\"success\",\"data\":{\"result\":[]}}");
	}
	scene.bodies[QUESTION_PARTS] = body_of_size(PROMETHEUS_BODY_MAX + 1);
	prometheus_ask(scene.prometheus,
		&(struct prometheus_question){.base = fake_url(scene.rig.fake),
			.target = "/q",
			.part = "/q%5B" QUESTION_PART_LETTERS "%5D%22%7D",
			.type = &answer_samples},
		true, on_answer, &scene);
	wait_reported(&scene, 1);
	assert_non_null(strstr(scene.error, "is not a Prometheus"));
	assert_int_equal(scene.parts, 4);
	scene_close(&scene);
	for (unsigned i = 0; i <= QUESTION_PARTS; i++) {
		free_indirect(&scene.bodies[i]);
	}
}

static bool were_four_asked(void *ctx)
{
	return ((struct scene *)ctx)->parts >= 4;
}

static void test_the_end_may_come_between_parts(void **state)
{
	struct scene scene;

	(void)state;
	for (int turns = 0; turns < 20; turns++) {
		scene_open_with(&scene, 1000000, on_crowd);
		for (unsigned i = 0; i < QUESTION_PARTS; i++) {
			scene.bodies[i] = body_of_size(100000);
		}
		scene.bodies[QUESTION_PARTS] = body_of_size(PROMETHEUS_BODY_MAX + 1);
		prometheus_ask(scene.prometheus,
			&(struct prometheus_question){.base = fake_url(scene.rig.fake),
				.target = "/q",
				.part = "/q%5B" QUESTION_PART_LETTERS "%5D%22%7D",
				.type = &answer_samples},
			true, on_answer, &scene);
		assert_true(run_until(&scene.rig.loop, were_four_asked, &scene));
		/* In each of the moments that follow: its answer is awaited, or read. */
		for (int i = 0; i < turns; i++) {
			uv_run(&scene.rig.loop, UV_RUN_NOWAIT);
		}
		scene_close(&scene);
		assert_int_equal(scene.reported, 1);
		for (unsigned i = 0; i <= QUESTION_PARTS; i++) {
			free_indirect(&scene.bodies[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_question_under_way_is_joined),
		cmocka_unit_test(test_those_who_wait_are_told_over_many_turns),
		cmocka_unit_test(test_a_young_answer_serves_those_who_ask_later),
		cmocka_unit_test(test_a_thousand_healthy_ones_cost_as_much_as_one),
		cmocka_unit_test(test_a_broken_one_is_given_no_answer_older_than_two_seconds),
		cmocka_unit_test(test_what_only_broken_ones_asked_is_not_kept),
		cmocka_unit_test(test_a_rare_one_is_not_asked_again_by_itself),
		cmocka_unit_test(test_what_nobody_asks_any_more_is_forgotten),
		cmocka_unit_test(test_failures_are_reported_in_words),
		cmocka_unit_test(test_the_remedy_stands_behind_many_words),
		cmocka_unit_test(test_what_is_no_prometheus_is_reported),
		cmocka_unit_test(test_who_is_not_known_learns_what_to_set),
		cmocka_unit_test(test_a_token_that_was_replaced_is_no_failure),
		cmocka_unit_test(test_a_token_goes_to_no_other_address),
		cmocka_unit_test(test_a_page_that_is_no_json_is_no_prometheus),
		cmocka_unit_test(test_no_answer_at_all_is_believed_the_second_time),
		cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_what_turns_by_itself_is_news),
		cmocka_unit_test(test_those_who_wait_at_the_end_are_notified),
		cmocka_unit_test(test_an_answer_of_the_most_that_is_read_holds_the_loop_for_no_long),
		cmocka_unit_test(test_what_is_too_large_is_asked_in_parts),
		cmocka_unit_test(test_a_part_that_fails_is_no_answer),
		cmocka_unit_test(test_the_end_may_come_between_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
