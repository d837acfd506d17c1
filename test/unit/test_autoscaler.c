/* The spec: defaults, forms, and what is refused with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "api/autoscaler.h"
#include "api/kinds.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/yaml.h"

#define METADATA "metadata: {namespace: shop, name: gemma, uid: u1, generation: 7}\n"
#define TARGET "scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: server}"
#define SMALLEST TARGET ", maxReplicas: 5"

/* The object with this spec, a flow mapping's inside. New reference. */
static json_t *with_spec(const char *spec)
{
	auto_free char *text = xasprintf(METADATA "spec: {%s}\n", spec);
	json_t *object = yaml_parse(text, strlen(text), NULL);

	assert_non_null(object);
	return object;
}

static void the_smallest_resource_is_complete(void **state)
{
	auto_json *object = with_spec(SMALLEST);
	auto_error err = ERROR_INIT;
	auto_autoscaler a;

	(void)state;
	assert_int_equal(autoscaler_decode(object, &a, &err), 0);
	assert_string_equal(a.ns, "shop");
	assert_string_equal(a.name, "gemma");
	assert_string_equal(a.uid, "u1");
	assert_int_equal(a.generation, 7);
	assert_string_equal(a.target_api_version, "apps/v1");
	assert_string_equal(a.target_kind, "Deployment");
	assert_string_equal(a.target_name, "server");
	assert_string_equal(a.mode, "Requests");
	assert_int_equal(a.min_replicas, 1);
	assert_int_equal(a.max_replicas, 5);
	assert_string_equal(a.engine_type, "Auto");
	assert_int_equal(a.port, 0);
	assert_null(a.port_name);
	assert_null(a.path);
	assert_null(a.scheme);
	assert_string_equal(a.signals[0].name, "Running");
	assert_int_equal(a.signals[0].target_milli, -1);
	assert_string_equal(a.scrape_interval, "15s");
	assert_null(a.behavior);
	assert_null(a.monitor_labels);
	assert_false(a.paused);
}

static void a_file_needs_no_metadata_of_the_server(void **state)
{
	static const char text[] = "metadata: {name: gemma}\nspec: {" SMALLEST "}\n";
	auto_json *object = yaml_parse(text, sizeof(text) - 1, NULL);
	auto_error err = ERROR_INIT;
	auto_autoscaler a;

	(void)state;
	assert_int_equal(autoscaler_decode(object, &a, &err), 0);
	assert_string_equal(a.ns, "default");
	assert_string_equal(a.uid, "");
	assert_int_equal(a.generation, 0);
}

static void everything_that_is_written_arrives(void **state)
{
	auto_json *object =
		with_spec(TARGET ", minReplicas: 2, maxReplicas: 2, mode: Requests, scrapeInterval: 1m30s, paused: "
				 "true,"
				 " engine: {type: VLLM, port: 8080, path: /m, scheme: https},"
				 " requests: {signal: Waiting, target: 2500m}, monitor: {labels: {release: x}},"
				 " behavior: {scaleDown: {stabilizationWindowSeconds: 0}}");
	auto_error err = ERROR_INIT;
	auto_autoscaler a;

	(void)state;
	assert_int_equal(autoscaler_decode(object, &a, &err), 0);
	assert_int_equal(a.min_replicas, 2);
	assert_string_equal(a.engine_type, "VLLM");
	assert_int_equal(a.port, 8080);
	assert_null(a.port_name);
	assert_string_equal(a.path, "/m");
	assert_string_equal(a.scheme, "https");
	assert_string_equal(a.signals[0].name, "Waiting");
	assert_int_equal(a.signals[0].target_milli, 2500);
	assert_string_equal(a.scrape_interval, "1m30s");
	assert_true(a.paused);
	assert_string_equal(json_path_string(a.monitor_labels, "release", ""), "x");
	assert_int_equal(json_path_int(a.behavior, "scaleDown.stabilizationWindowSeconds", -1), 0);
}

