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
#include "pod_list_rig.h"
#include "probe/pod_start.h"

#define POD(name, created, more) "{metadata: {name: " name ", creationTimestamp: '2026-01-01T00:" created "Z'}" more "}"
#define RESTARTED ", status: {containerStatuses: [{restartCount: 0}, {restartCount: 1}]}"

/* All ready since 2026-01-01T00:10:00Z. */
static void the_quickest_that_reports(void **state)
{
	static const struct {
		const char *pods;
		int64_t last_seconds; /* of the pod a; 0 = none was known */
		const char *pod;      /* NULL = none tells */
		int64_t seconds;
	} rows[] = {
		{"[" POD("a", "08:00", "") "]", 0, "a", 120},
		{"[" POD("a", "08:00", "") ", " POD("b", "09:15", "") "]", 0, "b", 45},
		{"[" POD("a", "08:00", "") ", " POD("b", "09:15", RESTARTED) "]", 0, "a", 120},
		{"[" POD("a", "10:00", "") "]", 0, NULL, 0},
		{"[" POD("a", "11:00", "") "]", 0, NULL, 0},
		{"[{metadata: {name: a, creationTimestamp: '2025-12-31T23:00:00Z'}}]", 0, NULL, 0},
		{"[{metadata: {name: a}}]", 0, NULL, 0},
		{"[" POD("unready", "09:00", "") "]", 0, NULL, 0},
		{"[" POD("c", "09:00", "") "]", 0, NULL, 0},
		/* It was ready long ago, and then again just now. */
		{"[" POD("a", "01:00", "") "]", 70, "a", 70},
		{"[" POD("a", "01:00", RESTARTED) "]", 70, "a", 70},
		{"[" POD("b", "08:00", "") "]", 70, "b", 120},
		{"[]", 70, NULL, 0},
	};
	int64_t since = clock_parse_rfc3339("2026-01-01T00:10:00Z");
	struct counted_pods counted = {.items = NULL};

	(void)state;
	counted_pods_add(&counted, "a", since);
	counted_pods_add(&counted, "b", since);
	counted_pods_add(&counted, "c", -1); /* not ready any more */
	for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
		auto_json *items = yaml_parse(rows[r].pods, strlen(rows[r].pods), NULL);
		auto_pod_list list = pod_list_read(items);
		char before[] = "a";
		const struct pod_start last = {.pod = before, .seconds = rows[r].last_seconds};
		struct pod_start found = {.seconds = -1};

		pod_start_quickest(&list, &counted, rows[r].last_seconds > 0 ? &last : NULL, &found);
		if (rows[r].pod == NULL) {
			assert_null(found.pod);
			assert_int_equal(found.seconds, -1);
		} else {
			assert_string_equal(found.pod, rows[r].pod);
			assert_int_equal(found.seconds, rows[r].seconds);
		}
		free_indirect(&found.pod);
	}
	counted_pods_release(&counted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_quickest_that_reports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
