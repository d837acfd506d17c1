/* Which series a /metrics page has. */
#include "engine/page.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "engine/spelling.h"
#include "page_series.h"

/* Characters: a double is written with at most 25. */
#define NUMBER_MAX 64

struct page {
	struct series_table wanted;
	struct page_sample *samples;
	size_t count, cap;
	struct page_label *labels; /* of all samples, in their order */
	size_t labels_count, labels_cap;
};

struct page *page_new(void)
{
	return xcalloc(1, sizeof(struct page));
}

struct page *page_like(const struct page *other)
{
	struct page *page = page_new();

	series_table_borrow(&page->wanted, &other->wanted);
	return page;
}

void page_free(struct page *page)
{
	if (page == NULL) {
		return;
	}
	series_table_release(&page->wanted);
	free_indirect(&page->samples);
	free_indirect(&page->labels);
	free_indirect(&page);
}

void page_free_indirect(struct page **page)
{
	page_free(*page);
	*page = NULL;
}

/* What is looked for. */

/* The names that a pattern stands for. */
static void want_pattern(struct page *page, const char *pattern, size_t len)
{
	size_t i = 0;
	char *name;

	while ((name = spelling_first_name(pattern, len, i++)) != NULL) {
		const char *own = spelling_without_ray(name);

		series_want(&page->wanted, own, strlen(own), false);
		free_indirect(&name);
	}
}

void page_want(struct page *page, const char *expression)
{
	const char *name;
	size_t len;

	if (strchr(expression, '{') == NULL) {
		series_want(&page->wanted, expression, strlen(expression), false);
		return;
	}
	while ((name = spelling_next(&expression, &len)) != NULL) {
		want_pattern(page, name, len);
	}
}

void page_want_histogram(struct page *page, const char *name)
{
	auto_free char *buckets = xasprintf("%s_bucket", name);

	series_want(&page->wanted, buckets, strlen(buckets), true);
}

/* Reading. */