static void the_object_may_change_after_decoding(void **state)
{
	auto_json *object = with_spec(SMALLEST ", behavior: {scaleUp: {selectPolicy: Disabled}}");
	auto_error err = ERROR_INIT;
	auto_autoscaler a;

	(void)state;
	assert_int_equal(autoscaler_decode(object, &a, &err), 0);
	json_object_clear(json_path(object, "spec.behavior"));
	assert_string_equal(json_path_string(a.behavior, "scaleUp.selectPolicy", ""), "Disabled");
}

static const struct {
	const char *target;
	int64_t milli;
} quantities[] = {
	{"4", 4000},
	{"\"4\"", 4000},
	{"2500m", 2500},
	{"\"2.5\"", 2500},
	{"\"0.5\"", 500},
	{"1k", 1000000},
	{"\"0.25\"", 250},
	{"1m", 1},
};

static void targets_are_quantities(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(quantities); i++) {
		auto_free char *spec = xasprintf(SMALLEST ", requests: {target: %s}", quantities[i].target);
		auto_json *object = with_spec(spec);
		auto_error err = ERROR_INIT;
		auto_autoscaler a;

		assert_int_equal(autoscaler_decode(object, &a, &err), 0);
		assert_int_equal(a.signals[0].target_milli, quantities[i].milli);
	}
}

static void several_signals_come_in_their_order(void **state)
{
	auto_json *object =
		with_spec(SMALLEST ", requests: {signals: [{signal: KVCache, target: 80}, {signal: Waiting}, "
				   "{signal: Running, target: '2.5'}]}");
	auto_error err = ERROR_INIT;
	auto_autoscaler a;

	(void)state;
	assert_int_equal(autoscaler_decode(object, &a, &err), 0);
	assert_int_equal(a.signals_count, 3);
	assert_true(a.signals_listed);
	assert_string_equal(a.signals[0].name, "KVCache");
	assert_int_equal(a.signals[0].target_milli, 80000);
	assert_string_equal(a.signals[1].name, "Waiting");
	assert_int_equal(a.signals[1].target_milli, -1);
	assert_string_equal(a.signals[2].name, "Running");
	assert_int_equal(a.signals[2].target_milli, 2500);
}

static void the_short_form_is_a_list_of_one(void **state)
{
	static const char *const forms[] = {"", "{}", "{signal: Running}", "{signals: [{signal: Running}]}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		auto_free char *spec = xasprintf(SMALLEST "%s%s", forms[i][0] != '\0' ? ", requests: " : "", forms[i]);
		auto_json *object = with_spec(spec);
		auto_error err = ERROR_INIT;
		auto_autoscaler a;

		assert_int_equal(autoscaler_decode(object, &a, &err), 0);
		assert_int_equal(a.signals_count, 1);
		assert_string_equal(a.signals[0].name, "Running");
		assert_int_equal(a.signals[0].target_milli, -1);
	}
}

static void a_port_is_a_number_or_a_name(void **state)
{
	auto_json *object = with_spec(SMALLEST ", engine: {port: http}");
	auto_error err = ERROR_INIT;
	auto_autoscaler a;

	(void)state;
	assert_int_equal(autoscaler_decode(object, &a, &err), 0);
	assert_int_equal(a.port, 0);
	assert_string_equal(a.port_name, "http");
}

static void null_is_absent(void **state)
{
	auto_json *object =
		with_spec(SMALLEST ", minReplicas: null, requests: null, behavior: null, engine: {port: null}");
	auto_error err = ERROR_INIT;
	auto_autoscaler a;

	(void)state;
	assert_int_equal(autoscaler_decode(object, &a, &err), 0);
	assert_int_equal(a.min_replicas, 1);
	assert_null(a.behavior);
	assert_int_equal(a.port, 0);
}

