/* Reading members of JSON into an arena. */
#include "read.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "shared_text.h"
#include "usual.h"

const char *read_keep(struct arena *arena, const char *text)
{
	const char *usual = text != NULL ? usual_text(text) : NULL;

	return usual != NULL ? usual : arena_text(arena, text);
}

/* Borrowed; NULL of what is no text, or has a NUL inside. */
static const char *text_of(const json_t *value)
{
	const char *text = json_string_value(value);

	return text != NULL && strlen(text) == json_string_length(value) ? text : NULL;
}

const char *read_text(struct arena *arena, const json_t *parent, const char *key, const char *absent)
{
	const char *text = text_of(json_object_get(parent, key));

	return text != NULL ? read_keep(arena, text) : absent;
}

const char *read_shared(struct arena *arena, const json_t *parent, const char *key, const char *absent)
{
	const char *text = text_of(json_object_get(parent, key));
	const char *kept = text != NULL ? usual_text(text) : absent;

	if (text == NULL || kept != NULL) {
		return kept;
	}
	kept = arena->block == NULL /* it measures */ ? shared_text_note(text) : shared_text_ref(text);
	return kept != NULL ? kept : arena_text(arena, text);
}

int64_t read_int(const json_t *parent, const char *key, int64_t absent)
{
	const json_t *value = json_object_get(parent, key);

	return json_is_integer(value) ? json_integer_value(value) : absent;
}

bool read_bool(const json_t *parent, const char *key)
{
	return json_is_true(json_object_get(parent, key));
}

int64_t read_time(const json_t *parent, const char *key, int64_t absent)
{
	const char *text = text_of(json_object_get(parent, key));
	int64_t ms = text != NULL ? clock_parse_rfc3339(text) : -1;

	return ms >= 0 ? ms : absent;
}

uint32_t read_count(const json_t *list, size_t max)
{
	size_t count = json_array_size(list);

	return (uint32_t)(count < max ? count : max);
}

const char *const *read_words(struct arena *arena, const json_t *list, const char *absent, uint32_t *count)
{
	const char **words;

	*count = read_count(list, UINT32_MAX);
	words = arena_items(arena, *count, sizeof(*words));
	for (uint32_t i = 0; i < *count; i++) {
		const char *text = text_of(json_array_get(list, i));

		words[i] = text != NULL ? read_keep(arena, text) : absent;
	}
	return words;
}

/* 0 when absent. */
static uint32_t read_seconds(const json_t *parent, const char *key)
{
	int64_t seconds = read_time(parent, key, 0) / 1000;

	return seconds <= UINT32_MAX ? (uint32_t)seconds : 0;
}

/* -1 when absent. */
static int32_t read_small(const json_t *parent, const char *key)
{
	int64_t value = read_int(parent, key, -1);

	return value >= 0 && value <= INT32_MAX ? (int32_t)value : -1;
}

struct view_conditions read_conditions(struct arena *arena, const json_t *status)
{
	const json_t *list = json_object_get(status, "conditions");
	uint32_t count = read_count(list, READ_LIST_MAX);
	struct view_condition *items = arena_items(arena, count, sizeof(*items));

	for (uint32_t i = 0; i < count; i++) {
		const json_t *condition = json_array_get(list, i);

		items[i] = (struct view_condition){
			.type = read_text(arena, condition, "type", ""),
			.status = read_text(arena, condition, "status", ""),
			.reason = read_text(arena, condition, "reason", NULL),
			.message = read_shared(arena, condition, "message", NULL),
			.transition_s = read_seconds(condition, "lastTransitionTime"),
			.observed_generation = read_small(condition, "observedGeneration"),
		};
	}
	return (struct view_conditions){.items = items, .count = count};
}

void read_conditions_release(const struct view_conditions *conditions)
{
	for (uint32_t i = 0; i < conditions->count; i++) {
		shared_text_unref(conditions->items[i].message);
	}
}
