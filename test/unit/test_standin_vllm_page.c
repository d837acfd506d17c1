/* The stand-in's /metrics page has the families, types and labels of the pages captured from vLLM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "standin/vllm_page.h"

static char *read_fixture(const char *name)
{
	auto_free char *path = xasprintf("%s/fixtures/%s", TEST_DIR, name);
	FILE *file = fopen(path, "r");
	struct strbuf text = STRBUF_INIT;
	char buf[4096];
	size_t len;

	if (file == NULL) {
		fail_msg("cannot open '%s'", path);
	}
	while ((len = fread(buf, 1, sizeof(buf), file)) > 0) {
		strbuf_add(&text, buf, len);
	}
	fclose(file);
	return strbuf_take(&text);
}

static char *make_page(const struct standin_metrics *metrics, enum standin_generation generation)
{
	struct strbuf page = STRBUF_INIT;

	vllm_page(&page, metrics, "tiny", generation);
	return strbuf_take(&page);
}

/*
 * What of a line has to agree: a HELP or TYPE line whole; of a sample its name and labels with their
 * values, for the model has the same name in both. Not the value.
 */
static char *shape_of(const char *line, size_t len)
{
	const char *brace;

	if (line[0] == '#') {
		return len > 7 && strncmp(line + 7, "vllm:", 5) == 0 ? xstrndup(line, len) : NULL;
	}
	if (strncmp(line, "vllm:", 5) != 0) {
		return NULL;
	}
	brace = memchr(line, '}', len);
	assert_non_null(brace);
	/* The configuration's values are the machine's own. */
	if (strncmp(line, "vllm:cache_config_info{", 23) == 0) {
		struct strbuf names = STRBUF_INIT;
		int inside = 0;

		for (const char *p = line; p < brace; p++) {
			if (*p == '"') {
				inside = !inside;
			} else if (!inside) {
				strbuf_addch(&names, *p);
			}
		}
		return strbuf_take(&names);
	}
	return xstrndup(line, (size_t)(brace - line) + 1);
}

static void collect_shapes(struct map *shapes, const char *page)
{
	map_init(shapes, NULL);
	while (*page) {
		size_t len = strcspn(page, "\n");
		auto_free char *shape = shape_of(page, len);

		if (shape != NULL) {
			map_put(shapes, shape, shapes);
		}
		page += len + (page[len] == '\n');
	}
}

/* How many of `these` are not among `those`; each is printed. */
static int count_missing(const struct map *these, const struct map *those, const char *complaint)
{
	const char *key;
	size_t pos = 0;
	int missing = 0;

	while (map_next(these, &pos, &key, NULL)) {
		if (map_has(those, key)) {
			continue;
		}
		print_error("%s: %s\n", complaint, key);
		missing++;
	}
	return missing;
}

static void compare_with(const char *fixture)
{
	auto_free char *captured = read_fixture(fixture);
	struct standin_metrics metrics;
	auto_free char *page = NULL;
	struct map wanted, got;
	int missing, surplus;
	size_t count;

	standin_metrics_init(&metrics, 1795478506.25);
	page = make_page(&metrics, GENERATION_NEW);
	collect_shapes(&wanted, captured);
	collect_shapes(&got, page);
	count = map_count(&wanted);
	missing = count_missing(&wanted, &got, "the stand-in lacks");
	surplus = count_missing(&got, &wanted, "vLLM has no");
	map_release(&wanted);
	map_release(&got);
	assert_true(count > 400); /* the fixture is there and was understood */
	assert_int_equal(missing, 0);
	assert_int_equal(surplus, 0);
}

static void page_is_vllms_when_idle(void **state)
{
	(void)state;
	compare_with("vllm-0.32.0-idle.txt");
}

static void page_is_vllms_under_load(void **state)
{
	(void)state;
	compare_with("vllm-0.32.0-load.txt");
}

