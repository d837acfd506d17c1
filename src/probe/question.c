/* Questions to Prometheus. */
#include "question.h"

#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "children/child.h"
#include "engine/gpu.h"
#include "engine/query.h"
#include "engine/spelling.h"

#define PART "part"
#define ANY_POD "pod!=\"\""
#define PART_OF_PODS "pod=~\".*[\001]\""

/* Names of pods end with a digit or a small letter, at random or counted; neighbours are in different parts, so that
 * digits alone, or the letters that the API server draws from, are spread over all. */
const char *question_part_letters(unsigned part)
{
	static const char *const letters[QUESTION_PARTS] = {"08gow", "19hpx", "2aiqy", "3bjrz", "4cks", "5dlt", "6emu",
		"7fnv"};

	return letters[part];
}

char *question_part(const char *target, unsigned part)
{
	struct strbuf text = STRBUF_INIT;
	const char *letters;

	while ((letters = strstr(target, QUESTION_PART_LETTERS)) != NULL) {
		strbuf_addf(&text, "%.*s%s", (int)(letters - target), target, question_part_letters(part));
		target = letters + strlen(QUESTION_PART_LETTERS);
	}
	strbuf_addstr(&text, target);
	return strbuf_take(&text);
}

/* On one line: each space of an indentation would be three letters of the address. */
static char *query(const char *promql)
{
	struct strbuf target = STRBUF_INIT;
	auto_strbuf line = STRBUF_INIT;

	for (; *promql != '\0'; promql++) {
		strbuf_addch(&line, *promql == '\n' ? ' ' : *promql);
		if (*promql == '\n') {
			promql += strspn(promql + 1, " ");
		}
	}
	strbuf_addstr(&target, "/api/v1/query?query=");
	strbuf_add_urlencoded(&target, line.buf);
	return strbuf_take(&target);
}

/* Of the query of a part: each selector that wants a pod wants one of the part. */
static char *query_part(const char *promql)
{
	auto_strbuf part = STRBUF_INIT;
	const char *any;

	while ((any = strstr(promql, ANY_POD)) != NULL) {
		strbuf_addf(&part, "%.*s" PART_OF_PODS, (int)(any - promql), promql);
		promql = any + strlen(ANY_POD);
	}
	strbuf_addstr(&part, promql);
	return query(part.buf);
}

static void add_selector(struct strbuf *promql, const char *series, bool part)
{
	size_t len = strlen(series);

	if (!part) {
		strbuf_addstr(promql, series);
	} else if (len > 0 && series[len - 1] == '}') {
		strbuf_addf(promql, "%.*s," ANY_POD "}", (int)(len - 1), series);
	} else {
		strbuf_addf(promql, "%s{" ANY_POD "}", series);
	}
}

/* One of the answers that a question of several gets: its rows have the label PART. */
static void add_part(struct strbuf *promql, const char *part, const char *expression)
{
	strbuf_addf(promql, "%slabel_replace(%s, \"" PART "\", \"%s\", \"\", \"\")", promql->len > 0 ? " or " : "",
		expression, part);
}

/* A selector of a series within `before` and `after`, one of several. */
static void add_one(struct strbuf *promql, const char *series, const char *before, const char *after, bool part)
{
	strbuf_addf(promql, "%s%s", promql->len > 0 ? " or " : "", before);
	add_selector(promql, series, part);
	strbuf_addstr(promql, after);
}

/* The name with its ':' as they are, and as '_'. Which name it is makes no difference to a rule that goes by tags. */
static char *tagged_spelling(const char *series, size_t i)
{
	size_t len = strcspn(series, "{");
	auto_free char *name = xstrndup(series, len);
	char *spelling = spelling_of(name, i);

	if (spelling == NULL && i == 1 && strchr(name, ':') != NULL) {
		spelling = xstrdup(name);
		for (char *c = spelling; *c != '\0'; c++) {
			*c = *c == ':' ? '_' : *c;
		}
	}
	return spelling;
}

/* The i-th selector of a series' samples, NULL behind the last. Heap. */
static char *selector_of(const struct signal_request *asked, const char *series, size_t i)
{
	auto_free char *name = NULL;

	if (asked->tag == NULL) {
		return spelling_of(series, i);
	}
	name = tagged_spelling(series, i);
	return name != NULL ? xasprintf("%s{%s}", name, asked->tag) : NULL;
}

/* The series in all spellings, each within `before` and `after`. They are listed and not asked for by a pattern: where
 * one target had a series in two of them, which differ in nothing but the name, a function of both would fail. Heap. */
