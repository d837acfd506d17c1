/*
 * What a request asks for, read from its target: the path and the query as they were sent.
 *
 * Who asks was let in by the API server for exactly this path, so nothing is mended or guessed: what could be read in two
 * ways is refused. Private to src/serving.
 */
#ifndef SERVING_REQUEST_H
#define SERVING_REQUEST_H

#include "base/attr.h"
#include "base/error.h"

#define SERVING_GROUP "custom.metrics.k8s.io"
/* Bytes of a target: a selector is the most of it. */
#define REQUEST_TARGET_MAX 16384

enum request_kind {
	REQUEST_DISCOVERY, /* of one version */
	REQUEST_OPENAPI_V2,
	REQUEST_OPENAPI_V3,
	REQUEST_PODS_METRIC,   /* of the pods of a namespace that a selector matches, or of one of them */
	REQUEST_OBJECT_METRIC, /* of one InferenceAutoscaler */
};

struct metrics_request {
	enum request_kind kind;
	const char *version; /* "v1beta1" or "v1beta2"; NULL = of none */
	char *ns;            /* the rest is of the metrics alone */
	char *name;          /* NULL = of all */
	char *metric;
	char *selector;        /* of the pods; NULL = not given, as the next */
	char *metric_selector; /* of the metric's own labels */
};

/* Fills; always to be released. -1 and ERROR_INVALID when the target is none that this API could have, ERROR_NOT_FOUND when
 * nothing is served there. */
int metrics_request_parse(const char *target, struct metrics_request *request, struct error *err);
void metrics_request_release(struct metrics_request *request);
#define auto_metrics_request ATTR_CLEANUP(metrics_request_release) struct metrics_request

#endif
