/* Structs by the table of their fields: cleared, freed, copied, compared, and as JSON. */
#include "base/shape.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

/* What every LIST_OF() is in memory. */
struct list {
	char *items;
	size_t count;
};

static struct list list_at(const void *at)
{
	struct list list;

	memcpy(&list, at, sizeof(list));
	return list;
}

static void list_set(void *at, struct list list)
{
	memcpy(at, &list, sizeof(list));
}

static void *at(void *item, const struct field *field)
{
	return (char *)item + field->offset;
}

static const void *const_at(const void *item, const struct field *field)
{
	return (const char *)item + field->offset;
}

static char *text_at(const void *item, const struct field *field)
{
	char *text;

	memcpy(&text, const_at(item, field), sizeof(text));
	return text;
}

static int64_t int_at(const void *item, const struct field *field)
{
	int64_t value;

	memcpy(&value, const_at(item, field), sizeof(value));
	return value;
}

static unsigned enum_at(const void *item, const struct field *field)
{
	unsigned value;

	memcpy(&value, const_at(item, field), sizeof(value));
	return value;
}

static bool bool_at(const void *item, const struct field *field)
{
	return *(const bool *)const_at(item, field);
}

/* What an empty struct holds. A time is never, whatever a document that leaves it out means. */
static int64_t default_of(const struct field *field)
{
	return field->type == FIELD_TIME ? 0 : field->absent;
}

