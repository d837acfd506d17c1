/* A metrics query worked out on a page: the part of PromQL that the presets are written in. */
#include "engine/query.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "engine/page.h"
#include "engine/spelling.h"

#define WHERE "<<.LabelMatchers>>"
#define BY "<<.GroupBy>>"
#define NAME "__name__"
#define DEPTH_MAX 32
#define VALUE_MAX 1e12

/* The samples of an expression; those of an aggregate keep the labels of one of their group. */
struct vector {
	struct page_sample *samples;
	size_t count, cap;
	bool scalar; /* a plain number */
};

struct reader {
	const char *at;
	const struct page *page;
	int depth;
	bool odd; /* something that we cannot read */
};

static struct vector read_or(struct reader *r);

static void add(struct vector *v, struct page_sample sample)
{
	v->samples = xgrow(v->samples, &v->cap, v->count + 1, sizeof(*v->samples));
	v->samples[v->count++] = sample;
}

static struct vector scalar(double value)
{
	struct vector v = {.scalar = true};

	add(&v, (struct page_sample){.value = value});
	return v;
}

static void release(struct vector *v)
{
	free_indirect(&v->samples);
	*v = (struct vector){.samples = NULL};
}

static void skip_blanks(struct reader *r)
{
	r->at += strspn(r->at, " \n");
}

/* Whether this comes next; then it is passed. */
static bool takes(struct reader *r, const char *text)
{
	skip_blanks(r);
	if (strncmp(r->at, text, strlen(text)) != 0) {
		return false;
	}
	r->at += strlen(text);
	return true;
}

static void must_take(struct reader *r, const char *text)
{
	r->odd = !takes(r, text) || r->odd;
}

static double read_number(struct reader *r)
{
	char *end;
	double value;

	skip_blanks(r);
	value = strtod(r->at, &end);
	r->odd = r->odd || end == r->at;
	r->at = end;
	return value;
}

static void add_samples(struct vector *found, const struct page *page, const char *name, size_t len,
	const char *matchers)
{
	for (const struct page_sample *one = NULL; (one = page_next_sample(page, name, len, one)) != NULL;) {
		if (page_sample_matches(one, matchers)) {
			add(found, *one);
		}
	}
}

/* Those of all names that a pattern stands for; of Ray's a page has the samples under the others. */
static void add_samples_of_pattern(struct vector *found, const struct page *page, const char *pattern, size_t len,
	const char *matchers)
{
	size_t i = 0;
	char *name;

	while ((name = spelling_first_name(pattern, len, i++)) != NULL) {
		if (spelling_without_ray(name) == name) {
			add_samples(found, page, name, strlen(name), matchers);
		}
		free_indirect(&name);
	}
}

/* name{matchers}, or with a pattern for its name: its samples on the page. */
static struct vector read_selector(struct reader *r)
{
	struct vector found = {.samples = NULL};
	bool pattern = takes(r, SPELLING_BEGIN);
	const char *name = r->at;
	size_t len = strcspn(name, pattern ? "\"" : "{(), +-*");

	r->at += len;
	if (len == 0 || *r->at != (pattern ? '"' : '{')) {
		r->odd = true;
		return found;
	}
	if (pattern) {
		add_samples_of_pattern(&found, r->page, name, len, r->at + 1);
	} else {
		add_samples(&found, r->page, name, len, r->at + 1);
	}
	r->at += strcspn(r->at, "}");
	must_take(r, "}");
	return found;
}

/* by (<<.GroupBy>>, …): the labels besides those that are the same for all of a page, as "a,b". */
static char *read_group(struct reader *r)
{
	struct strbuf labels = STRBUF_INIT;
	size_t len;

	must_take(r, "by");
	must_take(r, "(");
	must_take(r, BY);
	while (!r->odd && takes(r, ",")) {
		skip_blanks(r);
		len = strcspn(r->at, ",) ");
		strbuf_addf(&labels, "%s%.*s", labels.len > 0 ? "," : "", (int)len, r->at);
		r->at += len;
	}
	must_take(r, ")");
	return strbuf_take(&labels);
}

/* A sample and what it is grouped by. */
struct member {
	char *key;
	const struct page_sample *sample;
};

