/*
 * An InferenceAutoscaler, decoded: defaults filled in, what the schema cannot check checked.
 *
 * Life cycle: autoscaler_decode() fills, autoscaler_release() frees. All strings are owned.
 */
#ifndef API_AUTOSCALER_H
#define API_AUTOSCALER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/error.h"

struct autoscaler {
	char *ns;
	char *name;
	char *uid;
	int64_t generation;

	char *target_api_version;
	char *target_kind;
	char *target_name;

	char *mode; /* "Requests" */
	int64_t min_replicas;
	int64_t max_replicas;

	char *engine_type; /* "Auto" or a type of engine/presets.h */
	int64_t port;      /* 0 = not given as a number */
	char *port_name;   /* NULL = not given as a name */
	char *path;        /* NULL = the engine's */
	char *scheme;      /* NULL = http */

	char *signal;         /* "Running" … */
	int64_t target_milli; /* per replica, in thousandths; -1 = the signal's default */

	char *scrape_interval; /* "15s" */
	json_t *behavior;      /* the HPA's, owned; NULL = ours */
	json_t *monitor_labels; /* owned; NULL = none pinned */
	bool paused;
};

/* Fills from the object; -1 and ERROR_INVALID naming the field and the remedy. Always to be released. */
int autoscaler_decode(const json_t *object, struct autoscaler *autoscaler, struct error *err);
void autoscaler_release(struct autoscaler *autoscaler);
#define auto_autoscaler ATTR_CLEANUP(autoscaler_release) struct autoscaler

#endif
