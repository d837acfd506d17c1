/* Which Prometheus selects a ServiceMonitor, by the table of what its selectors can say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/yaml.h"
#include "chain/monitoring.h"

static json_t *parsed(const char *text)
{
	json_t *value = yaml_parse(text, strlen(text), NULL);

	assert_non_null(value);
	return value;
}

/* One Prometheus monitoring/k8s with this spec; the monitor is in namespace shop, which has the
 * label team=web. `labels` NULL = not selected, `problem` a part of the sentence then. */
static const struct {
	const char *spec;
	const char *pinned; /* NULL = none */
	const char *labels;
	const char *problem;
} rows[] = {
	/* what is selected, in which namespaces */
	{"{serviceMonitorSelector: {}, serviceMonitorNamespaceSelector: {}}", NULL, "{}", NULL},
	{"{serviceMonitorNamespaceSelector: {}}", NULL, NULL, "selects no ServiceMonitor at all"},
	{"{serviceMonitorSelector: null, serviceMonitorNamespaceSelector: {}}", NULL, NULL,
		"selects no ServiceMonitor at all"},
	{"{serviceMonitorSelector: {}}", NULL, NULL, "looks into its own namespace only"},
	{"{serviceMonitorSelector: {}, serviceMonitorNamespaceSelector: null}", NULL, NULL,
		"looks into its own namespace only"},
	{"{serviceMonitorSelector: {}, serviceMonitorNamespaceSelector: {matchLabels: {team: "
	 "web}}}",
		NULL, "{}", NULL},
	{"{serviceMonitorSelector: {}, serviceMonitorNamespaceSelector: {matchLabels: {team: "
	 "ops}}}",
		NULL, NULL, "does not look into namespace 'shop'"},
	{"{serviceMonitorSelector: {}, serviceMonitorNamespaceSelector: {matchExpressions:"
	 " [{key: team, operator: NotIn, values: [ops]}]}}",
		NULL, "{}", NULL},
	{"{serviceMonitorSelector: {}, serviceMonitorNamespaceSelector: {matchExpressions:"
	 " [{key: team, operator: DoesNotExist}]}}",
		NULL, NULL, "does not look into"},

/* which labels satisfy the selector */
#define ALL_NAMESPACES "serviceMonitorNamespaceSelector: {}"
#define SELECTOR(inside) "{" ALL_NAMESPACES ", serviceMonitorSelector: {" inside "}}"
#define EXPRESSION(inside) SELECTOR("matchExpressions: [{" inside "}]")
	{SELECTOR("matchLabels: {release: prometheus}"), NULL, "{release: prometheus}", NULL},
	{SELECTOR("matchLabels: {release: p, team: web}"), NULL, "{release: p, team: web}", NULL},
	{EXPRESSION("key: release, operator: In, values: [a, b]"), NULL, "{release: a}", NULL},
	{EXPRESSION("key: release, operator: Exists"), NULL, "{release: 'true'}", NULL},
	{EXPRESSION("key: release, operator: NotIn, values: [a]"), NULL, "{}", NULL},
	{EXPRESSION("key: release, operator: DoesNotExist"), NULL, "{}", NULL},
	{SELECTOR("matchLabels: {a: b}, matchExpressions: [{key: c, operator: Exists}, {key: a, "
		  "operator: In, values: [b]}]"),
		NULL, "{a: b, c: 'true'}", NULL},
	{EXPRESSION("key: release, operator: Bogus, values: [a]"), NULL, NULL, "our labels cannot satisfy"},
	{EXPRESSION("key: release, operator: In, values: []"), NULL, NULL, "our labels cannot satisfy"},
	{SELECTOR("matchLabels: {a: b}, matchExpressions: [{key: a, operator: NotIn, values: [b]}]"), NULL, NULL,
		"our labels cannot satisfy"},

	/* labels that are always there */
	{SELECTOR("matchLabels: {ours: yes-indeed}"), NULL, "{ours: yes-indeed}", NULL},
	{EXPRESSION("key: ours, operator: DoesNotExist"), NULL, NULL, "our labels cannot satisfy"},

	/* what the user pinned wins */
	{SELECTOR("matchLabels: {release: prometheus}"), "{release: prometheus}", "{release: prometheus}", NULL},
	{SELECTOR("matchLabels: {release: prometheus}"), "{extra: x}", "{extra: x, release: prometheus}", NULL},
	{SELECTOR("matchLabels: {release: prometheus}"), "{release: stable}", NULL,
		"wants 'release=prometheus', which spec.monitor.labels contradicts"},
	{EXPRESSION("key: release, operator: In, values: [a, b]"), "{release: b}", "{release: b}", NULL},
	{EXPRESSION("key: release, operator: Exists"), "{release: mine}", "{release: mine}", NULL},
	{EXPRESSION("key: release, operator: DoesNotExist"), "{release: mine}", NULL,
		"spec.monitor.labels contradicts"},
};