static void values_are_shown(void **state)
{
	static const char *const lines[] = {
		"\nvllm:num_requests_running{engine=\"0\",model_name=\"tiny\"} 8.0\n",
		"\nvllm:num_requests_waiting{engine=\"0\",model_name=\"tiny\"} 22.0\n",
		"\nvllm:num_requests_waiting_by_reason{engine=\"0\",model_name=\"tiny\",reason=\"capacity\"} 22.0\n",
		"\nvllm:num_requests_waiting_by_reason{engine=\"0\",model_name=\"tiny\",reason=\"deferred\"} 0.0\n",
		"\nvllm:engine_sleep_state{engine=\"0\",model_name=\"tiny\",sleep_state=\"awake\"} 1.0\n",
		"\nvllm:engine_sleep_state{engine=\"0\",model_name=\"tiny\",sleep_state=\"discard_all\"} 0.0\n",
		"\nvllm:kv_cache_usage_perc{engine=\"0\",model_name=\"tiny\"} 0.25\n",
		"\nvllm:request_success_total{engine=\"0\",finished_reason=\"length\",model_name=\"tiny\"} 3.0\n",
		"\nvllm:request_success_created{engine=\"0\",finished_reason=\"stop\",model_name=\"tiny\"} 1795478506.25\n",
		"\nvllm:e2e_request_latency_seconds_bucket{engine=\"0\",le=\"1.5\",model_name=\"tiny\"} 0.0\n",
		"\nvllm:e2e_request_latency_seconds_bucket{engine=\"0\",le=\"2.0\",model_name=\"tiny\"} 1.0\n",
		"\nvllm:e2e_request_latency_seconds_bucket{engine=\"0\",le=\"2.5\",model_name=\"tiny\"} 2.0\n",
		"\nvllm:e2e_request_latency_seconds_bucket{engine=\"0\",le=\"+Inf\",model_name=\"tiny\"} 3.0\n",
		"\nvllm:e2e_request_latency_seconds_count{engine=\"0\",model_name=\"tiny\"} 3.0\n",
		"\nvllm:e2e_request_latency_seconds_sum{engine=\"0\",model_name=\"tiny\"} 9004.25\n",
	};
	struct standin_metrics metrics;
	auto_free char *page = NULL;

	(void)state;
	standin_metrics_init(&metrics, 1795478506.25);
	metrics.value[VALUE_RUNNING] = 8;
	metrics.value[VALUE_WAITING] = 22;
	metrics.value[VALUE_WAITING_CAPACITY] = 22;
	metrics.value[VALUE_CACHE_USAGE] = 0.25;
	metrics.value[VALUE_SUCCESS_LENGTH] = 3;
	standin_metrics_observe(&metrics, DISTRIBUTION_E2E, 2);
	standin_metrics_observe(&metrics, DISTRIBUTION_E2E, 2.25);
	standin_metrics_observe(&metrics, DISTRIBUTION_E2E, 9000);
	page = make_page(&metrics, GENERATION_NEW);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		if (strstr(page, lines[i]) == NULL) {
			fail_msg("not on the page: %s", lines[i]);
		}
	}
}

static void old_names_are_served(void **state)
{
	struct standin_metrics metrics;
	auto_free char *page = NULL;

	(void)state;
	standin_metrics_init(&metrics, 0);
	metrics.value[VALUE_CACHE_USAGE] = 0.5;
	page = make_page(&metrics, GENERATION_OLD);
	assert_non_null(strstr(page, "\n# TYPE vllm:gpu_cache_usage_perc gauge\n"
				     "vllm:gpu_cache_usage_perc{engine=\"0\",model_name=\"tiny\"} 0.5\n"));
	assert_null(strstr(page, "kv_cache_usage_perc"));
}

static void model_name_is_escaped(void **state)
{
	struct standin_metrics metrics;
	auto_strbuf page = STRBUF_INIT;

	(void)state;
	standin_metrics_init(&metrics, 0);
	vllm_page(&page, &metrics, "a\"b\\c\nd", GENERATION_NEW);
	assert_non_null(
		strstr(page.buf, "\nvllm:num_requests_running{engine=\"0\",model_name=\"a\\\"b\\\\c\\nd\"} 0.0\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_is_vllms_when_idle),
		cmocka_unit_test(page_is_vllms_under_load),
		cmocka_unit_test(values_are_shown),
		cmocka_unit_test(old_names_are_served),
		cmocka_unit_test(model_name_is_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