void shape_clear(const struct shape *shape, void *item)
{
	memset(item, 0, shape->size);
	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];
		int64_t absent = default_of(field);

		if (field->type == FIELD_INT) {
			memcpy(at(item, field), &absent, sizeof(absent));
		} else if (field->type == FIELD_PART) {
			shape_clear(field->of, at(item, field));
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
			texts_release(at(item, field));
			break;
		case FIELD_LIST:
		case FIELD_MAP:
			shape_empty(field->of, at(item, field));
			break;
		case FIELD_PART:
			shape_release(field->of, at(item, field));
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

/* For how many elements there is room: it grows by doubling. */
static size_t room_of(size_t count)
{
	size_t room = count > 0 ? 1 : 0;

	while (room < count) {
		room *= 2;
	}
	return room;
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
		char *text;

		switch (field->type) {
		case FIELD_TEXT:
			text = xstrdup(text_at(from, field));
			memcpy(at(to, field), &text, sizeof(text));
			break;
		case FIELD_TEXTS:
			texts_copy(at(to, field), const_at(from, field));
			break;
		case FIELD_LIST:
		case FIELD_MAP:
			copy_list(field->of, at(to, field), const_at(from, field));
			break;
		case FIELD_PART:
			shape_copy(field->of, at(to, field), const_at(from, field));
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

static bool same_text(const char *one, const char *other)
{
	return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
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
		return same_text(text_at(one, field), text_at(other, field));
	case FIELD_INT:
	case FIELD_TIME:
		return int_at(one, field) == int_at(other, field);
	case FIELD_BOOL:
		return bool_at(one, field) == bool_at(other, field);
	case FIELD_ENUM:
		return enum_at(one, field) == enum_at(other, field);
	case FIELD_PAIR:
		return memcmp(const_at(one, field), const_at(other, field), 2 * sizeof(int64_t)) == 0;
	case FIELD_TEXTS:
		return texts_equal(const_at(one, field), const_at(other, field));
	case FIELD_LIST:
	case FIELD_MAP:
		return lists_equal(field->of, const_at(one, field), const_at(other, field));
	case FIELD_PART:
		return shape_equal(field->of, const_at(one, field), const_at(other, field));
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

static bool is_empty(const struct shape *shape, const void *item);

/* Whether the field has its default, and is left out. */
static bool is_default(const struct field *field, const void *item)
{
	int64_t pair[2];

	switch (field->type) {
	case FIELD_TEXT:
		return text_at(item, field) == NULL;
	case FIELD_INT:
	case FIELD_TIME:
		return int_at(item, field) == default_of(field);
	case FIELD_BOOL:
		return !bool_at(item, field);
	case FIELD_ENUM:
		return enum_at(item, field) == 0;
	case FIELD_PAIR:
		memcpy(pair, const_at(item, field), sizeof(pair));
		return pair[0] == 0 && pair[1] == 0;
	case FIELD_TEXTS:
	case FIELD_LIST:
	case FIELD_MAP:
		return list_at(const_at(item, field)).count == 0;
	case FIELD_PART:
		return is_empty(field->of, const_at(item, field));
	}
	return true;
}

static bool is_empty(const struct shape *shape, const void *item)
{
	for (size_t i = 0; i < shape->count; i++) {
		if (!is_default(&shape->fields[i], item)) {
			return false;
		}
	}
	return true;
}

static json_t *encode_texts(const struct texts *texts)
{
	json_t *list = json_array();

	for (size_t i = 0; i < texts->count; i++) {
		json_array_append_new(list, json_string(texts->items[i]));
	}
	return list;
}

static json_t *encode_list(const struct shape *shape, struct list list)
{
	json_t *items = json_array();

	for (size_t i = 0; i < list.count; i++) {
		json_array_append_new(items, shape_encode(shape, list.items + i * shape->size));
	}
	return items;
}

static json_t *encode_field(const struct field *field, const void *item);

static json_t *encode_map(const struct shape *shape, struct list list)
{
	json_t *members = json_object();

	for (size_t i = 0; i < list.count; i++) {
		const char *item = list.items + i * shape->size;
		const struct field *value = &shape->fields[1];
		json_t *member = NULL;

		if (value->name == NULL) {
			member = encode_field(value, item);
		} else {
			const struct shape rest = {shape->size, value, shape->count - 1};

			member = shape_encode(&rest, item);
		}
		json_object_set_new(members, text_at(item, &shape->fields[0]), member);
	}
	return members;
}

static json_t *encode_field(const struct field *field, const void *item)
{
	int64_t pair[2];

	switch (field->type) {
	case FIELD_TEXT:
		return json_string(text_at(item, field));
	case FIELD_INT:
	case FIELD_TIME:
		return is_default(field, item) ? json_null() : json_integer((json_int_t)int_at(item, field));
	case FIELD_BOOL:
		return json_boolean(bool_at(item, field));
	case FIELD_ENUM:
		return json_string(field->names[enum_at(item, field)]);
	case FIELD_PAIR:
		memcpy(pair, const_at(item, field), sizeof(pair));
		return json_pack("[I, I]", (json_int_t)pair[0], (json_int_t)pair[1]);
	case FIELD_TEXTS:
		return encode_texts(const_at(item, field));
	case FIELD_LIST:
		return encode_list(field->of, list_at(const_at(item, field)));
	case FIELD_MAP:
		return encode_map(field->of, list_at(const_at(item, field)));
	case FIELD_PART:
		return shape_encode(field->of, const_at(item, field));
	}
	return NULL;
}

json_t *shape_encode(const struct shape *shape, const void *item)
{
	json_t *document = json_object();

	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];

		if (!is_default(field, item)) {
			json_object_set_new(document, field->name, encode_field(field, item));
		}
	}
	return document;
}

static unsigned enum_of(const struct field *field, const json_t *value)
{
	const char *name = json_string_value(value);

	for (unsigned i = 1; name != NULL && field->names[i] != NULL; i++) {
		if (strcmp(field->names[i], name) == 0) {
			return i;
		}
	}
	return 0;
}

static void decode_texts(const json_t *list, struct texts *texts)
{
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)list, i, item) {
		if (json_is_string(item)) {
			texts_add(texts, json_string_value(item));
		}
	}
}

static void decode_field(const struct field *field, const json_t *value, int64_t now_ms, void *item);

static void decode_list(const struct shape *shape, const json_t *items, int64_t now_ms, void *list)
{
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)items, i, item) {
		shape_decode(shape, item, now_ms, shape_add(shape, list));
	}
}

