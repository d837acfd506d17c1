/* Which Prometheus selects a ServiceMonitor, by the table of what its selectors can say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* Views of all objects of the array; to be given to release(). */
static struct view_list views(enum kind kind, const json_t *objects)
{
	size_t count = json_array_size(objects);
	struct view_list list = {.items = xcalloc(count, sizeof(*list.items)), .count = count};

	for (size_t i = 0; i < count; i++) {
		list.items[i] = view_decode(kind, json_array_get(objects, i));
	}
	return list;
}

static void release(struct view_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		view_unref(list->items[i]);
	}
	view_list_release(list);
}
#define auto_views ATTR_CLEANUP(release) struct view_list

/* A view that has these labels; NULL of NULL. */
static const struct view *labelled(const json_t *labels)
{
	auto_json *object = json_pack("{s:{s:s, s:O*}}", "metadata", "name", "m", "labels", labels);

	return labels != NULL ? view_decode(KIND_SERVICEMONITOR, object) : NULL;
}

static const struct view_pairs *labels_of(const struct view *view)
{
	return view != NULL ? &view->meta.labels : NULL;
}

static void find(const json_t *prometheuses, const json_t *pinned, struct monitoring *found)
{
	auto_views list = views(KIND_PROMETHEUS, prometheuses);

	monitoring_find(&(struct monitoring_context){.prometheuses = &list},
		&(struct monitoring_object){.kind = &monitoring_servicemonitor, .ns = "shop", .pinned = pinned}, found);
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
	{SELECTOR("matchExpressions: [{key: a, operator: In, values: [b, c]}, {key: a, operator: NotIn, values: [b]}]"),
		NULL, "{a: c}", NULL},
	{SELECTOR("matchLabels: {a: b}, matchExpressions: [{key: a, operator: NotIn, values: [b]}]"), NULL, NULL,
		"our labels cannot satisfy"},

	/* labels that are always there */
	/* we find the object by ours */
	{SELECTOR("matchLabels: {ours: yes-indeed}"), NULL, NULL, "our labels cannot satisfy"},
	{SELECTOR("matchLabels: {ours: yes-indeed}"), "{ours: yes-indeed}", NULL, "contradicts"},
	{EXPRESSION("key: ours, operator: Exists"), NULL, "{}", NULL},
	{EXPRESSION("key: ours, operator: NotIn, values: ['true']"), NULL, NULL, "our labels cannot satisfy"},
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
	auto_json *all = parsed("[{metadata: {name: other}}, {metadata: {name: shop, labels: {team: web}}}]");
	auto_views namespaces = views(KIND_NAMESPACE, all);
	auto_json *own = parsed("{ours: 'true'}");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *text =
			xasprintf("[{metadata: {namespace: monitoring, name: k8s}, spec: %s}]", rows[i].spec);
		auto_json *parsed_text = parsed(text);
		auto_views prometheuses = views(KIND_PROMETHEUS, parsed_text);
		auto_json *pinned = rows[i].pinned != NULL ? parsed(rows[i].pinned) : NULL;
		auto_json *wanted = parsed(rows[i].labels != NULL   ? rows[i].labels
					   : rows[i].pinned != NULL ? rows[i].pinned
								    : "{}");
		struct monitoring found;

		monitoring_find(&(struct monitoring_context){.prometheuses = &prometheuses, .namespaces = &namespaces},
			&(struct monitoring_object){.kind = &monitoring_servicemonitor,
				.ns = "shop",
				.pinned = pinned,
				.own = own},
			&found);
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
	find(prometheuses, NULL, &found);
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
	find(prometheuses, NULL, &found);
	assert_string_equal(found.selected_by, "b/k8s");
	assert_string_equal(json_path_string(found.labels, "release", ""), "b");
	monitoring_release(&found);

	find(prometheuses, pinned, &found);
	assert_string_equal(found.selected_by, "c/k8s");
	monitoring_release(&found);
}

