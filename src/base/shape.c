/* Structs by the table of their fields: cleared, freed, copied, compared; and their lists. */
#include "base/shape.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "shape_field.h"

static void list_set(void *at, struct list list)
{
	memcpy(at, &list, sizeof(list));
}

/* For how many elements there is room: it grows by doubling. */
static size_t room_of(size_t count)
{
	size_t room = count > 0 ? 1 : 0;

	while (room < count) {
		room *= 2;
	}
	return room;
}

void shape_clear(const struct shape *shape, void *item)
{
	memset(item, 0, shape->size);
	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];

		if (field->type == FIELD_INT) {
			*(int64_t *)field_at(item, field) = field->absent;
		} else if (field->type == FIELD_PART) {
			shape_clear(field->of, field_at(item, field));
		}
	}
}

void shape_empty(const struct shape *shape, void *list)
{
	struct list own = list_at(list);

	for (size_t i = 0; i < own.count; i++) {
		shape_release(shape, own.items + i * shape->size);
	}
	free(own.items);
	list_set(list, (struct list){NULL, 0});
}

void shape_release(const struct shape *shape, void *item)
{
	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];

		switch (field->type) {
		case FIELD_TEXT:
			free(text_at(item, field));
			break;
		case FIELD_TEXTS:
			texts_release(field_at(item, field));
			break;
		case FIELD_LIST:
		case FIELD_MAP:
			shape_empty(field->of, field_at(item, field));
			break;
		case FIELD_PART:
			shape_release(field->of, field_at(item, field));
			break;
		case FIELD_INT:
		case FIELD_TIME:
		case FIELD_BOOL:
		case FIELD_ENUM:
		case FIELD_PAIR:
			break;
		}
	}
	shape_clear(shape, item);
}

static void copy_list(const struct shape *shape, void *to, const void *from)
{
	struct list own = list_at(from);
	struct list copy = {own.count > 0 ? xcalloc(room_of(own.count), shape->size) : NULL, own.count};

	for (size_t i = 0; i < own.count; i++) {
		shape_copy(shape, copy.items + i * shape->size, own.items + i * shape->size);
	}
	list_set(to, copy);
}

void shape_copy(const struct shape *shape, void *to, const void *from)
{
	memcpy(to, from, shape->size);
	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];

		switch (field->type) {
		case FIELD_TEXT:
			*(char **)field_at(to, field) = xstrdup(text_at(from, field));
			break;
		case FIELD_TEXTS:
			texts_copy(field_at(to, field), const_field_at(from, field));
			break;
		case FIELD_LIST:
		case FIELD_MAP:
			copy_list(field->of, field_at(to, field), const_field_at(from, field));
			break;
		case FIELD_PART:
			shape_copy(field->of, field_at(to, field), const_field_at(from, field));
			break;
		case FIELD_INT:
		case FIELD_TIME:
		case FIELD_BOOL:
		case FIELD_ENUM:
		case FIELD_PAIR:
			break;
		}
	}
}

static bool lists_equal(const struct shape *shape, const void *one, const void *other)
{
	struct list a = list_at(one);
	struct list b = list_at(other);

	for (size_t i = 0; a.count == b.count && i < a.count; i++) {
		if (!shape_equal(shape, a.items + i * shape->size, b.items + i * shape->size)) {
			return false;
		}
	}
	return a.count == b.count;
}

static bool fields_equal(const struct field *field, const void *one, const void *other)
{
	switch (field->type) {
	case FIELD_TEXT:
		return text_equal(text_at(one, field), text_at(other, field));
	case FIELD_INT:
	case FIELD_TIME:
		return int_at(one, field) == int_at(other, field);
	case FIELD_BOOL:
		return bool_at(one, field) == bool_at(other, field);
	case FIELD_ENUM:
		return enum_at(one, field) == enum_at(other, field);
	case FIELD_PAIR:
		return memcmp(const_field_at(one, field), const_field_at(other, field), 2 * sizeof(int64_t)) == 0;
	case FIELD_TEXTS:
		return texts_equal(const_field_at(one, field), const_field_at(other, field));
	case FIELD_LIST:
	case FIELD_MAP:
		return lists_equal(field->of, const_field_at(one, field), const_field_at(other, field));
	case FIELD_PART:
		return shape_equal(field->of, const_field_at(one, field), const_field_at(other, field));
	}
	return false;
}

bool shape_equal(const struct shape *shape, const void *one, const void *other)
{
	for (size_t i = 0; i < shape->count; i++) {
		if (!fields_equal(&shape->fields[i], one, other)) {
			return false;
		}
	}
	return true;
}

static void *add_room(void *items, size_t count, size_t size)
{
	return count == room_of(count) ? xrealloc(items, room_of(count + 1) * size) : items;
}

void *shape_add(const struct shape *shape, void *list)
{
	struct list own = list_at(list);
	void *item;

	own.items = add_room(own.items, own.count, shape->size);
	item = own.items + own.count++ * shape->size;
	shape_clear(shape, item);
	list_set(list, own);
	return item;
}

void *shape_find(const struct shape *shape, const void *list, const char *text)
{
	struct list own = list_at(list);

	for (size_t i = 0; i < own.count; i++) {
		void *item = own.items + i * shape->size;

		if (text_equal(text_at(item, &shape->fields[0]), text)) {
			return item;
		}
	}
	return NULL;
}