/* The values of the labels "a,b", each behind a quote, which stands in none of them. */
static char *group_key(const struct page_sample *sample, const char *labels)
{
	struct strbuf key = STRBUF_INIT;

	while (*labels != '\0') {
		size_t len = strcspn(labels, ",");
		const struct page_label *label = page_sample_label(sample, labels, len);

		strbuf_addch(&key, '"');
		if (len == strlen(NAME) && memcmp(labels, NAME, len) == 0) {
			strbuf_addf(&key, "%zu", sample->series);
		} else if (label != NULL) {
			strbuf_add(&key, label->value, label->value_len);
		}
		labels += len + (labels[len] == ',' ? 1 : 0);
	}
	return strbuf_take(&key);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

/* Sorted and not hashed: who chooses the labels cannot make it slow. */
static struct vector aggregate(const struct vector *all, const char *labels, bool sum)
{
	struct vector groups = {.samples = NULL};
	auto_free struct member *members = xcalloc(all->count + 1, sizeof(*members));

	for (size_t i = 0; i < all->count; i++) {
		members[i] = (struct member){group_key(&all->samples[i], labels), &all->samples[i]};
	}
	qsort(members, all->count, sizeof(*members), by_key);
	for (size_t i = 0; i < all->count; i++) {
		double more = members[i].sample->value;

		if (i == 0 || by_key(&members[i - 1], &members[i]) != 0) {
			add(&groups, *members[i].sample);
		} else {
			double *value = &groups.samples[groups.count - 1].value;

			*value = sum ? *value + more : fmax(*value, more);
		}
	}
	for (size_t i = 0; i < all->count; i++) {
		free_indirect(&members[i].key);
	}
	return groups;
}

static struct vector read_aggregate(struct reader *r, bool sum)
{
	struct vector all = read_or(r);
	struct vector groups;
	auto_free char *labels = NULL;

	must_take(r, ")");
	labels = read_group(r);
	groups = aggregate(&all, labels, sum);
	release(&all);
	return groups;
}

static struct vector read_clamp_min(struct reader *r)
{
	struct vector v = read_or(r);
	double least;

	must_take(r, ",");
	least = read_number(r);
	must_take(r, ")");
	for (size_t i = 0; i < v.count; i++) {
		v.samples[i].value = fmax(v.samples[i].value, least);
	}
	return v;
}

static struct vector read_term(struct reader *r)
{
	struct vector v = {.samples = NULL};

	if (r->odd || r->depth > DEPTH_MAX) {
		r->odd = true;
	} else if (takes(r, "sum(")) {
		v = read_aggregate(r, true);
	} else if (takes(r, "max(")) {
		v = read_aggregate(r, false);
	} else if (takes(r, "clamp_min(")) {
		v = read_clamp_min(r);
	} else if (takes(r, "(")) {
		v = read_or(r);
		must_take(r, ")");
	} else if (strchr("0123456789", *r->at) != NULL && *r->at != '\0') {
		v = scalar(read_number(r));
	} else {
		v = read_selector(r);
	}
	return v;
}

static double work_out(char op, double a, double b)
{
	return op == '*' ? a * b : op == '+' ? a + b : a - b;
}

/* Both are one value each, or nothing: the presets calculate with aggregates and numbers alone. */
static struct vector combine(struct reader *r, char op, struct vector *a, struct vector *b)
{
	struct vector result = {.scalar = a->scalar && b->scalar};

	r->odd = r->odd || a->count > 1 || b->count > 1;
	if (a->count == 1 && b->count == 1) {
		add(&result, (struct page_sample){.value = work_out(op, a->samples[0].value, b->samples[0].value)});
	}
	release(a);
	release(b);
	return result;
}

static struct vector read_product(struct reader *r)
{
	struct vector v = read_term(r);

	while (!r->odd && takes(r, "*")) {
		struct vector other = read_term(r);

		v = combine(r, '*', &v, &other);
	}
	return v;
}

static struct vector read_sum(struct reader *r)
{
	struct vector v = read_product(r);
	char op = '+';

	while (!r->odd && (takes(r, "+") || (op = takes(r, "-") ? '-' : '\0') != '\0')) {
		struct vector other = read_product(r);

		v = combine(r, op, &v, &other);
		op = '+';
	}
	return v;
}

/* `>` and `>=` are filters, that NaN does not pass. */
static struct vector read_filter(struct reader *r)
{
	struct vector v = read_sum(r);
	size_t kept = 0;
	bool or_equal;
	double least;

	if (r->odd || !takes(r, ">")) {
		return v;
	}
	or_equal = takes(r, "=");
	least = read_number(r);
	for (size_t i = 0; i < v.count; i++) {
		if (v.samples[i].value > least || (or_equal && v.samples[i].value == least)) {
			v.samples[kept++] = v.samples[i];
		}
	}
	v.count = kept;
	return v;
}

/* Of aggregates of one page, the second counts only without the first. */
static struct vector read_or(struct reader *r)
{
	struct vector v;

	r->depth++;
	v = read_filter(r);
	while (!r->odd && takes(r, "or ")) {
		struct vector other = read_filter(r);

		if (v.count == 0) {
			struct vector none = v;

			v = other;
			other = none;
		}
		release(&other);
	}
	r->depth--;
	return v;
}

bool query_on_page(const char *metrics_query, const struct page *page, double *value)
{
	struct reader r = {.at = metrics_query, .page = page};
	struct vector v = read_or(&r);
	bool found;

	skip_blanks(&r);
	found = !r.odd && *r.at == '\0' && v.count == 1;
	*value = found ? v.samples[0].value : 0;
	release(&v);
	return found;
}

bool query_milli(double value, int64_t *milli)
{
	if (!(fabs(value) < VALUE_MAX)) {
		return false;
	}
	*milli = llround(value * 1000);
	return true;
}

char *query_for_all(const char *metrics_query, const char *matcher)
{
	auto_free char *where =
		xasprintf("%s%snamespace!=\"\",pod!=\"\"", matcher != NULL ? matcher : "", matcher != NULL ? "," : "");
	const struct {
		const char *action;
		const char *text;
	} actions[] = {{WHERE, where}, {BY, "namespace, pod"}};
	struct strbuf promql = STRBUF_INIT;

	while (*metrics_query != '\0') {
		size_t i = 0;

		while (i < ARRAY_LEN(actions) &&
			strncmp(metrics_query, actions[i].action, strlen(actions[i].action)) != 0) {
			i++;
		}
		if (i < ARRAY_LEN(actions)) {
			strbuf_addstr(&promql, actions[i].text);
			metrics_query += strlen(actions[i].action);
		} else {
			strbuf_addch(&promql, *metrics_query++);
		}
	}
	return strbuf_take(&promql);
}
