/*
 * What the API server (kube-aggregator) says where it does not reach our own metrics API: what that means, and the remedy.
 *
 * It says so in two places: in the condition Available of an APIService, which it renews every half minute, and at once in the
 * answer to whom it could not pass on.
 */
#ifndef CHAIN_AGGREGATOR_H
#define CHAIN_AGGREGATOR_H

#include <stdbool.h>

#include "api/settings.h"
#include "view/service.h"

struct aggregator_trouble {
	const char *reason; /* static: ours */
	char *remedy;       /* owned */
	bool certain;       /* patience does not help: the Service itself shows it */
};

/* Of a condition with this reason and message; NULL is allowed. `service` is ours, NULL when there is none. */
struct aggregator_trouble aggregator_of_condition(const struct metrics_service *ours,
	const struct view_service *service, const char *reason, const char *message);
/* Of an answer with these words. False when they are not the API server's own, but what we answered. */
bool aggregator_of_answer(const struct metrics_service *ours, const struct view_service *service, const char *words,
	struct aggregator_trouble *trouble);

#endif
