/* What the API server says of a metrics API that it does not reach, row by row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/memory.h"
#include "chain/aggregator.h"
#include "view_rig.h"

#define FAILED "failing or missing response from https://10.1.0.30:6443/apis/custom.metrics.k8s.io/v1beta1: "
#define ANSWER "the operator's metrics API answers: error trying to reach service: "

static const struct metrics_service ours = {"system", "ours", 443, 6443};

static const struct view *service_to(const char *target, const char *selector)
{
	auto_free char *yaml =
		xasprintf("{metadata: {name: ours, namespace: system}, spec: {clusterIP: 10.0.0.1, "
			  "selector: %s, ports: [{port: 8080, targetPort: 8080}, {port: 443, targetPort: %s}]}}",
			selector, target);

	return view_rig_yaml(&view_service_type, yaml);
}

static void test_conditions(void **state)
{
	static const struct {
		const char *said, *message, *reason, *remedy;
	} rows[] = {
		{"FailedDiscoveryCheck", FAILED "x509: certificate signed by unknown authority",
			"CertificateNotTrusted", "spec.caBundle"},
		{"FailedDiscoveryCheck", FAILED "remote error: tls: handshake failure", "CertificateNotTrusted",
			"spec.caBundle"},
		{"FailedDiscoveryCheck", FAILED "bad status from https://10.1.0.30:6443/: 401", "APIServiceUnavailable",
			"extension-apiserver-authentication"},
		{"FailedDiscoveryCheck", FAILED "dial tcp 10.1.0.30:6443: connect: connection refused",
			"ServerNotReached", "port 6443 ('metrics-api') of the pods behind Service 'system/ours'"},
		{"FailedDiscoveryCheck", "timed out waiting for https://10.1.0.30:6443/", "ServerNotReached",
			"metricsServer.port"},
		{"FailedDiscoveryCheck", "no service port 443 found for service \"ours\"", "APIServiceUnavailable",
			"does not have the port"},
		{"FailedDiscoveryCheck", "no endpoints available for service \"ours\"", "ServerNotReady",
			"no pod of the operator"},
		{"FailedDiscoveryCheck", "unsupported service type \"ExternalName\"", "APIServiceUnavailable",
			"of a type that"},
		{"FailedDiscoveryCheck", NULL, "ServerNotReached", "metricsServer.port"},
		{"MissingEndpoints",
			"endpointslices for service/ours in \"system\" have no addresses with port name \"\"",
			"ServerNotReady", "none of them has port 6443 ('metrics-api')"},
		{"EndpointsNotFound", NULL, "ServerNotReady", "no pod of the operator"},
		{"ServiceNotFound", NULL, "APIServiceUnavailable", "does not exist: apply the chart again"},
		{"ServicePortError", NULL, "APIServiceUnavailable", "does not have the port"},
		{"ServiceAccessError", NULL, "APIServiceUnavailable", "see its log"},
		{"EndpointsAccessError", NULL, "APIServiceUnavailable", "see its log"},
		{"SomethingNew", "words", "APIServiceUnavailable", "kubectl describe apiservice"},
		{NULL, NULL, "APIServiceUnavailable", "kubectl describe apiservice"},
	};
	auto_view *view = service_to("metrics-api", "{app: ours}");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct aggregator_trouble trouble =
			aggregator_of_condition(&ours, view_service(view), rows[i].said, rows[i].message);

		assert_string_equal(trouble.reason, rows[i].reason);
		if (strstr(trouble.remedy, rows[i].remedy) == NULL) {
			fail_msg("row %zu: '%s' has no '%s'", i, trouble.remedy, rows[i].remedy);
		}
		assert_false(trouble.certain);
		free_indirect(&trouble.remedy);
	}
}

static void test_answers(void **state)
{
	static const struct {
		const char *words, *remedy; /* NULL = the words are ours */
	} rows[] = {
		{ANSWER "dial tcp 10.96.1.1:443: connect: connection refused (HTTP 503)", "port 6443 of the pods"},
		{ANSWER "dial tcp 10.96.1.1:443: i/o timeout (HTTP 503)", "port 6443 of the pods"},
		{ANSWER "context deadline exceeded (HTTP 503)", "port 6443 of the pods"},
		{ANSWER "x509: certificate signed by unknown authority (HTTP 503)", "spec.caBundle"},
		{ANSWER "EOF (HTTP 503)", "ends the API server's connection"},
		{"the operator's metrics API answers: service unavailable (HTTP 503)",
			"it finds no pod of the operator"},
		{"the operator's metrics API answers: the page of pod 'a' did not come within a second", NULL},
		{NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct aggregator_trouble trouble = {.remedy = NULL};

		assert_int_equal(aggregator_of_answer(&ours, NULL, rows[i].words, &trouble), rows[i].remedy != NULL);
		if (rows[i].remedy != NULL) {
			assert_string_equal(trouble.reason, "APIServiceUnavailable");
			assert_non_null(strstr(trouble.remedy, rows[i].remedy));
			assert_false(trouble.certain);
		}
		free_indirect(&trouble.remedy);
	}
}

/* Whether a Service to this target is certain to lead nowhere. */
static bool is_astray(const char *target, const char *selector, int listens)
{
	struct metrics_service service = ours;
	auto_view *view = service_to(target, selector);
	struct aggregator_trouble trouble;

	service.listens = listens;
	trouble = aggregator_of_condition(&service, view_service(view), "FailedDiscoveryCheck", NULL);
	assert_string_equal(trouble.reason, "ServerNotReached");
	assert_int_equal(trouble.certain, strstr(trouble.remedy, "listens on 6443") != NULL);
	free_indirect(&trouble.remedy);
	return trouble.certain;
}

static void test_a_port_on_which_nobody_listens(void **state)
{
	(void)state;
	assert_true(is_astray("1234", "{app: ours}", 6443));
	assert_false(is_astray("6443", "{app: ours}", 6443));
	assert_false(is_astray("metrics-api", "{app: ours}", 6443));
	assert_false(is_astray("1234", "{app: ours}", 0));
	assert_false(is_astray("1234", "{}", 6443));
}

static void test_how_a_port_is_named(void **state)
{
	static const struct {
		const char *target;
		int listens;
		const char *named;
	} rows[] = {
		{"6443", 0, "reach port 6443 of"},
		{"metrics-api", 6443, "reach port 6443 ('metrics-api') of"},
		{"metrics-api", 0, "reach port 'metrics-api' of"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct metrics_service service = ours;
		auto_view *view = service_to(rows[i].target, "{app: ours}");
		struct aggregator_trouble trouble;

		service.listens = rows[i].listens;
		trouble = aggregator_of_condition(&service, view_service(view), "FailedDiscoveryCheck", NULL);
		assert_non_null(strstr(trouble.remedy, rows[i].named));
		free_indirect(&trouble.remedy);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_a_port_on_which_nobody_listens),
		cmocka_unit_test(test_how_a_port_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
