/* Which of the places that may serve a metrics page is taken, and what is said when none does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "engine/page.h"
#include "probe/page_tries.h"
#include "probe_rig.h"

static void set_pages(struct probe_rig *rig, json_t *pages_take)
{
	json_object_set_new(rig->request, "pages", pages_take);
}

static void test_what_is_no_page_has_the_remedy_for_what_was_seen(void **state)
{
	static const struct {
		struct fake_answer answer;
		const char *words;
		const char *remedy;
	} cases[] = {
		{{.status = 404, .body = "no"},
			"answers HTTP 404 at 'http://127.0.0.1:", ": start SGLang with --enable-metrics, or set "},
		{{.status = 404, .body = "{\"detail\":\"Not Found\"}"}, "answers HTTP 404 at '", "--enable-metrics"},
		{{.status = 302, .headers = "Location: /other\r\n"}, "/other', which is not followed",
			": set spec.engine.path to where it leads"},
		{{.status = 302}, "a redirect, which is not followed", ": set spec.engine.path to where it leads"},
		{{.end = FAKE_MUTE}, "no answer from '", ": does a NetworkPolicy keep the operator from the pods?"},
		{{.status = 401, .body = "{\"error\":\"Unauthorized\"}"}, "answers HTTP 401 at '",
			": its page wants an API key"},
		{{.status = 403, .body = ""}, "answers HTTP 403 at '", ": its page wants an API key"},
		{{.status = 403, .body = "RBAC: access denied"}, "answers HTTP 403 at '", ": a service mesh denies it"},
		{{.status = 501, .body = "{}"}, "answers HTTP 501 at '", ", llama.cpp with --metrics"},
		{{.status = 503, .body = "upstream connect error"}, "answers HTTP 503 at '", "excludeInboundPorts"},
		{{.status = 400,
			 .body = "{\"error\":{\"code\":400,\"message\":\"model name is missing from the request\"}}"},
			"answers HTTP 400 at '", ": a server of several models has no page"},
		{{.status = 400, .body = "Client sent an HTTP request to an HTTPS server."}, "answers HTTP 400 at '",
			": set spec.engine.scheme to https"},
		{{.status = 200, .body = " [{\"iter\": 1}]"}, "answers JSON at '",
			"TensorRT-LLM has it at /prometheus/metrics"},
		{{.status = 200, .body = "<!doctype html>"}, "answers HTML at '",
			": this is no metrics page: set spec.engine.port"},
		{{.status = 500, .body = "no"}, "answers HTTP 500 at '",
			": set spec.engine.port and path to its metrics page"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct probe_rig rig;
		const json_t *e;

		probe_rig_open(&rig);
		probe_rig_say(&rig, "GET /metrics", cases[i].answer);
		e = probe_rig_look(&rig);
		assert_says(e, "page.error", cases[i].words);
		assert_says(e, "page.error", cases[i].remedy);
		assert_says(e, "page.error", "pod 'p-0' ");
		assert_found(e, "prometheus.up", "2"); /* others may read it all the same */
		probe_rig_close(&rig);
	}
}

