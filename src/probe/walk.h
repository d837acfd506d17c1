/*
 * Going through an answer of Prometheus without a tree of all of it: each element of a list is read by itself.
 *
 * Private to src/probe.
 */
#ifndef PROBE_WALK_H
#define PROBE_WALK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

typedef void walk_element_fn(void *ctx, const json_t *element);

/* Goes through {"status": …, "data": {LIST: [element, …], …}, …}. `success`: whether the status says so. -1 when it is
 * written otherwise, or is no JSON; some elements may have been handed out before. */
int walk_answer(const char *body, size_t len, const char *list, walk_element_fn *element, void *ctx, bool *success);

#endif
