/* Log lines on stderr, each written whole. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/text.h"

/* Of one value. Container runtimes split a line of more than 16 KiB, and half of it is no JSON, in which a byte can
 * take six. */
#define VALUE_MAX 2048

static const char *const level_names[] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARN] = "warn",
	[LOG_ERROR] = "error",
};
static const char *const format_names[] = {
	[LOG_TEXT] = "text",
	[LOG_JSON] = "json",
};

static enum log_level threshold = LOG_INFO;
static enum log_format shape = LOG_TEXT;

void log_configure(enum log_level level, enum log_format format)
{
	threshold = level;
	shape = format;
}

static int index_of(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(name, names[i])) {
			return (int)i;
		}
	}
	return -1;
}

int log_level_from_name(const char *name)
{
	return index_of(name, level_names, ARRAY_LEN(level_names));
}

int log_format_from_name(const char *name)
{
	return index_of(name, format_names, ARRAY_LEN(format_names));
}

static json_t *string_of(const char *value)
{
	auto_free char *fit = text_fit(value, VALUE_MAX);

	return json_string(fit);
}

/* A bare word when that is unambiguous, else quoted as JSON does, so a line stays one line. */
static void add_text_value(struct strbuf *line, const char *value)
{
	static const char bare[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789-._~/:@+,%*()[]";

	if (*value && !value[strspn(value, bare)] && strlen(value) <= VALUE_MAX) {
		strbuf_addstr(line, value);
		return;
	}

	auto_json *string = string_of(value);
	auto_free char *quoted = json_text(string);

	strbuf_addstr(line, quoted);
}

static void add_text(struct strbuf *line, enum log_level level, const char *message, va_list pairs)
{
	auto_free char *now = clock_rfc3339_micro(clock_wall_ms());
	const char *key;

	strbuf_addf(line, "%s %-5s %s", now, level_names[level], message);
	while ((key = va_arg(pairs, const char *)) != NULL) {
		const char *value = va_arg(pairs, const char *);

		strbuf_addf(line, " %s=", key);
		add_text_value(line, value != NULL ? value : "");
	}
}

/* A field never takes the place of the line's own ones, nor of another field: its name grows until it is free. */
static void add_field(json_t *object, const char *key, const char *value)
{
	auto_strbuf name = STRBUF_INIT;

	strbuf_addstr(&name, key);
	while (json_object_get(object, name.buf) != NULL) {
		strbuf_addch(&name, '_');
	}
	json_object_set_new(object, name.buf, string_of(value));
}

static void add_json(struct strbuf *line, enum log_level level, const char *message, va_list pairs)
{
	auto_free char *now = clock_rfc3339_micro(clock_wall_ms());
	auto_json *object = json_object();
	const char *key;

	json_object_set_new(object, "time", json_string(now));
	json_object_set_new(object, "level", json_string(level_names[level]));
	json_object_set_new(object, "message", string_of(message));
	while ((key = va_arg(pairs, const char *)) != NULL) {
		const char *value = va_arg(pairs, const char *);

		add_field(object, key, value != NULL ? value : "");
	}

	auto_free char *text = json_dumps(object, JSON_COMPACT);

	strbuf_addstr(line, text != NULL ? text : "{}");
}

void log_event(enum log_level level, const char *message, ...)
{
	auto_strbuf line = STRBUF_INIT;
	va_list pairs;

	if (level < threshold) {
		return;
	}
	va_start(pairs, message);
	if (shape == LOG_JSON) {
		add_json(&line, level, message, pairs);
	} else {
		add_text(&line, level, message, pairs);
	}
	va_end(pairs);
	strbuf_addch(&line, '\n');
	fwrite(line.buf, 1, line.len, stderr);
}
