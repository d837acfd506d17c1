/* Decoding an InferenceAutoscaler by a table of its fields. */
#include "api/autoscaler.h"

#include <stddef.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "spec_form.h"
#include "wanted_signals.h"

enum field_type {
	FIELD_STRING,
	FIELD_INT,
	FIELD_BOOL,
	FIELD_OBJECT,
	FIELD_DURATION,    /* a string, kept in milliseconds; -1 = it is none, which spec_form.c refuses */
	FIELD_PORT_NUMBER, /* an int-or-string's number */
	FIELD_PORT_NAME    /* an int-or-string's name */
};

struct field {
	const char *path;
	enum field_type type;
	size_t offset;
	const char *fallback; /* of a string; NULL = required when `required`, else absent */
	int64_t number;       /* the default of a number */
	bool required;
};

#define FALLBACK_AFTER_MS (3 * 60 * 1000)

#define AT(member) offsetof(struct autoscaler, member)

static const struct field fields[] = {
	{"metadata.namespace", FIELD_STRING, AT(ns), "default", 0, false},
	{"metadata.name", FIELD_STRING, AT(name), NULL, 0, true},
	{"metadata.uid", FIELD_STRING, AT(uid), "", 0, false},
	{"metadata.generation", FIELD_INT, AT(generation), NULL, 0, false},
	{"spec.operatorClass", FIELD_STRING, AT(operator_class), NULL, 0, false},
	{"spec.scaleTargetRef.apiVersion", FIELD_STRING, AT(target_api_version), "apps/v1", 0, false},
	{"spec.scaleTargetRef.kind", FIELD_STRING, AT(target_kind), NULL, 0, true},
	{"spec.scaleTargetRef.name", FIELD_STRING, AT(target_name), NULL, 0, true},
	{"spec.mode", FIELD_STRING, AT(mode), "Requests", 0, false},
	{"spec.minReplicas", FIELD_INT, AT(min_replicas), NULL, 1, false},
	{"spec.maxReplicas", FIELD_INT, AT(max_replicas), NULL, 0, true},
	{"spec.engine.type", FIELD_STRING, AT(engine_type), "Auto", 0, false},
	{"spec.engine.port", FIELD_PORT_NUMBER, AT(port), NULL, 0, false},
	{"spec.engine.port", FIELD_PORT_NAME, AT(port_name), NULL, 0, false},
	{"spec.engine.path", FIELD_STRING, AT(path), NULL, 0, false},
	{"spec.engine.scheme", FIELD_STRING, AT(scheme), NULL, 0, false},
	{"spec.gpu.signal", FIELD_STRING, AT(gpu_signal), "Utilization", 0, false},
	{"spec.gpu.target", FIELD_INT, AT(gpu_target), NULL, -1, false},
	{"spec.gpu.exporter.type", FIELD_STRING, AT(exporter_type), "Auto", 0, false},
	{"spec.gpu.exporter.namespace", FIELD_STRING, AT(exporter_namespace), NULL, 0, false},
	{"spec.gpu.exporter.selector.matchLabels", FIELD_OBJECT, AT(exporter_labels), NULL, 0, false},
	{"spec.gpu.exporter.port", FIELD_STRING, AT(exporter_port), NULL, 0, false},
	{"spec.scrapeInterval", FIELD_STRING, AT(scrape_interval), "15s", 0, false},
	{"spec.behavior", FIELD_OBJECT, AT(behavior), NULL, 0, false},
	{"spec.monitor.labels", FIELD_OBJECT, AT(monitor_labels), NULL, 0, false},
	{"spec.monitor.namespace", FIELD_STRING, AT(monitor_namespace), NULL, 0, false},
	{"spec.fallback.replicas", FIELD_INT, AT(fallback_replicas), NULL, 0, false},
	{"spec.fallback.after", FIELD_DURATION, AT(fallback_after_ms), NULL, FALLBACK_AFTER_MS, false},
	{"spec.source", FIELD_STRING, AT(source), "Auto", 0, false},
	{"spec.paused", FIELD_BOOL, AT(paused), NULL, 0, false},
};

static int type_error(const struct field *field, const char *wanted, struct error *err)
{
	return error_set(err, ERROR_INVALID, "%s must be %s", field->path, wanted);
}

