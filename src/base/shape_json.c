/* Structs by the table of their fields, as JSON and back. */
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/shape.h"
#include "shape_field.h"

static bool is_empty(const struct shape *shape, const void *item);

/* Whether the field has its default, and is left out. */
static bool is_default(const struct field *field, const void *item)
{
	const int64_t *pair = const_field_at(item, field);

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
		return pair[0] == 0 && pair[1] == 0;
	case FIELD_TEXTS:
	case FIELD_LIST:
	case FIELD_MAP:
		return list_at(const_field_at(item, field)).count == 0;
	case FIELD_PART:
		return is_empty(field->of, const_field_at(item, field));
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
	const int64_t *pair = const_field_at(item, field);

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
		return json_pack("[I, I]", (json_int_t)pair[0], (json_int_t)pair[1]);
	case FIELD_TEXTS:
		return encode_texts(const_field_at(item, field));
	case FIELD_LIST:
		return encode_list(field->of, list_at(const_field_at(item, field)));
	case FIELD_MAP:
		return encode_map(field->of, list_at(const_field_at(item, field)));
	case FIELD_PART:
		return shape_encode(field->of, const_field_at(item, field));
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

		if (shape->fields[1].name == NULL) {
			decode_field(&shape->fields[1], member, now_ms, item);
		} else {
			const struct shape rest = {shape->size, &shape->fields[1], shape->count - 1};

			shape_decode(&rest, member, now_ms, item);
		}
		*(char **)field_at(item, &shape->fields[0]) = xstrdup(name);
	}
}

/* The field is empty still, and the value there. */
static void decode_field(const struct field *field, const json_t *value, int64_t now_ms, void *item)
{
	void *to = field_at(item, field);

	switch (field->type) {
	case FIELD_TEXT:
		*(char **)to = xstrdup(json_string_value(value));
		break;
	case FIELD_INT:
	case FIELD_TIME:
		if (json_is_integer(value)) {
			*(int64_t *)to = json_integer_value(value);
		}
		break;
	case FIELD_BOOL:
		*(bool *)to = json_is_true(value);
		break;
	case FIELD_ENUM:
		*(unsigned *)to = enum_of(field, value);
		break;
	case FIELD_PAIR:
		((int64_t *)to)[0] = json_integer_value(json_array_get(value, 0));
		((int64_t *)to)[1] = json_integer_value(json_array_get(value, 1));
		break;
	case FIELD_TEXTS:
		decode_texts(value, to);
		break;
	case FIELD_LIST:
		decode_list(field->of, value, now_ms, to);
		break;
	case FIELD_MAP:
		decode_map(field->of, value, now_ms, to);
		break;
	case FIELD_PART:
		if (json_is_object(value)) {
			shape_decode(field->of, value, now_ms, to);
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
			*(int64_t *)field_at(item, field) = now_ms;
		}
	}
}
