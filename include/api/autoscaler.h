/*
 * An InferenceAutoscaler, decoded: defaults filled in, what the schema cannot check checked.
 *
 * Life cycle: autoscaler_decode() fills, autoscaler_release() frees. All strings are owned.
 */
#ifndef API_AUTOSCALER_H
#define API_AUTOSCALER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/settings.h"
#include "base/attr.h"
#include "base/error.h"

/* The most figures of the pods' pages that one autoscaler asks for: each that there is. */
#define AUTOSCALER_SIGNALS_MAX 4

struct wanted_signal {
	const char *name;     /* "Running" …; static */
	int64_t target_milli; /* per replica, in thousandths; -1 = the signal's default */
};

struct autoscaler {
	char *ns;
	char *name;
	char *uid;
	int64_t generation;

	char *operator_class; /* NULL = none, as the default operator serves */

	char *target_api_version;
	char *target_kind;
	char *target_name;

	char *mode; /* "Requests", "GPU" or "Combined" */
	int64_t min_replicas;
	int64_t max_replicas;

	char *engine_type; /* "Auto" or a type of engine/presets.h */
	int64_t port;      /* 0 = not given as a number */
	char *port_name;   /* NULL = not given as a name */
	char *path;        /* NULL = the engine's */
	char *scheme;      /* NULL = http */

	struct wanted_signal signals[AUTOSCALER_SIGNALS_MAX]; /* of the pods' pages, one at least */
	size_t signals_count;
	bool signals_listed; /* by spec.requests.signals, and not by its short form */

	char *gpu_signal;         /* "Utilization" */
	int64_t gpu_target;       /* percent; -1 = the signal's default */
	char *exporter_type;      /* "Auto", "GKE", "GPUOperator", "Standalone" or "Custom" */
	char *exporter_namespace; /* the next three: of a Custom exporter's Service, else NULL */
	json_t *exporter_labels;
	char *exporter_port; /* the port's name */

	char *scrape_interval;     /* "15s" */
	json_t *behavior;          /* the HPA's, owned; NULL = ours */
	json_t *monitor_labels;    /* owned; NULL = none pinned */
	char *monitor_namespace;   /* of the ServiceMonitor; NULL = the autoscaler's */
	int64_t fallback_replicas; /* at least, while the chain is broken; 0 = as usual */
	int64_t fallback_after_ms;
	char *source; /* "Auto", "Prometheus" or "Direct" */
	bool paused;
};

/* spec.source: where the figures come from. */
enum source { SOURCE_AUTO, SOURCE_PROMETHEUS, SOURCE_DIRECT, SOURCE_COUNT };

/* Fills from the object; -1 and ERROR_INVALID naming the field and the remedy. Always to be released. */
int autoscaler_decode(const json_t *object, struct autoscaler *autoscaler, struct error *err);
/* Whether it is ours to serve; one that could not be decoded is, unless it names another class. */
bool autoscaler_is_ours(const struct autoscaler *autoscaler, const struct settings *settings);
/* Whether the ServiceMonitor may be where the spec wants it. A spec that could not be decoded: it may. */
bool autoscaler_monitor_allowed(const struct autoscaler *autoscaler, const struct settings *settings);
/* Whether a Custom exporter of this namespace may speak of the GPUs of all namespaces. */
bool autoscaler_exporter_trusted(const struct autoscaler *autoscaler, const struct settings *settings);
/* Whether the spec keeps to what the settings allow: to its own namespace or theirs, and to their interval; -1 and ERROR_INVALID naming the field
 * and the remedy. */
int autoscaler_check_settings(const struct autoscaler *autoscaler, const struct settings *settings, struct error *err);
/* What the mode scales on: the pods' own pages, the GPUs, or both. A spec that could not be decoded: the pages. */
bool autoscaler_uses_pages(const struct autoscaler *autoscaler);
bool autoscaler_uses_gpus(const struct autoscaler *autoscaler);
/* The field of the spec that has a member, "signal" or "target", of the signal of this index; heap, caller owns. */
char *autoscaler_signal_field(const struct autoscaler *autoscaler, size_t index, const char *member);
/* Of a spec that could not be decoded: SOURCE_AUTO. */
enum source autoscaler_source(const struct autoscaler *autoscaler);
void autoscaler_release(struct autoscaler *autoscaler);
#define auto_autoscaler ATTR_CLEANUP(autoscaler_release) struct autoscaler

#endif
