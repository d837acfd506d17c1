/* The form of each field, one row each. */
#include "spec_form.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/quantity.h"
#include "base/text.h"
#include "engine_signals.h"
#include "name_form.h"

/* In thousandths: nobody has a millionth of a request, or more than a million. */
#define TARGET_MAX_MILLI 1000000000
#define INTERVAL_MIN_MS 1000
#define INTERVAL_MAX_MS 120000
#define FALLBACK_MIN_MS (30 * 1000)
#define FALLBACK_MAX_MS (60 * 60 * 1000)
#define PORT_MAX 65535
#define LABELS_MAX 16

static const char *text_of(const json_t *value)
{
	return json_is_string(value) ? json_string_value(value) : "";
}

static bool is_between(const json_t *value, int64_t min, int64_t max)
{
	return json_is_integer(value) && json_integer_value(value) >= min && json_integer_value(value) <= max;
}

static bool is_api_version(const json_t *value)
{
	return name_is_group_version(text_of(value));
}

static bool is_kind(const json_t *value)
{
	return name_is_kind(text_of(value));
}

static bool is_object_name(const json_t *value)
{
	return name_is_subdomain(text_of(value));
}

static bool is_service_name(const json_t *value)
{
	return name_is_service(text_of(value));
}

static bool is_namespace(const json_t *value)
{
	return name_is_label(text_of(value));
}

static bool is_port_name(const json_t *value)
{
	return name_is_port(text_of(value));
}

static bool is_port(const json_t *value)
{
	return is_between(value, 1, PORT_MAX) || is_port_name(value);
}

static bool is_path(const json_t *value)
{
	return name_is_path(text_of(value));
}

/* `words` end with NULL. */
static bool is_one_of(const json_t *value, const char *const *words)
{
	while (*words != NULL && strcmp(text_of(value), *words) != 0) {
		words++;
	}
	return *words != NULL;
}

static bool is_signal(const json_t *value)
{
	static const char *const words[] = {"Running", "Waiting", "InFlight", "KVCache", NULL};

	return is_one_of(value, words);
}

static bool is_source(const json_t *value)
{
	static const char *const words[] = {"Auto", "Prometheus", "Direct", NULL};

	return is_one_of(value, words);
}

static bool is_scheme(const json_t *value)
{
	static const char *const words[] = {"http", "https", NULL};

	return is_one_of(value, words);
}

static bool is_select_policy(const json_t *value)
{
	static const char *const words[] = {"Max", "Min", "Disabled", NULL};

	return is_one_of(value, words);
}

static bool is_exporter_type(const json_t *value)
{
	static const char *const words[] = {"Auto", "GKE", "GPUOperator", "Standalone", "Custom", NULL};

	return is_one_of(value, words);
}

static bool is_count(const json_t *value)
{
	return is_between(value, 1, INT32_MAX);
}

/* The number before the suffix, as people write one; NULL when there is none. */
static const char *after_number(const char *text)
{
	static const char digits[] = "0123456789";
	size_t whole = strspn(text, digits);
	size_t part = text[whole] == '.' ? strspn(text + whole + 1, digits) : 0;

	if (whole == 0 || (text[whole] == '.' && part == 0)) {
		return NULL;
	}
	return text + whole + (part > 0 ? part + 1 : 0);
}

/* In thousandths, unlike quantity_parse_milli() not rounded up. */
static double exact_milli(const char *text, const char *suffix)
{
	auto_free char *unit = xasprintf("1%s", suffix);

	return strtod(text, NULL) * (double)quantity_parse_milli(unit);
}

