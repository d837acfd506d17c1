/* Evidence and requests as JSON and back: what people see, and what golden worlds say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "evidence/evidence.h"

#define NOW 1769846400000

static const char full[] =
	"{\"target\": {\"at\": 5, \"replicas\": 2, \"current\": 1, \"selector\": \"a=b\"},"
	" \"pods\": {\"at\": 6, \"total\": 3, \"ready\": 2, \"unready\": {\"p-2\": 77}, \"foreign\": [\"x\"],"
	"  \"ports\": [{\"name\": \"http\", \"containerPort\": 8000, \"protocol\": \"TCP\"}],"
	"  \"start\": {\"pod\": \"p-0\", \"seconds\": 0}},"
	" \"page\": {\"at\": 7, \"url\": \"http://p\", \"pod\": \"p-0\", \"port\": 8000, \"path\": \"/metrics\","
	"  \"engine\": \"VLLM\", \"version\": \"1\", \"image\": \"i\", \"series\": [\"s\"],"
	"  \"latency\": {\"requests\": 9, \"overMs\": 1, \"uptoMs\": 2}, \"limits\": {\"Running\": 256},"
	"  \"values\": {\"p-0\": {\"m\": 1000, \"n\": 0}, \"p-1\": {}}, \"doubted\": true},"
	" \"prometheus\": {\"at\": 8, \"url\": \"http://q\", \"up\": 1, \"down\": 2, \"lastError\": \"e\"},"
	" \"signals\": {\"m\": {"
	"  \"series\": {\"at\": 9, \"pods\": 1, \"missing\": [\"p-1\"], \"suspects\": [\"p-2\"],"
	"   \"samples\": {\"p-0\": {\"age\": 3, \"time\": 4, \"milli\": 5, \"source\": 0, \"shared\": true}}},"
	"  \"metric\": {\"at\": 10, \"http\": 200, \"pods\": 1, \"missing\": [\"p-1\"],"
	"   \"values\": {\"p-0\": 5, \"p-1\": null}, \"doubtedAt\": 11},"
	"  \"apart\": {\"page\": {\"p-0\": {\"since\": 1, \"looks\": 2, \"samples\": 3, \"near\": [4, 5],"
	"    \"values\": [6, 7], \"series\": [8, 9], \"sampleTime\": 10, \"sampleAt\": 11}},"
	"   \"hpa\": {\"since\": 1, \"looks\": 2}},"
	"  \"scrapers\": {\"p-0\": [\"j\", \"k\"]}}},"
	" \"againMs\": 1500,"
	" \"asked\": {\"namespace\": \"ns\", \"name\": \"n\", \"target\": {\"apiVersion\": \"v\", \"kind\": \"K\", \"name\": \"t\"},"
	"  \"selector\": \"a=b\", \"pages\": [{\"port\": 8000, \"path\": \"/metrics\"}], \"scheme\": \"http\","
	"  \"engine\": \"VLLM\", \"prometheus\": \"http://q\", \"service\": \"s\", \"pool\": \"p\", \"intervalMs\": 15000,"
	"  \"trusted\": \"up\", \"signals\": [{\"name\": \"Running\", \"metric\": \"m\", \"page\": true, \"series\": [\"s\"]}]}}";

static const char shared[] =
	"{\"exporter\": {\"at\": 1, \"url\": \"u\", \"jobs\": [\"j\"], \"up\": 1, \"down\": 2, \"lastError\": \"e\","
	"  \"series\": 4, \"withPod\": 2},"
	" \"rule\": {\"at\": 2, \"loaded\": true, \"health\": \"err\", \"lastError\": \"e\", \"rivals\": [\"a-b\"]},"
	" \"asked\": {\"prometheus\": \"u\", \"intervalMs\": 1, \"dcgm\": [\"D\"], \"record\": \"r\", \"rule\": \"ns/n\","
	"  \"believed\": {\"targets\": \"t\", \"jobs\": [\"j\"], \"pool\": \"p\"},"
	"  \"own\": {\"targets\": \"x\", \"jobs\": [\"k\"], \"pool\": \"o\"}}}";

static void all_of_it_comes_back_as_it_was(void **state)
{
	auto_json *document = json_parse(full, strlen(full), NULL);
	struct evidence *evidence = evidence_decode(document, NOW);
	auto_json *again = evidence_encode(evidence);

	(void)state;
	assert_true(json_equal(document, again));
	assert_int_equal(evidence->signals.items[0].mismatches.page.items[0].mismatch.near[1], 5);
	assert_int_equal(evidence_find_signal(evidence, "m")->value.values.items[1].milli, MILLI_NONE);
	assert_null(evidence_find_signal(evidence, "other"));
	evidence_free(evidence);
}

static void what_is_shared_comes_back_as_it_was(void **state)
{
	auto_json *document = json_parse(shared, strlen(shared), NULL);
	struct shared_evidence *evidence = shared_evidence_decode(document, NOW);
	auto_json *again = shared_evidence_encode(evidence);

	(void)state;
	assert_true(json_equal(document, again));
	assert_int_equal(evidence->rule.health, RULE_HEALTH_ERR);
	shared_evidence_free(evidence);
}

static void what_was_not_seen_is_not_there(void **state)
{
	struct evidence *evidence = evidence_decode(NULL, NOW);
	auto_json *document = evidence_encode(evidence);

	(void)state;
	assert_int_equal(evidence->pods.seen_ms, 0);
	assert_int_equal(evidence->pods.ready, -1);
	assert_int_equal(evidence->page.latency.upto_ms, -1);
	assert_int_equal(json_object_size(document), 0);
	evidence_free(evidence);
}

static void a_part_that_does_not_tell_when_was_seen_now(void **state)
{
	static const char text[] = "{\"pods\": {\"total\": 1}}";
	auto_json *document = json_parse(text, strlen(text), NULL);
	struct evidence *evidence = evidence_decode(document, NOW);

	(void)state;
	assert_int_equal(evidence->pods.seen_ms, NOW);
	assert_int_equal(evidence->page.seen_ms, 0);
	evidence_free(evidence);
}

static void members_of_another_type_count_as_left_out(void **state)
{
	static const char text[] =
		"{\"pods\": {\"total\": null, \"ready\": \"2\", \"foreign\": {}, \"unready\": [1], \"error\": 5},"
		" \"page\": 3, \"signals\": {\"m\": []}, \"target\": {\"cause\": \"NoSuchCause\"}}";
	auto_json *document = json_parse(text, strlen(text), NULL);
	struct evidence *evidence = evidence_decode(document, NOW);

	(void)state;
	assert_int_equal(evidence->pods.total, 0);
	assert_int_equal(evidence->pods.ready, -1);
	assert_int_equal(evidence->pods.foreign.count, 0);
	assert_int_equal(evidence->pods.unready.count, 0);
	assert_null(evidence->pods.failure.text);
	assert_int_equal(evidence->page.seen_ms, 0);
	assert_int_equal(evidence->target.failure.cause, CAUSE_NONE);
	evidence_free(evidence);
}

static void every_cause_has_a_name_that_is_read_back(void **state)
{
	(void)state;
	assert_null(cause_name(CAUSE_NONE));
	for (int i = CAUSE_NONE + 1; i <= CAUSE_PAGE_TOO_LARGE; i++) {
		auto_json *document =
			json_pack("{s:{s:s, s:s}}", "page", "error", "e", "cause", cause_name((enum cause)i));
		struct evidence *evidence = evidence_decode(document, NOW);

		assert_int_equal(evidence->page.failure.cause, i);
		evidence_free(evidence);
	}
}

static void a_copy_shares_nothing_and_grows(void **state)
{
	auto_json *document = json_parse(full, strlen(full), NULL);
	struct evidence *evidence = evidence_decode(document, NOW);
	struct page_seen page;

	(void)state;
	for (int i = 0; i < 3; i++) {
		texts_add(&evidence->page.series, "more");
		((struct signal_limit *)shape_add(&shape_signal_limit, &evidence->page.limits))->signal = xstrdup("x");
		shape_copy(&shape_page_seen, &page, &evidence->page);
		assert_true(shape_equal(&shape_page_seen, &page, &evidence->page));
		for (int j = 0; j < 3; j++) {
			texts_add(&page.series, "again");
			shape_add(&shape_signal_limit, &page.limits);
		}
		assert_false(shape_equal(&shape_page_seen, &page, &evidence->page));
		shape_release(&shape_page_seen, &page);
	}
	assert_string_equal(evidence->page.url, "http://p");
	evidence_free(evidence);
}

static void a_packed_one_says_the_same(void **state)
{
	auto_json *document = json_parse(full, strlen(full), NULL);
	struct evidence *evidence = evidence_decode(document, NOW);
	struct probe_request *request = probe_request_pack(evidence->asked);
	auto_json *again = NULL;

	(void)state;
	assert_true(probe_request_equal(request, evidence->asked));
	probe_request_unref(evidence->asked);
	evidence->asked = request;
	evidence = evidence_pack(evidence);
	again = evidence_encode(evidence);
	assert_true(json_equal(document, again));
	/* What is asked is not written down twice. */
	assert_ptr_equal(evidence->page.engine, request->engine);
	assert_ptr_equal(evidence->scrape.url, request->prometheus);
	assert_ptr_equal(evidence->page.pod, evidence->page.values.items[0].pod);
	evidence_free(evidence);
}

