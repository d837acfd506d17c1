/*
 * Memory that never comes back NULL.
 *
 * Running out of memory aborts the process: an operator is restarted by its Deployment and
 * catches up from its list, which is safer than limping on with half an answer.
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdarg.h>
#include <stddef.h>

#include "base/attr.h"

void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
/* Grows an array so that it holds `want` items; doubles `*cap`. */
void *xgrow(void *array, size_t *cap, size_t want, size_t item_size);
/* Copies; NULL stays NULL. The caller owns the copy. */
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) ATTR_PRINTF(1, 2);
char *xvasprintf(const char *fmt, va_list args) ATTR_PRINTF(1, 0);

/* Frees what the pointer at `p` owns and clears it; also for ATTR_CLEANUP. */
void free_indirect(void *p);
/* The same of a text that is secret, after overwriting it. */
void wipe_indirect(char **text);
#define auto_free ATTR_CLEANUP(free_indirect)

/* The struct that embeds `member` at address `ptr`. */
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
