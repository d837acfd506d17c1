/* Passing on what is not ours to whom we took the metrics API over from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "serving/forward.h"
#include "serving_rig.h"

#define GROUP "/apis/custom.metrics.k8s.io/"
#define OTHERS "namespaces/shop/pods/%2A/http_requests?labelSelector=app%3Dshop"
#define NEW_ITEM                                                                                                       \
	"{\"describedObject\":{\"kind\":\"Pod\",\"namespace\":\"shop\",\"name\":\"shop-1\",\"apiVersion\":\"/v1\"},"   \
	"\"metric\":{\"name\":\"http_requests\",\"selector\":null},\"timestamp\":\"2026-11-28T00:00:00Z\","            \
	"\"windowSeconds\":30,\"value\":\"1500m\"}"
#define OLD_ITEM                                                                                                       \
	"{\"describedObject\":{\"kind\":\"Pod\",\"namespace\":\"shop\",\"name\":\"shop-1\",\"apiVersion\":\"/v1\"},"   \
	"\"metricName\":\"http_requests\",\"timestamp\":\"2026-11-28T00:00:00Z\",\"window\":30,\"value\":\"1500m\","   \
	"\"selector\":null}"
#define LIST(version, items)                                                                                           \
	"{\"kind\":\"MetricValueList\",\"apiVersion\":\"custom.metrics.k8s.io/" version                                \
	"\",\"metadata\":{},\"items\":[" items "]}"

struct bench {
	struct serving_rig rig;
	struct fake_answer answer; /* of the former owner */
	char *line;                /* the last request to it, and its head */
	char *head;
	size_t asked;
};

static struct fake_answer on_request(void *ctx, const struct fake_request *request)
{
	struct bench *bench = ctx;

	free_indirect(&bench->line);
	free_indirect(&bench->head);
	bench->line = xstrdup(request->line);
	bench->head = xstrdup(request->head);
	bench->asked++;
	return bench->answer;
}

static void open_bench(struct bench *bench, const char *version, const char *body)
{
	*bench = (struct bench){
		.answer = {.status = 200, .headers = "Content-Type: application/json\r\n", .body = body}};
	serving_open(&bench->rig, on_request, bench);
	bench->rig.former = version;
}

static void close_bench(struct bench *bench)
{
	serving_close(&bench->rig);
	free_indirect(&bench->line);
	free_indirect(&bench->head);
}

static void assert_answer(struct bench *bench, const char *target, int status, const char *body)
{
	struct serving_asked asked;

	serving_ask(&bench->rig, &asked, target);
	serving_await(&bench->rig, &asked);
	assert_int_equal(asked.status, status);
	if (body != NULL) {
		auto_json *got = json_parse(asked.body, strlen(asked.body), NULL);
		auto_json *wanted = json_parse(body, strlen(body), NULL);

		if (wanted == NULL || !json_equal(got, wanted)) {
			fail_msg("%s", asked.body);
		}
	}
	free_indirect(&asked.body);
}

static void what_is_not_ours_is_passed_on(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench, "v1beta1", LIST("v1beta1", OLD_ITEM));
	assert_answer(&bench, GROUP "v1beta1/" OTHERS, 200, LIST("v1beta1", OLD_ITEM));
	assert_string_equal(bench.line, "GET " GROUP "v1beta1/" OTHERS);
	assert_non_null(strstr(bench.head, "Authorization: Bearer ours"));
	/* No kind of resource of which we serve nothing. */
	assert_answer(&bench, GROUP "v1beta1/namespaces/shop/services/web/hits", 200, NULL);
	assert_answer(&bench, GROUP "v1beta1/nodes/n/load", 200, NULL);
	assert_answer(&bench, GROUP "v1beta1/namespaces/shop/metrics/hits?x=%20y", 200, NULL);
	assert_string_equal(bench.line, "GET " GROUP "v1beta1/namespaces/shop/metrics/hits?x=%20y");
	close_bench(&bench);
}

static void a_version_that_it_has_not_is_put_into_other_words(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench, "v1beta1", LIST("v1beta1", OLD_ITEM));
	assert_answer(&bench, GROUP "v1beta2/" OTHERS, 200, LIST("v1beta2", NEW_ITEM));
	assert_string_equal(bench.line, "GET " GROUP "v1beta1/" OTHERS);
	bench.rig.former = "v1beta2";
	bench.answer.body = LIST("v1beta2", NEW_ITEM);
	assert_answer(&bench, GROUP "v1beta1/" OTHERS, 200, LIST("v1beta1", OLD_ITEM));
	close_bench(&bench);
}

