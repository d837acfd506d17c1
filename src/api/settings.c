/* Reading the lists that the command line gives. */
#include "api/settings.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"

bool settings_list_has(const char *list, const char *ns)
{
	if (list == NULL || strcmp(list, "*") == 0) {
		return list != NULL;
	}
	for (size_t len = 0; *list != '\0'; list += len + (list[len] == ',' ? 1 : 0)) {
		len = strcspn(list, ",");
		if (len > 0 && strlen(ns) == len && strncmp(list, ns, len) == 0) {
			return true;
		}
	}
	return false;
}

/* As the API server has them, but for the order of the letters: it refuses what is wrong in that. */
#define VALUE_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
#define KEY_LETTERS VALUE_LETTERS "/"
#define VALUE_MAX 63
#define KEY_MAX (253 + 1 + 63)

static bool is_label(const char *key, const char *value)
{
	size_t key_len = strlen(key);
	size_t value_len = strlen(value);

	return key_len > 0 && key_len <= KEY_MAX && strspn(key, KEY_LETTERS) == key_len && value_len <= VALUE_MAX &&
	       strspn(value, VALUE_LETTERS) == value_len;
}

json_t *settings_labels(const char *list, struct error *err)
{
	auto_json *labels = json_object();

	for (size_t len = 0; list != NULL && *list != '\0'; list += len + (list[len] == ',' ? 1 : 0)) {
		auto_free char *key = NULL;
		char *value;

		len = strcspn(list, ",");
		key = xstrndup(list, len);
		value = strchr(key, '=');
		if (value != NULL) {
			*value++ = '\0';
		}
		if (value == NULL || !is_label(key, value)) {
			error_set(err, ERROR_INVALID, "'%.*s' is no label: it has to be KEY=VALUE", (int)len, list);
			return NULL;
		}
		json_object_set_new(labels, key, json_string(value));
	}
	return json_incref(labels);
}

int settings_check(const struct settings *settings, struct error *err)
{
	const char *interval = settings->min_scrape_interval;
	auto_json *labels = settings_labels(settings->monitor_labels, err);

	if (interval != NULL && clock_parse_duration(interval) < 0) {
		return error_set(err, ERROR_INVALID,
			"--tenant-min-scrape-interval '%s' is no duration: write for example 5s", interval);
	}
	return labels != NULL ? 0 : -1;
}
