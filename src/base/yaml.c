/* Reads YAML into jansson trees, over libyaml's events. */
#include "base/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/json.h"
#include "base/map.h"
#include "base/memory.h"
#include "yaml_scalar.h"

#define DEPTH_LIMIT 64
/* What a value costs beside its text, in memory. */
#define VALUE_BYTES 100

static const char tag_trouble[] = "of the tags only !!str, !!seq and !!map are read";

struct reader {
	yaml_parser_t parser;
	struct map anchors; /* of json_t; a node still being read stands as NULL */
	size_t budget;      /* bytes that aliases may still add */
	struct error *err;
};

static void decref_value(void *value)
{
	json_decref(value);
}

/* Fails at a mark of the text; gives NULL so that a failing line is one return. */
static json_t *fail_at(struct reader *r, const yaml_mark_t *mark, const char *what)
{
	error_set(r->err, ERROR_INVALID, "cannot parse YAML at line %zu, column %zu: %s", mark->line + 1,
		mark->column + 1, what);
	return NULL;
}

static bool next_event(struct reader *r, yaml_event_t *event)
{
	const yaml_parser_t *p = &r->parser;

	if (yaml_parser_parse(&r->parser, event)) {
		return true;
	}
	/* the decoder of bytes knows no line */
	if (p->error == YAML_READER_ERROR) {
		error_set(r->err, ERROR_INVALID, "cannot parse YAML at byte %zu: %s", p->problem_offset, p->problem);
	} else {
		fail_at(r, &p->problem_mark, p->problem != NULL ? p->problem : "out of memory");
	}
	memset(event, 0, sizeof(*event));
	return false;
}

/* A number written as the core schema has it; NULL when it does not fit. */
static json_t *integer_value(const char *text)
{
	int base = !strncmp(text, "0x", 2) ? 16 : !strncmp(text, "0o", 2) ? 8 : 10;
	long long value;

	errno = 0;
	value = strtoll(base == 10 ? text : text + 2, NULL, base);
	return errno ? NULL : json_integer(value);
}

static json_t *float_value(const char *text)
{
	double value = strtod(text, NULL);

	return isfinite(value) ? json_real(value) : NULL;
}

/* Whether a tag, if there is one, says no more than what the node is anyway. */
static bool tag_fits(const yaml_char_t *tag, const char *natural)
{
	return tag == NULL || !strcmp((const char *)tag, "!") || !strcmp((const char *)tag, natural);
}

static json_t *read_scalar(struct reader *r, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && event->data.scalar.tag == NULL;
	json_t *value = NULL;

	if (!tag_fits(event->data.scalar.tag, YAML_STR_TAG)) {
		return fail_at(r, &event->start_mark, tag_trouble);
	}
	switch (plain ? yaml_scalar_kind(text, len) : YAML_KIND_STRING) {
	case YAML_KIND_NULL:
		return json_null();
	case YAML_KIND_BOOL:
		return json_boolean(*text == 't' || *text == 'T');
	case YAML_KIND_INT:
		value = integer_value(text);
		return value != NULL ? value
		                     : fail_at(r, &event->start_mark,
					       "the integer does not fit 64 bits: quote it if it is text");
	case YAML_KIND_FLOAT:
		value = float_value(text);
		return value != NULL ? value : fail_at(r, &event->start_mark, "the number is too large");
	case YAML_KIND_INF_NAN:
		return fail_at(r, &event->start_mark, "JSON has no infinity and no NaN");
	case YAML_KIND_STRING:
		break;
	}
	value = json_stringn(text, len);
	return value != NULL ? value : fail_at(r, &event->start_mark, "the text is not UTF-8");
}

/* What a copy of the value costs, in bytes. */
static size_t cost_of(const json_t *value)
{
	size_t n = VALUE_BYTES + json_string_length(value);

	if (json_is_object(value)) {
		json_t *iterable = (json_t *)value;
		const char *key;
		json_t *member;

		json_object_foreach(iterable, key, member) {
			n += strlen(key) + cost_of(member);
		}
	}
	for (size_t i = 0; i < json_array_size(value); i++) {
		n += cost_of(json_array_get(value, i));
	}
	return n;
}

/* A copy, so that no two places of the tree are one. */
static json_t *read_alias(struct reader *r, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	const json_t *target = map_get(&r->anchors, name);

	if (target == NULL && map_has(&r->anchors, name)) {
		return fail_at(r, &event->start_mark, "an alias stands inside what it names");
	}
	if (target == NULL) {
		return fail_at(r, &event->start_mark, "no anchor of that name stands before");
	}

	size_t cost = cost_of(target);

	if (cost > r->budget) {
		auto_free char *what =
			xasprintf("aliases add more than %d bytes: write fewer of them", YAML_ALIAS_BYTES);

		return fail_at(r, &event->start_mark, what);
	}
	r->budget -= cost;
	return json_deep_copy(target);
}

static json_t *read_node(struct reader *r, const yaml_event_t *event, unsigned depth);

static bool read_items(struct reader *r, json_t *array, unsigned depth)
{
	for (;;) {
		yaml_event_t event;
		json_t *item;

		if (!next_event(r, &event)) {
			return false;
		}
		if (event.type == YAML_SEQUENCE_END_EVENT) {
			yaml_event_delete(&event);
			return true;
		}
		item = read_node(r, &event, depth);
		yaml_event_delete(&event);
		if (item == NULL) {
			return false;
		}
		json_array_append_new(array, item);
	}
}

