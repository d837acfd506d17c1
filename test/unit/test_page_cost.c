/* What the worst pages cost, in CPU time of this process, and that those beyond a limit are refused in words: pages
 * are gone through on the loop that renews the Lease. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "engine/page.h"
#include "probe/reading.h"

/* A release's bound, and for builds that are slower some of that: still far below what a page costs when each sample
 * is compared with each other one, or when the page is gone through for each name. */
#if defined(__SANITIZE_ADDRESS__)
#define COST_MAX_MS 600
#elif !defined(__OPTIMIZE__)
#define COST_MAX_MS 150
#else
#define COST_MAX_MS 20
#endif
#define TRIES 3 /* the machine does other things too: the best one counts */

#define SGLANG "sglang:num_running_reqs"

static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* All that is done with a page, for all signals of all engines, as JSON with the values of its pod; NULL when it is
 * refused. */
static json_t *read_all(const char *text, const struct probe_request *request, const struct texts *wanted,
	struct error *err)
{
	auto_page *page = page_of_engines(text, err);
	struct page_seen seen;
	struct page_values *values;
	json_t *document;

	if (page == NULL) {
		return NULL;
	}
	shape_clear(&shape_page_seen, &seen);
	reading_page(page, wanted, &seen);
	values = shape_add(&shape_page_values, &seen.values);
	values->pod = xstrdup("p");
	reading_page_values(page, request, values);
	document = shape_encode(&shape_page_seen, &seen);
	json_object_set(document, "values", json_path(document, "values.p"));
	shape_release(&shape_page_seen, &seen);
	return document;
}

/* NULL when it is refused, with these words. */
static json_t *read_in_time(const char *what, const struct strbuf *text, const char *refusal)
{
	struct probe_request *request = probe_request_new();
	struct texts wanted = {NULL, 0};
	json_t *document = NULL;
	double best = 1e9;

	assert_true(text->len <= PAGE_MAX_BYTES);
	for (size_t e = 0; e < engines_count; e++) {
		for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engines[e].signals[i].name != NULL; i++) {
			const struct engine_signal *signal = &engines[e].signals[i];

			probe_request_add_signal(request, signal->name, signal->metric, true);
			texts_add(&wanted, signal->series[0]);
		}
	}
	for (int i = 0; i < TRIES; i++) {
		auto_error err = ERROR_INIT;
		double start = cpu_ms();

		json_decref(document);
		document = read_all(text->buf, request, &wanted, &err);
		best = cpu_ms() - start < best ? cpu_ms() - start : best;
		assert_int_equal(document == NULL, refusal != NULL);
		if (refusal != NULL) {
			assert_string_equal(err.message, refusal);
		}
	}
	printf("%-44s %4zu KiB: %6.2f ms of CPU\n", what, text->len / 1024, best);
	probe_request_unref(request);
	texts_release(&wanted);
	if (best > COST_MAX_MS) {
		fail_msg("%s: %.1f ms of CPU, more than %d", what, best, COST_MAX_MS);
	}
	return document;
}

static json_int_t value_of(const json_t *document, const char *metric)
{
	const json_t *value = json_object_get(json_object_get(document, "values"), metric);

	return value != NULL ? json_integer_value(value) : -1;
}

/* So many times the text, as many as fit on a page. */
static void fill(struct strbuf *page, const char *text)
{
	while (page->len + strlen(text) <= PAGE_MAX_BYTES) {
		strbuf_addstr(page, text);
	}
}

static void add_ranks(struct strbuf *page, int count, int labels, const char *padding)
{
	for (int i = 0; i < count; i++) {
		strbuf_addstr(page, SGLANG "{");
		for (int l = 0; l < labels; l++) {
			strbuf_addf(page, "a=\"%s\",", padding);
		}
		strbuf_addf(page, "dp_rank=\"%d\"} 1\n", i);
	}
}

static void what_fills_a_page_is_passed_over_in_time(void **state)
{
	static const char *const pieces[] = {"\n", "{", "\"", "\\", "#", " ", "x", "x\n", "x 1\n", "x{a=\"\"} 1\n",
		"# TYPE ", "# TYPE x gauge\n", "\r\n", SGLANG "\n", SGLANG " ", SGLANG "{", SGLANG "{\n",
		SGLANG "{a=\"\n", SGLANG "{a=\"\\\n", SGLANG "{} x\n", SGLANG "X 1\n", "sglang:num_running_reqX 1\n"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		auto_strbuf page = STRBUF_INIT;
		json_t *document;

		fill(&page, pieces[i]);
		document = read_in_time(pieces[i], &page, NULL);
		assert_null(json_object_get(document, "engine"));
		json_decref(document);
	}
}

static void one_line_may_be_a_whole_page(void **state)
{
	static const struct {
		const char *begin, *piece;
	} lines[] = {{SGLANG "{a=\"", "\\\""}, {SGLANG "{a=\"", "x"}, {SGLANG " 1", "0"}, {SGLANG " 0.", "0"},
		{SGLANG " 0x", "f"}, {SGLANG " nan(", "1"}, {SGLANG " ", "\t"}, {SGLANG "{", "a"}, {SGLANG "{", ","},
		{SGLANG "{a", " "}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		auto_strbuf page = STRBUF_INIT;
		json_t *document;

		strbuf_addstr(&page, lines[i].begin);
		fill(&page, lines[i].piece);
		document = read_in_time(lines[i].begin, &page, NULL);
		assert_null(json_object_get(document, "engine"));
		json_decref(document);
	}
}

