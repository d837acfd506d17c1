/* Which series a /metrics page has. */
#include "engine/page.h"

#include <stdlib.h>
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

/* The end of a sample's labels, behind the closing brace; NULL when the line ends before. */
static const char *labels_end(const char *labels)
{
	struct label one;
	const char *rest = labels;

	while ((rest = read_label(labels, &one)) != NULL) {
		labels = rest;
	}
	labels += strspn(labels, ", \t");
	return *labels == '}' ? labels + 1 : NULL;
}

/* What follows the sample's name is its labels and its value; false when it is no sample. */
static bool read_sample(const char *rest, struct page_sample *sample)
{
	char *end;

	rest = skip_blanks(rest);
	sample->labels = *rest == '{' ? rest + 1 : "";
	if (*rest == '{') {
		rest = labels_end(rest + 1);
	}
	if (rest == NULL) {
		return false;
	}
	rest = skip_blanks(rest);
	if (*rest == '\n') {
		return false; /* strtod would read on, in the next line */
	}
	sample->value = strtod(rest, &end);
	return end != rest && strchr(" \t\r\n", *end) != NULL;
}

const char *page_next_sample(const char *from, const char *name, size_t len, struct page_sample *sample)
{
	for (const char *line = from; line != NULL && *line != '\0'; line = next_line(line)) {
		if (strncmp(line, name, len) == 0 && strchr("{ \t", line[len]) != NULL && line[len] != '\0' &&
			read_sample(line + len, sample)) {
			const char *next = next_line(line);

			return next != NULL ? next : line + strlen(line);
		}
	}
	return NULL;
}

/* The label of this name (not ended); its value is "" when the list has none. */
static struct label label_named(const char *labels, const char *name, size_t len)
{
	struct label one;

	while ((labels = read_label(labels, &one)) != NULL) {
		if (one.name_len == len && memcmp(one.name, name, len) == 0) {
			return one;
		}
	}
	return (struct label){.name = name, .value = "", .name_len = len};
}

const char *page_sample_label(const struct page_sample *sample, const char *name)
{
	struct label one = label_named(sample->labels, name, strlen(name));

	return *one.value != '\0' ? one.value : NULL;
}

static bool same_value(const struct label *a, const struct label *b)
{
	return a->value_len == b->value_len && memcmp(a->value, b->value, a->value_len) == 0;
}

bool page_sample_matches(const struct page_sample *sample, const char *matchers)
{
	struct label wanted;

	while ((matchers = read_label(matchers, &wanted)) != NULL) {
		struct label has = label_named(sample->labels, wanted.name, wanted.name_len);

		if (!same_value(&has, &wanted)) {
			return false;
		}
	}
	return true;
}

bool page_samples_agree(const struct page_sample *a, const struct page_sample *b, const char *labels)
{
	while (*labels != '\0') {
		size_t len = strcspn(labels, ",");
		struct label one = label_named(a->labels, labels, len);
		struct label other = label_named(b->labels, labels, len);

		if (!same_value(&one, &other)) {
			return false;
		}
		labels += len + (labels[len] == ',' ? 1 : 0);
	}
	return true;
}

bool page_has_series(const char *page, const char *series)
{
	size_t len = strcspn(series, "{");

	for (const char *line = page; line != NULL; line = next_line(line)) {
		const char *rest;

		if (strncmp(line, series, len) != 0 || line[len] == '\0' || strchr("{ \t", line[len]) == NULL) {
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
		if (strncmp(line, type, sizeof(type) - 1) == 0 && strncmp(line + sizeof(type) - 1, name, len) == 0 &&
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
			if (page_has_series(page, engines[i].marks[m]) || announces(page, engines[i].marks[m])) {
				return &engines[i];
			}
		}
	}
	return NULL;
}