static void by_the_table(void **state)
{
	auto_json *namespaces = parsed("[{metadata: {name: other}}, {metadata: {name: shop, labels: {team: web}}}]");
	auto_json *own = parsed("{ours: 'true'}");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *text =
			xasprintf("[{metadata: {namespace: monitoring, name: k8s}, spec: %s}]", rows[i].spec);
		auto_json *prometheuses = parsed(text);
		auto_json *pinned = rows[i].pinned != NULL ? parsed(rows[i].pinned) : NULL;
		auto_json *wanted = parsed(rows[i].labels != NULL   ? rows[i].labels
					   : rows[i].pinned != NULL ? rows[i].pinned
								    : "{}");
		struct monitoring found;

		monitoring_find(&monitoring_servicemonitor, prometheuses, namespaces, "shop", pinned, own, &found);
		if (rows[i].labels != NULL) {
			assert_non_null(found.selected_by);
			assert_string_equal(found.selected_by, "monitoring/k8s");
			assert_null(found.problem);
		} else {
			assert_null(found.selected_by);
			assert_non_null(found.problem);
			assert_non_null(strstr(found.problem, "Prometheus 'monitoring/k8s' "));
			assert_non_null(strstr(found.problem, rows[i].problem));
		}
		/* unselected, only what was pinned stays: no guess is left on the object */
		assert_true(json_equal(found.labels, wanted));
		monitoring_release(&found);
	}
}

static void its_own_namespace_is_covered_by_null(void **state)
{
	auto_json *prometheuses =
		parsed("[{metadata: {namespace: shop, name: k8s}, spec: {serviceMonitorSelector: {}}}]");
	struct monitoring found;

	(void)state;
	monitoring_find(&monitoring_servicemonitor, prometheuses, NULL, "shop", NULL, NULL, &found);
	assert_string_equal(found.selected_by, "shop/k8s");
	monitoring_release(&found);
}

static void the_first_that_can_be_satisfied_is_taken(void **state)
{
	auto_json *prometheuses =
		parsed("- {metadata: {namespace: a, name: blind}, spec: {" ALL_NAMESPACES "}}\n"
		       "- {metadata: {namespace: b, name: k8s}, spec: " SELECTOR(
			       "matchLabels: {release: b}") "}\n"
							    "- {metadata: {namespace: c, name: k8s}, "
							    "spec: " SELECTOR("matchLabels: {release: c}") "}\n");
	auto_json *pinned = parsed("{release: c}");
	struct monitoring found;

	(void)state;
	monitoring_find(&monitoring_servicemonitor, prometheuses, NULL, "shop", NULL, NULL, &found);
	assert_string_equal(found.selected_by, "b/k8s");
	assert_string_equal(json_path_string(found.labels, "release", ""), "b");
	monitoring_release(&found);

	monitoring_find(&monitoring_servicemonitor, prometheuses, NULL, "shop", pinned, NULL, &found);
	assert_string_equal(found.selected_by, "c/k8s");
	monitoring_release(&found);
}

static void every_one_that_does_not_select_is_named(void **state)
{
	auto_json *prometheuses = parsed("- {metadata: {namespace: a, name: one}, spec: {}}\n"
					 "- {metadata: {namespace: b, name: two}, spec: {" ALL_NAMESPACES "}}\n");
	struct monitoring found;

	(void)state;
	monitoring_find(&monitoring_servicemonitor, prometheuses, NULL, "shop", NULL, NULL, &found);
	assert_non_null(strstr(found.problem, "Prometheus 'a/one' looks into its own namespace only"));
	assert_non_null(strstr(found.problem, "; Prometheus 'b/two' selects no ServiceMonitor at all"));
	monitoring_release(&found);
}

static void without_any_it_says_so(void **state)
{
	auto_json *none = json_array();
	struct monitoring found;

	(void)state;
	monitoring_find(&monitoring_servicemonitor, none, NULL, "shop", NULL, NULL, &found);
	assert_null(found.selected_by);
	assert_non_null(strstr(found.problem, "no Prometheus resource"));
	monitoring_release(&found);
}

static void what_was_pinned_stays_the_callers(void **state)
{
	auto_json *prometheuses =
		parsed("[{metadata: {namespace: b, name: k8s}, spec: " SELECTOR("matchLabels: {release: b}") "}]");
	auto_json *pinned = parsed("{team: web}");
	struct monitoring found;

	(void)state;
	monitoring_find(&monitoring_servicemonitor, prometheuses, NULL, "shop", pinned, NULL, &found);
	assert_int_equal(json_object_size(found.labels), 2);
	assert_int_equal(json_object_size(pinned), 1);
	monitoring_release(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_the_table),
		cmocka_unit_test(its_own_namespace_is_covered_by_null),
		cmocka_unit_test(the_first_that_can_be_satisfied_is_taken),
		cmocka_unit_test(every_one_that_does_not_select_is_named),
		cmocka_unit_test(without_any_it_says_so),
		cmocka_unit_test(what_was_pinned_stays_the_callers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
