/*
 * The spellings of a series' name.
 *
 * The name "vllm:num_requests_running" is written "vllm_num_requests_running" by a client library that was asked for a
 * format in which it takes the ':' for a letter to be escaped: which it is depends on the version of the library and of
 * the Prometheus that asks. Ray Serve puts "ray_" before vLLM's names. In requests, evidence and messages a series has its
 * first name, the one with the ':'. A rule must find each, so its selectors have a pattern in the place of the name:
 *
 *   {__name__=~"(vllm|ray_vllm)[:_]num_requests_running",…}
 *
 * A pattern is a name in which "[:_]" and groups "(a|b)" may stand. Prometheus looks each of its names up, as it does not
 * with "?" or "*".
 */
#ifndef ENGINE_SPELLING_H
#define ENGINE_SPELLING_H

#include <stddef.h>

#define SPELLING_BEGIN "{__name__=~\""

/* The i-th spelling of a series, a name or a selector name{…}; the first is as it is given. Heap, NULL behind the last. */
char *spelling_of(const char *series, size_t i);

/* The i-th name that a pattern (not ended, `len` long) stands for, with ':' where it has "[:_]". Heap, NULL behind the
 * last. */
char *spelling_first_name(const char *pattern, size_t len, size_t i);
/* The name or pattern (not ended, *len long) of the next selector of an expression; *at goes on behind the selector. NULL when
 * there is none. */
const char *spelling_next(const char **at, size_t *len);
/* The name (which need not be ended by '\0') without Ray's prefix: a page has it so. The name itself when it has none. */
const char *spelling_without_ray(const char *name);

#endif
