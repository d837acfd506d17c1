/*
 * A list of strings that it owns.
 */
#ifndef BASE_TEXTS_H
#define BASE_TEXTS_H

#include <stdbool.h>
#include <stddef.h>

/* All zeros is empty. */
struct texts {
	char **items;
	size_t count;
};

/* Copies the text. */
void texts_add(struct texts *texts, const char *text);
void texts_release(struct texts *texts);
void texts_copy(struct texts *to, const struct texts *from);
bool texts_equal(const struct texts *one, const struct texts *other);
bool texts_hold(const struct texts *texts, const char *text);
/* Whether some text is in both. */
bool texts_share(const struct texts *one, const struct texts *other);

#endif
