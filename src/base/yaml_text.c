/* Writes jansson trees as block-style YAML, over libyaml's emitter. */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/yaml.h"
#include "yaml_scalar.h"

/*
 * Strings that YAML 1.1 readers, kubectl's among them, take for something else though YAML 1.2
 * does not: booleans, merge keys, and numbers with '_' or ':' as well as dates.
 */
static bool reads_otherwise_in_1_1(const char *text)
{
	static const char *const words[] = {"y", "n", "yes", "no", "on", "off", "<<", "="};
	static const char numeric[] = "0123456789abcdefABCDEFxXoOtTzZ_:.,+- ";

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!strcasecmp(text, words[i])) {
			return true;
		}
	}
	return strchr("0123456789.+-", *text) != NULL && !text[strspn(text, numeric)];
}

/* Controls, and the breaks and marks beyond ASCII that a reader would turn into a newline. */
static bool needs_escapes(const char *text, size_t len)
{
	static const char *const breaks[] = {"\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xef\xbb\xbf"};

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c != '\n' && (c < 0x20 || c == 0x7f)) {
			return true;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(breaks); i++) {
		if (strstr(text, breaks[i]) != NULL) {
			return true;
		}
	}
	return false;
}

static yaml_scalar_style_t style_of(const char *text, size_t len, bool is_key)
{
	if (needs_escapes(text, len)) {
		return YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	}
	if (memchr(text, '\n', len) != NULL) {
		/* a block that begins with a blank needs an indentation hint: quotes read better */
		bool block = !is_key && *text != ' ' && *text != '\n';

		return block ? YAML_LITERAL_SCALAR_STYLE : YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	}
	if (yaml_scalar_kind(text, len) != YAML_KIND_STRING || reads_otherwise_in_1_1(text)) {
		return YAML_DOUBLE_QUOTED_SCALAR_STYLE;
	}
	return YAML_PLAIN_SCALAR_STYLE; /* the emitter still quotes "a: b", "- x", "#" */
}

static int write_out(void *sink, unsigned char *data, size_t len)
{
	strbuf_add(sink, data, len);
	return 1;
}

/* The emitter takes the event over. It refuses for want of memory, or a tree of ours is broken. */
static void emit(yaml_emitter_t *emitter, yaml_event_t *event, int made)
{
	if (made && yaml_emitter_emit(emitter, event)) {
		return;
	}
	fprintf(stderr, "cannot write YAML: %s\n",
		emitter->problem != NULL ? emitter->problem : "out of memory or text that is not UTF-8");
	abort();
}

static void emit_scalar(yaml_emitter_t *emitter, const char *text, size_t len, yaml_scalar_style_t style)
{
	yaml_event_t event;
	int made = len <= INT_MAX &&
	           yaml_scalar_event_initialize(&event, NULL, NULL, (const unsigned char *)text, (int)len, 1, 1, style);

	emit(emitter, &event, made);
}

static void emit_string(yaml_emitter_t *emitter, const char *text, size_t len, bool is_key)
{
	emit_scalar(emitter, text, len, style_of(text, len, is_key));
}

static void emit_value(yaml_emitter_t *emitter, const json_t *value);

static void emit_object(yaml_emitter_t *emitter, const json_t *object)
{
	json_t *iterable = (json_t *)object; /* jansson iterates without changing, but not const */
	yaml_event_t event;
	const char *key;
	json_t *member;

	emit(emitter, &event, yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_MAPPING_STYLE));
	json_object_foreach(iterable, key, member) {
		emit_string(emitter, key, strlen(key), true);
		emit_value(emitter, member);
	}
	emit(emitter, &event, yaml_mapping_end_event_initialize(&event));
}

static void emit_array(yaml_emitter_t *emitter, const json_t *array)
{
	yaml_event_t event;

	emit(emitter, &event, yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, YAML_BLOCK_SEQUENCE_STYLE));
	for (size_t i = 0; i < json_array_size(array); i++) {
		emit_value(emitter, json_array_get(array, i));
	}
	emit(emitter, &event, yaml_sequence_end_event_initialize(&event));
}

static void emit_value(yaml_emitter_t *emitter, const json_t *value)
{
	if (json_is_object(value)) {
		emit_object(emitter, value);
	} else if (json_is_array(value)) {
		emit_array(emitter, value);
	} else if (json_is_string(value)) {
		emit_string(emitter, json_string_value(value), json_string_length(value), false);
	} else {
		/* the other JSON scalars read the same in YAML */
		auto_free char *text = json_text(value);

		emit_scalar(emitter, text, strlen(text), YAML_PLAIN_SCALAR_STYLE);
	}
}

char *yaml_text(const json_t *value)
{
	auto_strbuf out = STRBUF_INIT;
	yaml_emitter_t emitter;
	yaml_event_t event;

	if (!yaml_emitter_initialize(&emitter)) {
		abort(); /* out of memory */
	}
	yaml_emitter_set_output(&emitter, write_out, &out);
	yaml_emitter_set_unicode(&emitter, 1);
	yaml_emitter_set_width(&emitter, -1); /* never fold */

	emit(&emitter, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
	emit(&emitter, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1));
	emit_value(&emitter, value);
	emit(&emitter, &event, yaml_document_end_event_initialize(&event, 1));
	emit(&emitter, &event, yaml_stream_end_event_initialize(&event));
	yaml_emitter_delete(&emitter);
	return strbuf_take(&out);
}
