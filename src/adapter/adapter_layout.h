/*
 * Where things stand in the text of an adapter config: byte offsets from one pass over its events.
 *
 * Offsets count bytes; columns count from 0, as libyaml does. A line ends where libyaml says so:
 * LF, CRLF, a lone CR, and the three Unicode breaks.
 */
#ifndef ADAPTER_ADAPTER_LAYOUT_H
#define ADAPTER_ADAPTER_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define LAYOUT_BEGIN "# BEGIN inference-autoscaler"
#define LAYOUT_BEGIN_TEXT LAYOUT_BEGIN ": managed rules, do not edit"
/* The line break before the first marker is ours, and the one after the last. */
#define LAYOUT_JOINED " (joined)"
#define LAYOUT_END "# END inference-autoscaler"
/* What stands behind this on the last line is foreign. */
#define LAYOUT_KEPT " | "

enum layout_shape {
	LAYOUT_EMPTY,        /* no content at all */
	LAYOUT_KEYLESS,      /* a mapping without `rules` */
	LAYOUT_NULL,         /* rules: */
	LAYOUT_WRITTEN_NULL, /* rules: ~ */
	LAYOUT_LIST,         /* rules, and items behind dashes below it */
	LAYOUT_FLOW_LIST,    /* rules: [] */
	LAYOUT_OTHER         /* rules: an alias, a string, a mapping */
};

struct layout {
	enum layout_shape shape;
	bool flow_root;     /* the top is {…} */
	size_t column;      /* of the top's keys */
	size_t item_column; /* of the dashes in LAYOUT_LIST */
	size_t root_begin;  /* the first key; behind the '{' in a flow root */
	size_t root_end;    /* the end of the last thing in the document */
	size_t rules_key;   /* the end of the key `rules` */
	size_t rules_begin; /* the value of `rules`, properties included */
	size_t rules_end;   /* the end of the last thing in it; of an item, where it ends in ']' */
	size_t rules_close; /* the ']' of LAYOUT_FLOW_LIST */
	size_t *items;      /* where each rule starts */
	size_t item_count, item_cap;
	size_t *markers; /* the '#' of each line that starts with a marker and is a comment */
	size_t marker_count, marker_cap;
};

/* Our bytes in a text, [begin, end); begin == end when there are none. */
struct block {
	size_t begin;
	size_t end;
};

/* Reads a text that is known to be good YAML. */
int layout_read(struct layout *layout, const char *text, struct error *err);
void layout_release(struct layout *layout);
#define auto_layout ATTR_CLEANUP(layout_release) struct layout

/* Finds our block; an error when its markers were damaged. */
int layout_block(const struct layout *layout, const char *text, struct block *block, struct error *err);

/* The number of the line, from 1. */
size_t layout_line(const char *text, size_t at);
/* Whether a line starts here. */
bool layout_at_line_start(const char *text, size_t at);
/* The start of this line, and of the next; the end of the text when this is the last. */
size_t layout_line_start(const char *text, size_t at);
size_t layout_next_line(const char *text, size_t at);

#endif
