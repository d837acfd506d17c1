/*
 * Reading members of JSON into an arena. Private to the room.
 *
 * What is absent, or of another type, reads as absent; so does every member of what is no object.
 */
#ifndef VIEW_READ_H
#define VIEW_READ_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "view/condition.h"
#include "view/meta.h"
#include "view/selector.h"
#include "type.h"

/* Of lists that strangers write, so many items are kept. */
#define READ_LIST_MAX 32

/* A copy in the arena, or the same words as they stand in the program; NULL stays NULL. */
const char *read_keep(struct arena *arena, const char *text);
/* `absent` is returned as it is. */
const char *read_text(struct arena *arena, const json_t *parent, const char *key, const char *absent);
/* The same of a text that may be one of many objects: it is shared with their views, and to be given back by
 * shared_text_unref(), from the release of the view's type. */
const char *read_shared(struct arena *arena, const json_t *parent, const char *key, const char *absent);
int64_t read_int(const json_t *parent, const char *key, int64_t absent);
bool read_bool(const json_t *parent, const char *key);
/* RFC 3339, in ms of the wall. */
int64_t read_time(const json_t *parent, const char *key, int64_t absent);
/* The items that are kept of a list, at most `max`; 0 of what is none. */
uint32_t read_count(const json_t *list, size_t max);
/* All texts of a list; `absent` in place of what is no text. */
const char *const *read_words(struct arena *arena, const json_t *list, const char *absent, uint32_t *count);
/* The pairs whose keys `keeps` accepts; NULL = all. */
struct view_pairs read_pairs(struct arena *arena, const json_t *map, bool (*keeps)(const char *key));
/* Whether the key of a label or an annotation is ours. */
bool read_is_ours(const char *key);
/* Whether the whole text is an integer, which is what the API calls one; fills it. */
bool read_integer(const char *text, int64_t *value);
struct view_selector read_selector(struct arena *arena, const json_t *selector);
/* Of a status: its list `conditions`; to be released. */
struct view_conditions read_conditions(struct arena *arena, const json_t *status);
void read_conditions_release(const struct view_conditions *conditions);
struct object_meta read_meta(struct arena *arena, const json_t *object, const struct view_type *type);
/* See struct object_meta. */
uint16_t read_created_entry(const json_t *object);
/* The spec of an object of ours as JSON; NULL of anybody else's. */
const char *read_own_spec(struct arena *arena, const json_t *object);
/* For view_changed_by(). */
const char *read_changed_by(struct arena *arena, const json_t *object);

#endif
