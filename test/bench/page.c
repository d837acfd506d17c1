/*
 * What metrics pages cost that want to be slow, and a real one, in CPU time of this process.
 *
 * usage: bench-page FILE...: prints {pages: [{page, bytes, ms, engine, values}]}; each FILE is a real page, and
 * of each page the best of some tries counts.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/memory.h"
#include "engine/page.h"
#include "engine/presets.h"
#include "read_page.h"

#define TRIES 5 /* the machine does other things too */
#define RANKS "sglang:num_running_reqs"
#define BUCKETS "vllm:e2e_request_latency_seconds_bucket"
#define RUNNING "vllm:num_requests_running"

static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void measure(json_t *pages, const char *name, const struct strbuf *text, const struct read_page_for *all)
{
	double best = 1e9;
	json_t *row;

	for (int i = 0; i < TRIES; i++) {
		auto_error err = ERROR_INIT;
		struct page_seen seen;
		double begin = cpu_ms();
		bool accepted = read_page(text->buf, all, &seen, &err);

		best = cpu_ms() - begin < best ? cpu_ms() - begin : best;
		row = i + 1 == TRIES ? shape_encode(&shape_page_seen, &seen) : NULL;
		if (row != NULL) {
			json_array_append_new(pages,
				json_pack("{s:s, s:I, s:f, s:b, s:O*, s:O*}", "page", name, "bytes",
					(json_int_t)text->len, "ms", best, "refused", !accepted, "engine",
					json_object_get(row, "engine"), "values", json_path(row, "values.pod")));
		}
		json_decref(row);
		read_page_release(&seen);
	}
}

/* So many times the text as fit into this many bytes. */
static void fill(struct strbuf *page, const char *text, size_t bytes)
{
	while (page->len + strlen(text) <= bytes) {
		strbuf_addstr(page, text);
	}
}

static void fill_page(struct strbuf *page, const char *text)
{
	fill(page, text, PAGE_MAX_BYTES);
}

static void ranks(struct strbuf *page)
{
	for (int rank = 0; rank < 4096; rank++) {
		strbuf_addf(page,
			RANKS
			"{a=\"1\",b=\"2\",c=\"3\",d=\"4\",e=\"5\",f=\"6\",g=\"7\",h=\"8\",i=\"9\",dp_rank=\"%d\"} 1\n",
			rank);
	}
}

static void newlines(struct strbuf *page)
{
	fill(page, "\n", 4 * PAGE_MAX_BYTES);
}

static void huge_label_value(struct strbuf *page)
{
	strbuf_addstr(page, RANKS "{dp_rank=\"");
	fill(page, "x", PAGE_MAX_BYTES - 5);
	strbuf_addstr(page, "\"} 1\n");
}

static void tiny_samples(struct strbuf *page)
{
	fill_page(page, "x 1\n");
}

static void type_lines(struct strbuf *page)
{
	fill_page(page, "# TYPE " RUNNING " gauge\n");
}

static void escapes(struct strbuf *page)
{
	strbuf_addstr(page, RUNNING "{a=\"");
	fill(page, "\\\\\\\"\\n", PAGE_MAX_BYTES - 5);
	strbuf_addstr(page, "\"} 1\n");
}

static void no_newline(struct strbuf *page)
{
	strbuf_addstr(page, RUNNING);
	fill_page(page, "{} ");
}

/* Of each engine's series as many samples as are read, in turn, until the page is full to its last byte. */
static void wanted_to_the_limit(struct strbuf *page)
{
	for (int sample = 0; sample < PAGE_SAMPLES_MAX / 2; sample++) {
		for (size_t e = 0; e < engines_count; e++) {
			const char *series = engines[e].signals[0].series[0];

			if (strchr(series, '{') == NULL) {
				strbuf_addf(page, "%s{model_name=\"a\",dp_rank=\"%d\"} 1\n", series, sample);
			}
		}
	}
	fill_page(page, "#");
}

static void no_numbers(struct strbuf *page)
{
	static const char *const values[] = {"NaN", "+Inf", "-Inf", "1e309", "-1e-400"};

	for (int sample = 0; sample < PAGE_SAMPLES_MAX; sample++) {
		strbuf_addf(page, RUNNING "{engine=\"%d\"} %s\n", sample, values[sample % (int)ARRAY_LEN(values)]);
	}
	fill_page(page, "y NaN\n");
}

static void buckets(struct strbuf *page)
{
	strbuf_addstr(page, RUNNING " 1\n");
	for (int bucket = 0; bucket < 1000; bucket++) {
		strbuf_addf(page, BUCKETS "{le=\"%d.5\"} %d\n", bucket, bucket);
	}
	strbuf_addstr(page, BUCKETS "{le=\"+Inf\"} 1000\n");
}

static void crlf(struct strbuf *page)
{
	for (int sample = 0; sample < PAGE_SAMPLES_MAX; sample++) {
		strbuf_addf(page, RUNNING "{engine=\"%d\"} 1\r\n", sample);
	}
	fill_page(page, "z 1\r\n");
}

static void duplicates(struct strbuf *page)
{
	fill_page(page, RUNNING "{engine=\"0\",model_name=\"tiny\"} 8.0\n");
}

/* Each byte but NUL, which ends a page. */
static void binary(struct strbuf *page)
{
	char bytes[256];

	for (int i = 0; i < 255; i++) {
		bytes[i] = (char)(255 - i);
	}
	bytes[255] = '\0';
	fill_page(page, bytes);
}

static const struct {
	const char *name;
	void (*write)(struct strbuf *page);
} hostile[] = {
	{"4096 ranks of 10 labels", ranks},
	{"4 MiB of newlines", newlines},
	{"one huge label value", huge_label_value},
	{"many tiny samples", tiny_samples},
	{"many TYPE lines", type_lines},
	{"deep escapes", escapes},
	{"no newline at all", no_newline},
	{"1 MiB of wanted series", wanted_to_the_limit},
	{"NaN and Inf", no_numbers},
	{"1000 buckets", buckets},
	{"CRLF", crlf},
	{"one series again and again", duplicates},
	{"binary bytes", binary},
};

int main(int argc, char **argv)
{
	struct read_page_for all;
	json_t *pages = json_array();
	json_t *document;

	read_page_for_init(&all);
	for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
		auto_strbuf text = STRBUF_INIT;

		hostile[i].write(&text);
		measure(pages, hostile[i].name, &text, &all);
	}
	for (int i = 1; i < argc; i++) {
		auto_strbuf text = read_file(argv[i]);
		const char *slash = strrchr(argv[i], '/');

		measure(pages, slash != NULL ? slash + 1 : argv[i], &text, &all);
	}
	document = json_pack("{s:o}", "pages", pages);
	json_dumpf(document, stdout, JSON_INDENT(2));
	json_decref(document);
	read_page_for_free(&all);
	return 0;
}
