/*
 * Reading and comparing jansson trees by path.
 *
 * A path is dotted ("spec.template.metadata"); keys that hold a dot are reached one by one with
 * json_object_get. What these return is borrowed from the tree.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/error.h"

void json_decref_indirect(json_t **p);
#define auto_json ATTR_CLEANUP(json_decref_indirect) json_t

/* The value at the path, or NULL. `root` may be NULL. */
json_t *json_path(const json_t *root, const char *path);
/* The string at the path, or `fallback` when there is none, it is not a string or it holds a NUL. */
const char *json_path_string(const json_t *root, const char *path, const char *fallback);
json_int_t json_path_int(const json_t *root, const char *path, json_int_t fallback);
bool json_path_bool(const json_t *root, const char *path, bool fallback);

/*
 * Whether the observed object already holds every field of the wanted one: objects are compared
 * key by key (extra observed keys are somebody else's or the server's defaults), arrays element by
 * element with equal length, scalars exactly (an integer equals the same real).
 */
bool json_covers(const json_t *observed, const json_t *wanted);
/* Whether an element of the array equals the value; an absent array has none. */
bool json_holds(const json_t *array, const json_t *value);

/* The first object of the array whose member is this string; borrowed, NULL when none is. */
json_t *json_find(const json_t *array, const char *member, const char *text);

/* The object under this key, made when there is none; borrowed. */
json_t *json_child(json_t *parent, const char *key);

/* The object's keys as an array of strings in their order by strcmp(); new reference. */
json_t *json_sorted_keys(const json_t *object);

/* The path of the first value that json_covers() misses ("spec.ports[0].name"); heap, caller owns, NULL when
 * it misses none. */
char *json_first_uncovered(const json_t *observed, const json_t *wanted);

/* Compact text with sorted keys; the caller owns it. */
char *json_text(const json_t *value);
/* Parses `len` bytes; error kind ERROR_INVALID with line and column. New reference. */
json_t *json_parse(const char *data, size_t len, struct error *err);

#endif
