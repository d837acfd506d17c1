/*
 * The body of a reply, counted: it never changes, so that many replies can share one.
 */
#ifndef NET_HTTP_CONTENT_H
#define NET_HTTP_CONTENT_H

#include <stddef.h>

#include "base/strbuf.h"

struct http_content;

/* Takes the text, which is empty afterwards. The caller has the first reference. */
struct http_content *http_content_new(struct strbuf *text_take);
struct http_content *http_content_ref(struct http_content *content);
/* The last one frees; NULL is nothing to do. */
void http_content_unref(struct http_content *content);

const char *http_content_text(const struct http_content *content, size_t *len);

#endif
