/*
 * How a field is reached in a struct, by the row of its table. Private to src/base/shape*.c.
 */
#ifndef BASE_SHAPE_FIELD_H
#define BASE_SHAPE_FIELD_H

#include <string.h>

#include "base/shape.h"

/* What every LIST_OF() is in memory. */
struct list {
	char *items;
	size_t count;
};

/* By copy: the list's own type is not known here. */
static inline struct list list_at(const void *at)
{
	struct list list;

	memcpy(&list, at, sizeof(list));
	return list;
}

static inline void *field_at(void *item, const struct field *field)
{
	return (char *)item + field->offset;
}

static inline const void *const_field_at(const void *item, const struct field *field)
{
	return (const char *)item + field->offset;
}

static inline char *text_at(const void *item, const struct field *field)
{
	return *(char *const *)const_field_at(item, field);
}

static inline int64_t int_at(const void *item, const struct field *field)
{
	return *(const int64_t *)const_field_at(item, field);
}

static inline unsigned enum_at(const void *item, const struct field *field)
{
	return *(const unsigned *)const_field_at(item, field);
}

static inline bool bool_at(const void *item, const struct field *field)
{
	return *(const bool *)const_field_at(item, field);
}

/* What an empty struct holds. A time is never, whatever a document that leaves it out means. */
static inline int64_t default_of(const struct field *field)
{
	return field->type == FIELD_TIME ? 0 : field->absent;
}

#endif