static void decode_map(const struct shape *shape, const json_t *members, int64_t now_ms, void *list)
{
	const char *name;
	json_t *member;

	json_object_foreach((json_t *)members, name, member) {
		void *item = shape_add(shape, list);
		char *text = xstrdup(name);

		if (shape->fields[1].name == NULL) {
			decode_field(&shape->fields[1], member, now_ms, item);
		} else {
			const struct shape rest = {shape->size, &shape->fields[1], shape->count - 1};

			shape_decode(&rest, member, now_ms, item);
		}
		memcpy(at(item, &shape->fields[0]), &text, sizeof(text));
	}
}

/* The field is empty still, and the value there. */
static void decode_field(const struct field *field, const json_t *value, int64_t now_ms, void *item)
{
	char *text;
	int64_t number[2] = {json_integer_value(value), 0};
	unsigned name;

	switch (field->type) {
	case FIELD_TEXT:
		text = xstrdup(json_string_value(value));
		memcpy(at(item, field), &text, sizeof(text));
		break;
	case FIELD_INT:
	case FIELD_TIME:
		if (json_is_integer(value)) {
			memcpy(at(item, field), number, sizeof(number[0]));
		}
		break;
	case FIELD_BOOL:
		*(bool *)at(item, field) = json_is_true(value);
		break;
	case FIELD_ENUM:
		name = enum_of(field, value);
		memcpy(at(item, field), &name, sizeof(name));
		break;
	case FIELD_PAIR:
		number[0] = json_integer_value(json_array_get(value, 0));
		number[1] = json_integer_value(json_array_get(value, 1));
		memcpy(at(item, field), number, sizeof(number));
		break;
	case FIELD_TEXTS:
		decode_texts(value, at(item, field));
		break;
	case FIELD_LIST:
		decode_list(field->of, value, now_ms, at(item, field));
		break;
	case FIELD_MAP:
		decode_map(field->of, value, now_ms, at(item, field));
		break;
	case FIELD_PART:
		if (json_is_object(value)) {
			shape_decode(field->of, value, now_ms, at(item, field));
		}
		break;
	}
}

void shape_decode(const struct shape *shape, const json_t *document, int64_t now_ms, void *item)
{
	shape_clear(shape, item);
	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];
		const json_t *value = json_object_get(document, field->name);

		if (value != NULL) {
			decode_field(field, value, now_ms, item);
		} else if (field->type == FIELD_TIME && field->absent == SHAPE_NOW) {
			memcpy(at(item, field), &now_ms, sizeof(now_ms));
		}
	}
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

		if (same_text(text_at(item, &shape->fields[0]), text)) {
			return item;
		}
	}
	return NULL;
}

void texts_add(struct texts *texts, const char *text)
{
	texts->items = add_room(texts->items, texts->count, sizeof(*texts->items));
	texts->items[texts->count++] = xstrdup(text);
}

void texts_release(struct texts *texts)
{
	for (size_t i = 0; i < texts->count; i++) {
		free(texts->items[i]);
	}
	free(texts->items);
	*texts = (struct texts){NULL, 0};
}

void texts_copy(struct texts *to, const struct texts *from)
{
	struct texts copy = {NULL, 0};

	for (size_t i = 0; i < from->count; i++) {
		texts_add(&copy, from->items[i]);
	}
	*to = copy;
}

bool texts_equal(const struct texts *one, const struct texts *other)
{
	for (size_t i = 0; one->count == other->count && i < one->count; i++) {
		if (strcmp(one->items[i], other->items[i]) != 0) {
			return false;
		}
	}
	return one->count == other->count;
}

bool texts_hold(const struct texts *texts, const char *text)
{
	for (size_t i = 0; i < texts->count; i++) {
		if (strcmp(texts->items[i], text) == 0) {
			return true;
		}
	}
	return false;
}

static int compare_texts(const void *one, const void *other)
{
	const char *const *a = one;
	const char *const *b = other;

	return strcmp(*a, *b);
}

void texts_sort(struct texts *texts)
{
	if (texts->count > 1) {
		qsort(texts->items, texts->count, sizeof(*texts->items), compare_texts);
	}
}
