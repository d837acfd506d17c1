/* The values at each hop: gathered, and as a table. */
#include "report/values.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/quantity.h"
#include "engine/presets.h"

#define ROWS_MAX 20
#define COLUMNS 5
#define INDENT "          "
#define MINUTE_MS 60000
#define BY_HPA "; the metrics API was read by it, not by the operator"

/* MILLI_NONE leaves it out. */
static void set_value(json_t *row, const char *key, int64_t milli)
{
	if (milli != MILLI_NONE) {
		auto_free char *text = quantity_plain_milli(milli);

		json_object_set_new(row, key, json_string(text));
	}
}

/* The pod's row among the rows by pod, made when there is none. Borrowed. */
static json_t *row_of(json_t *rows, const char *pod)
{
	json_t *row = json_object_get(rows, pod);

	if (row == NULL) {
		row = json_pack("{s:s}", "pod", pod);
		json_object_set_new(rows, pod, row);
	}
	return row;
}

static void add_page(json_t *rows, const struct page_seen *page, const char *metric)
{
	for (size_t i = 0; i < page->values.count; i++) {
		const struct page_values *values = &page->values.items[i];
		const struct metric_value *value = shape_find(&shape_metric_value, &values->values, metric);

		set_value(row_of(rows, values->pod), "page", value != NULL ? value->milli : MILLI_NONE);
	}
}

static void add_samples(json_t *rows, const struct series_seen *series)
{
	for (size_t i = 0; i < series->samples.count; i++) {
		const struct sample *sample = &series->samples.items[i];
		bool recorded = sample->source != MILLI_NONE;
		json_t *row = row_of(rows, sample->pod);

		set_value(row, "prometheus", recorded ? sample->source : sample->milli);
		set_value(row, "recorded", recorded ? sample->milli : MILLI_NONE);
		json_object_set_new(row, "ageMs", json_integer(sample->age_ms));
	}
}

static void add_served(json_t *rows, const struct metric_seen *metric)
{
	for (size_t i = 0; i < metric->values.count; i++) {
		set_value(row_of(rows, metric->values.items[i].pod), "served", metric->values.items[i].milli);
	}
}

/* When it was; 0 leaves it out. */
static void set_time(json_t *item, const char *key, int64_t at_ms)
{
	if (at_ms > 0) {
		auto_free char *text = clock_rfc3339(at_ms);

		json_object_set_new(item, key, json_string(text));
	}
}

/* When the hops were read that are not read at each probe, and by whom. */
static void add_reading(json_t *item, const struct evidence *evidence, const struct signal_request *signal)
{
	const struct signal_seen *seen = evidence_find_signal(evidence, signal->metric);

	if (signal->page && evidence->page.values.count > 0) {
		set_time(item, "pageReadAt", evidence->page.seen_ms);
	}
	if (seen == NULL) {
		return;
	}
	if (seen->value.by_hpa) {
		json_object_set_new(item, "servedByHpa", json_true());
	} else if (seen->value.values.count > 0) {
		set_time(item, "servedReadAt", seen->value.seen_ms);
	}
}

/* By name; new reference. */
static json_t *pod_rows(const struct evidence *evidence, const struct signal_request *signal)
{
	const struct signal_seen *seen = evidence_find_signal(evidence, signal->metric);
	auto_json *rows = json_object();
	auto_json *names = NULL;
	json_t *sorted = json_array();
	size_t i;
	json_t *name;

	if (signal->page) {
		add_page(rows, &evidence->page, signal->metric);
	}
	if (seen != NULL) {
		if (!evidence->asked->direct) {
			add_samples(rows, &seen->series);
		}
		add_served(rows, &seen->value);
	}
	names = json_sorted_keys(rows);
	json_array_foreach(names, i, name) {
		json_array_append(sorted, json_object_get(rows, json_string_value(name)));
	}
	return sorted;
}

json_t *values_make(const struct evidence *evidence, const struct view_hpa *hpa)
{
	const struct probe_request *asked = evidence != NULL ? evidence->asked : NULL;
	json_t *values = json_array();

	for (size_t i = 0; asked != NULL && i < asked->signals.count; i++) {
		const struct signal_request *signal = &asked->signals.items[i];
		json_t *item = json_pack("{s:s, s:b, s:o}", "metric", signal->metric, "percent",
			engine_metric_is_percent(signal->metric), "pods", pod_rows(evidence, signal));

		if (asked->direct) {
			json_object_set_new(item, "direct", json_true());
		}
		add_reading(item, evidence, signal);
		set_value(item, "hpa", view_hpa_average_of(hpa, signal->metric));
		json_array_append_new(values, item);
	}
	return values;
}

/* One table's cells; heap strings, NULL where a row has no such column. */
struct table {
	char *cells[ROWS_MAX + 1][COLUMNS];
	size_t rows;
};