static const struct {
	const char *spec;
	const char *message;
} refused[] = {
	{"maxReplicas: 5", "spec.scaleTargetRef.kind is required"},
	{"scaleTargetRef: {kind: Deployment}, maxReplicas: 5", "spec.scaleTargetRef.name is required"},
	{TARGET, "spec.maxReplicas is required"},
	{TARGET ", maxReplicas: null", "spec.maxReplicas is required"},
	{TARGET ", maxReplicas: five", "spec.maxReplicas must be a whole number"},
	{TARGET ", maxReplicas: 5.5", "spec.maxReplicas must be a whole number"},
	{SMALLEST ", mode: 1", "spec.mode must be a string"},
	{SMALLEST ", mode: Latency", "spec.mode 'Latency' is unknown: use Requests, GPU or Combined"},
	{SMALLEST ", gpu: {signal: Memory}", "spec.gpu.signal 'Memory' is unknown: use Utilization"},
	{SMALLEST ", gpu: {target: 101}", "spec.gpu.target must be a percentage from 1 to 100, not 101"},
	{SMALLEST ", gpu: {exporter: {type: Custom, port: metrics}}",
		"spec.gpu.exporter of type Custom needs namespace, selector and port: write all three"},
	{SMALLEST ", minReplicas: 0", "spec.minReplicas must be at least 1: a Pods metric cannot "
				      "wake a target from zero replicas"},
	{SMALLEST ", minReplicas: 6", "spec.maxReplicas must not be below spec.minReplicas: raise "
				      "maxReplicas or lower minReplicas"},
	{SMALLEST ", paused: 'yes'", "spec.paused must be true or false"},
	{SMALLEST ", behavior: fast", "spec.behavior must be an object"},
	{SMALLEST ", monitor: {labels: [a]}", "spec.monitor.labels must be an object"},
	{SMALLEST ", requests: {target: 0}",
		"spec.requests.target must be a quantity above zero such as 4 or \"2500m\", not '0'"},
	{SMALLEST ", requests: {target: -1}",
		"spec.requests.target must be a quantity above zero such as 4 or \"2500m\", not '-1'"},
	{SMALLEST ", requests: {target: many}",
		"spec.requests.target must be a quantity above zero such as 4 or \"2500m\", not 'many'"},
	{SMALLEST ", scrapeInterval: soon", "spec.scrapeInterval 'soon' is not a duration: write for example 15s"},
	{SMALLEST ", scrapeInterval: 0s", "spec.scrapeInterval '0s' is not a duration: write for example 15s"},
};

static void what_is_wrong_is_refused_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		auto_json *object = with_spec(refused[i].spec);
		auto_error err = ERROR_INIT;
		auto_autoscaler a;

		assert_int_equal(autoscaler_decode(object, &a, &err), -1);
		assert_int_equal(err.kind, ERROR_INVALID);
		assert_string_equal(err.message, refused[i].message);
	}
}

