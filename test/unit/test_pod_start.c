/* How long a pod takes to start, and which pods do not tell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/yaml.h"
#include "probe/pod_start.h"

#define POD(name, created, more) "{metadata: {name: " name ", creationTimestamp: '2026-01-01T00:" created "Z'}" more "}"
#define RESTARTED ", status: {containerStatuses: [{restartCount: 0}, {restartCount: 1}]}"

/* All ready since 2026-01-01T00:10:00Z. */
static void the_quickest_that_reports(void **state)
{
	static const struct {
		const char *pods;
		const char *last;
		const char *pod; /* NULL = none tells */
		json_int_t seconds;
	} rows[] = {
		{"[" POD("a", "08:00", "") "]", NULL, "a", 120},
		{"[" POD("a", "08:00", "") ", " POD("b", "09:15", "") "]", NULL, "b", 45},
		{"[" POD("a", "08:00", "") ", " POD("b", "09:15", RESTARTED) "]", NULL, "a", 120},
		{"[" POD("a", "10:00", "") "]", NULL, NULL, 0},
		{"[" POD("a", "11:00", "") "]", NULL, NULL, 0},
		{"[{metadata: {name: a, creationTimestamp: '2025-12-31T23:00:00Z'}}]", NULL, NULL, 0},
		{"[{metadata: {name: a}}]", NULL, NULL, 0},
		{"[" POD("unready", "09:00", "") "]", NULL, NULL, 0},
		/* It was ready long ago, and then again just now. */
		{"[" POD("a", "01:00", "") "]", "{pod: a, seconds: 70}", "a", 70},
		{"[" POD("a", "01:00", RESTARTED) "]", "{pod: a, seconds: 70}", "a", 70},
		{"[" POD("b", "08:00", "") "]", "{pod: a, seconds: 70}", "b", 120},
		{"[]", "{pod: a, seconds: 70}", NULL, 0},
	};
	json_int_t since = clock_parse_rfc3339("2026-01-01T00:10:00Z");
	auto_json *ready = json_pack("{s:I, s:I}", "a", since, "b", since);

	(void)state;
	for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
		auto_json *list = json_pack("{s:o}", "items", yaml_parse(rows[r].pods, strlen(rows[r].pods), NULL));
		auto_json *last = rows[r].last != NULL ? yaml_parse(rows[r].last, strlen(rows[r].last), NULL) : NULL;
		auto_json *found = pod_start_quickest(list, ready, last);

		if (rows[r].pod == NULL) {
			assert_null(found);
		} else {
			assert_string_equal(json_path_string(found, "pod", ""), rows[r].pod);
			assert_int_equal(json_path_int(found, "seconds", -1), rows[r].seconds);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_quickest_that_reports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