static int decode_field(const struct field *field, const json_t *value, void *base, struct error *err)
{
	void *at = (char *)base + field->offset;

	switch (field->type) {
	case FIELD_STRING:
		if (value != NULL && !json_is_string(value)) {
			return type_error(field, "a string", err);
		}
		*(char **)at = xstrdup(value != NULL ? json_string_value(value) : field->fallback);
		return 0;
	case FIELD_INT:
		if (value != NULL && !json_is_integer(value)) {
			return type_error(field, "a whole number", err);
		}
		*(int64_t *)at = value != NULL ? json_integer_value(value) : field->number;
		return 0;
	case FIELD_BOOL:
		if (value != NULL && !json_is_boolean(value)) {
			return type_error(field, "true or false", err);
		}
		*(bool *)at = json_is_true(value);
		return 0;
	case FIELD_OBJECT:
		if (value != NULL && !json_is_object(value)) {
			return type_error(field, "an object", err);
		}
		*(json_t **)at = value != NULL ? json_deep_copy(value) : NULL;
		return 0;
	case FIELD_DURATION:
		if (value != NULL && !json_is_string(value)) {
			return type_error(field, "a duration such as 3m", err);
		}
		*(int64_t *)at = value != NULL ? clock_parse_duration(json_string_value(value)) : field->number;
		return 0;
	case FIELD_PORT_NUMBER:
		*(int64_t *)at = json_integer_value(value);
		return 0;
	case FIELD_PORT_NAME:
		*(char **)at = xstrdup(json_string_value(value));
		return 0;
	}
	return 0;
}

bool autoscaler_uses_pages(const struct autoscaler *a)
{
	return a->mode == NULL || strcmp(a->mode, "GPU") != 0;
}

bool autoscaler_uses_gpus(const struct autoscaler *a)
{
	return a->mode != NULL && strcmp(a->mode, "Requests") != 0;
}

/* Rules over several fields, and those that an object not checked by the CRD (a file) can break. */
static int check(const struct autoscaler *a, struct error *err)
{
	if (strcmp(a->mode, "Requests") != 0 && strcmp(a->mode, "GPU") != 0 && strcmp(a->mode, "Combined") != 0) {
		return error_set(err, ERROR_INVALID, "spec.mode '%s' is unknown: use Requests, GPU or Combined",
			a->mode);
	}
	if (strcmp(a->gpu_signal, "Utilization") != 0) {
		return error_set(err, ERROR_INVALID, "spec.gpu.signal '%s' is unknown: use Utilization", a->gpu_signal);
	}
	if (a->gpu_target != -1 && (a->gpu_target < 1 || a->gpu_target > 100)) {
		return error_set(err, ERROR_INVALID, "spec.gpu.target must be a percentage from 1 to 100, not %lld",
			(long long)a->gpu_target);
	}
	if (strcmp(a->exporter_type, "Custom") == 0 &&
		(a->exporter_namespace == NULL || a->exporter_labels == NULL || a->exporter_port == NULL)) {
		return error_set(err, ERROR_INVALID,
			"spec.gpu.exporter of type Custom needs namespace, selector and port: write all three");
	}
	if (strcmp(a->exporter_type, "Custom") != 0 &&
		(a->exporter_namespace != NULL || a->exporter_labels != NULL || a->exporter_port != NULL)) {
		return error_set(err, ERROR_INVALID,
			"spec.gpu.exporter has namespace, selector or port, which describe an exporter of type Custom: write all "
			"three with type: Custom, or none with another type");
	}
	/* As a HorizontalPodAutoscaler has it: the core API has no other kind with a scale subresource. */
	if (strchr(a->target_api_version, '/') == NULL && strcmp(a->target_kind, "ReplicationController") != 0) {
		return error_set(err, ERROR_INVALID,
			"spec.scaleTargetRef.apiVersion names no API group: write group and version as in the workload's own "
			"manifest, such as apps/v1");
	}
	if (a->min_replicas < 1) {
		return error_set(err, ERROR_INVALID,
			"spec.minReplicas must be at least 1: a Pods metric cannot wake a target from zero replicas");
	}
	if (a->max_replicas < a->min_replicas) {
		return error_set(err, ERROR_INVALID,
			"spec.maxReplicas must not be below spec.minReplicas: raise maxReplicas or lower minReplicas");
	}
	if (a->fallback_replicas > a->max_replicas) {
		return error_set(err, ERROR_INVALID,
			"spec.fallback.replicas must not be above spec.maxReplicas: lower it or raise maxReplicas");
	}
	if (clock_parse_duration(a->scrape_interval) <= 0) {
		return error_set(err, ERROR_INVALID,
			"spec.scrapeInterval '%s' is not a duration: write for example 15s", a->scrape_interval);
	}
	return 0;
}

