/* Reading a label selector in the form of text. The grammar is that of apimachinery, pkg/labels/selector.go. */
#include "view/selector.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "read.h"

#define SPACES " \t\r\n"
#define SPECIAL SPACES "=!(),<>"

/* What is read, and into what. `word` is room for any word of the text. */
struct reader {
	const char *text; /* all of it */
	const char *at;
	char *word;
	struct arena *arena;
	struct error *err;
};

static void skip_spaces(struct reader *r)
{
	r->at += strspn(r->at, SPACES);
}

/* Whether this sign comes next; passes it then. */
static bool take(struct reader *r, const char *sign)
{
	size_t len = strlen(sign);

	skip_spaces(r);
	if (strncmp(r->at, sign, len) != 0) {
		return false;
	}
	r->at += len;
	return true;
}

/* The next word, which may be empty; valid until the one after it. */
static const char *take_word(struct reader *r)
{
	size_t len;

	skip_spaces(r);
	len = strcspn(r->at, SPECIAL);
	memcpy(r->word, r->at, len);
	r->word[len] = '\0';
	r->at += len;
	return r->word;
}

static bool is_at_end(struct reader *r)
{
	skip_spaces(r);
	return *r->at == '\0';
}

static int refuse(struct reader *r, const char *wanted)
{
	return error_set(r->err, ERROR_INVALID, "the selector '%s' cannot be read: %s is expected at byte %zu", r->text,
		wanted, (size_t)(r->at - r->text));
}

/* Commas up to the closing parenthesis: there is one value more than there are. */
static uint32_t count_values(const char *at)
{
	uint32_t count = 1;

	for (; *at != '\0' && *at != ')'; at++) {
		count += *at == ',';
	}
	return count;
}

/* "(a, b)" */
static int read_values(struct reader *r, struct view_requirement *requirement)
{
	const char **values;
	uint32_t count = 0;

	if (!take(r, "(")) {
		return refuse(r, "'('");
	}
	if (take(r, ")")) {
		return refuse(r, "a value");
	}
	values = arena_items(r->arena, count_values(r->at), sizeof(*values));
	do {
		values[count++] = read_keep(r->arena, take_word(r));
	} while (take(r, ","));
	requirement->values = values;
	requirement->values_count = count;
	return take(r, ")") ? 0 : refuse(r, "',' or ')'");
}

static int read_value(struct reader *r, struct view_requirement *requirement)
{
	const char **values = arena_items(r->arena, 1, sizeof(*values));
	bool compares = requirement->op == SELECTOR_GREATER || requirement->op == SELECTOR_LESS;
	int64_t integer;

	values[0] = read_keep(r->arena, take_word(r));
	requirement->values = values;
	requirement->values_count = 1;
	return !compares || read_integer(values[0], &integer) ? 0 : refuse(r, "an integer before here");
}

static const struct {
	const char *sign;
	enum selector_operator op;
} signs[] = {
	{"==", SELECTOR_IN},
	{"=", SELECTOR_IN},
	{"!=", SELECTOR_NOT_IN},
	{">", SELECTOR_GREATER},
	{"<", SELECTOR_LESS},
};

/* What comes behind a key that a value is wanted of. */
static int read_condition(struct reader *r, struct view_requirement *requirement)
{
	const char *word;

	for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
		if (take(r, signs[i].sign)) {
			requirement->op = signs[i].op;
			return read_value(r, requirement);
		}
	}
	word = take_word(r);
	if (strcmp(word, "in") != 0 && strcmp(word, "notin") != 0) {
		return refuse(r, "an operator before here");
	}
	requirement->op = word[0] == 'i' ? SELECTOR_IN : SELECTOR_NOT_IN;
	return read_values(r, requirement);
}

static int read_requirement(struct reader *r, struct view_requirement *requirement)
{
	bool absent = take(r, "!");

	requirement->key = read_keep(r->arena, take_word(r));
	if (requirement->key[0] == '\0') {
		return refuse(r, "a label's key");
	}
	requirement->op = absent ? SELECTOR_DOES_NOT_EXIST : SELECTOR_EXISTS;
	if (is_at_end(r) || *r->at == ',') {
		return 0;
	}
	return absent ? refuse(r, "','") : read_condition(r, requirement);
}

/* Commas outside of parentheses: there is one requirement more than there are. */
static uint32_t count_requirements(const char *text)
{
	uint32_t count = 1;
	bool inside = false;

	for (; *text != '\0'; text++) {
		inside = *text == '(' || (inside && *text != ')');
		count += *text == ',' && !inside;
	}
	return count;
}

static int read_all(struct reader *r)
{
	struct view_selector *selector = arena_items(r->arena, 1, sizeof(*selector));
	struct view_requirement *expressions;
	uint32_t count = 0;

	selector->given = selector->valid = true;
	if (is_at_end(r)) {
		return 0;
	}
	expressions = arena_items(r->arena, count_requirements(r->at), sizeof(*expressions));
	do {
		if (read_requirement(r, &expressions[count++]) < 0) {
			return -1;
		}
	} while (take(r, ","));
	selector->expressions = expressions;
	selector->expressions_count = count;
	return is_at_end(r) ? 0 : refuse(r, "','");
}

static struct view_selector *parse(const char *text, void (*fill)(struct arena *arena, struct arena *measured),
	size_t *bytes, struct error *err)
{
	auto_free char *word = xcalloc(1, strlen(text) + 1);
	auto_arena measured;
	auto_arena arena;
	struct reader reader = {.text = text, .at = text, .word = word, .arena = &measured, .err = err};

	arena_measure(&measured);
	arena_measure(&arena);
	if (read_all(&reader) < 0) {
		return NULL;
	}
	fill(&arena, &measured);
	reader.at = text;
	reader.arena = &arena;
	read_all(&reader);
	*bytes = arena_bytes(&arena);
	return arena_take(&arena);
}

struct view_selector *view_selector_parse(const char *text, struct error *err)
{
	size_t bytes;

	return parse(text, arena_fill, &bytes, err);
}

struct view_selector *view_selector_keep(const char *text, size_t *bytes)
{
	return parse(text, arena_fill_kept, bytes, NULL);
}
