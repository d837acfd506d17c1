/*
 * The places in the text of an adapter config, and our block in it.
 */
#include "adapter_layout.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/memory.h"

/* The bytes of the line break at `s`: 0 when there is none. */
static size_t break_length(const char *s)
{
	if (*s == '\n') {
		return 1;
	}
	if (*s == '\r') {
		return s[1] == '\n' ? 2 : 1;
	}
	if (*s == '\xc2') {
		return s[1] == '\x85' ? 2 : 0;
	}
	if (*s == '\xe2' && s[1] == '\x80') {
		return s[2] == '\xa8' || s[2] == '\xa9' ? 3 : 0;
	}
	return 0;
}

/* The bytes of the line break that ends right before `at`. */
static size_t break_before(const char *text, size_t at)
{
	for (size_t n = 3; n > 0; n--) {
		if (n <= at && break_length(text + at - n) == n) {
			return n;
		}
	}
	return 0;
}

bool layout_at_line_start(const char *text, size_t at)
{
	return at == 0 || break_before(text, at) > 0;
}

size_t layout_line_start(const char *text, size_t at)
{
	while (!layout_at_line_start(text, at)) {
		at--;
	}
	return at;
}

static size_t line_end(const char *text, size_t at)
{
	while (text[at] && !break_length(text + at)) {
		at++;
	}
	return at;
}

size_t layout_next_line(const char *text, size_t at)
{
	at = line_end(text, at);
	return at + break_length(text + at);
}

size_t layout_line(const char *text, size_t at)
{
	size_t line = 1;

	for (size_t next = layout_next_line(text, 0); next <= at && layout_at_line_start(text, next);
		next = layout_next_line(text, next)) {
		line++;
		if (!text[next]) {
			break;
		}
	}
	return line;
}

/* libyaml counts characters; the cursor follows its marks through the bytes, either way. */
struct cursor {
	const char *text;
	size_t index;
	size_t byte;
};

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t cursor_move(struct cursor *c, size_t index)
{
	for (; c->index < index && c->text[c->byte]; c->index++) {
		do {
			c->byte++;
		} while (is_continuation(c->text[c->byte]));
	}
	for (; c->index > index; c->index--) {
		do {
			c->byte--;
		} while (is_continuation(c->text[c->byte]));
	}
	return c->byte;
}

/* One pass. A mapping's keys and values alternate; nodes at depth 1 are those of the top. */
struct walk {
	struct layout *layout;
	struct cursor cursor;
	size_t depth;
	size_t documents;
	size_t marker; /* the first one that may stand inside a later scalar */
	size_t kept;   /* markers before it that are comments */
	bool value;    /* the next node at depth 1 is a value */
	bool in_rules;
};

static bool is_null(const yaml_event_t *ev)
{
	static const char *const words[] = {"", "~", "null", "Null", "NULL"};

	if (ev->type != YAML_SCALAR_EVENT || !ev->data.scalar.plain_implicit) {
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!strcmp((const char *)ev->data.scalar.value, words[i])) {
			return true;
		}
	}
	return false;
}

static void walk_root(struct walk *w, const yaml_event_t *ev, size_t begin, size_t end)
{
	struct layout *l = w->layout;

	l->root_begin = begin;
	if (ev->type != YAML_MAPPING_START_EVENT) {
		return;
	}
	l->flow_root = ev->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
	l->shape = LAYOUT_KEYLESS;
	/* without the properties, which the start would include */
	l->column = l->flow_root ? 0 : ev->end_mark.column;
	l->root_begin = end;
}

