/* How often the HPA's controller reads a metric: what each replica counts and says, what all say together, and what is
 * believed of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"
#include "runtime/hpa_period.h"
#include "runtime/read_claim.h"
#include "runtime/read_claims.h"
#include "runtime/read_counts.h"

#define MINUTE_MS 60000
#define RENEW_MS INT64_C(300000)
#define NOW_MS INT64_C(1769846400000) /* 2026-01-31T08:00:00Z */

/* ---- counting ---- */

static void count_round(struct read_counts *counts, int reads)
{
	for (int i = 0; i < reads; i++) {
		read_counts_add(counts);
	}
	read_counts_end_round(counts);
}

static void five_whole_rounds_are_counted_first(void **state)
{
	struct read_counts counts = {.now = 0};

	(void)state;
	for (int i = 0; i < READ_COUNTS_WINDOW; i++) {
		assert_int_equal(read_counts_most(&counts), -1);
		count_round(&counts, 10);
	}
	assert_int_equal(read_counts_most(&counts), 50);
	read_counts_add(&counts); /* of a round that is not whole */
	assert_int_equal(read_counts_most(&counts), 50);
}

static void the_most_is_remembered_for_fifteen_rounds(void **state)
{
	struct read_counts counts = {.now = 0};

	(void)state;
	for (int i = 0; i < READ_COUNTS_WINDOW; i++) {
		count_round(&counts, 10);
	}
	for (int i = READ_COUNTS_WINDOW; i < READ_COUNTS_KEPT; i++) {
		count_round(&counts, 1);
		assert_int_equal(read_counts_most(&counts), 50);
	}
	count_round(&counts, 1);
	assert_int_equal(read_counts_most(&counts), 41);
	for (int i = 0; i < 100; i++) {
		count_round(&counts, 1);
	}
	assert_int_equal(read_counts_most(&counts), 5);
}

/* ---- what a replica says ---- */

static void it_is_rounded_up_to_steps_of_a_twentieth(void **state)
{
	(void)state;
	assert_int_equal(read_claim_round(0), 0);
	assert_int_equal(read_claim_round(31), 31);
	assert_int_equal(read_claim_round(33), 34);
	assert_int_equal(read_claim_round(1200), 1216);
	for (int64_t reads = 1; reads < READ_CLAIM_MAX / 2; reads = reads * 5 / 4 + 1) {
		int64_t rounded = read_claim_round(reads);

		assert_true(rounded >= reads && rounded * 16 <= reads * 17 + 16);
		assert_int_equal(read_claim_round(rounded), rounded);
	}
}

static void what_is_written_is_read(void **state)
{
	const struct read_claim claims[] = {{0, NOW_MS}, {1216, NOW_MS + 1000}, {READ_CLAIM_MAX, NOW_MS}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
		auto_free char *line = read_claim_text(&claims[i]);
		auto_free char *entry = xasprintf("%s-----BEGIN CERTIFICATE-----\n", line);
		struct read_claim read = read_claim_of(entry);

		assert_int_equal(read.reads, claims[i].reads);
		assert_int_equal(read.until_ms, claims[i].until_ms);
	}
}

static void anything_else_says_nothing(void **state)
{
	static const char *const entries[] = {
		NULL,
		"",
		"-----BEGIN CERTIFICATE-----\n",
		"reads=",
		"reads=\n",
		"reads=12",
		"reads=12 until=",
		"reads=12 until=2026-01-31T08:00:00Z",
		"reads=12 until=2026-01-31T08:00:00.000Z\n",
		"reads=12 until=2026-01-31T08:00:00+00:00\n",
		"reads=12 until=2026-13-31T08:00:00Z\n",
		"reads=12 until=2026-01-31T08:00:00Z \n",
		"reads=12  until=2026-01-31T08:00:00Z\n",
		"reads=-1 until=2026-01-31T08:00:00Z\n",
		"reads=+1 until=2026-01-31T08:00:00Z\n",
		"reads=1.5 until=2026-01-31T08:00:00Z\n",
		"reads= until=2026-01-31T08:00:00Z\n",
		"reads=1000000000 until=2026-01-31T08:00:00Z\n",
		"reads=99999999999999999999999 until=2026-01-31T08:00:00Z\n",
		" reads=12 until=2026-01-31T08:00:00Z\n",
		"\nreads=12 until=2026-01-31T08:00:00Z\n",
		"reads=12 until=1969-01-31T08:00:00Z\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		assert_int_equal(read_claim_of(entries[i]).reads, -1);
	}
}

