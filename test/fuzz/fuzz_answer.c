/* Any body as an answer of Prometheus: it is read, or is none, and what is read element by element is JSON as a whole. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "probe/question.h"
#include "probe/walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void count_element(void *ctx, const json_t *element)
{
	++*(size_t *)ctx;
	if (element == NULL) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct answer_type *const types[] = {&answer_scrapes, &answer_samples, &answer_scrapers,
		&answer_pool, &answer_exporter, &answer_workloads, &answer_jobs, &answer_rule};
	auto_free char *body = len > 0 ? xstrndup((const char *)data, len) : xstrdup("");
	size_t size = strlen(body);
	auto_json *whole = json_parse(body, size, NULL);
	size_t elements = 0;
	bool success = false;

	if (walk_answer(body, size, "result", count_element, &elements, &success) == 0 && whole == NULL) {
		abort();
	}
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		auto_error err = ERROR_INIT;
		struct table *table = body_table(body, size, types[i], NULL, &err);

		if ((err.kind != ERROR_NONE) != (whole == NULL) || (err.kind != ERROR_NONE && table != NULL)) {
			abort();
		}
		table_unref(table);
	}
	return 0;
}
