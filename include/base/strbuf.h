/*
 * A growing string.
 *
 * Invariant: `buf` is never NULL and buf[len] is always '\0', so it can be printed at any time.
 * An embedded NUL byte is kept; `len` is the truth.
 */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stddef.h>

#include "base/attr.h"

struct strbuf {
	char *buf;
	size_t len;
	size_t cap; /* 0 while buf is the shared empty string */
};

extern char strbuf_empty[1];
#define STRBUF_INIT                                                                                                    \
	(struct strbuf)                                                                                                \
	{                                                                                                              \
		.buf = strbuf_empty, .len = 0, .cap = 0                                                                \
	}

void strbuf_init(struct strbuf *sb);
void strbuf_release(struct strbuf *sb);
#define auto_strbuf ATTR_CLEANUP(strbuf_release) struct strbuf

/* Makes room for so many bytes more, and the '\0', so that to add them moves nothing. */
void strbuf_reserve(struct strbuf *sb, size_t extra);
void strbuf_add(struct strbuf *sb, const void *data, size_t len);
void strbuf_addstr(struct strbuf *sb, const char *s);
void strbuf_addch(struct strbuf *sb, char c);
void strbuf_addf(struct strbuf *sb, const char *fmt, ...) ATTR_PRINTF(2, 3);
/* Percent-encodes all but unreserved characters (RFC 3986): for one path segment or one query
 * value. */
void strbuf_add_urlencoded(struct strbuf *sb, const char *s);
/* Adds a parameter to a URL or a path: "?name=value", or "&name=value" behind others. */
void strbuf_add_query(struct strbuf *sb, const char *name, const char *value);
/* Drops the first `n` bytes. */
void strbuf_consume(struct strbuf *sb, size_t n);
/* Empties, keeping the storage. */
void strbuf_reset(struct strbuf *sb);
/* Hands out the heap string (never NULL) and resets; the caller owns it. */
char *strbuf_take(struct strbuf *sb);

#endif
