/*
 * Why Prometheus gave no answer, in words that name what to set, and as a cause that a verdict is made of. Private to
 * src/probe.
 */
#ifndef PROBE_REFUSAL_H
#define PROBE_REFUSAL_H

#include <stddef.h>

#include "evidence/evidence.h"
#include "net/http_client.h"
#include "probe/access.h"

struct refusal {
	enum cause cause; /* CAUSE_NONE: it is not there, or has trouble of its own */
	char *message;    /* heap, the caller owns; NULL = no refusal */
};

/* Of a question to this base URL: all but what the body of a 200 says. `max_body`: the most that was read. */
struct refusal refusal_of(const struct access *access, const char *base, const struct http_response *response,
	size_t max_body);
/* Of a 200 whose body is no answer of Prometheus. `unreadable`: why it is not JSON; NULL = it is. */
struct refusal refusal_of_body(const char *base, const char *unreadable);

#endif
