/* Label selectors. */
#include "view/selector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "read.h"

static bool is_among(const char *value, const struct view_requirement *r)
{
	for (uint32_t i = 0; i < r->values_count; i++) {
		if (r->values[i] != NULL && strcmp(r->values[i], value) == 0) {
			return true;
		}
	}
	return false;
}

static bool is_in(const char *value, const struct view_requirement *r)
{
	return value != NULL && is_among(value, r);
}

/* As the API defines it, a missing key satisfies NotIn. */
static bool is_not_in(const char *value, const struct view_requirement *r)
{
	return value == NULL || !is_among(value, r);
}

static bool exists(const char *value, const struct view_requirement *r)
{
	(void)r;
	return value != NULL;
}

static bool does_not_exist(const char *value, const struct view_requirement *r)
{
	(void)r;
	return value == NULL;
}

bool read_integer(const char *text, int64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoll(text, &end, 10);
	return errno == 0 && end != text && *end == '\0' && strchr(" \t\n\v\f\r", text[0]) == NULL;
}

/* Whether both are integers; fills them. */
static bool integers_of(const char *value, const struct view_requirement *r, int64_t *left, int64_t *right)
{
	return value != NULL && r->values_count == 1 && read_integer(value, left) && read_integer(r->values[0], right);
}

static bool is_greater(const char *value, const struct view_requirement *r)
{
	int64_t left;
	int64_t right;

	return integers_of(value, r, &left, &right) && left > right;
}

static bool is_less(const char *value, const struct view_requirement *r)
{
	int64_t left;
	int64_t right;

	return integers_of(value, r, &left, &right) && left < right;
}

static const struct {
	const char *name; /* of matchExpressions; NULL = there is none there */
	bool (*matches)(const char *value, const struct view_requirement *r);
	const char *before_key; /* how the query form writes it */
	const char *after_key;  /* followed by the values; NULL = no values */
	const char *after_values;
} operators[] = {
	[SELECTOR_IN] = {"In", is_in, "", " in (", ")"},
	[SELECTOR_NOT_IN] = {"NotIn", is_not_in, "", " notin (", ")"},
	[SELECTOR_EXISTS] = {"Exists", exists, "", NULL, NULL},
	[SELECTOR_DOES_NOT_EXIST] = {"DoesNotExist", does_not_exist, "!", NULL, NULL},
	[SELECTOR_GREATER] = {NULL, is_greater, "", ">", ""},
	[SELECTOR_LESS] = {NULL, is_less, "", "<", ""},
};

static enum selector_operator operator_of(const json_t *requirement)
{
	const char *name = json_string_value(json_object_get(requirement, "operator"));

	for (size_t i = SELECTOR_IN; name != NULL && i < ARRAY_LEN(operators); i++) {
		if (operators[i].name != NULL && strcmp(operators[i].name, name) == 0) {
			return (enum selector_operator)i;
		}
	}
	return SELECTOR_UNKNOWN;
}

/* None is left out: a selector with fewer would match more. */
static void read_expressions(struct arena *arena, const json_t *list, struct view_selector *selector)
{
	uint32_t count = read_count(list, UINT32_MAX);
	struct view_requirement *expressions = arena_items(arena, count, sizeof(*expressions));

	for (uint32_t i = 0; i < count; i++) {
		const json_t *requirement = json_array_get(list, i);

		expressions[i].key = read_text(arena, requirement, "key", "");
		expressions[i].op = operator_of(requirement);
		expressions[i].values =
			read_words(arena, json_object_get(requirement, "values"), NULL, &expressions[i].values_count);
	}
	selector->expressions = expressions;
	selector->expressions_count = count;
}

struct view_selector read_selector(struct arena *arena, const json_t *selector)
{
	struct view_selector read = {
		.match_labels = read_pairs(arena, json_object_get(selector, "matchLabels"), NULL),
		.given = selector != NULL && !json_is_null(selector),
		.valid = json_is_object(selector),
	};

	read_expressions(arena, json_object_get(selector, "matchExpressions"), &read);
	return read;
}

static bool meets(const struct view_requirement *requirement, const char *value)
{
	return requirement->op != SELECTOR_UNKNOWN && operators[requirement->op].matches(value, requirement);
}

bool view_selector_matches(const struct view_selector *selector, const struct view_pairs *labels, bool if_not_given)
{
	if (!selector->given) {
		return if_not_given;
	}
	if (!selector->valid || !view_pairs_cover(labels, &selector->match_labels)) {
		return false;
	}
	for (uint32_t i = 0; i < selector->expressions_count; i++) {
		const struct view_requirement *requirement = &selector->expressions[i];

		if (!meets(requirement, view_pairs_get(labels, requirement->key))) {
			return false;
		}
	}
	return true;
}

/* Whether matchLabels, as far as they speak of this key, take the value. */
static bool labels_allow(const struct view_pairs *match_labels, const char *key, const char *value)
{
	for (uint32_t i = 0; i < match_labels->count; i++) {
		const struct view_pair *pair = &match_labels->items[i];

		if (strcmp(pair->key, key) == 0) {
			return value != NULL && pair->value != NULL && strcmp(value, pair->value) == 0;
		}
	}
	return true;
}

bool view_selector_allows(const struct view_selector *selector, const char *key, const char *value)
{
	if (!labels_allow(&selector->match_labels, key, value)) {
		return false;
	}
	for (uint32_t i = 0; i < selector->expressions_count; i++) {
		const struct view_requirement *requirement = &selector->expressions[i];

		if (strcmp(requirement->key, key) == 0 && !meets(requirement, value)) {
			return false;
		}
	}
	return true;
}

static void add_requirement(struct strbuf *text, const struct view_requirement *r)
{
	strbuf_addstr(text, text->len > 0 ? "," : "");
	if (r->op == SELECTOR_UNKNOWN) {
		/* Nothing matches an operator that we do not know: two requirements that no object can meet. */
		strbuf_addf(text, "%s,!%s", r->key, r->key);
		return;
	}
	strbuf_addf(text, "%s%s", operators[r->op].before_key, r->key);
	if (operators[r->op].after_key == NULL) {
		return;
	}
	strbuf_addstr(text, operators[r->op].after_key);
	for (uint32_t i = 0; i < r->values_count; i++) {
		strbuf_addf(text, "%s%s", i > 0 ? "," : "", r->values[i] != NULL ? r->values[i] : "");
	}
	strbuf_addstr(text, operators[r->op].after_values);
}

char *view_selector_text(const struct view_selector *selector)
{
	auto_strbuf text = STRBUF_INIT;

	for (uint32_t i = 0; i < selector->match_labels.count; i++) {
		const struct view_pair *pair = &selector->match_labels.items[i];

		strbuf_addf(&text, "%s%s=%s", text.len > 0 ? "," : "", pair->key,
			pair->value != NULL ? pair->value : "");
	}
	for (uint32_t i = 0; i < selector->expressions_count; i++) {
		add_requirement(&text, &selector->expressions[i]);
	}
	return strbuf_take(&text);
}