static void at_rest_nothing_is_said_anew(void **state)
{
	struct read_claim claim = READ_CLAIM_NONE;

	(void)state;
	assert_false(read_claim_renew(&claim, -1, true, RENEW_MS, NOW_MS));
	assert_true(read_claim_renew(&claim, 1200, false, RENEW_MS, NOW_MS));
	assert_int_equal(claim.reads, 1216);
	/* It wanders a little, for a day. */
	for (int64_t minute = 0; minute < 1440; minute++) {
		assert_false(
			read_claim_renew(&claim, 1216 - minute % 200, false, RENEW_MS, NOW_MS + minute * MINUTE_MS));
	}
	assert_int_equal(claim.until_ms, NOW_MS);
	/* More is said at once, and far less. */
	assert_true(read_claim_renew(&claim, 1217, false, RENEW_MS, NOW_MS + 1));
	assert_int_equal(claim.reads, 1280);
	assert_false(read_claim_renew(&claim, 1100, false, RENEW_MS, NOW_MS + 2));
	assert_true(read_claim_renew(&claim, 960, false, RENEW_MS, NOW_MS + 3));
	assert_int_equal(claim.reads, 960);
}

static void few_reads_are_no_news(void **state)
{
	struct read_claim claim = {.reads = 4, .until_ms = NOW_MS};

	(void)state;
	assert_false(read_claim_renew(&claim, 2, false, RENEW_MS, NOW_MS + 1));
	assert_true(read_claim_renew(&claim, 1, false, RENEW_MS, NOW_MS + 1));
	assert_false(read_claim_renew(&claim, 1, false, RENEW_MS, NOW_MS + 1));
	/* That there are none any more is: it stands still, and has no period. */
	assert_true(read_claim_renew(&claim, 0, false, RENEW_MS, NOW_MS + 1));
}

static void in_doubt_it_is_said_anew_in_its_time(void **state)
{
	struct read_claim claim = {.reads = 1216, .until_ms = NOW_MS};

	(void)state;
	assert_false(read_claim_renew(&claim, 1200, true, RENEW_MS, NOW_MS + RENEW_MS - 1));
	assert_false(read_claim_renew(&claim, 1200, false, RENEW_MS, NOW_MS + RENEW_MS));
	assert_true(read_claim_renew(&claim, 1200, true, RENEW_MS, NOW_MS + RENEW_MS));
	assert_int_equal(claim.until_ms, NOW_MS + RENEW_MS);
}

/* ---- what all say ---- */

static bool is_live(void *ctx, const struct view_pair *entry)
{
	(void)ctx;
	return strncmp(entry->key, "gone", 4) != 0;
}

static struct read_claims add_up(const struct view_pair *items, uint32_t count, int64_t own)
{
	const struct view_pairs entries = {.items = items, .count = count};

	return read_claims_add_up(&entries, "b", own, is_live, NULL);
}

#define SAYS(reads, time) "reads=" reads " until=2026-01-31T" time "Z\n-----BEGIN CERTIFICATE-----\n"

static void what_all_say_is_added_up(void **state)
{
	static const struct view_pair items[] = {{"a", SAYS("100", "07:58:00")}, {"b", SAYS("7", "07:00:00")},
		{"c", SAYS("20", "07:52:00")}, {"gone", "-----BEGIN CERTIFICATE-----\n"}};
	struct read_claims claims = add_up(items, ARRAY_LEN(items), 50);

	(void)state;
	/* Of oneself one knows better than what is written. */
	assert_int_equal(claims.reads, 170);
	assert_string_equal(claims.who, "b a c");
	assert_true(read_claims_fresh(&claims, 10 * MINUTE_MS, NOW_MS));
	assert_false(read_claims_fresh(&claims, 5 * MINUTE_MS, NOW_MS));
	/* By the clock of another day. */
	assert_false(read_claims_fresh(&claims, 10 * MINUTE_MS, NOW_MS - 5 * MINUTE_MS));
	free_indirect(&claims.who);
}

static void one_that_says_nothing_leaves_all_unknown(void **state)
{
	static const struct view_pair silent[] = {{"a", SAYS("100", "08:00:00")},
		{"c", "-----BEGIN CERTIFICATE-----\n"}};
	struct read_claims claims = add_up(silent, ARRAY_LEN(silent), 50);

	(void)state;
	assert_int_equal(claims.reads, -1);
	free_indirect(&claims.who);
	claims = add_up(silent, 1, -1);
	assert_int_equal(claims.reads, -1);
	free_indirect(&claims.who);
}

static void one_alone_knows_by_itself(void **state)
{
	struct read_claims claims = add_up(NULL, 0, 50);

	(void)state;
	assert_int_equal(claims.reads, 50);
	assert_string_equal(claims.who, "b");
	assert_true(read_claims_fresh(&claims, 0, NOW_MS));
	free_indirect(&claims.who);
}

