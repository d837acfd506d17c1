/* Lists of strings. */
#include "base/texts.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void texts_add(struct texts *texts, const char *text)
{
	bool full = (texts->count & (texts->count - 1)) == 0; /* room grows by doubling */

	if (full) {
		texts->items =
			xrealloc(texts->items, (texts->count > 0 ? texts->count * 2 : 1) * sizeof(*texts->items));
	}
	texts->items[texts->count++] = xstrdup(text);
}

void texts_release(struct texts *texts)
{
	for (size_t i = 0; i < texts->count; i++) {
		free(texts->items[i]);
	}
	free(texts->items);
	*texts = (struct texts){NULL, 0};
}

void texts_copy(struct texts *to, const struct texts *from)
{
	struct texts copy = {NULL, 0};

	for (size_t i = 0; i < from->count; i++) {
		texts_add(&copy, from->items[i]);
	}
	*to = copy;
}

bool texts_equal(const struct texts *one, const struct texts *other)
{
	for (size_t i = 0; one->count == other->count && i < one->count; i++) {
		if (strcmp(one->items[i], other->items[i]) != 0) {
			return false;
		}
	}
	return one->count == other->count;
}

bool texts_hold(const struct texts *texts, const char *text)
{
	for (size_t i = 0; i < texts->count; i++) {
		if (strcmp(texts->items[i], text) == 0) {
			return true;
		}
	}
	return false;
}

bool texts_share(const struct texts *one, const struct texts *other)
{
	for (size_t i = 0; i < one->count; i++) {
		if (texts_hold(other, one->items[i])) {
			return true;
		}
	}
	return false;
}
