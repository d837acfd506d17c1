/*
 * Whether passing requests on works: what fails ten times in a row, or for ten seconds, does not. Private to src/serving.
 */
#ifndef SERVING_FORWARD_HEALTH_H
#define SERVING_FORWARD_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#define FORWARD_FAILURES_MAX 10
#define FORWARD_FAILING_MS 10000
/* Of so few, nothing is to be believed, however long ago the first was. */
#define FORWARD_FAILURES_MIN 3

/* All zeros is good health. */
struct forward_health {
	unsigned failures; /* in a row */
	int64_t since_ms;  /* monotonic: when the first of them was */
};

/* Notes one; true when that is too much, and then all is counted anew. */
bool forward_health_failed(struct forward_health *health, int64_t now_ms);
void forward_health_passed(struct forward_health *health);

#endif
