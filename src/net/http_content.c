/* The body of a reply, counted. */
#include "net/http_content.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

#define CONTENT_MAGIC 0x68636f6eU

struct http_content {
	unsigned magic;
	unsigned references;
	size_t len;
	char *text;
};

struct http_content *http_content_new(struct strbuf *text_take)
{
	struct http_content *content = xcalloc(1, sizeof(*content));

	*content = (struct http_content){.magic = CONTENT_MAGIC, .references = 1, .len = text_take->len};
	content->text = strbuf_take(text_take);
	return content;
}

struct http_content *http_content_ref(struct http_content *content)
{
	assert(content->magic == CONTENT_MAGIC);
	content->references++;
	return content;
}

void http_content_unref(struct http_content *content)
{
	if (content == NULL) {
		return;
	}
	assert(content->magic == CONTENT_MAGIC);
	if (--content->references > 0) {
		return;
	}
	content->magic = 0;
	free(content->text);
	free(content);
}

const char *http_content_text(const struct http_content *content, size_t *len)
{
	*len = content->len;
	return content->text;
}
