/* When certificates are made, announced, served and dropped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "runtime/turnover.h"

#define NEVER TURNOVER_NEVER
#define SETTLE TURNOVER_SETTLE_MS

static const struct row {
	const char *when;
	struct turnover turnover;
	enum turnover_step step;
	int64_t again_ms;
} rows[] = {
	{"at the start", {false, true, 0, false, NEVER, NEVER}, TURNOVER_MAKE, NEVER},
	{"the API server does not know the first one yet", {false, true, 0, true, NEVER, NEVER}, TURNOVER_WAIT, NEVER},
	{"it has just learnt it", {false, true, 0, true, 0, NEVER}, TURNOVER_WAIT, SETTLE},
	{"nearly long enough ago", {false, true, 0, true, SETTLE - 1, NEVER}, TURNOVER_WAIT, 1},
	{"long enough ago", {false, true, 0, true, SETTLE, NEVER}, TURNOVER_SERVE, NEVER},
	{"nobody asks us, and nothing is served", {false, false, 0, true, NEVER, NEVER}, TURNOVER_SERVE, NEVER},
	{"it is served, and good for long", {true, true, 5000, false, NEVER, NEVER}, TURNOVER_WAIT, 5000},
	{"its time has come", {true, true, 0, false, NEVER, NEVER}, TURNOVER_MAKE, NEVER},
	{"its time is over", {true, true, -9000, false, NEVER, NEVER}, TURNOVER_MAKE, NEVER},
	{"the next one is not known yet", {true, true, -1, true, NEVER, NEVER}, TURNOVER_WAIT, NEVER},
	{"the next one is known", {true, true, -1, true, SETTLE + 1, NEVER}, TURNOVER_SERVE, NEVER},
	{"nobody asks us, but somebody may have just begun", {true, false, -1, true, 0, NEVER}, TURNOVER_WAIT, SETTLE},
	{"it has just been changed", {true, true, 5000, false, NEVER, 0}, TURNOVER_WAIT, SETTLE},
	{"it was changed long enough ago", {true, true, 5000, false, NEVER, SETTLE}, TURNOVER_DROP, NEVER},
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t again_ms = 12345;
		enum turnover_step step = turnover_next(&rows[i].turnover, &again_ms);

		if (step != rows[i].step || again_ms != rows[i].again_ms) {
			fail_msg("%s: step %d, again in %lld ms", rows[i].when, step, (long long)again_ms);
		}
	}
}

/* A life of a thousand milliseconds after another: whatever is served was known for long enough before, and what was
 * served is announced for long enough after. */
static void test_a_whole_life(void **state)
{
	int64_t serving = 0;   /* number of the one that is served; 0 = none */
	int64_t next = 0;      /* that is announced too */
	int64_t known_at = 0;  /* of the next */
	int64_t served_at = 0; /* while the old one is announced */
	int64_t due_at = 0;
	int64_t made = 0;

	(void)state;
	for (int64_t now = 1; now < 100000; now += 7) {
		struct turnover t = {.serving = serving > 0,
			.asked = true,
			.left_ms = due_at - now,
			.has_next = next > 0,
			.known_for_ms = known_at > 0 ? now - known_at : NEVER,
			.served_for_ms = served_at > 0 ? now - served_at : NEVER};
		int64_t again_ms;

		switch (turnover_next(&t, &again_ms)) {
		case TURNOVER_MAKE:
			assert_int_equal(next, 0);
			next = ++made;
			break;
		case TURNOVER_SERVE:
			assert_true(known_at > 0 && now - known_at >= SETTLE);
			served_at = serving > 0 ? now : 0;
			serving = next;
			next = 0;
			known_at = 0;
			due_at = now + 1000;
			break;
		case TURNOVER_DROP:
			assert_true(now - served_at >= SETTLE);
			served_at = 0;
			break;
		case TURNOVER_WAIT:
			/* The API server learns it some time later. */
			known_at = next > 0 && known_at == 0 && now % 5 == 0 ? now : known_at;
			break;
		}
	}
	assert_true(serving > 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_a_whole_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
