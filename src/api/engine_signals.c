/* The form of spec.engine.signals. */
#include "engine_signals.h"

#include <string.h>

#include "base/json.h"
#include "name_form.h"

static const char *const counts[] = {"Running", "Waiting", "InFlight", NULL};
static const char *const fills[] = {"KVCache", NULL};
static const char *const overs[] = {"Sum", "Max", NULL};
static const char *const units_of_counts[] = {"Requests", NULL};
static const char *const units_of_fills[] = {"Ratio", "Percent", NULL};

/* `words` end with NULL. */
static bool is_one_of(const json_t *value, const char *const *words)
{
	const char *text = json_is_string(value) ? json_string_value(value) : "";

	while (*words != NULL && strcmp(text, *words) != 0) {
		words++;
	}
	return *words != NULL;
}

static bool is_absent_or(const json_t *value, const char *const *words)
{
	return value == NULL || json_is_null(value) || is_one_of(value, words);
}

static bool is_figure(const json_t *item)
{
	const json_t *name = json_object_get(item, "name");
	bool fill = is_one_of(name, fills);

	return (fill || is_one_of(name, counts)) && name_is_series(json_path_string(item, "series", "")) &&
	       is_absent_or(json_object_get(item, "over"), overs) &&
	       is_absent_or(json_object_get(item, "unit"), fill ? units_of_fills : units_of_counts);
}

bool engine_signals_are(const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);

		if (!is_figure(item) ||
			json_find(list, "name", json_string_value(json_object_get(item, "name"))) != item) {
			return false;
		}
	}
	return json_array_size(list) > 0;
}
