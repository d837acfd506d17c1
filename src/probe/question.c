/* Questions to Prometheus, and the indices of its answers. */
#include "question.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "children/child.h"
#include "engine/gpu.h"
#include "engine/query.h"
#include "reading.h"

#define PART "part"

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

/* A value of an instant vector's row as a number; 0 when it has none. */
static double row_value(const json_t *row)
{
	const char *text = json_string_value(json_array_get(json_object_get(row, "value"), 1));

	return text != NULL ? strtod(text, NULL) : 0;
}

/* Adds a row of count_values("up", …). */
static void add_scrapes(json_t *scrapes, const json_t *row)
{
	const char *member = strcmp(json_path_string(row, "metric.up", ""), "1") == 0 ? "up" : "down";
	json_int_t count = json_path_int(scrapes, member, 0) + (json_int_t)row_value(row);

	json_object_set_new(scrapes, member, json_integer(count));
}

/* The array under this key, made when there is none; borrowed. */
static json_t *list_under(json_t *parent, const char *key)
{
	json_t *list = json_object_get(parent, key);

	if (list == NULL) {
		list = json_array();
		json_object_set_new(parent, key, list);
	}
	return list;
}

char *question_scrapes(void)
{
	/* prometheus-operator makes the port's name the label endpoint. */
	return query("count_values by (namespace, job) (\"up\", up{endpoint=\"" METRICS_PORT "\"})");
}

json_t *question_scrapes_index(const json_t *answer)
{
	json_t *index = json_object();
	size_t i;
	json_t *row;

	json_array_foreach(json_path(answer, "data.result"), i, row) {
		json_t *ns = json_child(index, json_path_string(row, "metric.namespace", ""));

		add_scrapes(json_child(ns, json_path_string(row, "metric.job", "")), row);
	}
	return index;
}

/* One of the answers that a question of several gets: its rows have the label PART. */
static void add_part(struct strbuf *promql, const char *part, const char *expression)
{
	strbuf_addf(promql, "%slabel_replace(%s, \"" PART "\", \"%s\", \"\", \"\")", promql->len > 0 ? " or " : "",
		expression, part);
}

char *question_samples(const json_t *series, const char *metric, const char *trusted)
{
	const struct engine_signal *signal = engine_signal_by_metric(metric);
	auto_free char *value = signal != NULL ? query_for_all(signal->metrics_query) : NULL;
	auto_strbuf youngest = STRBUF_INIT;
	auto_strbuf promql = STRBUF_INIT;
	size_t i;
	json_t *selector;

	strbuf_addstr(&youngest, "max by (namespace, pod) (");
	json_array_foreach((json_t *)series, i, selector) {
		strbuf_addf(&youngest, "%stimestamp(%s)", i > 0 ? " or " : "", json_string_value(selector));
	}
	strbuf_addstr(&youngest, ")");
	add_part(&promql, "time", youngest.buf);
	if (value != NULL) {
		add_part(&promql, "milli", value);
	}
	if (signal == &gpu_utilization && trusted != NULL) {
		auto_free char *source = gpu_record_expr(trusted);
		auto_free char *shared = gpu_shared_expr(trusted);

		add_part(&promql, "source", source);
		add_part(&promql, "shared", shared);
	}
	return query(promql.buf);
}

json_t *question_samples_index(const json_t *answer)
{
	json_t *index = json_object();
	size_t i;
	json_t *row;

	json_array_foreach(json_path(answer, "data.result"), i, row) {
		double now = json_number_value(json_array_get(json_object_get(row, "value"), 0));
		double value = row_value(row);
		const char *part = json_path_string(row, "metric." PART, "");
		json_t *ns = json_child(index, json_path_string(row, "metric.namespace", ""));
		json_t *pod = json_child(ns, json_path_string(row, "metric.pod", ""));
		int64_t milli;

		if (strcmp(part, "time") == 0) {
			json_object_set_new(pod, "age", json_integer((json_int_t)((now - value) * 1000)));
			json_object_set_new(pod, "time", json_integer((json_int_t)(value * 1000)));
		} else if (query_milli(value, &milli)) {
			json_object_set_new(pod, part, json_integer(milli));
		}
	}
	return index;
}

char *question_scrapers(const json_t *series)
{
	auto_strbuf promql = STRBUF_INIT;
	size_t i;
	json_t *selector;

	strbuf_addstr(&promql, "count by (namespace, pod, job) (");
	json_array_foreach((json_t *)series, i, selector) {
		strbuf_addf(&promql, "%s%s", i > 0 ? " or " : "", json_string_value(selector));
	}
	strbuf_addstr(&promql, ")");
	return query(promql.buf);
}

json_t *question_scrapers_index(const json_t *answer)
{
	json_t *index = json_object();
	size_t i;
	json_t *row;

	json_array_foreach(json_path(answer, "data.result"), i, row) {
		json_t *ns = json_child(index, json_path_string(row, "metric.namespace", ""));
		const char *pod = json_path_string(row, "metric.pod", "");

		json_array_append_new(list_under(ns, pod), json_string(json_path_string(row, "metric.job", "")));
	}
	return index;
}