/* strspn() and strcspn() prepare a table at each call, which costs more than such a short piece. */
static const char *skip_blanks(const char *c)
{
	while (*c == ' ' || *c == '\t') {
		c++;
	}
	return c;
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

/* What follows the label; NULL when the list has none there. */
static const char *read_label(const char *c, struct page_label *label)
{
	const char *end;

	while (*c == ',' || *c == ' ' || *c == '\t') {
		c++;
	}
	label->name = c;
	while (*c != '=' && *c != ',' && *c != '}' && *c != '"' && !series_name_ends(*c)) {
		c++;
	}
	label->name_len = (size_t)(c - label->name);
	c = skip_blanks(c);
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

enum line { LINE_OTHER, LINE_SAMPLE, LINE_OF_MANY_LABELS };

/* Adds the labels behind the opening brace; `rest` is then what follows the closing one. */
static enum line read_labels(struct page *page, const char **rest, size_t *count)
{
	const char *c = *rest;
	const char *next;
	struct page_label one;

	for (*count = 0; (next = read_label(c, &one)) != NULL; (*count)++) {
		if (*count == PAGE_LABELS_MAX) {
			return LINE_OF_MANY_LABELS;
		}
		page->labels = xgrow(page->labels, &page->labels_cap, page->labels_count + 1, sizeof(one));
		page->labels[page->labels_count++] = one;
		c = next;
	}
	while (*c == ',' || *c == ' ' || *c == '\t') {
		c++;
	}
	*rest = c + 1;
	return *c == '}' ? LINE_SAMPLE : LINE_OTHER;
}

bool page_number(const char *text, size_t len, double *value)
{
	char number[NUMBER_MAX + 1];
	char *end;

	if (len == 0 || len > NUMBER_MAX) {
		return false;
	}
	memcpy(number, text, len);
	number[len] = '\0';
	*value = strtod(number, &end);
	return end == number + len;
}

static bool read_value(const char *c, double *value)
{
	size_t len = 0;

	c = skip_blanks(c);
	while (c[len] != ' ' && c[len] != '\t' && c[len] != '\r' && c[len] != '\n' && c[len] != '\0') {
		len++;
	}
	return page_number(c, len, value);
}

/* What follows the sample's name is its labels and its value. */
static enum line read_sample(struct page *page, const char *rest, struct page_sample *sample)
{
	enum line line = LINE_SAMPLE;

	rest = skip_blanks(rest);
	sample->labels_count = 0;
	if (*rest == '{') {
		rest++;
		line = read_labels(page, &rest, &sample->labels_count);
	}
	return line == LINE_SAMPLE && !read_value(rest, &sample->value) ? LINE_OTHER : line;
}

static size_t most_of(const struct series *series)
{
	return series->buckets ? PAGE_BUCKETS_MAX : PAGE_SAMPLES_MAX;
}

/* The line's sample is one too many, or too large. Without a histogram a page still has its signals. */
static int refuse(struct series *series, enum line line, struct error *err)
{
	series->count = most_of(series) + 1;
	if (series->buckets) {
		return 0;
	}
	if (line == LINE_OF_MANY_LABELS) {
		return error_set(err, ERROR_INVALID,
			"has a sample of '%s' with more than %d labels, the most that are read: let the engine write fewer",
			series->name, PAGE_LABELS_MAX);
	}
	return error_set(err, ERROR_INVALID,
		"has more than %d samples of '%s', the most that are read: let the engine report it with fewer labels",
		PAGE_SAMPLES_MAX, series->name);
}

static int keep_sample(struct page *page, struct series *series, const char *rest, struct error *err)
{
	struct page_sample sample = {.series = series->number};
	size_t before = page->labels_count;
	enum line line = series->count > most_of(series) ? LINE_OTHER : read_sample(page, rest, &sample);

	if (line == LINE_SAMPLE && series->count < most_of(series)) {
		series->count++;
		page->samples = xgrow(page->samples, &page->cap, page->count + 1, sizeof(sample));
		page->samples[page->count++] = sample;
		return 0;
	}
	page->labels_count = before; /* those of no sample are dropped again */
	return line == LINE_OTHER ? 0 : refuse(series, line, err);
}

static const char type[] = "# TYPE ";

bool page_wants_line(struct page *page, const char *line)
{
	bool announces = text_begins(line, type);
	const char *end;

	return series_of_line(&page->wanted, announces ? line + sizeof(type) - 1 : line, &end) != NULL;
}

static int read_line(struct page *page, const char *line, size_t len, struct error *err)
{
	bool announces = len >= sizeof(type) && memcmp(line, type, sizeof(type) - 1) == 0;
	const char *name = announces ? line + sizeof(type) - 1 : line;
	const char *end;
	struct series *series = series_of_line(&page->wanted, name, &end);

	if (series == NULL) {
		return 0;
	}
	if (announces) {
		series->announced = series->announced || *end == ' ';
		return 0;
	}
	return keep_sample(page, series, end, err);
}

int page_read(struct page *page, const char *text, struct error *err)
{
	const char *end = text + strlen(text);
	const struct page_label *labels;

	for (const char *line = text; line < end; line++) {
		const char *after = *line != '\n' ? memchr(line, '\n', (size_t)(end - line)) : line;

		after = after != NULL ? after : end;
		if (after > line && read_line(page, line, (size_t)(after - line), err) < 0) {
			return -1;
		}
		line = after;
	}
	/* Only now they move no more. */
	labels = page->labels;
	for (size_t i = 0; i < page->count; i++) {
		if (page->samples[i].labels_count > 0) {
			page->samples[i].labels = labels;
			labels += page->samples[i].labels_count;
		}
	}
	return 0;
}

/* What it says. */

const struct page_label *page_sample_label(const struct page_sample *sample, const char *name, size_t len)
{
	for (size_t i = 0; i < sample->labels_count; i++) {
		const struct page_label *one = &sample->labels[i];

		if (one->name_len == len && memcmp(one->name, name, len) == 0) {
			return one;
		}
	}
	return NULL;
}

bool page_sample_matches(const struct page_sample *sample, const char *matchers)
{
	struct page_label wanted;

	while ((matchers = read_label(matchers, &wanted)) != NULL) {
		const struct page_label *has = page_sample_label(sample, wanted.name, wanted.name_len);
		size_t len = has != NULL ? has->value_len : 0;

		if (len != wanted.value_len || (len > 0 && memcmp(has->value, wanted.value, len) != 0)) {
			return false;
		}
	}
	return true;
}

const struct page_sample *page_next_sample(const struct page *page, const char *name, size_t len,
	const struct page_sample *after)
{
	const struct series *series = series_named(&page->wanted, name, len);
	size_t i = after != NULL ? (size_t)(after - page->samples) + 1 : 0;

	while (series != NULL && i < page->count && page->samples[i].series != series->number) {
		i++;
	}
	return series != NULL && i < page->count ? &page->samples[i] : NULL;
}

bool page_has_too_many(const struct page *page, const char *name, size_t len)
{
	const struct series *series = series_named(&page->wanted, name, len);

	return series != NULL && series->count > most_of(series);
}

bool page_has_series(const struct page *page, const char *series)
{
	size_t len = strcspn(series, "{");
	const struct page_sample *sample = NULL;

	while ((sample = page_next_sample(page, series, len, sample)) != NULL) {
		if (page_sample_matches(sample, series + len + (series[len] == '{' ? 1 : 0))) {
			return true;
		}
	}
	return false;
}

bool page_announces(const struct page *page, const char *name)
{
	const struct series *series = series_named(&page->wanted, name, strlen(name));

	return series != NULL && (series->count > 0 || series->announced);
}
