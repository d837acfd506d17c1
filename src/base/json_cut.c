/* Passing over values of JSON text. */
#include "base/json_cut.h"

#include <stdbool.h>
#include <string.h>

#include "base/json.h"

/* Behind the string whose first quote is before `at`; `end` when it does not end. */
static const char *behind_string(const char *at, const char *end)
{
	while (at < end && *at != '"') {
		at += *at == '\\' && at + 1 < end ? 2 : 1;
	}
	return at < end ? at + 1 : end;
}

static bool opens(char c)
{
	return c == '{' || c == '[';
}

/* Behind the object or array that was opened before `at`; NULL when it does not end. Braces and brackets alone are
 * counted: what is between them is parsed by nobody. */
static const char *behind_value(const char *at, const char *end)
{
	size_t depth = 1;

	while (at < end && depth > 0) {
		char c = *at++;

		if (c == '"') {
			at = behind_string(at, end);
		} else if (opens(c)) {
			depth++;
		} else if (c == '}' || c == ']') {
			depth--;
		}
	}
	return depth == 0 ? at : NULL;
}

static bool is_one_of(const char *key, size_t len, const char *const *keys)
{
	for (; *keys != NULL; keys++) {
		if (strlen(*keys) == len && memcmp(*keys, key, len) == 0) {
			return true;
		}
	}
	return false;
}

void json_cut(const char *text, size_t len, const char *const *keys, struct strbuf *rest)
{
	const char *end = text + len;
	const char *kept = text; /* not appended yet from here on */
	const char *at = text;

	strbuf_reserve(rest, len);
	while (at < end && (at = memchr(at, '"', (size_t)(end - at))) != NULL) {
		const char *key = at + 1;
		const char *behind;

		at = behind_string(key, end);
		if (end - at < 2 || at[0] != ':' || !opens(at[1]) || !is_one_of(key, (size_t)(at - 1 - key), keys)) {
			continue;
		}
		behind = behind_value(at + 2, end);
		if (behind == NULL) {
			break;
		}
		strbuf_add(rest, kept, (size_t)(at + 2 - kept));
		kept = at = behind - 1;
	}
	strbuf_add(rest, kept, (size_t)(end - kept));
}

json_t *json_parse_read(const char *text, size_t len, const char *const *keys, struct error *err)
{
	auto_strbuf rest = STRBUF_INIT;

	if (keys == NULL || text == NULL) {
		return json_parse(text, len, err);
	}
	json_cut(text, len, keys, &rest);
	return json_parse(rest.buf, rest.len, err);
}