static void every_one_that_does_not_select_is_named(void **state)
{
	auto_json *prometheuses = parsed("- {metadata: {namespace: a, name: one}, spec: {}}\n"
					 "- {metadata: {namespace: b, name: two}, spec: {" ALL_NAMESPACES "}}\n");
	struct monitoring found;

	(void)state;
	find(prometheuses, NULL, &found);
	assert_non_null(strstr(found.problem, "Prometheus 'a/one' looks into its own namespace only"));
	assert_non_null(strstr(found.problem, "; Prometheus 'b/two' selects no ServiceMonitor at all"));
	monitoring_release(&found);
}

static void without_any_it_says_so(void **state)
{
	auto_json *none = json_array();
	struct monitoring found;

	(void)state;
	find(none, NULL, &found);
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
	find(prometheuses, pinned, &found);
	assert_int_equal(json_object_size(found.labels), 2);
	assert_int_equal(json_object_size(pinned), 1);
	monitoring_release(&found);
}

/* Prometheuses of all namespaces, in namespace `x`, by name and what they select; `made` is the minute of the hour. */
#define PROMETHEUS(name, made, more, selector)                                                                         \
	"- {metadata: {namespace: x, name: " name ", creationTimestamp: '2026-01-31T08:" made ":00Z'}, "               \
	"spec: {serviceMonitorNamespaceSelector: {}, " more "serviceMonitorSelector: {" selector "}}}\n"
#define WANTS(name, labels) PROMETHEUS(name, "00", "", "matchLabels: {" labels "}")
#define WANTS_BY(name, expression) PROMETHEUS(name, "00", "", "matchExpressions: [{" expression "}]")

/* Several Prometheuses, and an object that may have labels already. */
static const struct {
	const char *prometheuses;
	const char *asked;   /* NULL = not known */
	const char *current; /* NULL = to be made */
	const char *pinned;  /* NULL = none */
	const char *labels;
	const char *selected_by;
} several[] = {
	/* who comes first */
	{WANTS("a", "r: a") WANTS("b", "r: b"), NULL, NULL, NULL, "{r: a}", "x/a"},
	{WANTS("a", "r: a") WANTS("b", "r: b"), "x/b", NULL, NULL, "{r: b}", "x/b"},
	{WANTS("a", "r: a") WANTS("b", "r: b"), "x/b", "{r: a}", NULL, "{r: b}", "x/b"},
	{WANTS("a", "r: a") WANTS("b", "r: b"), "y/gone", "{r: b}", NULL, "{r: b}", "x/b"},
	{WANTS("a", "r: a") WANTS("b", "r: b"), NULL, "{r: b}", NULL, "{r: b}", "x/b"},
	{WANTS("a", "r: a") WANTS("b", "r: b"), "x/a", "{r: a}", "{r: b}", "{r: b}", "x/b"},
	{PROMETHEUS("a", "30", "", "") PROMETHEUS("b", "10", "", ""), NULL, "{}", NULL, "{}", "x/b"},
	{PROMETHEUS("a", "10", "replicas: 0, ", "matchLabels: {r: a}") WANTS("b", "r: b"), NULL, "{r: a}", NULL,
		"{r: b}", "x/b"},
	{PROMETHEUS("a", "10", "replicas: 0, ", "matchLabels: {r: a}"), NULL, NULL, NULL, "{r: a}", "x/a"},

	/* all have their labels, as far as those before them allow */
	{WANTS("a", "r: a") WANTS("b", "t: b"), NULL, NULL, NULL, "{r: a, t: b}", "x/a"},
	{WANTS("a", "r: a") WANTS("b", "r: b, t: b"), NULL, NULL, NULL, "{r: a}", "x/a"},
	{WANTS("a", "r: a") WANTS_BY("b", "key: r, operator: DoesNotExist") WANTS("c", "t: c"), NULL, NULL, NULL,
		"{r: a, t: c}", "x/a"},
	{WANTS_BY("a", "key: t, operator: DoesNotExist") WANTS("b", "t: b"), NULL, NULL, NULL, "{}", "x/a"},
	{WANTS_BY("a", "key: t, operator: NotIn, values: [b]") WANTS("b", "t: b"), NULL, NULL, NULL, "{}", "x/a"},
	{WANTS_BY("a", "key: t, operator: NotIn, values: [b]") WANTS_BY("b", "key: t, operator: In, values: [b, c]"),
		NULL, NULL, NULL, "{t: c}", "x/a"},
	{WANTS_BY("a", "key: t, operator: In, values: [b, c]") WANTS_BY("b", "key: t, operator: In, values: [c, b]"),
		NULL, NULL, NULL, "{t: b}", "x/a"},
	/* a value that it has, and that serves, stays */
	{WANTS_BY("a", "key: t, operator: In, values: [b, c]") WANTS_BY("b", "key: t, operator: In, values: [c, b]"),
		NULL, "{t: c}", NULL, "{t: c}", "x/a"},
	{WANTS_BY("a", "key: t, operator: Exists"), NULL, "{t: c, left: over}", NULL, "{t: c}", "x/a"},
	/* what we find our object by is not overwritten for a second one */
	{WANTS("a", "r: a") WANTS("b", "ours: theirs"), NULL, NULL, NULL, "{r: a}", "x/a"},
};