static char *all_spellings(const struct signal_request *asked, const char *before, const char *after, bool part)
{
	struct strbuf promql = STRBUF_INIT;
	char *selector;

	for (size_t i = 0; i < asked->series.count; i++) {
		for (size_t k = 0; (selector = selector_of(asked, asked->series.items[i], k)) != NULL; k++) {
			add_one(&promql, selector, before, after, part);
			free_indirect(&selector);
		}
	}
	return strbuf_take(&promql);
}

char *question_scrapes(void)
{
	/* prometheus-operator makes the port's name the label endpoint. */
	return query("count_values by (namespace, job) (\"up\", up{endpoint=\"" METRICS_PORT "\"})");
}

char *question_samples(const struct signal_request *asked, const char *trusted, bool part)
{
	const struct engine_signal *signal = engine_signal_by_metric(asked->metric);
	auto_free char *value = signal != NULL ? query_for_all(signal->metrics_query, asked->tag) : NULL;
	auto_free char *times = all_spellings(asked, "timestamp(", ")", part);
	auto_free char *youngest = xasprintf("max by (namespace, pod) (%s)", times);
	auto_strbuf promql = STRBUF_INIT;

	add_part(&promql, "time", youngest);
	if (value != NULL) {
		add_part(&promql, "milli", value);
	}
	if (signal == &gpu_utilization && trusted != NULL) {
		auto_free char *source = gpu_record_expr(trusted);
		auto_free char *shared = gpu_shared_expr(trusted);

		add_part(&promql, "source", source);
		add_part(&promql, "shared", shared);
	}
	return part ? query_part(promql.buf) : query(promql.buf);
}

char *question_scrapers(const struct signal_request *asked, bool part)
{
	auto_free char *series = all_spellings(asked, "", "", part);
	auto_free char *promql = xasprintf("count by (namespace, pod, job) (%s)", series);

	return part ? query_part(promql) : query(promql);
}

char *question_pool(const char *pool)
{
	struct strbuf target = STRBUF_INIT;

	strbuf_addstr(&target, "/api/v1/targets?state=active&scrapePool=");
	strbuf_add_urlencoded(&target, pool);
	return strbuf_take(&target);
}

/* {__name__=~"a|b"MORE}: any of these names. */
static char *any_of(const struct texts *series, const char *more)
{
	struct strbuf selector = STRBUF_INIT;

	strbuf_addstr(&selector, "{__name__=~\"");
	for (size_t i = 0; i < series->count; i++) {
		strbuf_addf(&selector, "%s%s", i > 0 ? "|" : "", series->items[i]);
	}
	strbuf_addf(&selector, "\"%s}", more);
	return strbuf_take(&selector);
}

char *question_exporter(const struct texts *series, const char *targets)
{
	auto_free char *all = any_of(series, "");
	auto_free char *promql = xasprintf("count by (job) (%s and on (job, instance) %s)", all, targets);

	return query(promql);
}

/* Without honorLabels the workload arrives as exported_pod; with it as pod, a label that is the
 * exporter's own, as its `up` shows, where the GPU serves nobody. */
char *question_workloads(const struct texts *series, const char *targets)
{
	auto_free char *exported = any_of(series, ",exported_pod!=\"\"");
	auto_free char *plain = any_of(series, ",exported_pod=\"\",pod!=\"\"");
	auto_free char *promql =
		xasprintf("count((%s or (%s unless on (job, instance, namespace, pod) up)) and on (job, instance) %s)",
			exported, plain, targets);

	return query(promql);
}

/* A PromQL string: job names are free text. */
static void add_quoted(struct strbuf *promql, const char *text)
{
	strbuf_addch(promql, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\') {
			strbuf_addch(promql, '\\');
		}
		strbuf_addch(promql, *text);
	}
	strbuf_addch(promql, '"');
}

char *question_jobs(const struct texts *jobs, const char *targets)
{
	auto_strbuf promql = STRBUF_INIT;

	strbuf_addstr(&promql, "count_values by (job) (\"up\", (");
	for (size_t i = 0; i < jobs->count; i++) {
		strbuf_addstr(&promql, i > 0 ? " or up{job=" : "up{job=");
		add_quoted(&promql, jobs->items[i]);
		strbuf_addstr(&promql, "}");
	}
	strbuf_addf(&promql, ") and %s)", targets);
	return query(promql.buf);
}

char *question_rule(const char *record)
{
	struct strbuf target = STRBUF_INIT;

	strbuf_addstr(&target, "/api/v1/rules?type=record&rule_name%5B%5D=");
	strbuf_add_urlencoded(&target, record);
	return strbuf_take(&target);
}