static void an_empty_one_can_be_packed(void **state)
{
	struct evidence *evidence = evidence_pack(evidence_new(NULL));

	(void)state;
	assert_int_equal(evidence->pods.ready, -1);
	assert_int_equal(evidence->packed, sizeof(*evidence));
	evidence_free(evidence);
}

/* Of each of 10,000 autoscalers both are kept. */
static void a_typical_one_is_small(void **state)
{
	static const char typical[] =
		"{\"pods\": {\"at\": 1, \"total\": 1, \"ready\": 1, \"ports\": [{\"name\": \"http\", \"containerPort\": 8000}],"
		"  \"start\": {\"pod\": \"server-00001-5d4f8c7b9-abcde\", \"seconds\": 95}},"
		" \"page\": {\"at\": 1, \"url\": \"http://10.244.103.27:8000/metrics\", \"pod\": \"server-00001-5d4f8c7b9-abcde\","
		"  \"port\": 8000, \"path\": \"/metrics\", \"engine\": \"VLLM\", \"version\": \"0.32.0\","
		"  \"image\": \"0123456789abcdef0123456789abcdef\", \"series\": [\"vllm:num_requests_running\"],"
		"  \"latency\": {\"requests\": 9, \"overMs\": 1, \"uptoMs\": 2}, \"limits\": {\"Running\": 256},"
		"  \"values\": {\"server-00001-5d4f8c7b9-abcde\": {\"vllm_num_requests_running\": 1000}}},"
		" \"prometheus\": {\"at\": 1, \"url\": \"http://prometheus.monitoring:9090\", \"up\": 1},"
		" \"signals\": {\"vllm_num_requests_running\": {"
		"  \"series\": {\"at\": 1, \"pods\": 1, \"samples\": {\"server-00001-5d4f8c7b9-abcde\":"
		"   {\"age\": 3, \"time\": 4, \"milli\": 5}}},"
		"  \"metric\": {\"at\": 1, \"http\": 200, \"pods\": 1, \"values\": {\"server-00001-5d4f8c7b9-abcde\": 5}}}},"
		" \"asked\": {\"namespace\": \"many-1\", \"name\": \"server-00001\","
		"  \"target\": {\"apiVersion\": \"apps/v1\", \"kind\": \"Deployment\", \"name\": \"server-00001\"},"
		"  \"selector\": \"app=server-00001\", \"pages\": [{\"port\": 8000, \"path\": \"/metrics\"}],"
		"  \"scheme\": \"http\", \"engine\": \"VLLM\", \"prometheus\": \"http://prometheus.monitoring:9090\","
		"  \"service\": \"server-00001-metrics\", \"pool\": \"serviceMonitor/many-1/server-00001/0\","
		"  \"intervalMs\": 15000, \"signals\": [{\"name\": \"Running\", \"metric\": \"vllm_num_requests_running\","
		"   \"page\": true, \"series\": [\"vllm:num_requests_running\"]}]}}";
	auto_json *document = json_parse(typical, strlen(typical), NULL);
	struct evidence *evidence = evidence_decode(document, NOW);
	struct probe_request *request = probe_request_pack(evidence->asked);

	(void)state;
	probe_request_unref(evidence->asked);
	evidence->asked = request;
	evidence = evidence_pack(evidence);
	print_message("a request is %zu bytes, evidence %zu\n", request->packed, evidence->packed);
	assert_in_range(request->packed, sizeof(*request), 550);
	assert_in_range(evidence->packed, sizeof(*evidence), 1100);
	evidence_free(evidence);
}