static bool is_target(const json_t *value)
{
	static const char *const suffixes[] = {"", "m", "k", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti", "Pi"};
	const char *text = text_of(value);
	const char *suffix = after_number(text);

	if (json_is_integer(value)) {
		return is_between(value, 1, TARGET_MAX_MILLI / 1000);
	}
	for (size_t i = 0; suffix != NULL && i < ARRAY_LEN(suffixes); i++) {
		if (strcmp(suffix, suffixes[i]) == 0) {
			double milli = exact_milli(text, suffix);

			return milli >= 1 && milli <= TARGET_MAX_MILLI;
		}
	}
	return false;
}

static bool is_absent(const json_t *value)
{
	return value == NULL || json_is_null(value);
}

/* Whether the signal of this index is one, and the first of its name. */
static bool is_listed_signal(const json_t *list, size_t index)
{
	const json_t *item = json_array_get(list, index);
	const json_t *name = json_object_get(item, "signal");
	const json_t *target = json_object_get(item, "target");

	for (size_t i = 0; i < index; i++) {
		if (json_equal(json_object_get(json_array_get(list, i), "signal"), name)) {
			return false;
		}
	}
	return is_signal(name) && (is_absent(target) || is_target(target));
}

static bool are_signals(const json_t *value)
{
	for (size_t i = 0; i < json_array_size(value); i++) {
		if (!is_listed_signal(value, i)) {
			return false;
		}
	}
	return json_array_size(value) > 0;
}

static bool is_tolerance(const json_t *value)
{
	const char *suffix = after_number(text_of(value));

	return is_between(value, 0, INT64_MAX) || (suffix != NULL && (suffix[0] == '\0' || strcmp(suffix, "m") == 0));
}

static bool is_interval(const json_t *value)
{
	const char *text = text_of(value);
	int64_t ms = clock_parse_duration(text);

	return text[strspn(text, "0123456789ms")] == '\0' && ms >= INTERVAL_MIN_MS && ms <= INTERVAL_MAX_MS;
}

static bool is_fallback(const json_t *value)
{
	return !is_absent(json_object_get(value, "replicas"));
}

static bool is_fallback_time(const json_t *value)
{
	const char *text = text_of(value);
	int64_t ms = clock_parse_duration(text);

	return text[strspn(text, "0123456789hms")] == '\0' && strstr(text, "ms") == NULL && ms >= FALLBACK_MIN_MS &&
	       ms <= FALLBACK_MAX_MS;
}

static bool is_window(const json_t *value)
{
	return is_between(value, 0, 3600);
}

static bool is_policy(const json_t *policy)
{
	const char *type = json_path_string(policy, "type", "");

	return (strcmp(type, "Pods") == 0 || strcmp(type, "Percent") == 0) &&
	       is_count(json_object_get(policy, "value")) &&
	       is_between(json_object_get(policy, "periodSeconds"), 1, 1800);
}

static bool are_policies(const json_t *value)
{
	size_t i;
	json_t *policy;

	json_array_foreach((json_t *)(uintptr_t)value, i, policy) {
		if (!is_policy(policy)) {
			return false;
		}
	}
	return json_array_size(value) > 0 && json_array_size(value) <= 16;
}

static bool are_labels(const json_t *value)
{
	const char *key;
	json_t *text;

	json_object_foreach((json_t *)(uintptr_t)value, key, text) {
		if (!json_is_string(text) || !name_is_label_key(key) || !name_is_label_value(text_of(text))) {
			return false;
		}
	}
	return json_is_object(value) && json_object_size(value) <= LABELS_MAX;
}

static bool are_some_labels(const json_t *value)
{
	return are_labels(value) && json_object_size(value) > 0;
}

/* By the others we find what is ours. */
static bool are_others_labels(const json_t *value)
{
	const char *key;
	json_t *text;

	json_object_foreach((json_t *)(uintptr_t)value, key, text) {
		if (name_is_own_label(key)) {
			return false;
		}
	}
	return true;
}

#define LABELS_SAY                                                                                                        \
	"has a label that is none: write at most 16, keys and values of letters, digits and - _ . up to 63, a letter or " \
	"digit at both ends, a key with an optional DNS prefix and '/' before it"
#define NAMESPACE_SAYS                                                                                                 \
	"is not a namespace's name: write lower-case letters, digits and '-', at most 63, no '-' at either end"
#define POLICIES_SAY                                                                                                   \
	"are not 1 to 16 policies: write each with type Pods or Percent, value of 1 or more, and periodSeconds from 1 to 1800"

static const struct {
	const char *path;
	bool (*is)(const json_t *value);
	const char *says;
} forms[] = {
	{"metadata.name", is_service_name,
		"cannot name a Service: write at most 55 characters, lower-case letters, digits and '-', a letter first, no "
		"'-' at the end"},
	{"spec.scaleTargetRef.apiVersion", is_api_version,
		"is not a group and version: write it as in the workload's own manifest, such as apps/v1"},
	{"spec.scaleTargetRef.kind", is_kind,
		"is not a kind: write it as in the workload's own manifest, such as Deployment"},
	{"spec.scaleTargetRef.name", is_object_name,
		"is not an object's name: write the workload's metadata.name, lower-case letters, digits, '-' and '.'"},
	{"spec.operatorClass", is_namespace,
		"is not a name: write lower-case letters, digits and '-', no '-' at either end, at most 63"},
	{"spec.minReplicas", is_count, "is too large: write at most 2147483647"},
	{"spec.maxReplicas", is_count, "is too large: write at most 2147483647"},
	{"spec.engine.port", is_port,
		"is neither a number nor a name of a port: write a number from 1 to 65535, or the name in the container's "
		"ports, at most 15 lower-case letters, digits and '-'"},
	{"spec.engine.path", is_path,
		"is not a plain HTTP path: write one that starts with '/' and has only letters, digits and . _ ~ - between "
		"single slashes, at most 255, and no '.' or '..' alone, such as /metrics"},
	{"spec.engine.signals", engine_signals_are,
		"are not 1 to 4 figures: write each once, with name Running, Waiting, InFlight or KVCache, series as a name or "
		"name{label=\"value\"} of letters, digits and _ : (in values also . / @ + -), at most 255, and no name of the platform's "
		"such as up or kube_pod_info, over Sum or Max, and unit Requests, or Ratio or Percent of KVCache"},
	{"spec.engine.scheme", is_scheme, "is unknown: use http or https"},
	{"spec.requests.signal", is_signal, "is unknown: use Running, Waiting, InFlight or KVCache"},
	{"spec.requests.target", is_target,
		"is not a quantity from 1m to 1M: write a number, such as 4, \"2.5\" or \"1500m\""},
	{"spec.requests.signals", are_signals,
		"are not 1 to 4 signals: write each once, with signal Running, Waiting, InFlight or KVCache, and a target from "
		"1m to 1M, such as 4, \"2.5\" or \"1500m\""},
	{"spec.gpu.exporter.type", is_exporter_type, "is unknown: use Auto, GKE, GPUOperator, Standalone or Custom"},
	{"spec.gpu.exporter.namespace", is_namespace, NAMESPACE_SAYS},
	{"spec.gpu.exporter.selector.matchLabels", are_some_labels, LABELS_SAY},
	{"spec.gpu.exporter.port", is_port_name,
		"is not a name of a port: write the name in the Service's ports, at most 15 lower-case letters, digits and '-'"},
	{"spec.scrapeInterval", is_interval, "is not a duration from 1s to 2m: write one such as 15s or 1m30s"},
	{"spec.behavior.scaleUp.stabilizationWindowSeconds", is_window, "is not a number from 0 to 3600"},
	{"spec.behavior.scaleUp.selectPolicy", is_select_policy, "is unknown: use Max, Min or Disabled"},
	{"spec.behavior.scaleUp.policies", are_policies, POLICIES_SAY},
	{"spec.behavior.scaleUp.tolerance", is_tolerance,
		"is not a quantity of 0 or more: write a fraction, such as \"0.05\" or 0"},
	{"spec.behavior.scaleDown.stabilizationWindowSeconds", is_window, "is not a number from 0 to 3600"},
	{"spec.behavior.scaleDown.selectPolicy", is_select_policy, "is unknown: use Max, Min or Disabled"},
	{"spec.behavior.scaleDown.policies", are_policies, POLICIES_SAY},
	{"spec.behavior.scaleDown.tolerance", is_tolerance,
		"is not a quantity of 0 or more: write a fraction, such as \"0.05\" or 0"},
	{"spec.fallback", is_fallback,
		"has no replicas: write how many there shall be at least while the chain is broken"},
	{"spec.fallback.replicas", is_count, "is not a number of replicas: write 1 or more"},
	{"spec.fallback.after", is_fallback_time, "is not a duration from 30s to 1h: write one such as 3m"},
	{"spec.source", is_source, "is unknown: use Auto, Prometheus or Direct"},
	{"spec.monitor.labels", are_labels, LABELS_SAY},
	{"spec.monitor.labels", are_others_labels,
		"has a key that is the operator's own: remove app.kubernetes.io/managed-by and whatever starts with "
		"inference-autoscaler.io/"},
	{"spec.monitor.namespace", is_namespace, NAMESPACE_SAYS},
};

static int say(const char *path, const json_t *value, const char *says, struct error *err)
{
	auto_free char *text = json_is_string(value) ? text_quote(json_string_value(value)) : NULL;

	return text != NULL ? error_set(err, ERROR_INVALID, "%s '%s' %s", path, text, says)
	                    : error_set(err, ERROR_INVALID, "%s %s", path, says);
}

int spec_form_check(const json_t *object, struct error *err)
{
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		const json_t *value = json_path(object, forms[i].path);

		if (value != NULL && !json_is_null(value) && !forms[i].is(value)) {
			return say(forms[i].path, value, forms[i].says, err);
		}
	}
	return 0;
}