static void walk_rules(struct walk *w, const yaml_event_t *ev, size_t begin, size_t end)
{
	struct layout *l = w->layout;

	l->rules_begin = begin;
	if (ev->type != YAML_SEQUENCE_START_EVENT) {
		bool written = ev->type == YAML_SCALAR_EVENT && ev->data.scalar.length > 0;

		l->shape = !is_null(ev) ? LAYOUT_OTHER : written ? LAYOUT_WRITTEN_NULL : LAYOUT_NULL;
		return;
	}
	if (ev->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE) {
		l->shape = LAYOUT_FLOW_LIST;
		l->rules_end = end;
		return;
	}
	l->shape = LAYOUT_LIST;
	/* the mark stands on the first dash, or behind it when the list is not indented */
	l->item_column = ev->end_mark.column - (w->cursor.text[end] != '-');
}

/* A scalar that spans marker lines holds them as content: these are no markers. */
static void walk_scalar(struct walk *w, size_t begin, size_t end)
{
	struct layout *l = w->layout;

	for (; w->marker < l->marker_count && l->markers[w->marker] < end; w->marker++) {
		if (l->markers[w->marker] < begin) {
			l->markers[w->kept++] = l->markers[w->marker];
		}
	}
}

static void walk_node(struct walk *w, const yaml_event_t *ev, size_t begin, size_t end)
{
	struct layout *l = w->layout;

	if (w->depth == 0) {
		walk_root(w, ev, begin, end);
	} else if (w->depth == 1 && w->value && w->in_rules) {
		walk_rules(w, ev, begin, end);
	} else if (w->depth == 1 && !w->value) {
		w->in_rules = ev->type == YAML_SCALAR_EVENT && !strcmp((const char *)ev->data.scalar.value, "rules");
		if (w->in_rules) {
			l->rules_key = end;
		}
	} else if (w->depth == 2 && w->value && w->in_rules) {
		l->items = xgrow(l->items, &l->item_cap, l->item_count + 1, sizeof(*l->items));
		l->items[l->item_count++] = begin;
	}
}

static void walk_event(struct walk *w, const yaml_event_t *ev)
{
	struct layout *l = w->layout;
	size_t begin = cursor_move(&w->cursor, ev->start_mark.index);
	size_t end = cursor_move(&w->cursor, ev->end_mark.index);
	bool opens = ev->type == YAML_MAPPING_START_EVENT || ev->type == YAML_SEQUENCE_START_EVENT;
	bool closes = ev->type == YAML_MAPPING_END_EVENT || ev->type == YAML_SEQUENCE_END_EVENT;
	bool leaf = ev->type == YAML_SCALAR_EVENT || ev->type == YAML_ALIAS_EVENT;

	if (ev->type == YAML_DOCUMENT_START_EVENT) {
		w->documents++;
	}
	/* The adapter reads the first document only. */
	if ((!opens && !closes && !leaf) || w->documents > 1) {
		return;
	}
	if (ev->type == YAML_SCALAR_EVENT) {
		walk_scalar(w, begin, end);
	}
	if (closes) {
		w->depth--;
	} else {
		walk_node(w, ev, begin, end);
	}
	/* the end of a block collection is a mark on whatever follows it, and tells nothing */
	if (leaf || (closes && end > begin)) {
		l->root_end = end;
		if (w->in_rules && w->value && w->depth == 1 && l->shape == LAYOUT_FLOW_LIST) {
			l->rules_close = begin;
		} else if (w->in_rules && w->value) {
			l->rules_end = end;
		}
	}
	if (opens) {
		w->depth++;
	} else if (w->depth == 1) {
		w->value = !w->value;
	}
}

static bool is_marker(const char *s, const char *marker)
{
	size_t n = strlen(marker);

	return !strncmp(s, marker, n) && !isalnum((unsigned char)s[n]) && s[n] != '-' && s[n] != '_';
}

/* All lines that look like markers, whether comments or content. */
static void find_markers(struct layout *l, const char *text)
{
	for (size_t at = 0; text[at]; at = layout_next_line(text, at)) {
		size_t hash = at + strspn(text + at, " \t");

		if (!is_marker(text + hash, LAYOUT_BEGIN) && !is_marker(text + hash, LAYOUT_END)) {
			continue;
		}
		l->markers = xgrow(l->markers, &l->marker_cap, l->marker_count + 1, sizeof(*l->markers));
		l->markers[l->marker_count++] = hash;
	}
}

