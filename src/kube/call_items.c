/* Taking a list apart, byte by byte: braces and strings are told apart, and nothing is parsed. */
#include "call_items.h"

#include <string.h>

/* The list's own member; a longer name has another character before it. */
#define ITEMS "\"items\":"
/* Of the list's object, and of the array of its items. */
#define LIST_DEPTH 1
#define ITEMS_DEPTH 2

struct piece {
	const char *from; /* not added yet from here on */
	const char *at;
	const char *end;
};

/* Adds what is before the byte at hand. */
static void flush(struct call_items *items, struct piece *piece, struct call_lines *lines)
{
	size_t len = (size_t)(piece->at - piece->from);

	if (len > 0 && items->in_items) {
		call_lines_add(lines, piece->from, len);
	} else if (len > 0) {
		strbuf_add(&items->rest, piece->from, len);
	}
	piece->from = piece->at;
}

/* Passes over the byte at hand, which is added to nothing. */
static void skip(struct call_items *items, struct piece *piece, struct call_lines *lines)
{
	flush(items, piece, lines);
	piece->from++;
}

/* Behind a string, or at the end of what came. */
static const char *pass_string(struct call_items *items, const char *at, const char *end)
{
	for (; at < end; at++) {
		if (items->escaped) {
			items->escaped = false;
		} else if (*at == '\\') {
			items->escaped = true;
		} else if (*at == '"') {
			items->in_string = false;
			return at + 1;
		}
	}
	return end;
}

/* Whether the array that begins is that of the items; white space is not in the way. */
static bool begins_items(const struct call_items *items)
{
	const struct strbuf *rest = &items->rest;
	size_t len = strlen(ITEMS);

	return items->depth == LIST_DEPTH && rest->len > len && memcmp(rest->buf + rest->len - len, ITEMS, len) == 0 &&
	       strchr("{,", rest->buf[rest->len - len - 1]) != NULL;
}

static void open_value(struct call_items *items, struct piece *piece, struct call_lines *lines)
{
	if (!items->in_items && *piece->at == '[') {
		flush(items, piece, lines);
		if (begins_items(items)) {
			strbuf_addch(&items->rest, '[');
			items->in_items = true;
			piece->from++;
		}
	}
	items->depth++;
}

static void close_value(struct call_items *items, struct piece *piece, struct call_lines *lines)
{
	if (items->in_items && items->depth == ITEMS_DEPTH) {
		flush(items, piece, lines);
		call_lines_add(lines, "\n", 1);
		items->in_items = false;
	}
	items->depth -= items->depth > 0;
}

static void end_item(struct call_items *items, struct piece *piece, struct call_lines *lines)
{
	if (items->in_items && items->depth == ITEMS_DEPTH) {
		skip(items, piece, lines);
		call_lines_add(lines, "\n", 1);
	}
}

void call_items_add(struct call_items *items, const char *data, size_t len, struct call_lines *lines)
{
	struct piece piece = {data, data, data + len};

	while (piece.at < piece.end) {
		if (items->in_string) {
			piece.at = pass_string(items, piece.at, piece.end);
			continue;
		}
		switch (*piece.at) {
		case '"':
			items->in_string = true;
			break;
		case '{':
		case '[':
			open_value(items, &piece, lines);
			break;
		case '}':
		case ']':
			close_value(items, &piece, lines);
			break;
		case ',':
			end_item(items, &piece, lines);
			break;
		case ' ':
		case '\t':
		case '\r':
		case '\n':
			skip(items, &piece, lines);
			break;
		default:
			break;
		}
		piece.at++;
	}
	flush(items, &piece, lines);
}

void call_items_release(struct call_items *items)
{
	strbuf_release(&items->rest);
}
