/*
 * Why Prometheus gave no answer, in words that name what to set, and as a cause that a verdict is
 * made of (probe/probe.h). Private to src/probe.
 */
#ifndef PROBE_REFUSAL_H
#define PROBE_REFUSAL_H

#include <jansson.h>

#include "net/http_client.h"
#include "probe/access.h"

#define CAUSE_UNAUTHORIZED "Unauthorized"
#define CAUSE_TLS "TLS"
#define CAUSE_NOT_PROMETHEUS "NotPrometheus"

struct refusal {
	const char *cause; /* static; NULL = none of those: it is not there, or has trouble of its own */
	char *message;     /* heap, the caller owns; NULL = no refusal, and `answer` is set */
};

/* Reads what was answered to a question to this base URL; `answer` is a new reference, NULL when refused. */
struct refusal refusal_of(const struct access *access, const char *base, const struct http_response *response,
	json_t **answer);

#endif
