/* What a page says to its questions is what the metrics queries come to on it, for each engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "engine/page_sieve.h"
#include "loaded_metrics.h"
#include "page_text.h"
#include "serving/questions.h"

/* What the page says to the engine's questions when it comes in pieces. */
static struct figures figures_of(const struct engine *engine, const char *text)
{
	struct questions *questions = questions_of_engine(engine);
	struct page_sieve *sieve = page_sieve_new(questions_page(questions));
	struct figures figures = {.items = NULL};
	struct page *page;

	for (size_t at = 0; text[at] != '\0';) {
		size_t piece = strnlen(text + at, 1447); /* of a TCP segment */

		assert_true(page_sieve_add(sieve, text + at, piece));
		at += piece;
	}
	page = page_sieve_read(sieve, NULL);
	assert_non_null(page);
	assert_int_equal(questions_answer(questions, page, &figures, NULL), 0);
	page_free(page);
	page_sieve_free(sieve);
	questions_unref(questions);
	return figures;
}

/* Compares them with what each query says of the whole page; returns how many have a value. */
static size_t compare(const struct engine *engine, const char *text)
{
	struct figures figures = figures_of(engine, text);
	size_t count = 0;

	for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engine->signals[i].name != NULL; i++) {
		double value;
		int64_t milli = -1;
		bool has = text_query(engine->signals[i].metrics_query, text, &value);

		assert_int_equal(figures_find(&figures, engine->signals[i].metric, &milli), has);
		assert_true(!has || milli == (int64_t)(value * 1000 + 0.5));
		count += has ? 1 : 0;
	}
	assert_int_equal(count, figures.count);
	figures_release(&figures);
	return count;
}

static void each_engines_figures_are_those_of_its_queries(void **state)
{
	static const char *const names[] = {"vllm", "sglang", "tgi", "tensorrt-llm", "triton", "lmdeploy", "nim",
		"llamacpp"};
	const enum standin_generation generations[] = {GENERATION_NEW, GENERATION_OLD};
	struct standin_metrics metrics = loaded_metrics();

	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(names); n++) {
		for (size_t g = 0; g < ARRAY_LEN(generations); g++) {
			auto_strbuf page = STRBUF_INIT;
			size_t count = 0;

			kind_page(&page, kind_find(names[n], generations[g]), &metrics, "gemma");
			for (size_t e = 0; e < engines_count; e++) {
				count += compare(&engines[e], page.buf);
			}
			assert_true(count > 0);
		}
	}
}

static void questions_of_ones_own_are_told_by_their_queries(void **state)
{
	static const char *const metrics[] = {"custom_running"};
	static const char *const queries[] = {"sum(my:running{<<.LabelMatchers>>} >= 0) by (<<.GroupBy>>)"};
	struct questions *one = questions_new(metrics, queries, 1);
	struct questions *other = questions_new(metrics, queries, 1);
	auto_page *page = page_like(questions_page(one));
	struct figures figures = {.items = NULL};
	int64_t milli = 0;

	(void)state;
	assert_string_equal(questions_name(one), questions_name(other));
	assert_int_equal(page_read(page, "my:running{a=\"1\"} 2\nmy:running{a=\"2\"} 0.5\n", NULL), 0);
	assert_int_equal(questions_answer(one, page, &figures, NULL), 0);
	assert_true(figures_find(&figures, "custom_running", &milli));
	assert_int_equal(milli, 2500);
	figures_release(&figures);
	questions_unref(one);
	questions_unref(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_engines_figures_are_those_of_its_queries),
		cmocka_unit_test(questions_of_ones_own_are_told_by_their_queries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
