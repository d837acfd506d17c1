/* Reading a large object piece by piece, with jansson. */
#include "base/json_items.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

void json_items_begin(struct json_items *items, char *text_take, size_t len, const char *list)
{
	*items = (struct json_items){.text = text_take,
		.at = text_take,
		.end = text_take + len,
		.list = list,
		.others = json_object()};
}

void json_items_release(struct json_items *items)
{
	free(items->text);
	json_decref(items->others);
	*items = (struct json_items){.text = NULL};
}

static void skip_space(struct json_items *items)
{
	while (items->at < items->end && *items->at != '\0' && strchr(" \t\r\n", *items->at) != NULL) {
		items->at++;
	}
}

/* Whether this comes next; it is passed then. */
static bool take(struct json_items *items, char c)
{
	skip_space(items);
	if (items->at == items->end || *items->at != c) {
		return false;
	}
	items->at++;
	return true;
}

static json_t *refuse(const struct json_items *items, const char *wanted, struct error *err)
{
	error_set(err, ERROR_INVALID, "cannot parse JSON at byte %zu: %s expected", (size_t)(items->at - items->text),
		wanted);
	return NULL;
}

/* The value that comes next; new reference. */
static json_t *take_value(struct json_items *items, struct error *err)
{
	json_error_t problem = {.position = 0};
	json_t *value = json_loadb(items->at, (size_t)(items->end - items->at),
		JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DISABLE_EOF_CHECK, &problem);

	if (value == NULL) {
		error_set(err, ERROR_INVALID, "cannot parse JSON at byte %zu: %s",
			(size_t)(items->at - items->text) + (size_t)problem.position, problem.text);
		return NULL;
	}
	items->at += problem.position;
	return value;
}

/* Goes on to the list, or to the end: true when its first element comes next. */
static bool pass_members(struct json_items *items, struct error *err)
{
	do {
		auto_json *name = take_value(items, err);
		json_t *value;

		if (!json_is_string(name) || !take(items, ':')) {
			refuse(items, "a member", err);
			return false;
		}
		if (strcmp(json_string_value(name), items->list) == 0 && take(items, '[')) {
			return true;
		}
		value = take_value(items, err);
		if (value == NULL) {
			return false;
		}
		json_object_set_new(items->others, json_string_value(name), value);
	} while (take(items, ','));
	if (!take(items, '}')) {
		refuse(items, "'}'", err);
	}
	return false;
}

/* Behind the list. */
static void pass_rest(struct json_items *items, struct error *err)
{
	if (take(items, ',')) {
		if (pass_members(items, err)) {
			refuse(items, "one list", err);
		}
	} else if (!take(items, '}')) {
		refuse(items, "'}'", err);
	}
}

static bool begin(struct json_items *items, struct error *err)
{
	if (!take(items, '{')) {
		refuse(items, "'{'", err);
		return false;
	}
	return !take(items, '}') && pass_members(items, err);
}

/* What is behind the object is none of it. */
static json_t *end(struct json_items *items, struct error *err)
{
	items->where = JSON_ITEMS_BEHIND;
	skip_space(items);
	return err->kind == ERROR_NONE && items->at < items->end ? refuse(items, "the end", err) : NULL;
}

json_t *json_items_next(struct json_items *items, struct error *err)
{
	bool first = items->where == JSON_ITEMS_BEFORE;

	if (items->where == JSON_ITEMS_BEHIND) {
		return NULL;
	}
	if (first && !begin(items, err)) {
		return end(items, err);
	}
	items->where = JSON_ITEMS_INSIDE;
	if (take(items, ']')) {
		pass_rest(items, err);
		return end(items, err);
	}
	if (!first && !take(items, ',')) {
		return refuse(items, "','", err);
	}
	return take_value(items, err);
}