static void more_entries_than_are_read_leave_it_unknown(void **state)
{
	struct view_pair items[17];
	char names[17][2] = {{0}};
	struct read_claims claims;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		names[i][0] = (char)('A' + i);
		items[i] = (struct view_pair){names[i], SAYS("1", "08:00:00")};
	}
	claims = add_up(items, 16, 1);
	assert_int_equal(claims.reads, 17);
	free_indirect(&claims.who);
	claims = add_up(items, 17, 1);
	assert_int_equal(claims.reads, -1);
	free_indirect(&claims.who);
}

/* ---- what is believed ---- */

static void the_mean_is_of_all_pairs(void **state)
{
	(void)state;
	assert_int_equal(hpa_period_mean_s(300, 6000, MINUTE_MS), 15);
	assert_int_equal(hpa_period_mean_s(1000, 6000, MINUTE_MS), 50);
	assert_int_equal(hpa_period_mean_s(1000, -1, MINUTE_MS), 0);
	/* Who reads nothing is nobody that is known, or does not work: that is no period. */
	assert_int_equal(hpa_period_mean_s(1000, 0, MINUTE_MS), 0);
	assert_int_equal(hpa_period_mean_s(0, 6000, MINUTE_MS), 0);
}

/* Rounds until something else is believed; -1 = that does not come. */
static int rounds_until(struct hpa_period *period, int64_t mean_s)
{
	for (int i = 1; i <= 100; i++) {
		if (hpa_period_round(period, xstrdup("a b"), mean_s)) {
			return i;
		}
	}
	return -1;
}

static void it_is_believed_in_its_time(void **state)
{
	struct hpa_period period = {.who = xstrdup("a b")};

	(void)state;
	assert_int_equal(rounds_until(&period, 15), 10);
	assert_int_equal(period.believed_s, 1);
	assert_int_equal(rounds_until(&period, 50), 10);
	assert_int_equal(period.believed_s, 45);
	assert_int_equal(rounds_until(&period, 59), -1);
	assert_int_equal(rounds_until(&period, 29), 20);
	assert_int_equal(period.believed_s, 25);
	assert_int_equal(rounds_until(&period, 7), 20);
	assert_int_equal(period.believed_s, 1);
	hpa_period_release(&period);
}

static void the_nearest_that_was_seen_is_believed(void **state)
{
	static const int64_t means[] = {300, 120, 50, 300, 70, 61, 900, 90, 90, 90};
	struct hpa_period period = {.believed_s = 1, .who = xstrdup("a b")};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(means); i++) {
		assert_int_equal(hpa_period_round(&period, xstrdup("a b"), means[i]), i == 9);
	}
	assert_int_equal(period.believed_s, 45);
	hpa_period_release(&period);
}

static void one_round_that_speaks_for_it_is_enough(void **state)
{
	struct hpa_period period = {.believed_s = 1, .who = xstrdup("a b")};

	(void)state;
	for (int i = 0; i < 1000; i++) {
		/* Neither one as usual nor one that was not seen. */
		assert_false(hpa_period_round(&period, xstrdup("a b"), i % 10 == 9 ? (i % 20 == 9 ? 15 : 0) : 300));
	}
	assert_int_equal(period.believed_s, 1);
	hpa_period_release(&period);
}

/* The one that stays has none of the reads yet: had it been the last to say so, they would seem few. */
static void when_one_goes_it_begins_anew(void **state)
{
	struct hpa_period period = {.believed_s = 1, .who = xstrdup("a b")};

	(void)state;
	for (int i = 0; i < HPA_PERIOD_LONGER_ROUNDS - 1; i++) {
		assert_false(hpa_period_round(&period, xstrdup("a b"), 60));
	}
	assert_false(hpa_period_round(&period, xstrdup("a"), 60));
	for (int i = 0; i < HPA_PERIOD_LONGER_ROUNDS - 1; i++) {
		assert_false(hpa_period_round(&period, xstrdup("a"), 60));
	}
	assert_true(hpa_period_round(&period, xstrdup("a"), 60));
	hpa_period_release(&period);
}

/* What replicas, of which each counts its part, come to believe, minute by minute. */
struct replicas {
	struct read_counts counts[2];
	struct read_claim claims[2];
	struct hpa_period period;
	int64_t now_ms;
	int written;
};

