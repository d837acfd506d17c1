/* Writing a tree of jansson's. */
#include "base/json_write.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Of an object with no more keys they are sorted where they stand, and most come sorted. */
#define FEW 16

struct member {
	const char *key;
	json_t *value;
};

/* What stands for a character behind a backslash; 0 = it stands for itself. */
static char escape_of(char c)
{
	switch (c) {
	case '"':
	case '\\':
		return c;
	case '\b':
		return 'b';
	case '\f':
		return 'f';
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	default:
		return 0;
	}
}

static bool is_plain(char c)
{
	return (unsigned char)c >= 0x20 && c != '"' && c != '\\';
}

static void write_text(const char *at, size_t len, struct strbuf *text)
{
	const char *end = at + len;

	strbuf_addch(text, '"');
	while (at < end) {
		const char *plain = at;

		while (at < end && is_plain(*at)) {
			at++;
		}
		strbuf_add(text, plain, (size_t)(at - plain));
		if (at < end) {
			char escape = escape_of(*at);

			if (escape != 0) {
				strbuf_add(text, (char[]){'\\', escape}, 2);
			} else {
				strbuf_addf(text, "\\u%04X", (unsigned)(unsigned char)*at);
			}
			at++;
		}
	}
	strbuf_addch(text, '"');
}

static int compare_members(const void *one, const void *other)
{
	return strcmp(((const struct member *)one)->key, ((const struct member *)other)->key);
}

static void sort(struct member *members, size_t count)
{
	if (count > FEW) {
		qsort(members, count, sizeof(*members), compare_members);
		return;
	}
	for (size_t i = 1; i < count; i++) {
		struct member member = members[i];
		size_t at = i;

		while (at > 0 && strcmp(members[at - 1].key, member.key) > 0) {
			members[at] = members[at - 1];
			at--;
		}
		members[at] = member;
	}
}

static void write_object(const json_t *object, struct strbuf *text)
{
	size_t count = json_object_size(object);
	struct member few[FEW];
	struct member *many = count > FEW ? xcalloc(count, sizeof(*many)) : NULL;
	struct member *members = many != NULL ? many : few;
	size_t i = 0;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value) {
		members[i++] = (struct member){key, value};
	}
	sort(members, count);
	strbuf_addch(text, '{');
	for (i = 0; i < count; i++) {
		if (i > 0) {
			strbuf_addch(text, ',');
		}
		write_text(members[i].key, strlen(members[i].key), text);
		strbuf_addch(text, ':');
		json_write(members[i].value, text);
	}
	strbuf_addch(text, '}');
	free(many);
}

static void write_array(const json_t *array, struct strbuf *text)
{
	size_t i;
	json_t *value;

	strbuf_addch(text, '[');
	json_array_foreach((json_t *)(uintptr_t)array, i, value) {
		if (i > 0) {
			strbuf_addch(text, ',');
		}
		json_write(value, text);
	}
	strbuf_addch(text, ']');
}

static void write_integer(json_int_t integer, struct strbuf *text)
{
	char digits[24];
	char *at = digits + sizeof(digits);
	unsigned long long left = integer < 0 ? 0ULL - (unsigned long long)integer : (unsigned long long)integer;

	do {
		*--at = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	if (integer < 0) {
		*--at = '-';
	}
	strbuf_add(text, at, (size_t)(digits + sizeof(digits) - at));
}

/* They are rare, and how many digits they have is jansson's to say. */
static void write_real(const json_t *real, struct strbuf *text)
{
	char *digits = json_dumps(real, JSON_ENCODE_ANY);

	if (digits == NULL) {
		abort(); /* out of memory */
	}
	strbuf_addstr(text, digits);
	free(digits);
}

void json_write(const json_t *value, struct strbuf *text)
{
	if (value == NULL) {
		strbuf_addstr(text, "null");
		return;
	}
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		write_object(value, text);
		return;
	case JSON_ARRAY:
		write_array(value, text);
		return;
	case JSON_STRING:
		write_text(json_string_value(value), json_string_length(value), text);
		return;
	case JSON_INTEGER:
		write_integer(json_integer_value(value), text);
		return;
	case JSON_REAL:
		write_real(value, text);
		return;
	case JSON_TRUE:
		strbuf_addstr(text, "true");
		return;
	case JSON_FALSE:
		strbuf_addstr(text, "false");
		return;
	case JSON_NULL:
		strbuf_addstr(text, "null");
		return;
	}
}