static void ours_is_not_passed_on(void **state)
{
	struct bench bench;
	auto_free char *spec = NULL;
	auto_free char *values = NULL;

	(void)state;
	open_bench(&bench, "v1beta1", "vllm:num_requests_running 3\n");
	spec = xasprintf("engine: {type: VLLM, port: %d, path: /metrics}", bench.rig.port);
	serving_add(&bench.rig, "team", "gemma", spec, "{}");
	serving_pod(&bench.rig, "team", "gemma", 0, "True");
	values = serving_values(&bench.rig, "team", "gemma", "vllm_num_requests_running");
	assert_string_equal(values, "gemma-hash-0=3");
	assert_string_equal(bench.line, "GET /metrics");
	close_bench(&bench);
}

static void source_prometheus_is_passed_on(void **state)
{
	struct bench bench;
	auto_free char *values = NULL;

	(void)state;
	open_bench(&bench, "v1beta2", LIST("v1beta2", NEW_ITEM));
	serving_add(&bench.rig, "team", "gemma", "source: Prometheus, engine: {type: VLLM}", "{}");
	serving_pod(&bench.rig, "team", "gemma", 0, "True");
	values = serving_values(&bench.rig, "team", "gemma", "vllm_num_requests_running");
	assert_string_equal(values, "shop-1=1500m");
	close_bench(&bench);
}

static void its_refusal_is_passed_on(void **state)
{
	static const char body[] = "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\",\"message\":"
				   "\"the server could not find the metric\",\"reason\":\"NotFound\",\"code\":404}";
	struct bench bench;

	(void)state;
	open_bench(&bench, "v1beta1", body);
	bench.answer.status = 404;
	assert_answer(&bench, GROUP "v1beta1/" OTHERS, 404, body);
	assert_answer(&bench, GROUP "v1beta2/" OTHERS, 404, body);
	assert_null(bench.rig.forward_failure);
	close_bench(&bench);
}

static void the_lists_are_one(void **state)
{
	struct bench bench;
	struct serving_asked asked;

	(void)state;
	open_bench(&bench, "v1beta1",
		"{\"kind\":\"APIResourceList\",\"resources\":[{\"name\":\"pods/http_requests\"},"
		"{\"name\":\"pods/vllm_num_requests_running\"}]}");
	serving_ask(&bench.rig, &asked, GROUP "v1beta2");
	serving_await(&bench.rig, &asked);
	assert_int_equal(asked.status, 200);
	assert_string_equal(bench.line, "GET " GROUP "v1beta1");
	assert_non_null(strstr(asked.body, "\"pods/http_requests\""));
	assert_non_null(strstr(asked.body, "\"custom.metrics.k8s.io/v1beta2\""));
	assert_null(strstr(strstr(asked.body, "\"pods/vllm_num_requests_running\"") + 1,
		"\"pods/vllm_num_requests_running\""));
	free_indirect(&asked.body);
	/* Whoever asks whether we are there is not to hear that the other is not. */
	bench.answer.status = 503;
	assert_answer(&bench, GROUP "v1beta2", 200, NULL);
	close_bench(&bench);
}

static void nobody_is_asked_where_nobody_was(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench, NULL, "");
	assert_answer(&bench, GROUP "v1beta1/" OTHERS, 404, NULL);
	assert_answer(&bench, GROUP "v1beta1", 200, NULL);
	assert_int_equal(bench.asked, 0);
	close_bench(&bench);
}

static void a_path_that_could_mean_another_is_not_passed_on(void **state)
{
	static const char *const targets[] = {GROUP "v1beta1/../../../api/v1/secrets",
		GROUP "v1beta1/namespaces/%2e%2e/pods/a/b", GROUP "v1beta1//pods", "/api/v1/secrets",
		GROUP "v1beta3/nodes/n/load", GROUP "v1beta1x/nodes/n/load"};
	struct bench bench;

	(void)state;
	open_bench(&bench, "v1beta1", LIST("v1beta1", OLD_ITEM));
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		struct serving_asked asked;

		serving_ask(&bench.rig, &asked, targets[i]);
		serving_await(&bench.rig, &asked);
		assert_true(asked.status == 400 || asked.status == 404);
		free_indirect(&asked.body);
	}
	assert_int_equal(bench.asked, 0);
	close_bench(&bench);
}

static void what_fails_ten_times_in_a_row_is_told(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench, "v1beta1", "no Status");
	bench.answer.status = 502;
	for (int i = 0; i < FORWARD_FAILURES_MAX; i++) {
		assert_null(bench.rig.forward_failure);
		assert_answer(&bench, GROUP "v1beta1/" OTHERS, 503, NULL);
	}
	assert_string_equal(bench.rig.forward_failure, "it answers with status 502");
	close_bench(&bench);
}