static void requests_are_equal_by_what_they_ask(void **state)
{
	struct probe_request *one = probe_request_new();
	struct probe_request *other = probe_request_new();

	(void)state;
	probe_request_add_page(one, 8000, "/metrics");
	texts_add(&probe_request_add_signal(one, "Running", "m", true)->series, "s");
	probe_request_add_page(other, 8000, "/metrics");
	texts_add(&probe_request_add_signal(other, "Running", "m", true)->series, "s");
	assert_true(probe_request_equal(one, other));
	texts_add(&other->signals.items[0].series, "t");
	assert_false(probe_request_equal(one, other));
	assert_false(probe_request_equal(one, NULL));
	assert_true(probe_request_equal(NULL, NULL));
	assert_ptr_equal(probe_request_ref(one), one);
	probe_request_unref(one);
	assert_string_equal(probe_request_signal(one, "m")->name, "Running");
	probe_request_unref(one);
	probe_request_unref(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it_comes_back_as_it_was),
		cmocka_unit_test(what_is_shared_comes_back_as_it_was),
		cmocka_unit_test(what_was_not_seen_is_not_there),
		cmocka_unit_test(a_part_that_does_not_tell_when_was_seen_now),
		cmocka_unit_test(members_of_another_type_count_as_left_out),
		cmocka_unit_test(every_cause_has_a_name_that_is_read_back),
		cmocka_unit_test(a_copy_shares_nothing_and_grows),
		cmocka_unit_test(a_packed_one_says_the_same),
		cmocka_unit_test(an_empty_one_can_be_packed),
		cmocka_unit_test(a_typical_one_is_small),
		cmocka_unit_test(requests_are_equal_by_what_they_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