static void test_a_failure_has_the_remedy_for_what_was_seen(void **state)
{
	static const struct {
		const char *message;
		int tls_failed;
		const char *remedy;
	} cases[] = {
		{"cannot reach 'https://10.1.0.7:8000' over TLS: wrong version number", 1,
			": set spec.engine.scheme to http if"},
		{"'http://10.1.0.7:8000' closed the connection without an answer: Empty reply from server", 0,
			": set spec.engine.scheme to https if"},
		{"connection to 'http://10.1.0.7:8000' broke: Connection reset by peer", 0,
			": set spec.engine.scheme to https if"},
		{"cannot reach 'http://10.1.0.7:8000': Connection refused", 0,
			": nothing listens there: set spec.engine.port"},
		{"cannot reach 'http://10.1.0.7:8000': connection timed out", 0, ": does a NetworkPolicy keep"},
		{"cannot reach 'http://10.1.0.7:8000': No route to host", 0, ": set spec.engine.port and path to"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct page_tries tries = {.count = 0};
		auto_error error = ERROR_INIT;
		auto_free char *text = NULL;

		error_set(&error, ERROR_UNAVAILABLE, "%s", cases[i].message);
		page_tries_add(&tries, "p", "u",
			&(struct http_response){.body = "",
				.redirect = "",
				.error = &error,
				.tls_failed = cases[i].tls_failed});
		text = page_tries_text(&tries, 0);
		assert_non_null(strstr(text, cases[i].message));
		assert_non_null(strstr(text, cases[i].remedy));
		page_tries_release(&tries);
	}
}

/* What a node says of it leads us to our own machine, or to its cloud's metadata. */
static void test_nothing_is_read_at_an_address_that_no_pod_has(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	probe_rig_open(&rig);
	probe_rig_pods(&rig, "[{\"metadata\":{\"name\":\"p-0\"},\"status\":{\"podIP\":\"::ffff:127.0.0.1\","
			     "\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}]");
	e = probe_rig_look(&rig);
	assert_int_equal(probe_rig_asked(&rig, "GET /metrics"), 0);
	assert_says(e, "page.error", ": its status.podIP is no address that a pod can have: its node's kubelet");
	probe_rig_close(&rig);
}

/* The one at the engine's port, among many where nothing is. */
static void test_the_most_telling_try_has_the_word(void **state)
{
	struct probe_rig rig;
	const json_t *e;
	json_t *pages = json_array();

	(void)state;
	probe_rig_open(&rig);
	for (int i = 0; i < 6; i++) {
		json_array_append_new(pages, json_pack("{s:i, s:s}", "port", i == 5 ? rig.port : 1, "path", "/a"));
	}
	set_pages(&rig, pages);
	probe_rig_say(&rig, "GET /a", (struct fake_answer){.status = 401, .body = "no"});
	e = probe_rig_look(&rig);
	assert_says(e, "page.error", "pod 'p-0' answers HTTP 401 at '");
	assert_says(e, "page.error", "; and 3 more: its page wants an API key");
	probe_rig_close(&rig);
}

static void test_a_page_is_asked_for_in_a_format_whose_names_are_certain(void **state)
{
	struct probe_rig rig;

	(void)state;
	probe_rig_open(&rig);
	probe_rig_say(&rig, "GET /metrics", (struct fake_answer){.status = 404});
	json_object_del(rig.request, "prometheus"); /* so that the page is the last request */
	(void)probe_rig_look(&rig);
	assert_string_equal(fake_last_line(rig.kube.fake), "GET /metrics");
	assert_non_null(strstr(fake_last_head(rig.kube.fake), "Accept: text/plain;version=0.0.4,"));
	probe_rig_close(&rig);
}

/* A page with this many samples and so much of a comment; heap. */
static char *page_of_size(int samples, size_t comment)
{
	struct strbuf page = STRBUF_INIT;

	strbuf_addstr(&page, "#");
	for (size_t i = 0; i < comment; i++) {
		strbuf_addch(&page, 'x');
	}
	strbuf_addch(&page, '\n');
	for (int i = 0; i < samples; i++) {
		strbuf_addf(&page, "vllm:num_requests_running{engine=\"%d\"} 1\n", i);
	}
	return strbuf_take(&page);
}

static void test_a_page_beyond_a_limit_is_reported_so(void **state)
{
	static const struct {
		int samples;
		size_t comment;
		const char *first, *words; /* NULL = it is read */
	} cases[] = {
		{1024, 900000, NULL, NULL},
		{1, PAGE_MAX_BYTES - 60, NULL, NULL},
		{1, PAGE_MAX_BYTES, "",
			"is larger than 1024 KiB, the most that is read: let the engine report fewer series"},
		{1025, 1, "",
			"has more than 1024 samples of 'vllm:num_requests_running', the most that are read: let the"},
		/* nor is it forgotten for another page that is none of an engine */
		{1, PAGE_MAX_BYTES, "own_metric 1\n", "is larger than 1024 KiB"},
		{1025, 1, "own_metric 1\n", "has more than 1024 samples"},
		/* but one that is the engine's is taken */
		{1, PAGE_MAX_BYTES, PROBE_PAGE, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *page = page_of_size(cases[i].samples, cases[i].comment);
		struct probe_rig rig;
		const json_t *e;

		probe_rig_open(&rig);
		probe_rig_say(&rig, "GET /large", (struct fake_answer){.status = 200, .body = page});
		probe_rig_say(&rig, "GET /metrics", (struct fake_answer){.status = 200, .body = cases[i].first});
		set_pages(&rig, json_pack("[{s:i, s:s}, {s:i, s:s}]", "port", rig.port, "path", "/large", "port",
					rig.port, "path", "/metrics"));
		e = probe_rig_look(&rig);
		if (cases[i].words == NULL) {
			assert_found(e, "page.engine", "\"VLLM\"");
			assert_found(e, "page.error", "absent");
		} else {
			assert_found(e, "page.cause", "\"PageTooLarge\"");
			assert_says(e, "page.error", cases[i].words);
			assert_says(e, "page.error", "the page of pod 'p-0' at 'http://127.0.0.1:");
			assert_says(e, "page.error", "/large' ");
			assert_found(e, "page.engine", "absent");
		}
		probe_rig_close(&rig);
	}
}

static void test_the_first_page_of_a_known_engine_is_taken(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	probe_rig_open(&rig);
	probe_rig_say(&rig, "GET /json", (struct fake_answer){.status = 200, .body = "{\"requests\": 1}"});
	set_pages(&rig, json_pack("[{s:i, s:s}, {s:i, s:s}, {s:i, s:s}, {s:i, s:s}]", "port", 1, "path", "/metrics",
				"port", rig.port, "path", "/json", "port", rig.port, "path", "/metrics", "port",
				rig.port, "path", "/never"));
	probe_rig_say(&rig, "GET /never", (struct fake_answer){.status = 200, .body = PROBE_PAGE});
	e = probe_rig_look(&rig);
	assert_found(e, "page.engine", "\"VLLM\"");
	assert_found(e, "page.path", "\"/metrics\"");
	assert_int_equal(probe_rig_asked(&rig, "GET /never"), 0);
	probe_rig_close(&rig);
}

static void test_a_page_of_no_known_engine_is_better_than_none(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	probe_rig_open(&rig);
	probe_rig_say(&rig, "GET /a", (struct fake_answer){.status = 200, .body = "own_metric 1\n"});
	probe_rig_say(&rig, "GET /b", (struct fake_answer){.status = 200, .body = "own_metric 2\n"});
	set_pages(&rig, json_pack("[{s:i, s:s}, {s:i, s:s}, {s:i, s:s}]", "port", rig.port, "path", "/none", "port",
				rig.port, "path", "/a", "port", rig.port, "path", "/b"));
	e = probe_rig_look(&rig);
	assert_found(e, "page.error", "absent");
	assert_found(e, "page.engine", "absent");
	assert_found(e, "page.path", "\"/a\"");
	assert_found(e, "page.series", "absent");
	assert_found(e, "signals", "absent");
	probe_rig_close(&rig);
}

/* It has the marks of the engines behind it, and their figures. */
static void test_a_routers_page_is_no_engines(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	probe_rig_open(&rig);
	json_object_set_new(rig.request, "engine", json_string("VLLM"));
	probe_rig_say(&rig, "GET /a", (struct fake_answer){.status = 200, .body = "own_metric 1\n"});
	probe_rig_say(&rig, "GET /metrics",
		(struct fake_answer){.status = 200,
			.body = "vllm:num_requests_running{server=\"http://10.1.0.7:8000\"} 20\n"});
	set_pages(&rig, json_pack("[{s:i, s:s}, {s:i, s:s}]", "port", rig.port, "path", "/a", "port", rig.port, "path",
				"/metrics"));
	e = probe_rig_look(&rig);
	assert_found(e, "page.router", "\"the router of vLLM's production stack\"");
	assert_found(e, "page.path", "\"/metrics\"");
	assert_found(e, "page.engine", "absent");
	assert_found(e, "page.series", "absent");
	assert_found(e, "signals", "absent");
	probe_rig_close(&rig);
}

static void test_a_sidecars_page_is_not_taken_for_the_known_engines(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	probe_rig_open(&rig);
	json_object_set_new(rig.request, "engine", json_string("VLLM"));
	probe_rig_say(&rig, "GET /a", (struct fake_answer){.status = 200, .body = "own_metric 1\n"});
	probe_rig_say(&rig, "GET /b", (struct fake_answer){.status = 200, .body = "sglang:num_running_reqs 1\n"});
	set_pages(&rig, json_pack("[{s:i, s:s}, {s:i, s:s}, {s:i, s:s}]", "port", rig.port, "path", "/a", "port",
				rig.port, "path", "/b", "port", rig.port, "path", "/metrics"));
	e = probe_rig_look(&rig);
	assert_found(e, "page.path", "\"/metrics\"");
	probe_rig_close(&rig);
}

static void test_of_a_known_engine_the_first_page_will_do(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	probe_rig_open(&rig);
	json_object_set_new(rig.request, "engine", json_string("VLLM"));
	probe_rig_say(&rig, "GET /a", (struct fake_answer){.status = 200, .body = "own_metric 1\n"});
	set_pages(&rig, json_pack("[{s:i, s:s}, {s:i, s:s}]", "port", rig.port, "path", "/none", "port", rig.port,
				"path", "/a"));
	e = probe_rig_look(&rig);
	assert_found(e, "page.path", "\"/a\"");
	assert_found(e, "page.engine", "absent");
	assert_found(e, "page.version", "absent");
	probe_rig_close(&rig);
}

static void test_where_no_page_is_the_tries_are_reported(void **state)
{
	struct probe_rig rig;
	const json_t *e;
	json_t *pages = json_array();

	(void)state;
	probe_rig_open(&rig);
	for (int i = 0; i < 5; i++) {
		json_array_append_new(pages, json_pack("{s:i, s:s}", "port", i == 0 ? 1 : rig.port, "path", "/none"));
	}
	set_pages(&rig, pages);
	e = probe_rig_look(&rig);
	assert_says(e, "page.error", "pod 'p-0' answers HTTP 404 at '");
	assert_says(e, "page.error", "; and 2 more: start SGLang with --enable-metrics, or set spec.engine.port");
	probe_rig_close(&rig);
}

static void test_the_version_is_asked_once(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	probe_rig_open(&rig);
	probe_rig_look(&rig);
	e = probe_rig_look(&rig);
	assert_int_equal(probe_rig_asked(&rig, "GET /metrics"), 4); /* of both pods */
	assert_int_equal(probe_rig_asked(&rig, "GET /version"), 1);
	assert_found(e, "page.version", "\"0.32.0\"");
	/* Another image is another version. */
	probe_rig_pods(&rig,
		"[{\"metadata\":{\"name\":\"n\"},\"spec\":{\"containers\":[{\"image\":\"vllm:2\"}]},"
		"\"status\":{\"podIP\":\"127.0.0.1\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}]");
	probe_rig_say(&rig, "GET /version", (struct fake_answer){.status = 404, .body = "none"});
	e = probe_rig_look(&rig);
	assert_found(e, "page.version", "absent");
	/* And one that tells none is not asked for it again and again. */
	probe_rig_look(&rig);
	assert_int_equal(probe_rig_asked(&rig, "GET /version"), 1);
	probe_rig_close(&rig);
}

/* {"version":"1"} with so many characters beside it; heap. */
static char *version_of_size(const char *member, size_t size)
{
	auto_free char *version = xasprintf("\",\"%s\":\"1\"}", member);
	struct strbuf answer = STRBUF_INIT;

	strbuf_addstr(&answer, "{\"x\":\"");
	while (answer.len + strlen(version) < size) {
		strbuf_addch(&answer, 'x');
	}
	strbuf_addstr(&answer, version);
	return strbuf_take(&answer);
}

/* JSON takes many times its size while it is read, and a tenant's pod may answer anything. */
/* llama.cpp's slots, which it tells beside its version: read and remembered with it. */
static void test_a_limit_is_read_where_the_version_is(void **state)
{
	struct probe_rig rig;
	auto_json *signals = json_pack("[{s:s, s:s, s:b, s:[s]}]", "name", "Running", "metric",
		"llamacpp_num_requests_running", "page", 1, "series", "llamacpp:requests_processing");

	(void)state;
	probe_rig_open(&rig);
	json_object_set_new(rig.request, "engine", json_string("LlamaCpp"));
	json_object_set(rig.request, "signals", signals);
	probe_rig_say(&rig, "GET /metrics",
		(struct fake_answer){.status = 200, .body = "llamacpp:requests_processing 1\n"});
	probe_rig_say(&rig, "GET /props",
		(struct fake_answer){.status = 200, .body = "{\"total_slots\": 4, \"build_info\": \"b1\"}"});
	assert_found(probe_rig_look(&rig), "page.limits.Running", "4");
	assert_found(probe_rig_look(&rig), "page.limits.Running", "4");
	assert_found(probe_rig_evidence(&rig), "page.version", "\"b1\"");
	assert_int_equal(probe_rig_asked(&rig, "GET /props"), 1);
	probe_rig_close(&rig);
}

static void test_a_version_is_short(void **state)
{
	static const struct {
		const char *page, *path, *member;
		size_t size;
		const char *version;
	} cases[] = {
		{PROBE_PAGE, "GET /version", "version", 4096, "\"1\""},
		{PROBE_PAGE, "GET /version", "version", 4097, "absent"},
		/* SGLang tells it among all its settings, llama.cpp beside the model's chat template */
		{"sglang:num_running_reqs 1\n", "GET /get_server_info", "version", 65536, "\"1\""},
		{"sglang:num_running_reqs 1\n", "GET /get_server_info", "version", 65537, "absent"},
		{"llamacpp:requests_processing 1\n", "GET /props", "build_info", 65536, "\"1\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *answer = version_of_size(cases[i].member, cases[i].size);
		struct probe_rig rig;

		probe_rig_open(&rig);
		probe_rig_say(&rig, "GET /metrics", (struct fake_answer){.status = 200, .body = cases[i].page});
		probe_rig_say(&rig, cases[i].path, (struct fake_answer){.status = 200, .body = answer});
		assert_found(probe_rig_look(&rig), "page.version", cases[i].version);
		/* once, also when it is too large */
		assert_found(probe_rig_look(&rig), "page.version", cases[i].version);
		assert_int_equal(probe_rig_asked(&rig, cases[i].path), 1);
		probe_rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_no_page_has_the_remedy_for_what_was_seen),
		cmocka_unit_test(test_a_failure_has_the_remedy_for_what_was_seen),
		cmocka_unit_test(test_nothing_is_read_at_an_address_that_no_pod_has),
		cmocka_unit_test(test_the_most_telling_try_has_the_word),
		cmocka_unit_test(test_a_page_is_asked_for_in_a_format_whose_names_are_certain),
		cmocka_unit_test(test_a_routers_page_is_no_engines),
		cmocka_unit_test(test_a_page_beyond_a_limit_is_reported_so),
		cmocka_unit_test(test_the_first_page_of_a_known_engine_is_taken),
		cmocka_unit_test(test_a_page_of_no_known_engine_is_better_than_none),
		cmocka_unit_test(test_a_sidecars_page_is_not_taken_for_the_known_engines),
		cmocka_unit_test(test_of_a_known_engine_the_first_page_will_do),
		cmocka_unit_test(test_where_no_page_is_the_tries_are_reported),
		cmocka_unit_test(test_the_version_is_asked_once),
		cmocka_unit_test(test_a_limit_is_read_where_the_version_is),
		cmocka_unit_test(test_a_version_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