static void of_several_by_the_table(void **state)
{
	auto_json *own = parsed("{ours: 'true'}");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(several); i++) {
		auto_json *text = parsed(several[i].prometheuses);
		auto_views prometheuses = views(KIND_PROMETHEUS, text);
		auto_json *pinned = several[i].pinned != NULL ? parsed(several[i].pinned) : NULL;
		auto_json *labels = several[i].current != NULL ? parsed(several[i].current) : NULL;
		auto_view *current = labelled(labels);
		auto_view *then = NULL;
		auto_json *wanted = parsed(several[i].labels);
		const struct monitoring_context context = {.prometheuses = &prometheuses, .asked = several[i].asked};
		struct monitoring_object object = {.kind = &monitoring_servicemonitor,
			.ns = "shop",
			.pinned = pinned,
			.own = own,
			.current = labels_of(current)};
		struct monitoring found;
		struct monitoring again;

		monitoring_find(&context, &object, &found);
		assert_string_equal(found.selected_by, several[i].selected_by);
		assert_true(json_equal(found.labels, wanted));
		/* and once it has these labels, nothing else is wanted */
		then = labelled(found.labels);
		object.current = labels_of(then);
		monitoring_find(&context, &object, &again);
		assert_string_equal(again.selected_by, several[i].selected_by);
		assert_true(json_equal(again.labels, wanted));
		monitoring_release(&found);
		monitoring_release(&again);
	}
}

static void the_one_that_is_asked_is_said_to_select(void **state)
{
	auto_json *text = parsed(WANTS("a", "") WANTS("b", ""));
	auto_views prometheuses = views(KIND_PROMETHEUS, text);
	auto_json *labels = json_object();
	auto_view *current = labelled(labels);
	const struct monitoring_object object = {.kind = &monitoring_servicemonitor,
		.ns = "shop",
		.current = labels_of(current)};
	auto_free char *by_name =
		monitoring_selects(&(struct monitoring_context){.prometheuses = &prometheuses}, &object);
	auto_free char *asked =
		monitoring_selects(&(struct monitoring_context){.prometheuses = &prometheuses, .asked = "x/b"},
			&object);

	(void)state;
	assert_string_equal(by_name, "x/a");
	assert_string_equal(asked, "x/b");
}

