/*
 * Where and how our block of rules goes into somebody else's adapter config. Private to src/adapter.
 *
 * The base is the config's text without our block, and the layout is the base's.
 */
#ifndef ADAPTER_ADAPTER_PLACE_H
#define ADAPTER_ADAPTER_PLACE_H

#include <stdbool.h>
#include <stddef.h>

#include "adapter/adapter_rule.h"
#include "adapter_layout.h"
#include "base/error.h"

struct place {
	size_t at;
	size_t column;
	enum {
		PLACE_WHOLE_LINES,
		PLACE_JOINED,     /* the line is broken before the block, and after it */
		PLACE_BEFORE_NULL /* in front of a written null, which stays as a comment */
	} fit;
	bool flow;  /* rules as {…}, not behind dashes */
	bool key;   /* the block brings the key `rules` */
	bool comma; /* a foreign item stands before, without a comma */
	bool front; /* our rules come first */
};

/* Finds the place at the end, or at the front, of the rules. */
int place_find(struct place *place, const struct layout *layout, const char *base, bool front, struct error *err);
/* The base with the rules in it, in their order: heap, caller owns. A block below a text that lacks its final newline
 * brings the break before it and leaves out its own last one. */
char *place_insert(const struct place *place, const char *base, const struct adapter_rule *const *rules, size_t n);

#endif