/* The key of a member; JSON wants a string, so 1: and true: are read as their text. */
static char *read_key(struct reader *r, const json_t *object, const yaml_event_t *event)
{
	if (event->type != YAML_SCALAR_EVENT) {
		fail_at(r, &event->start_mark, "a key must be a scalar");
		return NULL;
	}

	const char *text = (const char *)event->data.scalar.value;

	if (strlen(text) != event->data.scalar.length) {
		fail_at(r, &event->start_mark, "a key cannot hold a NUL");
		return NULL;
	}
	if (json_object_get(object, text) != NULL) {
		fail_at(r, &event->start_mark, "the key is there twice");
		return NULL;
	}
	return xstrdup(text);
}

static bool read_members(struct reader *r, json_t *object, unsigned depth)
{
	for (;;) {
		yaml_event_t event;
		json_t *value;

		if (!next_event(r, &event)) {
			return false;
		}
		if (event.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&event);
			return true;
		}

		auto_free char *key = read_key(r, object, &event);

		yaml_event_delete(&event);
		if (key == NULL || !next_event(r, &event)) {
			return false;
		}
		value = read_node(r, &event, depth);
		yaml_event_delete(&event);
		if (value == NULL) {
			return false;
		}
		json_object_set_new(object, key, value);
	}
}

static const char *anchor_of(const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return (const char *)event->data.scalar.anchor;
	case YAML_SEQUENCE_START_EVENT:
		return (const char *)event->data.sequence_start.anchor;
	case YAML_MAPPING_START_EVENT:
		return (const char *)event->data.mapping_start.anchor;
	default:
		return NULL;
	}
}

/* Reads the node that `event` begins; NULL on failure. */
static json_t *read_node(struct reader *r, const yaml_event_t *event, unsigned depth)
{
	const char *anchor = anchor_of(event);
	json_t *value = NULL;
	bool whole = true;

	if (depth > DEPTH_LIMIT) {
		return fail_at(r, &event->start_mark, "more than 64 levels deep");
	}
	if (anchor != NULL) {
		map_put(&r->anchors, anchor, NULL);
	}

	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return read_alias(r, event);
	case YAML_SCALAR_EVENT:
		value = read_scalar(r, event);
		break;
	case YAML_SEQUENCE_START_EVENT:
		if (!tag_fits(event->data.sequence_start.tag, YAML_SEQ_TAG)) {
			return fail_at(r, &event->start_mark, tag_trouble);
		}
		value = json_array();
		whole = read_items(r, value, depth + 1);
		break;
	case YAML_MAPPING_START_EVENT:
		if (!tag_fits(event->data.mapping_start.tag, YAML_MAP_TAG)) {
			return fail_at(r, &event->start_mark, tag_trouble);
		}
		value = json_object();
		whole = read_members(r, value, depth + 1);
		break;
	default:
		return fail_at(r, &event->start_mark, "a value is missing here");
	}
	if (!whole) {
		json_decref(value);
		return NULL;
	}
	if (anchor != NULL && value != NULL) {
		map_put(&r->anchors, anchor, json_incref(value));
	}
	return value;
}

/* The next document of the stream; at its end *end is set and the answer is NULL. */
static json_t *read_document(struct reader *r, bool *end)
{
	for (;;) {
		yaml_event_t event;
		json_t *value;

		if (!next_event(r, &event)) {
			return NULL;
		}
		switch (event.type) {
		case YAML_STREAM_START_EVENT:
		case YAML_DOCUMENT_START_EVENT:
		case YAML_DOCUMENT_END_EVENT:
			yaml_event_delete(&event);
			break;
		case YAML_STREAM_END_EVENT:
			yaml_event_delete(&event);
			*end = true;
			return NULL;
		default:
			map_clear(&r->anchors); /* a document cannot name another's */
			value = read_node(r, &event, 1);
			yaml_event_delete(&event);
			return value;
		}
	}
}

static void reader_init(struct reader *r, const char *text, size_t len, struct error *err)
{
	*r = (struct reader){.budget = YAML_ALIAS_BYTES, .err = err};
	map_init(&r->anchors, decref_value);
	if (!yaml_parser_initialize(&r->parser)) {
		abort(); /* out of memory */
	}
	/* else a byte order mark would turn the text into UTF-16 */
	yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r->parser, (const unsigned char *)(text != NULL ? text : ""), len);
}

static void reader_release(struct reader *r)
{
	yaml_parser_delete(&r->parser);
	map_release(&r->anchors);
}

json_t *yaml_parse(const char *text, size_t len, struct error *err)
{
	struct reader r;
	bool end = false;

	reader_init(&r, text, len, err);
	json_t *value = read_document(&r, &end);
	reader_release(&r);
	return end ? json_null() : value;
}

json_t *yaml_parse_all(const char *text, size_t len, struct error *err)
{
	struct reader r;
	bool end = false;
	json_t *documents = json_array();
	json_t *value;

	reader_init(&r, text, len, err);
	while ((value = read_document(&r, &end)) != NULL) {
		json_array_append_new(documents, value);
	}
	reader_release(&r);
	if (end) {
		return documents;
	}
	json_decref(documents);
	return NULL;
}
