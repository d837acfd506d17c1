/* A growing string that is always terminated. */
#include "base/strbuf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Shared by all empty buffers and never written to, save the '\0' it already holds. */
char strbuf_empty[1] = "";

void strbuf_init(struct strbuf *sb)
{
	*sb = STRBUF_INIT;
}

void strbuf_release(struct strbuf *sb)
{
	if (sb->cap) {
		free(sb->buf);
	}
	strbuf_init(sb);
}

void strbuf_reserve(struct strbuf *sb, size_t extra)
{
	if (extra > SIZE_MAX - sb->len - 1) {
		fputs("out of memory\n", stderr);
		abort();
	}
	sb->buf = xgrow(sb->cap ? sb->buf : NULL, &sb->cap, sb->len + extra + 1, 1);
	sb->buf[sb->len] = '\0'; /* the shared empty string was left */
}

void strbuf_add(struct strbuf *sb, const void *data, size_t len)
{
	if (!len) {
		return;
	}
	strbuf_reserve(sb, len);
	memcpy(sb->buf + sb->len, data, len);
	sb->len += len;
	sb->buf[sb->len] = '\0';
}

void strbuf_addstr(struct strbuf *sb, const char *s)
{
	strbuf_add(sb, s, strlen(s));
}

void strbuf_addch(struct strbuf *sb, char c)
{
	strbuf_add(sb, &c, 1);
}

void strbuf_addf(struct strbuf *sb, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	auto_free char *text = xvasprintf(fmt, args);
	va_end(args);
	strbuf_addstr(sb, text);
}

void strbuf_add_urlencoded(struct strbuf *sb, const char *s)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					 "0123456789-._~";
	static const char digits[] = "0123456789ABCDEF";

	while (*s != '\0') {
		size_t plain = strspn(s, unreserved);

		strbuf_add(sb, s, plain);
		s += plain;
		if (*s != '\0') {
			const char letters[] = {'%', digits[(unsigned char)*s >> 4], digits[*s & 0xF]};

			strbuf_add(sb, letters, sizeof(letters));
			s++;
		}
	}
}

void strbuf_add_query(struct strbuf *sb, const char *name, const char *value)
{
	strbuf_addf(sb, "%c%s=", strchr(sb->buf, '?') != NULL ? '&' : '?', name);
	strbuf_add_urlencoded(sb, value);
}

void strbuf_consume(struct strbuf *sb, size_t n)
{
	if (n >= sb->len) {
		strbuf_reset(sb);
		return;
	}
	sb->len -= n;
	memmove(sb->buf, sb->buf + n, sb->len + 1);
}

void strbuf_reset(struct strbuf *sb)
{
	sb->len = 0;
	sb->buf[0] = '\0';
}

char *strbuf_take(struct strbuf *sb)
{
	char *text = sb->cap ? sb->buf : xstrdup("");

	strbuf_init(sb);
	return text;
}