static void as_many_samples_as_are_read_count(void **state)
{
	static char padding[800];
	auto_strbuf small = STRBUF_INIT;
	auto_strbuf labelled = STRBUF_INIT;
	auto_strbuf alike = STRBUF_INIT;
	json_t *document;

	(void)state;
	memset(padding, 'x', sizeof(padding) - 1);
	add_ranks(&small, PAGE_SAMPLES_MAX, 0, "");
	document = read_in_time("ranks", &small, NULL);
	assert_int_equal(value_of(document, "sglang_num_requests_running"), PAGE_SAMPLES_MAX * 1000);
	json_decref(document);
	add_ranks(&labelled, PAGE_SAMPLES_MAX, PAGE_LABELS_MAX - 1, "");
	document = read_in_time("ranks with all labels", &labelled, NULL);
	assert_int_equal(value_of(document, "sglang_num_requests_running"), PAGE_SAMPLES_MAX * 1000);
	json_decref(document);
	for (int i = 0; i < PAGE_SAMPLES_MAX; i++) {
		strbuf_addf(&alike, SGLANG "{dp_rank=\"%s%d\"} 1\n", padding, i);
	}
	document = read_in_time("ranks of names that are long and alike", &alike, NULL);
	assert_int_equal(value_of(document, "sglang_num_requests_running"), PAGE_SAMPLES_MAX * 1000);
	json_decref(document);
}

static void more_samples_or_labels_are_refused(void **state)
{
	auto_strbuf samples = STRBUF_INIT;
	auto_strbuf many = STRBUF_INIT;
	auto_strbuf labels = STRBUF_INIT;

	(void)state;
	add_ranks(&samples, PAGE_SAMPLES_MAX + 1, 0, "");
	read_in_time("one rank too many", &samples,
		"has more than 1024 samples of 'sglang:num_running_reqs', the most that are read: let the engine report it "
		"with fewer labels");
	add_ranks(&many, 4096, 10, "");
	read_in_time("4096 ranks", &many,
		"has more than 1024 samples of 'sglang:num_running_reqs', the most that are read: let the engine report it "
		"with fewer labels");
	add_ranks(&labels, 1, PAGE_LABELS_MAX, "");
	read_in_time("one label too many", &labels,
		"has a sample of 'sglang:num_running_reqs' with more than 64 labels, the most that are read: let the engine "
		"write fewer");
}

/* The signals' value counts, whatever the histogram is. */
static void too_many_buckets_are_no_histogram(void **state)
{
	static const struct {
		const char *what, *labels;
		int count;
		bool histogram;
	} rows[] = {{"buckets of one bound", "le=\"1\"", PAGE_BUCKETS_MAX - 1, true},
		{"one bucket too many", "le=\"1\"", PAGE_BUCKETS_MAX, false},
		{"buckets until the page is full", "le=\"1\"", 15000, false},
		{"buckets of many ranks", "engine=\"%d\",le=\"1\"", PAGE_BUCKETS_MAX - 1, true},
		{"buckets of many bounds", "le=\"%d\"", PAGE_BUCKETS_MAX - 1, false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_strbuf page = STRBUF_INIT;
		json_t *document;

		strbuf_addstr(&page, "vllm:num_requests_running 3\n");
		for (int b = 0; b < rows[i].count; b++) {
			const char *number = strstr(rows[i].labels, "%d");

			strbuf_addf(&page, "vllm:e2e_request_latency_seconds_bucket{%.*s",
				(int)(number != NULL ? (size_t)(number - rows[i].labels) : strlen(rows[i].labels)),
				rows[i].labels);
			if (number != NULL) {
				strbuf_addf(&page, "%d%s", b, number + 2);
			}
			strbuf_addstr(&page, "} 1\n");
		}
		strbuf_addf(&page, "vllm:e2e_request_latency_seconds_bucket{le=\"+Inf\"} %d\n", rows[i].count);
		document = read_in_time(rows[i].what, &page, NULL);
		assert_int_equal(value_of(document, "vllm_num_requests_running"), 3000);
		assert_int_equal(json_object_get(document, "latency") != NULL, rows[i].histogram);
		json_decref(document);
	}
}

static void a_page_of_all_engines_is_read_once(void **state)
{
	auto_strbuf page = STRBUF_INIT;
	json_t *document;

	(void)state;
	/* two signals of an engine may have the same series */
	for (int sample = 0; sample < PAGE_SAMPLES_MAX / 2; sample++) {
		for (size_t e = 0; e < engines_count; e++) {
			for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engines[e].signals[i].name != NULL; i++) {
				const char *series = engines[e].signals[i].series[0];

				if (strchr(series, '{') == NULL) {
					strbuf_addf(&page, "%s{a=\"b\",dp_rank=\"%d\"} 1\n", series, sample);
				}
			}
		}
	}
	document = read_in_time("all series of all engines", &page, NULL);
	assert_string_equal(json_string_value(json_object_get(document, "engine")), "VLLM");
	assert_true(value_of(document, "sglang_num_requests_running") > 0);
	json_decref(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fills_a_page_is_passed_over_in_time),
		cmocka_unit_test(one_line_may_be_a_whole_page),
		cmocka_unit_test(as_many_samples_as_are_read_count),
		cmocka_unit_test(more_samples_or_labels_are_refused),
		cmocka_unit_test(too_many_buckets_are_no_histogram),
		cmocka_unit_test(a_page_of_all_engines_is_read_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
