/* Structs by the table of their fields, each packed into one heap block. */
#include <stdint.h>

#include "base/arena.h"
#include "base/shape.h"
#include "shape_field.h"

static void know_list(struct arena *arena, const struct shape *shape, const void *at);

/* The texts of the struct stand for their copies. */
static void know(struct arena *arena, const struct shape *shape, const void *item)
{
	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];
		const void *at = const_field_at(item, field);
		const struct texts *texts = at;

		if (field->type == FIELD_TEXT) {
			arena_know(arena, text_at(item, field));
		} else if (field->type == FIELD_TEXTS) {
			for (size_t t = 0; t < texts->count; t++) {
				arena_know(arena, texts->items[t]);
			}
		} else if (field->type == FIELD_PART) {
			know(arena, field->of, at);
		} else if (field->type == FIELD_LIST || field->type == FIELD_MAP) {
			know_list(arena, field->of, at);
		}
	}
}

static void know_list(struct arena *arena, const struct shape *shape, const void *at)
{
	struct list list = list_at(at);

	for (size_t i = 0; i < list.count; i++) {
		know(arena, shape, list.items + i * shape->size);
	}
}

/* The arena's texts are of a block that is the packed struct's own. */
static char *pack_text(struct arena *arena, const char *text)
{
	return (char *)(uintptr_t)arena_text(arena, text);
}

static void pack_texts(struct arena *arena, struct texts *texts)
{
	char **items = arena_items(arena, texts->count, sizeof(*items));

	for (size_t i = 0; i < texts->count; i++) {
		items[i] = pack_text(arena, texts->items[i]);
	}
	texts->items = items;
}

static void pack_list(struct arena *arena, const struct shape *shape, void *at);

/* The struct is a flat copy: what it points to is packed too. */
static void pack(struct arena *arena, const struct shape *shape, void *item)
{
	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];
		void *at = field_at(item, field);

		if (field->type == FIELD_TEXT) {
			*(char **)at = pack_text(arena, text_at(item, field));
		} else if (field->type == FIELD_TEXTS) {
			pack_texts(arena, at);
		} else if (field->type == FIELD_PART) {
			pack(arena, field->of, at);
		} else if (field->type == FIELD_LIST || field->type == FIELD_MAP) {
			pack_list(arena, field->of, at);
		}
	}
}

static void pack_list(struct arena *arena, const struct shape *shape, void *at)
{
	struct list own = list_at(at);
	struct list copy = {arena_items(arena, own.count, shape->size), own.count};

	for (size_t i = 0; i < own.count; i++) {
		void *item = copy.items + i * shape->size;

		memcpy(item, own.items + i * shape->size, shape->size);
		pack(arena, shape, item);
	}
	memcpy(at, &copy, sizeof(copy));
}

static void fill(struct arena *arena, const struct shape *shape, const void *from, const struct shape *of,
	const void *other)
{
	void *item = arena_items(arena, 1, shape->size);

	if (other != NULL) {
		know(arena, of, other);
	}
	memcpy(item, from, shape->size);
	pack(arena, shape, item);
}

void *shape_pack(const struct shape *shape, const void *from, const struct shape *of, const void *other, size_t *bytes)
{
	auto_arena measured;
	auto_arena arena;

	arena_measure(&measured);
	fill(&measured, shape, from, of, other);
	arena_fill_kept(&arena, &measured);
	fill(&arena, shape, from, of, other);
	*bytes = arena_bytes(&arena);
	return arena_take(&arena);
}
