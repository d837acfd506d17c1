/* What is read of each question's answer. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "engine/query.h"
#include "evidence/evidence.h"
#include "question.h"
#include "reading.h"

/* A value of an instant vector's row as a number; 0 when it has none. */
static double row_value(const json_t *row)
{
	const char *text = json_string_value(json_array_get(json_object_get(row, "value"), 1));

	return text != NULL ? strtod(text, NULL) : 0;
}

/* A text of the element; "" when there is none. */
static const char *text_at(struct table_rows *rows, const json_t *element, const char *path)
{
	return table_text(rows, json_path_string(element, path, ""));
}

/* Scrapes, counted by their value of `up`. */

static void read_scrapes(struct table_rows *rows, const json_t *element)
{
	bool up = strcmp(json_path_string(element, "metric.up", ""), "1") == 0;
	int64_t count = (int64_t)row_value(element);
	struct scrapes_row *row = table_row_add(rows);

	row->ns = text_at(rows, element, "metric.namespace");
	row->job = text_at(rows, element, "metric.job");
	row->up = up ? count : 0;
	row->down = up ? 0 : count;
}

static void merge_scrapes(void *row, const void *other)
{
	struct scrapes_row *sum = row;
	const struct scrapes_row *more = other;

	sum->up += more->up;
	sum->down += more->down;
}

static const struct table_type scrapes_rows = {sizeof(struct scrapes_row), 2, 2, merge_scrapes};
const struct answer_type answer_scrapes = {"result", &scrapes_rows, read_scrapes, true};
const struct answer_type answer_jobs = {"result", &scrapes_rows, read_scrapes, false};

bool answer_scrapes_differ(const struct table *before, const struct table *now, const char *ns, const char *job)
{
	size_t count;
	const struct scrapes_row *then;
	const struct scrapes_row *own;

	if (before == NULL || now == NULL || job == NULL) {
		return true;
	}
	then = table_find(before, ns, job, &count);
	own = table_find(now, ns, job, &count);
	if (then == NULL || own == NULL) {
		return then != own;
	}
	return then->up != own->up || then->down != own->down;
}

/* Samples, of which each element tells a part. */

static void read_sample(struct table_rows *rows, const json_t *element)
{
	double now = json_number_value(json_array_get(json_object_get(element, "value"), 0));
	double value = row_value(element);
	const char *part = json_path_string(element, "metric.part", "");
	struct sample_row *row = table_row_add(rows);
	int64_t milli;

	row->ns = text_at(rows, element, "metric.namespace");
	row->pod = text_at(rows, element, "metric.pod");
	row->time_ms = -1;
	row->milli = row->source = MILLI_NONE;
	if (strcmp(part, "time") == 0) {
		row->age_ms = (int64_t)((now - value) * 1000);
		row->time_ms = (int64_t)(value * 1000);
	} else if (query_milli(value, &milli)) {
		row->milli = strcmp(part, "milli") == 0 ? milli : MILLI_NONE;
		row->source = strcmp(part, "source") == 0 ? milli : MILLI_NONE;
		row->shared = strcmp(part, "shared") == 0;
	}
}

static void merge_samples(void *row, const void *other)
{
	struct sample_row *whole = row;
	const struct sample_row *part = other;

	if (part->time_ms >= 0) {
		whole->age_ms = part->age_ms;
		whole->time_ms = part->time_ms;
	}
	whole->milli = part->milli != MILLI_NONE ? part->milli : whole->milli;
	whole->source = part->source != MILLI_NONE ? part->source : whole->source;
	whole->shared = whole->shared || part->shared;
}

static const struct table_type sample_rows = {sizeof(struct sample_row), 2, 2, merge_samples};
const struct answer_type answer_samples = {"result", &sample_rows, read_sample, false};

static void read_scraper(struct table_rows *rows, const json_t *element)
{
	struct scraper_row *row = table_row_add(rows);

	row->ns = text_at(rows, element, "metric.namespace");
	row->pod = text_at(rows, element, "metric.pod");
	row->job = text_at(rows, element, "metric.job");
}

static const struct table_type scraper_rows = {sizeof(struct scraper_row), 3, 3, NULL};
const struct answer_type answer_scrapers = {"result", &scraper_rows, read_scraper, false};

/* Prometheus quotes what it cannot read, of any length. */
static const char *error_at(struct table_rows *rows, const json_t *element)
{
	auto_free char *error = reading_text(json_path_string(element, "lastError", ""));

	return error[0] != '\0' ? table_text(rows, error) : NULL;
}

static void read_target(struct table_rows *rows, const json_t *element)
{
	const char *error = error_at(rows, element);
	struct target_row *row;

	if (error != NULL) {
		row = table_row_add(rows);
		row->pool = text_at(rows, element, "scrapePool");
		row->pod = text_at(rows, element, "labels.pod");
		row->error = error;
	}
}

static const struct table_type target_rows = {sizeof(struct target_row), 3, 3, NULL};
const struct answer_type answer_pool = {"activeTargets", &target_rows, read_target, false};

static void read_count(struct table_rows *rows, const json_t *element)
{
	struct count_row *row = table_row_add(rows);

	row->part = text_at(rows, element, "metric.part");
	row->job = text_at(rows, element, "metric.job");
	row->count = (int64_t)row_value(element);
}

static const struct table_type count_rows = {sizeof(struct count_row), 2, 2, NULL};
const struct answer_type answer_exporter = {"result", &count_rows, read_count, false};
const struct answer_type answer_workloads = {"result", &count_rows, read_count, false};

static enum rule_health health_of(const char *word)
{
	return strcmp(word, "ok") == 0    ? RULE_HEALTH_OK
	       : strcmp(word, "err") == 0 ? RULE_HEALTH_ERR
	                                  : RULE_HEALTH_UNKNOWN;
}

static void read_group(struct table_rows *rows, const json_t *element)
{
	size_t i;
	json_t *rule;

	json_array_foreach(json_path(element, "rules"), i, rule) {
		struct rule_row *row = table_row_add(rows);

		row->name = text_at(rows, rule, "name");
		row->file = text_at(rows, element, "file");
		row->query = text_at(rows, rule, "query");
		row->last_error = error_at(rows, rule);
		row->health = health_of(json_path_string(rule, "health", ""));
	}
}

static const struct table_type rule_rows = {sizeof(struct rule_row), 4, 3, NULL};
const struct answer_type answer_rule = {"groups", &rule_rows, read_group, true};