static void minute(struct replicas *r, int64_t pairs, int reads, int of_first)
{
	int64_t all = 0, mean_s;
	bool known = true;

	r->now_ms += MINUTE_MS;
	count_round(&r->counts[0], of_first);
	count_round(&r->counts[1], reads - of_first);
	for (int i = 0; i < 2; i++) {
		known = known && r->claims[i].reads >= 0;
		all += r->claims[i].reads;
	}
	mean_s = known ? hpa_period_mean_s(pairs, all, MINUTE_MS) : 0;
	for (int i = 0; i < 2; i++) {
		r->written += read_claim_renew(&r->claims[i], read_counts_most(&r->counts[i]), mean_s >= 25, RENEW_MS,
			r->now_ms);
	}
	hpa_period_round(&r->period, xstrdup("a b"), mean_s);
}

static struct replicas both(void)
{
	return (struct replicas){.claims = {READ_CLAIM_NONE, READ_CLAIM_NONE},
		.period = {.who = xstrdup("a b")},
		.now_ms = NOW_MS};
}

/* All at one, half and half, and all at the other, for a day: that is twelve shifts, each told by a few writes. */
static void reads_that_wander_are_nobodys_fault(void **state)
{
	struct replicas r = both();

	(void)state;
	for (int i = 0; i < 1440; i++) {
		int share = i / 120 % 3;

		minute(&r, 300, 1200, share == 0 ? 1200 : share == 1 ? 600 : 0);
		assert_true(r.period.believed_s <= 1);
	}
	assert_int_equal(r.period.believed_s, 1);
	assert_true(r.written <= 12 * 12);
	/* Steady ones are told by none. */
	for (int i = 0; i < 1440; i++) {
		r.written = i == 30 ? 0 : r.written;
		minute(&r, 300, 1200, 580 + i * 7 % 40);
	}
	assert_int_equal(r.written, 0);
	hpa_period_release(&r.period);
}

/* A controller that stands still for a while, of any length, has no long period; the last reads before come to the one
 * replica or the other. */
static void a_gap_of_the_controllers_is_no_period(void **state)
{
	static const int pairs[] = {1, 3, 10, 30, 300};

	(void)state;
	for (size_t size = 0; size < ARRAY_LEN(pairs); size++) {
		for (int last = 0; last <= 4; last++) {
			for (int gap = 1; gap < 60; gap++) {
				struct replicas r = both();

				for (int i = 0; i < 30 + gap + 60; i++) {
					bool still = i >= 30 && i < 30 + gap;
					int reads = i == 30 ? last : still ? 0 : 4 * pairs[size];

					minute(&r, pairs[size], reads, reads / 2);
					assert_true(r.period.believed_s <= 1);
				}
				hpa_period_release(&r.period);
			}
		}
	}
}

static void mass_creation_is_no_period_until_it_is(void **state)
{
	struct replicas r = both();

	(void)state;
	for (int i = 0; i < 30; i++) {
		minute(&r, 3, 12, 6);
	}
	/* 290 that are read as they should be. */
	for (int i = 0; i < 60; i++) {
		minute(&r, 290, 1160, 500);
		assert_true(r.period.believed_s <= 1);
	}
	/* 1,000, of which twenty are read a second. */
	for (int i = 0; i < 60; i++) {
		minute(&r, 1000, 1200, 500);
		assert_true(i >= 9 || r.period.believed_s <= 1);
	}
	assert_int_equal(r.period.believed_s, 45);
	/* They are read as often as they should be again. */
	for (int i = 0; i < 60; i++) {
		minute(&r, 1000, 4000, 2000);
	}
	assert_int_equal(r.period.believed_s, 1);
	hpa_period_release(&r.period);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(five_whole_rounds_are_counted_first),
		cmocka_unit_test(the_most_is_remembered_for_fifteen_rounds),
		cmocka_unit_test(it_is_rounded_up_to_steps_of_a_twentieth),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(anything_else_says_nothing),
		cmocka_unit_test(at_rest_nothing_is_said_anew),
		cmocka_unit_test(few_reads_are_no_news),
		cmocka_unit_test(in_doubt_it_is_said_anew_in_its_time),
		cmocka_unit_test(what_all_say_is_added_up),
		cmocka_unit_test(one_that_says_nothing_leaves_all_unknown),
		cmocka_unit_test(one_alone_knows_by_itself),
		cmocka_unit_test(more_entries_than_are_read_leave_it_unknown),
		cmocka_unit_test(the_mean_is_of_all_pairs),
		cmocka_unit_test(it_is_believed_in_its_time),
		cmocka_unit_test(the_nearest_that_was_seen_is_believed),
		cmocka_unit_test(one_round_that_speaks_for_it_is_enough),
		cmocka_unit_test(when_one_goes_it_begins_anew),
		cmocka_unit_test(reads_that_wander_are_nobodys_fault),
		cmocka_unit_test(a_gap_of_the_controllers_is_no_period),
		cmocka_unit_test(mass_creation_is_no_period_until_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