int layout_read(struct layout *l, const char *text, struct error *err)
{
	struct walk w = {.layout = l, .cursor = {.text = text}};
	yaml_event_type_t type = YAML_NO_EVENT;
	yaml_parser_t parser;
	yaml_event_t ev;

	*l = (struct layout){.root_end = strlen(text)};
	find_markers(l, text);
	if (!yaml_parser_initialize(&parser)) {
		return error_set(err, ERROR_INTERNAL, "out of memory");
	}
	/* whatever bytes it begins with */
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
	while (type != YAML_STREAM_END_EVENT && yaml_parser_parse(&parser, &ev)) {
		type = ev.type;
		walk_event(&w, &ev);
		yaml_event_delete(&ev);
	}
	yaml_parser_delete(&parser);
	if (type != YAML_STREAM_END_EVENT) {
		return error_set(err, ERROR_INVALID, "not valid YAML");
	}
	walk_scalar(&w, SIZE_MAX, SIZE_MAX); /* the markers behind the last scalar */
	l->marker_count = w.kept;
	return 0;
}

void layout_release(struct layout *l)
{
	free(l->items);
	free(l->markers);
	*l = (struct layout){0};
}

/* The rest of a marker's line behind `skip` bytes, without trailing blanks. */
static char *rest_of_line(const char *text, size_t at, size_t skip)
{
	size_t begin = at + skip;
	size_t end = line_end(text, at);

	while (end > begin && (text[end - 1] == ' ' || text[end - 1] == '\t')) {
		end--;
	}
	return xstrndup(text + begin, end - begin);
}

static int damaged(const char *text, size_t at, const char *what, struct error *err)
{
	return error_set(err, ERROR_INVALID,
		"line %zu: the marker of our rules %s: restore it, or delete our rules and "
		"their markers",
		layout_line(text, at), what);
}

int layout_block(const struct layout *l, const char *text, struct block *block, struct error *err)
{
	*block = (struct block){0};
	if (l->marker_count == 0) {
		return 0;
	}

	size_t first = l->markers[0];
	size_t last = l->markers[l->marker_count - 1];

	if (!is_marker(text + first, LAYOUT_BEGIN)) {
		return damaged(text, first, "'" LAYOUT_END "' has no BEGIN before it", err);
	}
	if (l->marker_count == 1) {
		return damaged(text, first, "'" LAYOUT_BEGIN "' has no END after it", err);
	}
	if (l->marker_count > 2 || !is_marker(text + last, LAYOUT_END)) {
		return damaged(text, l->markers[1], "is not one BEGIN and one END", err);
	}

	auto_free char *head = rest_of_line(text, first, 0);
	auto_free char *tail = rest_of_line(text, last, strlen(LAYOUT_END));
	bool joined = !strcmp(head, LAYOUT_BEGIN_TEXT LAYOUT_JOINED);
	bool kept = !strncmp(tail, LAYOUT_KEPT, strlen(LAYOUT_KEPT));
	size_t begin = layout_line_start(text, first);
	size_t end = layout_next_line(text, last);

	if (!joined && strcmp(head, LAYOUT_BEGIN_TEXT)) {
		return damaged(text, first, "does not read '" LAYOUT_BEGIN_TEXT "'", err);
	}
	if (kept != (*tail != '\0') || (kept && !joined)) {
		return damaged(text, last, "does not read '" LAYOUT_END "'", err);
	}
	if (joined || !layout_at_line_start(text, end)) {
		begin -= break_before(text, begin);
	}
	if (kept) {
		end = last + strlen(LAYOUT_END LAYOUT_KEPT);
	} else if (joined) {
		for (size_t indent = first - layout_line_start(text, first); indent && text[end] == ' '; indent--) {
			end++;
		}
	}
	*block = (struct block){.begin = begin, .end = end};
	return 0;
}