static char *cell(const json_t *row, const char *key, bool percent)
{
	const char *value = json_path_string(row, key, NULL);

	return value != NULL ? xasprintf("%s%s", value, percent ? " %" : "") : xstrdup("-");
}

/* Names come from strangers' servers too: nothing in one may command the terminal. */
static char *name_cell(const json_t *row)
{
	char *name = xstrdup(json_path_string(row, "pod", ""));

	for (char *c = name; *c != '\0'; c++) {
		*c = *c > ' ' && *c <= '~' ? *c : '?';
	}
	return name;
}

static char *aged_cell(const json_t *row, const char *key, bool percent)
{
	auto_free char *value = cell(row, key, percent);

	if (json_object_get(row, key) == NULL || json_object_get(row, "ageMs") == NULL) {
		return xstrdup(value);
	}
	return xasprintf("%s, %lld s old", value, (long long)json_path_int(row, "ageMs", 0) / 1000);
}

static bool has_column(const json_t *pods, const char *key)
{
	size_t i;
	json_t *row;

	json_array_foreach((json_t *)pods, i, row) {
		if (json_object_get(row, key) != NULL) {
			return true;
		}
	}
	return false;
}

/* "PAGE, read 4m ago"; heap. */
static char *head_cell(const char *name, const json_t *item, const char *key, int64_t now_ms)
{
	const char *at = json_path_string(item, key, NULL);
	int64_t age_ms = at != NULL ? now_ms - clock_parse_rfc3339(at) : 0;

	return age_ms > MINUTE_MS ? xasprintf("%s, read %lldm ago", name, (long long)(age_ms / MINUTE_MS))
	                          : xstrdup(name);
}

static void fill(struct table *table, const json_t *item, bool percent, int64_t now_ms)
{
	const json_t *pods = json_object_get(item, "pods");
	bool page = has_column(pods, "page");
	bool recorded = has_column(pods, "recorded");
	bool direct = json_path_bool(item, "direct", false);
	char **head = table->cells[table->rows++];
	size_t i;
	json_t *row;

	head[0] = xstrdup("POD");
	head[1] = page ? head_cell("PAGE", item, "pageReadAt", now_ms) : NULL;
	head[2] = direct ? NULL : xstrdup("PROMETHEUS");
	head[3] = recorded ? xstrdup("RECORDED") : NULL;
	head[4] = head_cell("METRICS API", item, "servedReadAt", now_ms);
	json_array_foreach((json_t *)pods, i, row) {
		char **cells;

		if (i == ROWS_MAX) {
			break;
		}
		cells = table->cells[table->rows++];
		cells[0] = name_cell(row);
		cells[1] = page ? cell(row, "page", percent) : NULL;
		cells[2] = direct     ? NULL
		           : recorded ? cell(row, "prometheus", percent)
		                      : aged_cell(row, "prometheus", percent);
		cells[3] = recorded ? aged_cell(row, "recorded", percent) : NULL;
		cells[4] = cell(row, "served", percent);
	}
}

static size_t width(const struct table *table, size_t column)
{
	size_t widest = 0;

	for (size_t r = 0; r < table->rows; r++) {
		size_t len = table->cells[r][column] != NULL ? strlen(table->cells[r][column]) : 0;

		widest = len > widest ? len : widest;
	}
	return widest;
}

static void print(struct strbuf *text, struct table *table)
{
	int widths[COLUMNS];

	for (size_t c = 0; c < COLUMNS; c++) {
		widths[c] = (int)width(table, c);
	}
	for (size_t r = 0; r < table->rows; r++) {
		strbuf_addstr(text, INDENT);
		for (size_t c = 0; c < COLUMNS; c++) {
			if (table->cells[r][c] != NULL) {
				strbuf_addf(text, "%-*s%s", c + 1 < COLUMNS ? widths[c] : 0, table->cells[r][c],
					c + 1 < COLUMNS ? "  " : "\n");
			}
			free_indirect(&table->cells[r][c]);
		}
	}
}

void values_text(struct strbuf *text, const json_t *values, const char *metric, int64_t now_ms)
{
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)values, i, item) {
		const json_t *pods = json_object_get(item, "pods");
		const char *hpa = json_path_string(item, "hpa", NULL);
		bool percent = json_path_bool(item, "percent", false);
		struct table table = {.rows = 0};

		if (strcmp(json_path_string(item, "metric", ""), metric) != 0 || json_array_size(pods) == 0) {
			continue;
		}
		fill(&table, item, percent, now_ms);
		print(text, &table);
		if (json_array_size(pods) > ROWS_MAX) {
			strbuf_addf(text, INDENT "and %zu pods more\n", json_array_size(pods) - ROWS_MAX);
		}
		if (hpa != NULL) {
			strbuf_addf(text, INDENT "the HPA's average is %s%s%s\n", hpa, percent ? " %" : "",
				json_path_bool(item, "servedByHpa", false) ? BY_HPA : "");
		}
	}
}