static void a_fallback_has_a_time_by_default(void **state)
{
	static const struct {
		const char *fallback;
		int64_t replicas, after_ms;
	} rows[] = {
		{"null", 0, 180000},
		{"{replicas: 3}", 3, 180000},
		{"{replicas: 5, after: 1m30s}", 5, 90000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *spec = xasprintf(SMALLEST ", fallback: %s", rows[i].fallback);
		auto_json *object = with_spec(spec);
		auto_error err = ERROR_INIT;
		auto_autoscaler a;

		assert_int_equal(autoscaler_decode(object, &a, &err), 0);
		assert_int_equal(a.fallback_replicas, rows[i].replicas);
		assert_int_equal(a.fallback_after_ms, rows[i].after_ms);
	}
}

static const struct {
	const char *spec;
	const char *says; /* the message begins with it */
} refused_by_form[] = {
	{SMALLEST ", fallback: {replicas: 6}",
		"spec.fallback.replicas must not be above spec.maxReplicas: lower it or raise maxReplicas"},
	{SMALLEST ", fallback: {replicas: 0}", "spec.fallback.replicas is not a number of replicas: write 1 or more"},
	{SMALLEST ", fallback: {after: 3m}", "spec.fallback has no replicas: write how many"},
	{SMALLEST ", fallback: {replicas: 2, after: 3}", "spec.fallback.after must be a duration such as 3m"},
	{SMALLEST ", fallback: {replicas: 2, after: 29s}",
		"spec.fallback.after '29s' is not a duration from 30s to 1h: write one such as 3m"},
	{SMALLEST ", fallback: {replicas: 2, after: soon}", "spec.fallback.after 'soon' is not a duration"},
	{SMALLEST ", requests: {signals: [{signal: Running}], target: 4}",
		"spec.requests has signals beside signal or target: write the list alone"},
	{SMALLEST ", requests: {signals: [{signal: Running}], signal: Running}",
		"spec.requests has signals beside signal or target: write the list alone"},
	{SMALLEST ", requests: {signals: [{signal: Running}, {signal: KVCache, target: 101}]}",
		"spec.requests.signals[1].target is a percentage with signal KVCache: write a number up to 100, such as 80"},
	{SMALLEST ", requests: {signals: [{signal: Running, target: many}]}",
		"spec.requests.signals[0].target must be a quantity above zero such as 4 or \"2500m\", not 'many'"},
	{SMALLEST ", requests: {signals: []}", "spec.requests.signals are not 1 to 4 signals: write each once"},
	{SMALLEST ", requests: {signals: Running}", "spec.requests.signals 'Running' are not 1 to 4 signals"},
	{SMALLEST ", requests: {signals: [Running]}", "spec.requests.signals are not 1 to 4 signals"},
	{SMALLEST ", requests: {signals: [{target: 4}]}", "spec.requests.signals are not 1 to 4 signals"},
	{SMALLEST ", requests: {signals: [{signal: Running}, {signal: Running}]}",
		"spec.requests.signals are not 1 to 4 signals: write each once"},
	{SMALLEST ", requests: {signals: [{signal: Running}, {signal: Waiting}, {signal: InFlight}, {signal: KVCache}, "
		  "{signal: Running}]}",
		"spec.requests.signals are not 1 to 4 signals"},
	{SMALLEST ", requests: {signals: [{signal: Running, target: 2M}]}",
		"spec.requests.signals are not 1 to 4 signals"},
};

static void what_has_not_its_form_is_refused_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused_by_form); i++) {
		auto_json *object = with_spec(refused_by_form[i].spec);
		auto_error err = ERROR_INIT;
		auto_autoscaler a;

		assert_int_equal(autoscaler_decode(object, &a, &err), -1);
		assert_int_equal(err.kind, ERROR_INVALID);
		assert_memory_equal(err.message, refused_by_form[i].says, strlen(refused_by_form[i].says));
	}
}

static void an_object_without_anything_is_refused(void **state)
{
	auto_json *object = json_object();
	auto_error err = ERROR_INIT;
	auto_autoscaler a;

	(void)state;
	assert_int_equal(autoscaler_decode(object, &a, &err), -1);
	assert_string_equal(err.message, "metadata.name is required");
}

static const struct {
	const char *list;
	bool own, ab;
} lists[] = {
	{NULL, false, false},
	{"", false, false},
	{"*", true, true},
	{"ab", false, true},
	{"a,b", false, false},
	{"abc,", false, false},
	{",,ab", false, true},
	{"x,ab,y", false, true},
	{"a*", false, false},
	{"shop", true, false},
};

static void a_list_of_namespaces_is_read_by_whole_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		assert_int_equal(settings_list_has(lists[i].list, "ab"), lists[i].ab);
		assert_int_equal(settings_list_has(lists[i].list, "shop"), lists[i].own);
		assert_false(settings_list_has(lists[i].list, "") && lists[i].list[0] != '*');
	}
}

#define CUSTOM(ns) "gpu: {exporter: {type: Custom, namespace: " ns ", selector: {matchLabels: {a: b}}, port: web}}"

static const struct {
	const char *spec;
	const char *monitors, *exporters;
	const char *field; /* that is refused; NULL = none */
} foreign[] = {
	{SMALLEST, NULL, NULL, NULL},
	{SMALLEST ", monitor: {namespace: shop}", NULL, NULL, NULL},
	{SMALLEST ", monitor: {namespace: ab}", NULL, "*", "spec.monitor.namespace 'ab'"},
	{SMALLEST ", monitor: {namespace: ab}", "x,ab", NULL, NULL},
	{SMALLEST ", mode: GPU, " CUSTOM("shop"), NULL, NULL, NULL},
	{SMALLEST ", mode: GPU, " CUSTOM("ab"), "*", "a,b", "spec.gpu.exporter.namespace 'ab'"},
	{SMALLEST ", mode: GPU, " CUSTOM("ab"), NULL, "*", NULL},
};