bool autoscaler_is_ours(const struct autoscaler *a, const struct settings *settings)
{
	const char *theirs = a->operator_class != NULL ? a->operator_class : "";

	return strcmp(theirs, settings->operator_class != NULL ? settings->operator_class : "") == 0;
}

bool autoscaler_monitor_allowed(const struct autoscaler *a, const struct settings *settings)
{
	return a->monitor_namespace == NULL || strcmp(a->monitor_namespace, a->ns) == 0 ||
	       settings_list_has(settings->monitor_namespaces, a->monitor_namespace);
}

bool autoscaler_exporter_trusted(const struct autoscaler *a, const struct settings *settings)
{
	return a->exporter_namespace == NULL || settings_list_has(settings->exporter_namespaces, a->exporter_namespace);
}

static int check_interval(const struct autoscaler *a, const struct settings *settings, struct error *err)
{
	const char *least = settings->min_scrape_interval;

	if (least != NULL && clock_parse_duration(a->scrape_interval) < clock_parse_duration(least)) {
		return error_set(err, ERROR_INVALID,
			"spec.scrapeInterval '%s' is shorter than this cluster takes: write %s or more, or have the operator's "
			"--tenant-min-scrape-interval lowered (tenants.minScrapeInterval in the chart)",
			a->scrape_interval, least);
	}
	return 0;
}

int autoscaler_check_settings(const struct autoscaler *a, const struct settings *settings, struct error *err)
{
	if (!autoscaler_monitor_allowed(a, settings)) {
		return error_set(err, ERROR_INVALID,
			"spec.monitor.namespace '%s' is not the autoscaler's own: remove the field, or have the namespace added "
			"to the operator's --tenant-monitor-namespaces (tenants.monitorNamespaces in the chart)",
			a->monitor_namespace);
	}
	if (!autoscaler_exporter_trusted(a, settings) && strcmp(a->exporter_namespace, a->ns) != 0) {
		return error_set(err, ERROR_INVALID,
			"spec.gpu.exporter.namespace '%s' is not the autoscaler's own: use another spec.gpu.exporter.type than "
			"Custom, or have the namespace added to the operator's --tenant-exporter-namespaces "
			"(tenants.exporterNamespaces in the chart)",
			a->exporter_namespace);
	}
	return check_interval(a, settings, err);
}

int autoscaler_decode(const json_t *object, struct autoscaler *a, struct error *err)
{
	memset(a, 0, sizeof(*a));
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		const json_t *value = json_path(object, fields[i].path);

		if (json_is_null(value)) {
			value = NULL;
		}
		if (value == NULL && fields[i].required) {
			return error_set(err, ERROR_INVALID, "%s is required", fields[i].path);
		}
		if (decode_field(&fields[i], value, a, err) < 0) {
			return -1;
		}
	}
	if (wanted_signals_decode(object, a, err) < 0 || check(a, err) < 0) {
		return -1;
	}
	return spec_form_check(object, err);
}

enum source autoscaler_source(const struct autoscaler *autoscaler)
{
	const char *source = autoscaler->source != NULL ? autoscaler->source : "Auto";

	return strcmp(source, "Direct") == 0       ? SOURCE_DIRECT
	       : strcmp(source, "Prometheus") == 0 ? SOURCE_PROMETHEUS
	                                           : SOURCE_AUTO;
}

void autoscaler_release(struct autoscaler *a)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		void *at = (char *)(void *)a + fields[i].offset;

		switch (fields[i].type) {
		case FIELD_STRING:
		case FIELD_PORT_NAME:
			free_indirect(at);
			break;
		case FIELD_OBJECT:
			json_decref(*(json_t **)at);
			break;
		case FIELD_INT:
		case FIELD_DURATION:
		case FIELD_BOOL:
		case FIELD_PORT_NUMBER:
			break;
		}
	}
	memset(a, 0, sizeof(*a));
}
