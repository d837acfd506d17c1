/*
 * A large object of JSON, whose list is read one element at a time: a tree of all of it takes ten times the text.
 */
#ifndef BASE_JSON_ITEMS_H
#define BASE_JSON_ITEMS_H

#include <jansson.h>
#include <stddef.h>

#include "base/error.h"

/* All zeros is empty. */
struct json_items {
	char *text; /* owned */
	const char *at;
	const char *end;
	const char *list; /* the member that is the list; a literal */
	json_t *others;   /* owned: the other members that were passed */
	enum { JSON_ITEMS_BEFORE, JSON_ITEMS_INSIDE, JSON_ITEMS_BEHIND } where;
};

void json_items_begin(struct json_items *items, char *text_take, size_t len, const char *list);
/* The next element, as a new reference. NULL at the end, when `others` has all other members, and then `err` is empty;
 * or when the text is no JSON, no object, or its list no list: ERROR_INVALID. */
json_t *json_items_next(struct json_items *items, struct error *err);
void json_items_release(struct json_items *items);

#endif
