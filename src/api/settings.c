/* Reading the lists that the command line gives. */
#include "api/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "name_form.h"

bool settings_serve(const struct settings *settings)
{
	return settings->metrics_service.ns[0] != '\0';
}

#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789-"
#define PORT_MAX 65535

/* A DNS label, which may be as long as `into` holds. False when it is none. */
static bool read_name(const char *text, size_t len, char into[64])
{
	if (len == 0 || len >= 64 || strspn(text, NAME_LETTERS) < len) {
		return false;
	}
	memcpy(into, text, len);
	into[len] = '\0';
	return true;
}

static bool read_port(const char *text, int *port)
{
	size_t digits = strspn(text, "0123456789");

	*port = digits > 0 && digits <= 5 && text[digits] == '\0' ? atoi(text) : 0;
	return *port > 0 && *port <= PORT_MAX;
}

int metrics_service_read(const char *text, struct metrics_service *service, struct error *err)
{
	size_t ns_len = strcspn(text, "/");
	const char *name = text + ns_len + (text[ns_len] == '/' ? 1 : 0);
	size_t name_len = strcspn(name, ":");
	const char *port = name + name_len + (name[name_len] == ':' ? 1 : 0);
	struct metrics_service read;

	if (!read_name(text, ns_len, read.ns) || !read_name(name, name_len, read.name) ||
		!read_port(port, &read.port)) {
		return error_set(err, ERROR_INVALID, "'%s' is no Service's port: write NAMESPACE/NAME:PORT", text);
	}
	read.listens = service->listens;
	*service = read;
	return 0;
}

void metrics_service_listen(struct metrics_service *service, const char *address)
{
	const char *port = strrchr(address, ':');

	if (port == NULL || !read_port(port + 1, &service->listens)) {
		service->listens = 0;
	}
}

bool settings_is_loopback(const char *address)
{
	return strncmp(address, "127.", 4) == 0 || strncmp(address, "[::1]", 5) == 0;
}

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

/* The names of the list that are not there already. */
static void add_names(struct texts *texts, const char *list)
{
	for (size_t len = 0; list != NULL && *list != '\0'; list += len + (list[len] == ',' ? 1 : 0)) {
		auto_free char *name = NULL;

		len = strcspn(list, ",");
		name = xstrndup(list, len);
		if (len > 0 && !texts_hold(texts, name)) {
			texts_add(texts, name);
		}
	}
}

struct texts settings_namespaces(const struct settings *settings, bool beside)
{
	const char *const shared[] = {settings->shared_namespaces, settings->adapter.ns, settings->monitor_namespaces,
		settings->exporter_namespaces};
	struct texts texts = {.items = NULL};

	add_names(&texts, settings->watch_namespaces);
	for (size_t i = 0; texts.count > 0 && !beside && i < ARRAY_LEN(shared); i++) {
		add_names(&texts, shared[i]);
	}
	return texts;
}

bool settings_reads(const struct settings *settings, const char *ns)
{
	struct texts read = settings_namespaces(settings, false);
	bool reads = read.count == 0 || texts_hold(&read, ns);

	texts_release(&read);
	return reads;
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

static bool names_all(const char *list)
{
	return list != NULL && strcmp(list, "*") == 0;
}

static int check_namespaces(const struct settings *settings, struct error *err)
{
	struct texts all = settings_namespaces(settings, false);
	const size_t count = all.count;
	const char *wrong = NULL;

	for (size_t i = 0; i < count && wrong == NULL; i++) {
		wrong = name_is_label(all.items[i]) ? NULL : all.items[i];
	}
	if (wrong != NULL) {
		error_set(err, ERROR_INVALID,
			"'%s' is no namespace: --watch-namespaces takes names, separated by commas", wrong);
	}
	texts_release(&all);
	if (wrong != NULL) {
		return -1;
	}
	if (settings->watch_namespaces != NULL && count == 0) {
		return error_set(err, ERROR_INVALID,
			"--watch-namespaces '%s' names no namespace: leave it out to watch all",
			settings->watch_namespaces);
	}
	if (count > 0 && (names_all(settings->monitor_namespaces) || names_all(settings->exporter_namespaces))) {
		return error_set(err, ERROR_INVALID,
			"--tenant-monitor-namespaces and --tenant-exporter-namespaces may not be '*' with "
			"--watch-namespaces: list the namespaces");
	}
	if (count > SETTINGS_NAMESPACES_MAX) {
		return error_set(err, ERROR_INVALID,
			"--watch-namespaces and what it shares are %zu namespaces, of which each is watched by itself: "
			"%d are the most; without the option all are watched",
			count, SETTINGS_NAMESPACES_MAX);
	}
	return 0;
}

int settings_check(const struct settings *settings, struct error *err)
{
	const char *interval = settings->min_scrape_interval;
	auto_json *labels = settings_labels(settings->monitor_labels, err);

	if (interval != NULL && clock_parse_duration(interval) < 0) {
		return error_set(err, ERROR_INVALID,
			"--tenant-min-scrape-interval '%s' is no duration: write for example 5s", interval);
	}
	return labels != NULL ? check_namespaces(settings, err) : -1;
}