char *question_pool(const char *pool)
{
	struct strbuf target = STRBUF_INIT;

	strbuf_addstr(&target, "/api/v1/targets?state=active&scrapePool=");
	strbuf_add_urlencoded(&target, pool);
	return strbuf_take(&target);
}

json_t *question_pool_index(const json_t *answer)
{
	json_t *index = json_object();
	size_t i;
	json_t *target;

	json_array_foreach(json_path(answer, "data.activeTargets"), i, target) {
		const char *error = json_path_string(target, "lastError", "");

		if (error[0] != '\0') {
			json_t *pool = json_child(index, json_path_string(target, "scrapePool", ""));

			json_object_set_new(pool, json_path_string(target, "labels.pod", ""), reading_text(error));
		}
	}
	return index;
}

/* {__name__=~"a|b"MORE}: any of these names. */
static char *any_of(const json_t *series, const char *more)
{
	struct strbuf selector = STRBUF_INIT;
	size_t i;
	json_t *name;

	strbuf_addstr(&selector, "{__name__=~\"");
	json_array_foreach((json_t *)series, i, name) {
		strbuf_addf(&selector, "%s%s", i > 0 ? "|" : "", json_string_value(name));
	}
	strbuf_addf(&selector, "\"%s}", more);
	return strbuf_take(&selector);
}

/* Adds the counts of the targets' series by job. */
static void add_counts(struct strbuf *promql, const char *part, const char *series, const char *targets)
{
	auto_free char *counts = xasprintf("count by (job) (%s and on (job, instance) %s)", series, targets);

	add_part(promql, part, counts);
}

char *question_exporter(const json_t *series, const char *trusted, const char *targets)
{
	auto_free char *all = any_of(series, "");
	auto_strbuf promql = STRBUF_INIT;

	add_counts(&promql, "trusted", all, trusted);
	add_counts(&promql, "targets", all, targets);
	return query(promql.buf);
}

json_t *question_exporter_index(const json_t *answer)
{
	json_t *index = json_object();
	size_t i;
	json_t *row;

	json_array_foreach(json_path(answer, "data.result"), i, row) {
		json_object_set_new(json_child(index, json_path_string(row, "metric." PART, "")),
			json_path_string(row, "metric.job", ""), json_integer((json_int_t)row_value(row)));
	}
	return index;
}

/* Without honorLabels the workload arrives as exported_pod; with it as pod, a label that is the
 * exporter's own, as its `up` shows, where the GPU serves nobody. */
char *question_workloads(const json_t *series, const char *targets)
{
	auto_free char *exported = any_of(series, ",exported_pod!=\"\"");
	auto_free char *plain = any_of(series, ",exported_pod=\"\",pod!=\"\"");
	auto_free char *promql =
		xasprintf("count((%s or (%s unless on (job, instance, namespace, pod) up)) and on (job, instance) %s)",
			exported, plain, targets);

	return query(promql);
}

json_t *question_workloads_index(const json_t *answer)
{
	return json_integer((json_int_t)row_value(json_array_get(json_path(answer, "data.result"), 0)));
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

char *question_jobs(const json_t *jobs, const char *targets)
{
	auto_strbuf promql = STRBUF_INIT;
	size_t i;
	json_t *job;

	strbuf_addstr(&promql, "count_values by (job) (\"up\", (");
	json_array_foreach((json_t *)jobs, i, job) {
		strbuf_addstr(&promql, i > 0 ? " or up{job=" : "up{job=");
		add_quoted(&promql, json_string_value(job));
		strbuf_addstr(&promql, "}");
	}
	strbuf_addf(&promql, ") and %s)", targets);
	return query(promql.buf);
}

json_t *question_jobs_index(const json_t *answer)
{
	json_t *index = json_object();
	size_t i;
	json_t *row;

	json_array_foreach(json_path(answer, "data.result"), i, row) {
		add_scrapes(json_child(index, json_path_string(row, "metric.job", "")), row);
	}
	return index;
}

char *question_rule(const char *record)
{
	struct strbuf target = STRBUF_INIT;

	strbuf_addstr(&target, "/api/v1/rules?type=record&rule_name%5B%5D=");
	strbuf_add_urlencoded(&target, record);
	return strbuf_take(&target);
}

json_t *question_rule_index(const json_t *answer)
{
	json_t *index = json_object();
	size_t g;
	size_t r;
	json_t *group;
	json_t *rule;

	json_array_foreach(json_path(answer, "data.groups"), g, group) {
		json_array_foreach(json_object_get(group, "rules"), r, rule) {
			const char *name = json_path_string(rule, "name", "");
			const char *error = json_path_string(rule, "lastError", "");

			json_array_append_new(list_under(index, name),
				json_pack("{s:s, s:s, s:s, s:o*}", "file", json_path_string(group, "file", ""),
					"health", json_path_string(rule, "health", "unknown"), "query",
					json_path_string(rule, "query", ""), "lastError",
					error[0] != '\0' ? reading_text(error) : NULL));
		}
	}
	return index;
}