static void add_prometheus(json_t *prometheuses, int number, json_t *selector_take)
{
	auto_free char *name = xasprintf("p%04d", number);

	json_array_append_new(prometheuses,
		json_pack("{s:{s:s, s:s}, s:{s:{}, s:o}}", "metadata", "namespace", "x", "name", name, "spec",
			"serviceMonitorNamespaceSelector", "serviceMonitorSelector", selector_take));
}

/* In less than the 50 ms that nothing on the loop may take. */
static void find_soon(const json_t *prometheuses, struct monitoring *found)
{
	auto_views list = views(KIND_PROMETHEUS, prometheuses);
	clock_t start = clock();

	monitoring_find(&(struct monitoring_context){.prometheuses = &list},
		&(struct monitoring_object){.kind = &monitoring_servicemonitor, .ns = "shop"}, found);
	start = clock() - start;
	assert_true(start < CLOCKS_PER_SEC / 20);
}

/* Whoever may make Prometheus resources decides neither how long a pass takes nor how many labels an object has. */
static void many_selectors_cost_little(void **state)
{
	auto_json *prometheuses = json_array();
	struct monitoring found;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		auto_free char *key = xasprintf("key-%d", i);

		add_prometheus(prometheuses, i, json_pack("{s:{s:s}}", "matchLabels", key, "x"));
	}
	find_soon(prometheuses, &found);
	assert_string_equal(found.selected_by, "x/p0000");
	assert_int_equal(json_object_size(found.labels), 17);
	monitoring_release(&found);
}

static void a_large_selector_costs_little(void **state)
{
	auto_json *prometheuses = json_array();
	struct monitoring found;

	(void)state;
	for (int i = 0; i < 100; i++) {
		json_t *labels = json_object();

		for (int k = 0; k < 5000; k++) {
			auto_free char *key = xasprintf("key-%d", k);

			json_object_set_new(labels, key, json_string("x"));
		}
		add_prometheus(prometheuses, 1 + i, json_pack("{s:o}", "matchLabels", labels));
	}
	add_prometheus(prometheuses, 0, json_pack("{s:{s:s}}", "matchLabels", "release", "p"));
	json_array_insert(prometheuses, 0, json_array_get(prometheuses, 100));
	json_array_remove(prometheuses, 101);
	find_soon(prometheuses, &found);
	assert_string_equal(found.selected_by, "x/p0000");
	assert_int_equal(json_object_size(found.labels), 1);
	monitoring_release(&found);
}

/* The most that is worked out: each refuses all values of all keys of those behind it. */
static void selectors_that_refuse_each_other_cost_little(void **state)
{
	auto_json *prometheuses = json_array();
	struct monitoring found;

	(void)state;
	for (int i = 0; i < 100; i++) {
		json_t *expressions = json_array();

		for (int k = 0; k < 21; k++) {
			auto_free char *key = xasprintf("key-%d", k);
			auto_free char *value = xasprintf("value-%d", i);

			json_array_append_new(expressions, json_pack("{s:s, s:s, s:[s, s]}", "key", key, "operator",
								   i % 2 == 0 ? "In" : "NotIn", "values", value, "a"));
		}
		add_prometheus(prometheuses, i, json_pack("{s:o}", "matchExpressions", expressions));
	}
	find_soon(prometheuses, &found);
	assert_string_equal(found.selected_by, "x/p0000");
	monitoring_release(&found);
}