static void what_the_other_says_of_its_metric_is_no_failure(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench, "v1beta1", "{\"kind\":\"Status\",\"message\":\"Prometheus is away\",\"code\":500}");
	bench.answer.status = 500;
	for (int i = 0; i < 2 * FORWARD_FAILURES_MAX; i++) {
		assert_answer(&bench, GROUP "v1beta1/" OTHERS, 500, NULL);
	}
	assert_null(bench.rig.forward_failure);
	/* That we may not ask is no answer to who asked. */
	bench.answer.status = 403;
	for (int i = 0; i < FORWARD_FAILURES_MAX; i++) {
		assert_answer(&bench, GROUP "v1beta1/" OTHERS, 503, NULL);
	}
	assert_non_null(bench.rig.forward_failure);
	close_bench(&bench);
}

static void a_server_that_is_away_is_told(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench, "v1beta1", "");
	fake_refuse(bench.rig.kube.fake, true);
	for (int i = 0; i < FORWARD_FAILURES_MAX; i++) {
		assert_answer(&bench, GROUP "v1beta1/" OTHERS, 503, NULL);
	}
	assert_non_null(bench.rig.forward_failure);
	fake_refuse(bench.rig.kube.fake, false);
	close_bench(&bench);
}

static void an_answer_is_bounded(void **state)
{
	struct bench bench;
	auto_strbuf body = STRBUF_INIT;

	(void)state;
	open_bench(&bench, "v1beta1", NULL);
	while (body.len <= FORWARD_MAX_BYTES) {
		strbuf_addstr(&body, "0123456789012345678901234567890123456789012345678901234567890123");
	}
	bench.answer.body = body.buf;
	for (int i = 0; i < FORWARD_FAILURES_MAX; i++) {
		assert_answer(&bench, GROUP "v1beta1/" OTHERS, 503, NULL);
	}
	assert_null(bench.rig.forward_failure);
	close_bench(&bench);
}

struct few {
	struct bench *bench;
	size_t wanted;
};

static bool so_many_asked(void *ctx)
{
	const struct few *few = ctx;

	return few->bench->asked >= few->wanted;
}

static void one_namespace_does_not_take_all(void **state)
{
	enum { MANY = 2 * FORWARD_SHARE };
	struct serving_asked slow[MANY];
	struct serving_asked other;
	struct bench bench;
	struct few few = {&bench, FORWARD_SHARE};

	(void)state;
	open_bench(&bench, "v1beta1", NULL);
	bench.answer.end = FAKE_MUTE;
	for (size_t i = 0; i < MANY; i++) {
		serving_ask(&bench.rig, &slow[i], GROUP "v1beta1/" OTHERS);
	}
	assert_true(run_until(&bench.rig.kube.loop, so_many_asked, &few));
	bench.answer.end = FAKE_REPLY;
	bench.answer.body = LIST("v1beta1", OLD_ITEM);
	serving_ask(&bench.rig, &other, GROUP "v1beta1/namespaces/other/pods/%2A/http_requests");
	serving_await(&bench.rig, &other);
	assert_int_equal(other.status, 200);
	assert_int_equal(bench.asked, FORWARD_SHARE + 1);
	free_indirect(&other.body);
	/* And whoever waits at the end is answered. */
	close_bench(&bench);
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(slow[i].status, 503);
		free_indirect(&slow[i].body);
	}
}

static void failing_for_long_is_too_much(void **state)
{
	struct forward_health health = {.failures = 0};

	(void)state;
	assert_false(forward_health_failed(&health, 1000));
	assert_false(forward_health_failed(&health, 2000));
	assert_false(forward_health_failed(&health, 1000 + FORWARD_FAILING_MS - 1));
	forward_health_passed(&health);
	assert_false(forward_health_failed(&health, 20000));
	assert_false(forward_health_failed(&health, 20000 + FORWARD_FAILING_MS));
	assert_true(forward_health_failed(&health, 20001 + FORWARD_FAILING_MS));
	assert_false(forward_health_failed(&health, 20002 + FORWARD_FAILING_MS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_ours_is_passed_on),
		cmocka_unit_test(a_version_that_it_has_not_is_put_into_other_words),
		cmocka_unit_test(ours_is_not_passed_on),
		cmocka_unit_test(source_prometheus_is_passed_on),
		cmocka_unit_test(its_refusal_is_passed_on),
		cmocka_unit_test(the_lists_are_one),
		cmocka_unit_test(nobody_is_asked_where_nobody_was),
		cmocka_unit_test(a_path_that_could_mean_another_is_not_passed_on),
		cmocka_unit_test(what_fails_ten_times_in_a_row_is_told),
		cmocka_unit_test(what_the_other_says_of_its_metric_is_no_failure),
		cmocka_unit_test(a_server_that_is_away_is_told),
		cmocka_unit_test(an_answer_is_bounded),
		cmocka_unit_test(one_namespace_does_not_take_all),
		cmocka_unit_test(failing_for_long_is_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
