/*
 * A list that comes in pieces: each of its items becomes a line, so that it is taken as the lines of a watch are.
 *
 * Private to src/kube.
 */
#ifndef KUBE_CALL_ITEMS_H
#define KUBE_CALL_ITEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"
#include "call_lines.h"

struct call_items {
	struct strbuf rest; /* the list without its items, as far as it came */
	size_t depth;       /* of braces and brackets */
	bool in_string;
	bool escaped; /* the next character of the string stands for itself */
	bool in_items;
};

#define CALL_ITEMS_INIT                                                                                                \
	(struct call_items)                                                                                            \
	{                                                                                                              \
		.rest = STRBUF_INIT                                                                                    \
	}

/* Adds the items to the lines, the last one as far as it came. What is no JSON comes out as no JSON. */
void call_items_add(struct call_items *items, const char *data, size_t len, struct call_lines *lines);
void call_items_release(struct call_items *items);

#endif