/* Namespaces of tenants, of the platform, and the object's own; `labels` NULL = nobody selects it. */
static const struct {
	const char *prometheuses;
	const char *platform; /* NULL = not known */
	const char *monitor_namespaces;
	const char *labels;
	const char *selected_by;
} tenants[] = {
#define OF(ns, selector) "- {metadata: {namespace: " ns ", name: p}, spec: " SELECTOR(selector) "}\n"
	/* a tenant's gets no label, nor is its wish for none respected */
	{OF("monitoring", "matchLabels: {r: a}") OF("team-a", "matchLabels: {t: b}"), "monitoring/p", NULL,
		"{r: a, usual: x}", "monitoring/p"},
	{OF("monitoring", "") OF("team-a", "matchExpressions: [{key: usual, operator: DoesNotExist}]"), "monitoring/p",
		NULL, "{usual: x}", "monitoring/p"},
	{OF("monitoring", "matchExpressions: [{key: t, operator: Exists}]") OF("monitoring-2", "matchLabels: {t: b}"),
		"monitoring/p", NULL, "{t: 'true', usual: x}", "monitoring/p"},
	/* those of the platform's namespaces do, and of the object's own */
	{OF("monitoring", "matchLabels: {r: a}") OF("apm", "matchLabels: {t: b}"), "monitoring/p", "apm",
		"{r: a, t: b, usual: x}", "monitoring/p"},
	{OF("monitoring", "matchLabels: {r: a}") OF("apm", "matchLabels: {t: b}"), "monitoring/p", "*",
		"{r: a, usual: x}", "monitoring/p"},
	{OF("monitoring", "matchLabels: {r: a}") OF("gpu-operator", "matchLabels: {t: b}"), "monitoring/p", NULL,
		"{r: a, t: b, usual: x}", "monitoring/p"},
	{OF("monitoring", "matchLabels: {r: a}") OF("shop", "matchLabels: {t: b}"), "monitoring/p", NULL,
		"{r: a, t: b, usual: x}", "monitoring/p"},
	{OF("team-a", "matchLabels: {t: b}") OF("apm", "matchLabels: {r: a}"), NULL, "apm", "{r: a, usual: x}",
		"apm/p"},
	/* where nothing tells whose is the platform's, all do */
	{OF("a", "matchLabels: {r: a}") OF("b", "matchLabels: {t: b}"), NULL, NULL, "{r: a, t: b, usual: x}", "a/p"},
	/* a tenant's alone is told why it does not select */
	{OF("monitoring", "matchLabels: {pinned: no}") OF("team-a", "matchLabels: {t: b}"), "monitoring/p", NULL, NULL,
		NULL},
};

static void a_tenants_has_no_say_elsewhere(void **state)
{
	auto_json *usual = parsed("{usual: x}");
	auto_json *pinned = parsed("{pinned: 'yes'}");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(tenants); i++) {
		auto_json *wanted = tenants[i].labels != NULL ? parsed(tenants[i].labels) : NULL;
		auto_json *prometheuses = parsed(tenants[i].prometheuses);
		auto_views list = views(KIND_PROMETHEUS, prometheuses);
		const struct settings settings = {.monitor_namespaces = tenants[i].monitor_namespaces};
		const struct monitoring_context context = {.prometheuses = &list,
			.asked = tenants[i].platform,
			.platform = tenants[i].platform,
			.settings = &settings};
		const struct monitoring_object object = {.kind = &monitoring_servicemonitor,
			.ns = "shop",
			.usual = usual,
			.pinned = wanted == NULL ? pinned : NULL};
		struct monitoring found;

		monitoring_find(&context, &object, &found);
		if (wanted != NULL) {
			assert_string_equal(found.selected_by, tenants[i].selected_by);
			assert_true(json_equal(found.labels, wanted));
		} else {
			assert_null(found.selected_by);
			assert_non_null(strstr(found.problem,
				"Prometheus 'team-a/p' wants 't=b', and is neither in namespace 'shop' nor known to be the "
				"platform's: name these labels in spec.monitor.labels"));
		}
		monitoring_release(&found);
	}
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
		cmocka_unit_test(of_several_by_the_table),
		cmocka_unit_test(the_one_that_is_asked_is_said_to_select),
		cmocka_unit_test(a_tenants_has_no_say_elsewhere),
		cmocka_unit_test(many_selectors_cost_little),
		cmocka_unit_test(selectors_that_refuse_each_other_cost_little),
		/* the last, since what it frees costs whoever allocates next */
		cmocka_unit_test(a_large_selector_costs_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
