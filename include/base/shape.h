/*
 * The shape of a struct, as a table of its fields: so that it is read from JSON, written as JSON, copied, compared and
 * freed by one function each, and a field is added in one place.
 *
 * A struct that has a shape owns all it points to, and all zeros is not its empty form: shape_clear() makes that.
 * Strings are heap or NULL, lists are {items, count} of structs with a shape of their own.
 *
 * A member that has its field's default is left out of the JSON, and one that is left out gets it.
 */
#ifndef BASE_SHAPE_H
#define BASE_SHAPE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/texts.h"

struct shape;

enum field_type {
	FIELD_TEXT,  /* char * */
	FIELD_INT,   /* int64_t */
	FIELD_TIME,  /* int64_t, ms of the wall; 0 = never */
	FIELD_BOOL,  /* bool */
	FIELD_ENUM,  /* an enum whose names are `names`, NULL at 0, the default */
	FIELD_PAIR,  /* int64_t[2], as a list of two */
	FIELD_TEXTS, /* struct texts, as a list of strings */
	FIELD_LIST,  /* a list of structs `of`, as a list of objects */
	FIELD_MAP,   /* a list of structs `of`, as an object: the first field, a text, is the member's name */
	FIELD_PART   /* a struct `of`; left out while all its fields have their defaults */
};

struct field {
	const char
		*name; /* NULL: of a FIELD_MAP's struct of two fields, the second, which is the member's value itself */
	enum field_type type;
	size_t offset;
	int64_t absent; /* the default of an int; of a time in what is read: SHAPE_NOW = when it is read */
	const struct shape *of;
	const char *const *names; /* NULL ends them, but for the first */
};

/* The default of a FIELD_TIME in a document that somebody wrote by hand. */
#define SHAPE_NOW (-1)

struct shape {
	size_t size;
	const struct field *fields;
	size_t count;
};

/* A list of structs: `struct LIST_OF(struct pod) pods;`. All zeros is empty. */
#define LIST_OF(type)                                                                                                  \
	{                                                                                                              \
		type *items;                                                                                           \
		size_t count;                                                                                          \
	}

/* Makes it empty; what was in it is not freed. */
void shape_clear(const struct shape *shape, void *item);
/* Frees all that it owns and makes it empty. */
void shape_release(const struct shape *shape, void *item);
/* Makes `to`, which is overwritten, a copy that shares nothing. */
void shape_copy(const struct shape *shape, void *to, const void *from);
/* A copy in one heap block of exactly its size, in which equal texts stand once: nothing of it is to be changed, and
 * keep_free() frees it whole, of *bytes. It points to the texts of `other`, a struct of the shape `of` that has to stay as long, where they are
 * equal; NULL = of none. */
void *shape_pack(const struct shape *shape, const void *from, const struct shape *of, const void *other, size_t *bytes);
bool shape_equal(const struct shape *shape, const void *one, const void *other);
/* New reference. */
json_t *shape_encode(const struct shape *shape, const void *item);
/* Overwrites the struct; members of another type than the field's count as left out. `now_ms` is for SHAPE_NOW. */
void shape_decode(const struct shape *shape, const json_t *document, int64_t now_ms, void *item);

/* Adds an empty element to a LIST_OF() of this shape, and returns it; it stays where it is until the next is added. */
void *shape_add(const struct shape *shape, void *list);
/* Frees the elements; the list is empty then. */
void shape_empty(const struct shape *shape, void *list);
/* The element whose first field, a text, is this; NULL when there is none. */
void *shape_find(const struct shape *shape, const void *list, const char *text);

#endif
