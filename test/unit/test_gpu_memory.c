/* What is remembered of the GPU chain from pass to pass: when its rule was mended, and who scrapes the exporter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/yaml.h"
#include "reconcile/needs.h"
#include "reconcile/reconcile.h"

#define MINUTE (60 * 1000)
#define MADE "2026-01-31T07:00:00Z"

static const struct settings settings = SETTINGS_DEFAULT;

static const char objects[] = "now: '2026-01-31T08:00:00Z'\nobjects:\n"
			      "- apiVersion: inference-autoscaler.io/v1alpha1\n"
			      "  kind: InferenceAutoscaler\n"
			      "  metadata: {name: gemma, namespace: shop, uid: u}\n"
			      "  spec: {mode: GPU, maxReplicas: 3, scaleTargetRef: {kind: Deployment, name: gemma}}\n"
			      "- apiVersion: v1\n"
			      "  kind: Service\n"
			      "  metadata: {name: dcgm, namespace: gpu-operator, labels: {app: nvidia-dcgm-exporter}}\n"
			      "  spec: {ports: [{name: gpu-metrics, port: 9400}]}\n"
			      "- apiVersion: monitoring.coreos.com/v1\n"
			      "  kind: Prometheus\n"
			      "  metadata: {name: k8s, namespace: monitoring}\n"
			      "  spec: {ruleSelector: {}, ruleNamespaceSelector: {}, serviceMonitorSelector: {}, "
			      "serviceMonitorNamespaceSelector: {}}\n";

/* A cluster whose time passes as told, and an operator in it that remembers. */
struct cluster {
	json_t *document;
	json_t *rule; /* NULL = there is none yet; borrowed */
	int64_t now_ms;
	struct shared_state state;
};

static void open_cluster(struct cluster *cluster)
{
	*cluster = (struct cluster){.document = yaml_parse(objects, sizeof(objects) - 1, NULL),
		.now_ms = clock_parse_rfc3339("2026-01-31T08:00:00Z"),
		.state = SHARED_STATE_INIT};
	assert_non_null(cluster->document);
}

static void close_cluster(struct cluster *cluster)
{
	json_decref(cluster->document);
	shared_state_release(&cluster->state);
}

static void take_rule(struct cluster *cluster, const json_t *written)
{
	if (cluster->rule == NULL) {
		cluster->rule = json_deep_copy(written);
		json_array_append_new(json_object_get(cluster->document, "objects"), cluster->rule);
	} else {
		json_object_update_recursive(cluster->rule, (json_t *)(uintptr_t)written);
	}
	json_object_set_new(json_object_get(cluster->rule, "metadata"), "creationTimestamp", json_string(MADE));
}

/* One pass of the shared part a minute later, whose writes are taken unless `refused`; how many there were of the rule. */
static int pass(struct cluster *cluster, bool refused)
{
	struct shared_state before = cluster->state;
	auto_plan plan = PLAN_INIT;
	struct world world;
	int writes = 0;

	cluster->now_ms += MINUTE;
	cluster->state = shared_state_next(&before);
	world_from_document(&world, cluster->document, &settings);
	world.now_ms = cluster->now_ms;
	auto_needs needs = needs_of_world(&world);
	shared_reconcile(&world, &needs, &plan, &cluster->state);
	world_release_document(&world);
	for (size_t i = 0; i < plan.count; i++) {
		if (plan.writes[i].kind == KIND_PROMETHEUSRULE) {
			writes++;
			if (!refused) {
				take_rule(cluster, plan.writes[i].object);
			}
		}
	}
	shared_state_release(&before);
	return writes;
}

static int64_t since(const struct cluster *cluster)
{
	return cluster->state.gpu->rule.since_ms;
}

static void edit(const struct cluster *cluster)
{
	json_object_set_new(json_object_get(cluster->rule, "spec"), "groups", json_array());
}

static void test_a_mended_rule_is_as_young_as_its_mending(void **state)
{
	struct cluster cluster;
	int64_t mended;

	(void)state;
	open_cluster(&cluster);
	assert_int_equal(pass(&cluster, false), 1);
	assert_int_equal(since(&cluster), 0);
	assert_int_equal(pass(&cluster, false), 0);
	assert_int_equal(since(&cluster), clock_parse_rfc3339(MADE));
	edit(&cluster);
	assert_int_equal(pass(&cluster, false), 1);
	mended = cluster.now_ms;
	assert_int_equal(since(&cluster), mended);
	/* It stays so. */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pass(&cluster, false), 0);
		assert_int_equal(since(&cluster), mended);
	}
	close_cluster(&cluster);
}

/* What is refused again and again makes it no younger. */
static void test_a_rule_that_cannot_be_mended_ages(void **state)
{
	struct cluster cluster;
	int64_t tried;

	(void)state;
	open_cluster(&cluster);
	pass(&cluster, false);
	edit(&cluster);
	assert_int_equal(pass(&cluster, true), 1);
	tried = cluster.now_ms;
	json_object_set_new(cluster.document, "failures", json_pack("{s:s}", SHARED_KEY, "refused"));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pass(&cluster, true), 1);
		assert_int_equal(since(&cluster), tried);
	}
	close_cluster(&cluster);
}

/* What the probe saw of the exporter, from now on. */
static void see(struct cluster *cluster, const char *exporter)
{
	json_object_set_new(cluster->document, "evidence",
		json_pack("{s:{s:o}}", SHARED_KEY, "exporter", yaml_parse(exporter, strlen(exporter), NULL)));
}

/* Who scrapes it after one more pass; "" when nobody is known to. */
static const char *scraper(struct cluster *cluster)
{
	const char *monitor;

	pass(cluster, false);
	monitor = gpu_survey_exporter(cluster->state.gpu, "Auto")->monitor;
	return monitor != NULL ? monitor : "";
}

#define FAILED "{error: connection refused}"

static void test_a_probe_that_failed_tells_nothing_of_who_scrapes(void **state)
{
	struct cluster cluster;

	(void)state;
	open_cluster(&cluster);
	assert_string_equal(scraper(&cluster), "");
	see(&cluster, FAILED);
	assert_string_equal(scraper(&cluster), "");
	see(&cluster, "{jobs: [kubernetes-pods], up: 1}");
	assert_string_equal(scraper(&cluster), "a scrape configuration");
	for (int i = 0; i < 3; i++) {
		see(&cluster, FAILED);
		assert_string_equal(scraper(&cluster), "a scrape configuration");
	}
	see(&cluster, "{jobs: []}");
	assert_string_equal(scraper(&cluster),
		"ServiceMonitor 'monitoring/inference-autoscaler-gpu.gpu-operator.dcgm'");
	/* It was not written yet, and is wanted no less. */
	see(&cluster, "{jobs: [], up: 0}");
	assert_string_equal(scraper(&cluster),
		"ServiceMonitor 'monitoring/inference-autoscaler-gpu.gpu-operator.dcgm'");
	close_cluster(&cluster);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_mended_rule_is_as_young_as_its_mending),
		cmocka_unit_test(test_a_rule_that_cannot_be_mended_ages),
		cmocka_unit_test(test_a_probe_that_failed_tells_nothing_of_who_scrapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