static void another_namespace_must_be_allowed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
		struct settings settings = SETTINGS_DEFAULT;
		auto_json *object = with_spec(foreign[i].spec);
		auto_error err = ERROR_INIT;
		auto_autoscaler a;

		settings.monitor_namespaces = foreign[i].monitors;
		settings.exporter_namespaces = foreign[i].exporters;
		assert_int_equal(autoscaler_decode(object, &a, &err), 0);
		assert_int_equal(autoscaler_check_settings(&a, &settings, &err), foreign[i].field != NULL ? -1 : 0);
		if (foreign[i].field != NULL) {
			assert_int_equal(err.kind, ERROR_INVALID);
			assert_non_null(strstr(err.message, foreign[i].field));
		}
	}
}

static const struct {
	const char *spec;
	const char *least;
	bool taken;
} intervals[] = {
	{SMALLEST, "5s", true},
	{SMALLEST ", scrapeInterval: 5s", "5s", true},
	{SMALLEST ", scrapeInterval: 5000ms", "5s", true},
	{SMALLEST ", scrapeInterval: 4999ms", "5s", false},
	{SMALLEST ", scrapeInterval: 1s", "5s", false},
	{SMALLEST ", scrapeInterval: 1s", "1s", true},
	{SMALLEST ", scrapeInterval: 1s", NULL, true},
	{SMALLEST, "30s", false},
};

static void an_interval_must_be_long_enough(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(intervals); i++) {
		struct settings settings = SETTINGS_DEFAULT;
		auto_json *object = with_spec(intervals[i].spec);
		auto_error err = ERROR_INIT;
		auto_autoscaler a;

		settings.min_scrape_interval = intervals[i].least;
		assert_int_equal(autoscaler_decode(object, &a, &err), 0);
		assert_int_equal(autoscaler_check_settings(&a, &settings, &err), intervals[i].taken ? 0 : -1);
		if (!intervals[i].taken) {
			assert_int_equal(err.kind, ERROR_INVALID);
			assert_non_null(strstr(err.message, "spec.scrapeInterval '"));
			assert_non_null(strstr(err.message, intervals[i].least));
			assert_non_null(strstr(err.message, "tenants.minScrapeInterval"));
		}
	}
}

static void settings_are_checked(void **state)
{
	struct settings settings = SETTINGS_DEFAULT;
	auto_error err = ERROR_INIT;

	(void)state;
	assert_int_equal(settings_check(&settings, &err), 0);
	settings.min_scrape_interval = "often";
	assert_int_equal(settings_check(&settings, &err), -1);
	assert_string_equal(err.message, "--tenant-min-scrape-interval 'often' is no duration: write for example 5s");
	settings = (struct settings)SETTINGS_DEFAULT;
	settings.monitor_labels = "release";
	error_release(&err);
	err = ERROR_INIT;
	assert_int_equal(settings_check(&settings, &err), -1);
}

/* A list of so many namespaces; heap. */
static char *many_namespaces(size_t count)
{
	auto_strbuf list = STRBUF_INIT;

	for (size_t i = 0; i < count; i++) {
		strbuf_addf(&list, "n%zu,n%zu,", i, i);
	}
	return strbuf_take(&list);
}

static void namespaces_are_few_and_each_once(void **state)
{
	struct settings settings = SETTINGS_DEFAULT;
	auto_free char *most = many_namespaces(SETTINGS_NAMESPACES_MAX - 1);
	auto_error err = ERROR_INIT;
	struct texts all;

	(void)state;
	settings.shared_namespaces = "monitoring";
	assert_int_equal(settings_namespaces(&settings, false).count, 0); /* all of them */
	assert_true(settings_reads(&settings, "any"));
	settings.watch_namespaces = most;
	settings.adapter.ns = "monitoring";
	all = settings_namespaces(&settings, true);
	assert_int_equal(all.count, SETTINGS_NAMESPACES_MAX - 1);
	texts_release(&all);
	assert_int_equal(settings_check(&settings, &err), 0);
	assert_true(settings_reads(&settings, "monitoring"));
	assert_false(settings_reads(&settings, "any"));
	settings.exporter_namespaces = "gpu-operator";
	assert_int_equal(settings_check(&settings, &err), -1);
	assert_non_null(strstr(err.message, "51 namespaces"));
}

