/* Which series a /metrics page has. */
#include "engine/page.h"

#include <string.h>

/* What follows the line; NULL at the end. */
static const char *next_line(const char *line)
{
	line = strchr(line, '\n');
	return line != NULL ? line + 1 : NULL;
}

static const char *skip_blanks(const char *c)
{
	return c + strspn(c, " \t");
}

/* The end of a label value, at its closing quote; NULL when the line ends before. */
static const char *value_end(const char *c)
{
	while (*c != '"') {
		if (*c == '\\' && c[1] != '\0') {
			c++;
		}
		if (*c == '\0' || *c == '\n') {
			return NULL;
		}
		c++;
	}
	return c;
}

/* One name="value" out of a list; name and value are not ended. */
struct label {
	const char *name, *value;
	size_t name_len, value_len;
};

/* What follows the label; NULL when the list has none there. */
static const char *read_label(const char *c, struct label *label)
{
	const char *end;

	label->name = c = c + strspn(c, ", \t");
	label->name_len = strcspn(c, "=,}\" \t\n");
	c = skip_blanks(c + label->name_len);
	if (label->name_len == 0 || *c != '=') {
		return NULL;
	}
	c = skip_blanks(c + 1);
	end = *c == '"' ? value_end(c + 1) : NULL;
	if (end == NULL) {
		return NULL;
	}
	label->value = c + 1;
	label->value_len = (size_t)(end - label->value);
	return end + 1;
}

static bool has_label(const char *labels, const struct label *wanted)
{
	struct label one;

	while ((labels = read_label(labels, &one)) != NULL) {
		if (one.name_len == wanted->name_len && one.value_len == wanted->value_len &&
		    memcmp(one.name, wanted->name, one.name_len) == 0 &&
		    memcmp(one.value, wanted->value, one.value_len) == 0) {
			return true;
		}
	}
	return false;
}

/* Both point behind the brace that opens the labels; `has` is "" for a sample without any. */
static bool has_labels(const char *has, const char *wanted)
{
	struct label one;

	while ((wanted = read_label(wanted, &one)) != NULL) {
		if (!has_label(has, &one)) {
			return false;
		}
	}
	return true;
}

bool page_has_series(const char *page, const char *series)
{
	size_t len = strcspn(series, "{");

	for (const char *line = page; line != NULL; line = next_line(line)) {
		const char *rest;

		if (strncmp(line, series, len) != 0 || line[len] == '\0' ||
		    strchr("{ \t", line[len]) == NULL) {
			continue;
		}
		rest = skip_blanks(line + len);
		if (series[len] == '\0' || has_labels(*rest == '{' ? rest + 1 : "", series + len + 1)) {
			return true;
		}
	}
	return false;
}

static bool announces(const char *page, const char *name)
{
	static const char type[] = "# TYPE ";
	size_t len = strlen(name);

	for (const char *line = page; line != NULL; line = next_line(line)) {
		if (strncmp(line, type, sizeof(type) - 1) == 0 &&
		    strncmp(line + sizeof(type) - 1, name, len) == 0 &&
		    line[sizeof(type) - 1 + len] == ' ') {
			return true;
		}
	}
	return false;
}

const struct engine *page_engine(const char *page)
{
	for (size_t i = 0; i < engines_count; i++) {
		for (size_t m = 0; m < ENGINE_MARKS_MAX && engines[i].marks[m] != NULL; m++) {
			if (page_has_series(page, engines[i].marks[m]) ||
			    announces(page, engines[i].marks[m])) {
				return &engines[i];
			}
		}
	}
	return NULL;
}
