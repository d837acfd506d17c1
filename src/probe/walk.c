/* A walk over JSON text, which jansson reads piece by piece. */
#include "walk.h"

#include <string.h>

#include "base/json.h"

struct walk {
	const char *at;
	const char *end;
	const char *list;
	walk_element_fn *element;
	void *ctx;
	bool success;
};

static void skip_space(struct walk *walk)
{
	while (walk->at < walk->end && strchr(" \t\r\n", *walk->at) != NULL && *walk->at != '\0') {
		walk->at++;
	}
}

/* Whether this comes next; it is passed then. */
static bool take(struct walk *walk, char c)
{
	skip_space(walk);
	if (walk->at == walk->end || *walk->at != c) {
		return false;
	}
	walk->at++;
	return true;
}

/* The value that comes next; new reference, NULL when there is none. */
static json_t *take_value(struct walk *walk)
{
	json_error_t read = {.position = 0};
	json_t *value;

	value = json_loadb(walk->at, (size_t)(walk->end - walk->at),
		JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DISABLE_EOF_CHECK, &read);
	walk->at += value != NULL ? read.position : 0;
	return value;
}

static int walk_list(struct walk *walk)
{
	if (!take(walk, '[')) {
		return -1;
	}
	if (take(walk, ']')) {
		return 0;
	}
	do {
		auto_json *element = take_value(walk);

		if (element == NULL) {
			return -1;
		}
		walk->element(walk->ctx, element);
	} while (take(walk, ','));
	return take(walk, ']') ? 0 : -1;
}

/* Goes through an object; `member` has to pass the value of each. */
static int walk_object(struct walk *walk, int (*member)(struct walk *walk, const char *name))
{
	if (!take(walk, '{')) {
		return -1;
	}
	if (take(walk, '}')) {
		return 0;
	}
	do {
		auto_json *name = take_value(walk);

		if (!json_is_string(name) || !take(walk, ':') || member(walk, json_string_value(name)) != 0) {
			return -1;
		}
	} while (take(walk, ','));
	return take(walk, '}') ? 0 : -1;
}

static int walk_data_member(struct walk *walk, const char *name)
{
	auto_json *other = NULL;

	if (strcmp(name, walk->list) == 0) {
		return walk_list(walk);
	}
	other = take_value(walk);
	return other != NULL ? 0 : -1;
}

static int walk_member(struct walk *walk, const char *name)
{
	auto_json *value = NULL;

	if (strcmp(name, "data") == 0) {
		return walk_object(walk, walk_data_member);
	}
	value = take_value(walk);
	if (strcmp(name, "status") == 0) {
		walk->success = json_is_string(value) && strcmp(json_string_value(value), "success") == 0;
	}
	return value != NULL ? 0 : -1;
}

int walk_answer(const char *body, size_t len, const char *list, walk_element_fn *element, void *ctx, bool *success)
{
	struct walk walk = {.at = body, .end = body + len, .list = list, .element = element, .ctx = ctx};

	if (walk_object(&walk, walk_member) != 0) {
		return -1;
	}
	skip_space(&walk);
	*success = walk.success;
	return walk.at == walk.end ? 0 : -1;
}
