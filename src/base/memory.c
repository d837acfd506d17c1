/* Allocation that aborts instead of returning NULL. */
#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ATTR_NORETURN void out_of_memory(void)
{
	fputs("out of memory\n", stderr);
	abort();
}

void *xcalloc(size_t count, size_t size)
{
	/* calloc(0) may answer NULL, which is no failure */
	void *p = count && size ? calloc(count, size) : calloc(1, 1);

	if (p == NULL) {
		out_of_memory();
	}
	return p;
}

void *xrealloc(void *old, size_t size)
{
	void *p = realloc(old, size ? size : 1);

	if (p == NULL) {
		out_of_memory();
	}
	return p;
}

void *xgrow(void *array, size_t *cap, size_t want, size_t item_size)
{
	size_t next = *cap ? *cap : 8;

	if (want <= *cap) {
		return array;
	}
	if (want > SIZE_MAX / item_size) {
		out_of_memory();
	}
	while (next < want) {
		next = next > SIZE_MAX / 2 ? want : next * 2;
	}
	if (next > SIZE_MAX / item_size) {
		next = want;
	}
	array = xrealloc(array, next * item_size);
	*cap = next;
	return array;
}

char *xstrdup(const char *s)
{
	return s != NULL ? xstrndup(s, strlen(s)) : NULL;
}

char *xstrndup(const char *s, size_t n)
{
	if (s == NULL) {
		return NULL;
	}

	size_t len = strnlen(s, n);
	char *copy = xrealloc(NULL, len + 1);

	memcpy(copy, s, len);
	copy[len] = '\0';
	return copy;
}

char *xasprintf(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	char *text = xvasprintf(fmt, args);
	va_end(args);
	return text;
}

char *xvasprintf(const char *fmt, va_list args)
{
	va_list again;

	va_copy(again, args);
	int len = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (len < 0) {
		fprintf(stderr, "cannot format '%s'\n", fmt);
		abort();
	}

	char *text = xrealloc(NULL, (size_t)len + 1);

	vsnprintf(text, (size_t)len + 1, fmt, args);
	return text;
}

void free_indirect(void *p)
{
	void **owner = p;

	free(*owner);
	*owner = NULL;
}

void wipe_indirect(char **text)
{
	/* Volatile: else the compiler leaves out what nobody reads. */
	for (volatile char *c = *text; c != NULL && *c != '\0'; c++) {
		*c = '\0';
	}
	free_indirect(text);
}
