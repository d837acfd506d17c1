/* A chain as text for people. */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "report/diagnosis.h"
#include "report/values.h"

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
static void add_clean(struct strbuf *text, const char *words)
{
	for (const unsigned char *p = (const unsigned char *)words; *p != '\0'; p++) {
		if (*p == 0xC2 && p[1] >= 0x80 && p[1] <= 0x9F) {
			strbuf_addch(text, '?');
			p++;
		} else {
			strbuf_addch(text, *p < 0x20 || *p == 0x7F ? '?' : (char)*p);
		}
	}
}

static void add_at(struct strbuf *text, const json_t *object, const char *path)
{
	add_clean(text, json_path_string(object, path, ""));
}

static void add_mark(struct strbuf *text, const char *status, bool colour)
{
	const struct mark *mark = mark_of(status);

	strbuf_addf(text, "%s%s%s", colour ? mark->colour : "", mark->sign, colour ? RESET : "");
}

/* "3m" since then, to the largest unit; nothing when it is not known. */
static void add_age(struct strbuf *text, const char *since, int64_t now_ms)
{
	static const struct {
		int64_t ms;
		char name;
	} units[] = {{86400000, 'd'}, {3600000, 'h'}, {60000, 'm'}, {1000, 's'}};
	int64_t then = since != NULL ? clock_parse_rfc3339(since) : -1;

	for (size_t i = 0; i < ARRAY_LEN(units) && then >= 0; i++) {
		if (now_ms - then >= units[i].ms) {
			strbuf_addf(text, ", for %lld%c", (long long)((now_ms - then) / units[i].ms), units[i].name);
			return;
		}
	}
}

static void add_chain(struct strbuf *text, const json_t *d, bool colour)
{
	const json_t *chain = json_object_get(d, "chain");
	const char *broken = json_path_string(d, "broken", "");
	size_t i;
	json_t *link;

	json_array_foreach((json_t *)chain, i, link) {
		const char *status = json_path_string(link, "status", "");
		const char *type = json_path_string(link, "type", "");

		strbuf_addf(text, "%s ", i + 1 < json_array_size(chain) ? "├─" : "└─");
		add_mark(text, status, colour);
		strbuf_addf(text, " %-18s ", type);
		if (strcmp(type, broken) == 0) {
			add_at(text, link, "reason"); /* its message stands below */
		} else {
			add_at(text, link, "message");
		}
		strbuf_addf(text, "\n");
	}
}

static void add_engine(struct strbuf *text, const json_t *engine)
{
	const char *version = json_path_string(engine, "version", NULL);

	if (engine == NULL) {
		return;
	}
	strbuf_addf(text, "engine    ");
	add_at(text, engine, "type");
	if (version != NULL) {
		strbuf_addf(text, " ");
		add_clean(text, version);
	}
	if (json_path_int(engine, "port", 0) > 0) {
		strbuf_addf(text, ", port %lld, path ", (long long)json_path_int(engine, "port", 0));
		add_at(text, engine, "path");
	}
	strbuf_addf(text, "\n");
}

/* Each with its values at every hop, where they are known. */
static void add_signals(struct strbuf *text, const json_t *signals, const json_t *values, int64_t now_ms)
{
	size_t i;
	json_t *signal;

	json_array_foreach((json_t *)signals, i, signal) {
		strbuf_addf(text, "signal    ");
		add_at(text, signal, "name");
		strbuf_addf(text, ": ");
		add_at(text, signal, "metric");
		strbuf_addf(text, ", target ");
		add_at(text, signal, "target");
		strbuf_addf(text, " per replica, %s\n",
			json_path_bool(signal, "served", false) ? "served" : "not served");
		values_text(text, values, json_path_string(signal, "metric", ""), now_ms);
	}
}

static void add_children(struct strbuf *text, const json_t *children)
{
	size_t i;
	json_t *child;

	json_array_foreach((json_t *)children, i, child) {
		strbuf_addstr(text, i == 0 ? "children  " : ", ");
		add_at(text, child, "kind");
		strbuf_addf(text, " ");
		add_at(text, child, "name");
	}
	strbuf_addstr(text, json_array_size(children) > 0 ? "\n" : "");
}

static void add_advice(struct strbuf *text, const json_t *advice)
{
	size_t i;
	json_t *one;

	json_array_foreach((json_t *)advice, i, one) {
		strbuf_addstr(text, "advice    ");
		add_at(text, one, "reason");
		strbuf_addstr(text, ": ");
		add_at(text, one, "message");
		strbuf_addstr(text, "\n");
	}
}

void diagnosis_text(struct strbuf *text, const json_t *d, bool colour, int64_t now_ms)
{
	const json_t *replicas = json_object_get(d, "replicas");
	const char *ready = json_path_string(d, "ready", "");
	const char *source = json_path_string(d, "source", NULL);
	size_t i;
	json_t *warning;

	strbuf_addf(text, "%s", colour ? BOLD : "");
	strbuf_addf(text, "%s/%s%s scales %s %s, mode %s", json_path_string(d, "namespace", ""),
		json_path_string(d, "name", ""), colour ? RESET : "", json_path_string(d, "target.kind", ""),
		json_path_string(d, "target.name", ""), json_path_string(d, "mode", ""));
	if (source != NULL) {
		strbuf_addstr(text, ", source ");
		add_clean(text, source);
	}
	strbuf_addf(text, "\n");
	json_array_foreach(json_object_get(d, "warnings"), i, warning) {
		strbuf_addf(text, "! ");
		add_clean(text, json_string_value(warning));
		strbuf_addf(text, "\n");
	}
	add_chain(text, d, colour);
	add_engine(text, json_object_get(d, "engine"));
	add_signals(text, json_object_get(d, "signals"), json_object_get(d, "values"), now_ms);
	if (replicas != NULL) {
		strbuf_addf(text, "replicas  %lld now, %lld wanted, from %lld to %lld\n",
			(long long)json_path_int(replicas, "current", 0),
			(long long)json_path_int(replicas, "desired", 0), (long long)json_path_int(replicas, "min", 0),
			(long long)json_path_int(replicas, "max", 0));
	}
	add_children(text, json_object_get(d, "children"));
	add_advice(text, json_object_get(d, "advice"));
	if (json_object_get(d, "message") == NULL) {
		return;
	}
	strbuf_addf(text, "\n");
	add_mark(text, ready, colour);
	strbuf_addf(text, " %s: ",
		strcmp(ready, "True") == 0    ? "ready"
		: strcmp(ready, "False") == 0 ? "not ready"
					      : "not known yet");
	add_at(text, d, "reason");
	add_age(text, json_path_string(d, "since", NULL), now_ms);
	strbuf_addf(text, "\n  ");
	add_at(text, d, "message");
	strbuf_addf(text, "\n");
}
