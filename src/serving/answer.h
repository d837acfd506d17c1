/*
 * Answers as JSON: lists of values in the words of both versions, and what went wrong as a Status.
 *
 * Private to src/serving.
 */
#ifndef SERVING_ANSWER_H
#define SERVING_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* What one object has of a metric. */
struct answer_value {
	const char *name; /* of the object; borrowed */
	int64_t milli;    /* ≥ 0 */
	int64_t read_ms;  /* when it was read, wall */
};

struct answer_object {
	const char *api_version;
	const char *kind;
};

extern const struct answer_object answer_pod, answer_autoscaler;

/* A MetricValueList of the version ("v1beta1", "v1beta2"). Heap, caller owns. */
char *answer_values(const char *version, const char *metric, const struct answer_object *object, const char *ns,
	const struct answer_value *values, size_t count);
/* A metav1.Status; *status becomes the code of HTTP. Heap, caller owns. */
char *answer_failure(const struct error *err, int *status);

#endif
