/* What a request asks for: targets as the API server sends them, and others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "serving/request.h"

#define V2 "/apis/custom.metrics.k8s.io/v1beta2"
#define V1 "/apis/custom.metrics.k8s.io/v1beta1"
#define PODS V2 "/namespaces/team/pods/"
#define OWN V1 "/namespaces/team/inferenceautoscalers.inference-autoscaler.io/"

static const char *or_none(const char *text)
{
	return text != NULL ? text : "-";
}

static char *read_back(const char *target)
{
	static const char *const kinds[] = {"discovery", "openapi/v2", "openapi/v3", "pods", "object"};
	auto_metrics_request r = {.kind = REQUEST_DISCOVERY};
	auto_error err = ERROR_INIT;

	if (metrics_request_parse(target, &r, &err) < 0) {
		return xstrdup(err.kind == ERROR_INVALID ? "invalid" : err.kind == ERROR_NOT_FOUND ? "not found" : "?");
	}
	return xasprintf("%s %s %s %s %s [%s] [%s]", kinds[r.kind], or_none(r.version), or_none(r.ns), or_none(r.name),
		or_none(r.metric), or_none(r.selector), or_none(r.metric_selector));
}

static const struct {
	const char *target;
	const char *wanted;
} rows[] = {
	{V2, "discovery v1beta2 - - - [-] [-]"},
	{V1 "?timeout=32s", "discovery v1beta1 - - - [-] [-]"},
	{"/openapi/v2", "openapi/v2 - - - - [-] [-]"},
	{"/openapi/v3?hash=x", "openapi/v3 - - - - [-] [-]"},
	/* the HPA's, as client-go encodes them */
	{PODS "%2A/vllm_num_requests_running?labelSelector=app%3Dvllm",
		"pods v1beta2 team - vllm_num_requests_running [app=vllm] [-]"},
	{PODS "%2A/vllm:num_requests_running?labelSelector=app%3Dvllm%2Ctier+in+%28a%2Cb%29",
		"pods v1beta2 team - vllm:num_requests_running [app=vllm,tier in (a,b)] [-]"},
	{PODS "*/m?labelSelector=a%3Db%2C%21c&metricLabelSelector=d%3De", "pods v1beta2 team - m [a=b,!c] [d=e]"},
	{PODS "*/m?pretty=true&limit=500&&labelSelector=a!%3Db&x", "pods v1beta2 team - m [a!=b] [-]"},
	{PODS "*/m?labelSelector=", "pods v1beta2 team - m [] [-]"},
	{PODS "*/m?", "pods v1beta2 team - m [-] [-]"},
	{PODS "gemma-0/m", "pods v1beta2 team gemma-0 m [-] [-]"},
	/* a '+' is a space in the query alone */
	{PODS "*/a+b", "pods v1beta2 team - a+b [-] [-]"},
	{OWN "gemma/vllm_num_requests_running", "object v1beta1 team gemma vllm_num_requests_running [-] [-]"},
	/* what is not served */
	{"/", "invalid"},
	{"/apis", "not found"},
	{"/healthz", "not found"},
	{"/apis/custom.metrics.k8s.io", "not found"},
	{"/apis/custom.metrics.k8s.io/v1beta3", "not found"},
	{"/apis/external.metrics.k8s.io/v1beta1", "not found"},
	{V2 "/namespaces/team/metrics/m", "not found"},
	{V2 "/namespaces/team/services/gemma/m", "not found"},
	{V2 "/nodes/n/m", "not found"},
	{V2 "/namespaces/team/inferenceautoscalers/gemma/m", "not found"},
	{OWN "*/m", "invalid"},
	{PODS "*", "not found"},
	{PODS "*/m/status", "invalid"},
	{PODS "%2A%2A/m", "invalid"},
	{V2 "/namespaces/Team/pods/*/m", "invalid"},
	/* what could be read in two ways */
	{"", "invalid"},
	{"apis", "invalid"},
	{"http://host" V2, "invalid"},
	{V2 "/", "invalid"},
	{"/" V2, "invalid"},
	{PODS "/m", "invalid"},
	{PODS "../m", "invalid"},
	{PODS "%2e%2E/m", "invalid"},
	{PODS "./m", "invalid"},
	{PODS "a%2Fb/m", "invalid"},
	{PODS "a%00/m", "invalid"},
	{PODS "a%0d/m", "invalid"},
	{PODS "a%/m", "invalid"},
	{PODS "a%2/m", "invalid"},
	{PODS "a%zz/m", "invalid"},
	{PODS "a\xc3\xa4/m", "invalid"},
	{PODS "a%C3%A4/m", "invalid"},
	{PODS "*/m?labelSelector=a%3Db&labelSelector=c%3Dd", "invalid"},
	{PODS "*/m?labelSelector=%0", "invalid"},
	{PODS "*/m?x%=1", "invalid"},
};

static void targets_are_read_as_the_api_server_sends_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *got = read_back(rows[i].target);

		if (strcmp(got, rows[i].wanted) != 0) {
			fail_msg("%s\n  is read as %s\n  and not as %s", rows[i].target, got, rows[i].wanted);
		}
	}
}

static void a_target_is_bounded(void **state)
{
	auto_strbuf target = STRBUF_INIT;
	auto_free char *longest = NULL;
	auto_free char *longer = NULL;

	(void)state;
	strbuf_addstr(&target, PODS "*/m?labelSelector=");
	while (target.len < REQUEST_TARGET_MAX) {
		strbuf_addch(&target, 'a');
	}
	longest = read_back(target.buf);
	assert_true(strncmp(longest, "pods ", 5) == 0);
	strbuf_addch(&target, 'a');
	longer = read_back(target.buf);
	assert_string_equal(longer, "invalid");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_are_read_as_the_api_server_sends_them),
		cmocka_unit_test(a_target_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
