/* Paths, comparison and text of jansson trees. */
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void json_decref_indirect(json_t **p)
{
	json_decref(*p);
}

json_t *json_path(const json_t *root, const char *path)
{
	json_t *value = NULL;

	for (;;) {
		size_t len = strcspn(path, ".");

		value = json_object_getn(root, path, len);
		if (value == NULL || !path[len]) {
			return value;
		}
		root = value;
		path += len + 1;
	}
}

const char *json_path_string(const json_t *root, const char *path, const char *fallback)
{
	const json_t *value = json_path(root, path);

	/* with a NUL inside it is no C string: half of it would be a different value */
	if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value)) {
		return fallback;
	}
	return json_string_value(value);
}

json_int_t json_path_int(const json_t *root, const char *path, json_int_t fallback)
{
	const json_t *value = json_path(root, path);

	return json_is_integer(value) ? json_integer_value(value) : fallback;
}

bool json_path_bool(const json_t *root, const char *path, bool fallback)
{
	const json_t *value = json_path(root, path);

	return json_is_boolean(value) ? json_boolean_value(value) : fallback;
}

static bool object_covers(const json_t *observed, const json_t *wanted)
{
	json_t *iterable = (json_t *)wanted; /* jansson iterates without changing, but not const */
	const char *key;
	json_t *value;

	json_object_foreach(iterable, key, value) {
		const json_t *mine = json_object_get(observed, key);

		if (mine == NULL || !json_covers(mine, value)) {
			return false;
		}
	}
	return true;
}

static bool array_covers(const json_t *observed, const json_t *wanted)
{
	size_t n = json_array_size(wanted);

	if (json_array_size(observed) != n) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if (!json_covers(json_array_get(observed, i), json_array_get(wanted, i))) {
			return false;
		}
	}
	return true;
}

static bool integer_equals_real(const json_t *integer, const json_t *real)
{
	const double limit = 9223372036854775808.0; /* 2^63, exactly */
	double r = json_real_value(real);

	/* compared as integers: as doubles, 2^53 and 2^53 + 1 would be the same */
	if (!(r >= -limit && r < limit)) {
		return false;
	}

	json_int_t i = (json_int_t)r;

	return (double)i >= r && (double)i <= r && i == json_integer_value(integer);
}

bool json_covers(const json_t *observed, const json_t *wanted)
{
	if (observed == NULL || wanted == NULL) {
		return observed == wanted;
	}
	if (json_is_object(wanted)) {
		return json_is_object(observed) && object_covers(observed, wanted);
	}
	if (json_is_array(wanted)) {
		return json_is_array(observed) && array_covers(observed, wanted);
	}
	if (json_is_integer(wanted) && json_is_real(observed)) {
		return integer_equals_real(wanted, observed);
	}
	if (json_is_real(wanted) && json_is_integer(observed)) {
		return integer_equals_real(observed, wanted);
	}
	return json_equal(observed, wanted);
}

static char *join_path(const char *step, char *rest_take)
{
	char *path = *rest_take == '\0' || *rest_take == '[' ? xasprintf("%s%s", step, rest_take)
	                                                     : xasprintf("%s.%s", step, rest_take);

	free(rest_take);
	return path;
}

char *json_first_uncovered(const json_t *observed, const json_t *wanted)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json_covers(observed, wanted)) {
		return NULL;
	}
	if (json_is_object(observed) && json_is_object(wanted)) {
		json_object_foreach((json_t *)wanted, key, value) {
			char *rest = json_first_uncovered(json_object_get(observed, key), value);

			if (rest != NULL) {
				return join_path(key, rest);
			}
		}
	}
	if (json_is_array(observed) && json_array_size(observed) == json_array_size(wanted)) {
		json_array_foreach((json_t *)wanted, i, value) {
			char *rest = json_first_uncovered(json_array_get(observed, i), value);

			if (rest != NULL) {
				char *step = xasprintf("[%zu]", i);
				char *path = join_path(step, rest);

				free(step);
				return path;
			}
		}
	}
	return xstrdup("");
}

char *json_text(const json_t *value)
{
	if (value == NULL) {
		return xstrdup("null");
	}

	char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);

	if (text == NULL) {
		/* out of memory, or a tree that contains itself */
		fputs("cannot write JSON: out of memory or a cycle\n", stderr);
		abort();
	}
	return text;
}

json_t *json_parse(const char *data, size_t len, struct error *err)
{
	json_error_t problem;
	/* a NUL in one string must not make a whole list unreadable; json_path_string refuses it */
	json_t *value = json_loadb(data != NULL ? data : "", len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &problem);

	if (value == NULL) {
		error_set(err, ERROR_INVALID, "cannot parse JSON at line %d, column %d: %s", problem.line,
			problem.column, problem.text);
	}
	return value;
}

bool json_holds(const json_t *array, const json_t *value)
{
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)array, i, item) {
		if (json_equal(item, value)) {
			return true;
		}
	}
	return false;
}

json_t *json_find(const json_t *array, const char *member, const char *text)
{
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)array, i, item) {
		const char *value = json_string_value(json_object_get(item, member));

		if (value != NULL && strcmp(value, text) == 0) {
			return item;
		}
	}
	return NULL;
}

json_t *json_child(json_t *parent, const char *key)
{
	json_t *child = json_object_get(parent, key);

	if (child == NULL) {
		child = json_object();
		json_object_set_new(parent, key, child);
	}
	return child;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

json_t *json_sorted_keys(const json_t *object)
{
	auto_free const char **names = xcalloc(json_object_size(object) + 1, sizeof(*names));
	json_t *keys = json_array();
	size_t n = 0;
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)object, name, value) {
		names[n++] = name;
	}
	qsort(names, n, sizeof(*names), compare_keys);
	for (size_t i = 0; i < n; i++) {
		json_array_append_new(keys, json_string(names[i]));
	}
	return keys;
}
