/* Printing a chain for people. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "command/diagnosis.h"

static const struct mark {
	const char *status;
	const char *sign;
	const char *colour;
} marks[] = {
	{"True", "✓", "\033[32m"},
	{"False", "✗", "\033[31m"},
	{"Unknown", "?", "\033[33m"},
};

#define BOLD "\033[1m"
#define RESET "\033[0m"

static const struct mark *mark_of(const char *status)
{
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		if (strcmp(marks[i].status, status) == 0) {
			return &marks[i];
		}
	}
	return &marks[ARRAY_LEN(marks) - 1];
}

/* Some of the text is what strangers' servers said: nothing in it may command the terminal. */
static void print_clean(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		if (*p == 0xC2 && p[1] >= 0x80 && p[1] <= 0x9F) {
			putchar('?');
			p++;
		} else {
			putchar(*p < 0x20 || *p == 0x7F ? '?' : *p);
		}
	}
}

static void print_at(const json_t *object, const char *path)
{
	print_clean(json_path_string(object, path, ""));
}

static void print_mark(const char *status, bool colour)
{
	const struct mark *mark = mark_of(status);

	printf("%s%s%s", colour ? mark->colour : "", mark->sign, colour ? RESET : "");
}

/* "3m" since then, to the largest unit; nothing when it is not known. */
static void print_age(const char *since, int64_t now_ms)
{
	static const struct {
		int64_t ms;
		char name;
	} units[] = {{86400000, 'd'}, {3600000, 'h'}, {60000, 'm'}, {1000, 's'}};
	int64_t then = since != NULL ? clock_parse_rfc3339(since) : -1;

	for (size_t i = 0; i < ARRAY_LEN(units) && then >= 0; i++) {
		if (now_ms - then >= units[i].ms) {
			printf(", for %lld%c", (long long)((now_ms - then) / units[i].ms), units[i].name);
			return;
		}
	}
}

static void print_chain(const json_t *d, bool colour)
{
	const json_t *chain = json_object_get(d, "chain");
	const char *broken = json_path_string(d, "broken", "");
	size_t i;
	json_t *link;

	json_array_foreach((json_t *)chain, i, link) {
		const char *status = json_path_string(link, "status", "");
		const char *type = json_path_string(link, "type", "");

		printf("%s ", i + 1 < json_array_size(chain) ? "├─" : "└─");
		print_mark(status, colour);
		printf(" %-18s ", type);
		if (strcmp(type, broken) == 0) {
			print_at(link, "reason"); /* its message stands apart, below */
		} else {
			print_at(link, "message");
		}
		printf("\n");
	}
}

static void print_engine(const json_t *engine)
{
	const char *version = json_path_string(engine, "version", NULL);

	if (engine == NULL) {
		return;
	}
	printf("engine    ");
	print_at(engine, "type");
	if (version != NULL) {
		printf(" ");
		print_clean(version);
	}
	if (json_path_int(engine, "port", 0) > 0) {
		printf(", port %lld, path ", (long long)json_path_int(engine, "port", 0));
		print_at(engine, "path");
	}
	printf("\n");
}

static void print_signals(const json_t *signals)
{
	size_t i;
	json_t *signal;

	json_array_foreach((json_t *)signals, i, signal) {
		printf("signal    ");
		print_at(signal, "name");
		printf(": ");
		print_at(signal, "metric");
		printf(", target ");
		print_at(signal, "target");
		printf(" per replica, %s\n", json_path_bool(signal, "served", false) ? "served" : "not served");
	}
}

static void print_children(const json_t *children)
{
	size_t i;
	json_t *child;

	json_array_foreach((json_t *)children, i, child) {
		printf(i == 0 ? "children  " : ", ");
		print_at(child, "kind");
		printf(" ");
		print_at(child, "name");
	}
	printf(json_array_size(children) > 0 ? "\n" : "");
}

void diagnosis_print(const json_t *d, bool colour, int64_t now_ms)
{
	const json_t *replicas = json_object_get(d, "replicas");
	const char *ready = json_path_string(d, "ready", "");
	size_t i;
	json_t *warning;

	printf("%s", colour ? BOLD : "");
	printf("%s/%s%s scales %s %s, mode %s\n", json_path_string(d, "namespace", ""), json_path_string(d, "name", ""),
		colour ? RESET : "", json_path_string(d, "target.kind", ""), json_path_string(d, "target.name", ""),
		json_path_string(d, "mode", ""));
	json_array_foreach(json_object_get(d, "warnings"), i, warning) {
		printf("! ");
		print_clean(json_string_value(warning));
		printf("\n");
	}
	print_chain(d, colour);
	print_engine(json_object_get(d, "engine"));
	print_signals(json_object_get(d, "signals"));
	if (replicas != NULL) {
		printf("replicas  %lld now, %lld wanted, from %lld to %lld\n", (long long)json_path_int(replicas, "current", 0),
			(long long)json_path_int(replicas, "desired", 0), (long long)json_path_int(replicas, "min", 0),
			(long long)json_path_int(replicas, "max", 0));
	}
	print_children(json_object_get(d, "children"));
	if (json_object_get(d, "message") == NULL) {
		return;
	}
	printf("\n");
	print_mark(ready, colour);
	printf(" %s: ", strcmp(ready, "True") == 0 ? "ready" : strcmp(ready, "False") == 0 ? "not ready" : "not known yet");
	print_at(d, "reason");
	print_age(json_path_string(d, "since", NULL), now_ms);
	printf("\n  ");
	print_at(d, "message");
	printf("\n");
}