static void namespaces_are_names(void **state)
{
	static const char *const wrong[] = {"", ",", "*", "a/b", "..", "team a", "A"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct settings settings = SETTINGS_DEFAULT;
		auto_error err = ERROR_INIT;

		settings.watch_namespaces = wrong[i];
		assert_int_equal(settings_check(&settings, &err), -1);
		assert_non_null(strstr(err.message, "--watch-namespaces"));
	}
}

static const struct {
	const char *list;
	const char *labels; /* as JSON; NULL = they are refused */
} label_lists[] = {
	{NULL, "{}"},
	{"", "{}"},
	{"release=kps", "{\"release\":\"kps\"}"},
	{"a.example/B_c=,d=1,", "{\"a.example/B_c\":\"\",\"d\":\"1\"}"},
	{"release", NULL},
	{"=kps", NULL},
	{"a=b,,c=d", NULL},
	{"a=b c", NULL},
	{"a=b=c", NULL},
	{"a=0123456789012345678901234567890123456789012345678901234567890123", NULL},
};

static void labels_of_a_list(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(label_lists); i++) {
		auto_error err = ERROR_INIT;
		auto_json *labels = settings_labels(label_lists[i].list, &err);
		auto_free char *text = labels != NULL ? json_text(labels) : NULL;

		if (label_lists[i].labels == NULL) {
			assert_null(labels);
			assert_int_equal(err.kind, ERROR_INVALID);
			assert_non_null(strstr(err.message, "is no label"));
		} else {
			assert_string_equal(text, label_lists[i].labels);
		}
	}
}

static const struct {
	const char *api_version;
	const char *kind;
	enum kind expected;
} named[] = {
	{"apps/v1", "Deployment", KIND_DEPLOYMENT},
	{"apps/v1", "StatefulSet", KIND_STATEFULSET},
	{"v1", "Service", KIND_SERVICE},
	{"autoscaling/v2", "HorizontalPodAutoscaler", KIND_HPA},
	{"inference-autoscaler.io/v1alpha1", "InferenceAutoscaler", KIND_AUTOSCALER},
	{"apps/v1beta1", "Deployment", KIND_COUNT},
	{"v1", "Deployment", KIND_COUNT},
	{"leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", KIND_COUNT},
};

static void kinds_are_found_by_version_and_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(named); i++) {
		assert_int_equal(kind_by_name(named[i].api_version, named[i].kind), named[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_resource_is_complete),
		cmocka_unit_test(a_file_needs_no_metadata_of_the_server),
		cmocka_unit_test(everything_that_is_written_arrives),
		cmocka_unit_test(the_object_may_change_after_decoding),
		cmocka_unit_test(targets_are_quantities),
		cmocka_unit_test(a_port_is_a_number_or_a_name),
		cmocka_unit_test(null_is_absent),
		cmocka_unit_test(several_signals_come_in_their_order),
		cmocka_unit_test(the_short_form_is_a_list_of_one),
		cmocka_unit_test(a_fallback_has_a_time_by_default),
		cmocka_unit_test(what_has_not_its_form_is_refused_by_name),
		cmocka_unit_test(what_is_wrong_is_refused_by_name),
		cmocka_unit_test(an_object_without_anything_is_refused),
		cmocka_unit_test(a_list_of_namespaces_is_read_by_whole_names),
		cmocka_unit_test(another_namespace_must_be_allowed),
		cmocka_unit_test(an_interval_must_be_long_enough),
		cmocka_unit_test(settings_are_checked),
		cmocka_unit_test(namespaces_are_few_and_each_once),
		cmocka_unit_test(namespaces_are_names),
		cmocka_unit_test(labels_of_a_list),
		cmocka_unit_test(kinds_are_found_by_version_and_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
