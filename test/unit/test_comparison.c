/*
 * Hops that mismatch, and hops that only seem to for a while.
 *
 * Most of this is a simulation: an engine's load, a Prometheus that scrapes it every 15 s, and probes both as the
 * prober has them. Whatever the load does, a healthy chain is never said to disagree; one that does is found.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/memory.h"
#include "chain/checks.h"
#include "probe/comparison.h"

#define INTERVAL_MS 15000
#define HOUR_MS 3600000
#define HOURS 12

/* Of the same numbers on every run. */
static uint64_t seed;

static uint64_t next_random(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return seed >> 33;
}

static int64_t between(int64_t low, int64_t high)
{
	return low + (int64_t)(next_random() % (uint64_t)(high - low + 1));
}

/* Loads: thousandths at a moment. The noise of a moment is the same whoever looks at it. */

static uint64_t noise(int64_t slot)
{
	uint64_t x = (uint64_t)slot * 0x9e3779b97f4a7c15u + 12345;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static int64_t idle(int64_t t)
{
	(void)t;
	return 0;
}

static int64_t full(int64_t t)
{
	(void)t;
	return 256000;
}

static int64_t wild(int64_t t)
{
	return (int64_t)(noise(t / 50) % 300) * 1000;
}

static int64_t flips_fast(int64_t t)
{
	return (int64_t)(noise(t / 200) % 2) * 1000;
}

static int64_t flips_like_scrapes(int64_t t)
{
	return (int64_t)(noise(t / 14000) % 2) * 1000;
}

static int64_t mostly_busy(int64_t t)
{
	return noise(t / 4000) % 3 > 0 ? 1000 : 0;
}

static int64_t rarely_busy(int64_t t)
{
	return noise(t / 9000) % 20 == 0 ? 7000 : 0;
}

static int64_t few_values(int64_t t)
{
	return (int64_t)(noise(t / 3000) % 4) * 1000;
}

static int64_t steps(int64_t t)
{
	return (int64_t)(noise(t / 47000) % 9) * 1000;
}

static int64_t ramp(int64_t t)
{
	return t / 100;
}

static int64_t falling_ramp(int64_t t)
{
	return 1000000000 - t / 100;
}

static int64_t waves(int64_t t)
{
	return 50000 + (int64_t)(40000 * sin((double)t / 60000));
}

static int64_t cache_fill(int64_t t)
{
	return 85000 + (int64_t)(noise(t / 500) % 1000);
}

/* In step with the scrapes: the last at their very moment, as a check of health by the same clock would be. */

static int64_t beats_of_15(int64_t t)
{
	return t % 15000 < 7000 ? 4000 : 1000;
}

static int64_t beats_of_30(int64_t t)
{
	return t % 30000 < 11000 ? 4000 : 1000;
}

static int64_t second_at_scrapes(int64_t t)
{
	return (t + 400) % 15000 < 1000 ? 1000 : 0;
}

static int64_t second_from_scrapes_on(int64_t t)
{
	return (t + 20) % 15000 < 1000 ? 1000 : 0;
}

static int64_t second_until_scrapes(int64_t t)
{
	return (t + 900) % 15000 < 1000 ? 1000 : 0;
}

static int64_t gap_at_scrapes(int64_t t)
{
	return (t + 500) % 15000 < 1000 ? 0 : 5000;
}

static int64_t restarts(int64_t t)
{
	return t % 600000 < 60000 ? 0 : 12000 + (int64_t)(noise(t / 5000) % 3) * 1000;
}

static int64_t (*const loads[])(int64_t) = {
	idle,
	full,
	wild,
	flips_fast,
	flips_like_scrapes,
	mostly_busy,
	rarely_busy,
	few_values,
	steps,
	ramp,
	falling_ramp,
	waves,
	cache_fill,
	beats_of_15,
	beats_of_30,
	second_at_scrapes,
	second_from_scrapes_on,
	second_until_scrapes,
	gap_at_scrapes,
	restarts,
};

/* A chain; `series` and `served` say what the load becomes on the way. */
struct chain {
	int64_t (*load)(int64_t t);
	int64_t (*series)(int64_t milli);
	int64_t (*served)(int64_t milli);
	int64_t probe_min_ms, probe_max_ms; /* unless a probe wants the next one sooner */
	int64_t other_replica_ms;           /* the adapter asks a Prometheus that scrapes so much later */
	int64_t hpa_period_ms;              /* of the HPA controller's syncs; 0 = 15 s */
	int64_t hpa_stops_ms;               /* from the begin on; 0 = never */
	int64_t scrapes_lost;               /* one of so many; 0 = none */
};

static int64_t as_it_is(int64_t milli)
{
	return milli;
}

static int64_t twice(int64_t milli)
{
	return 2 * milli;
}

static int64_t of_another_pod(int64_t milli)
{
	(void)milli;
	return 3000;
}

/* What the adapter cuts off. */
static int64_t cut_off(int64_t milli)
{
	return milli > 0 ? milli - 1 : milli;
}

/* The moment of the last scrape that succeeded. */
static int64_t last_scrape(const struct chain *chain, int64_t t, int64_t phase)
{
	int64_t at = t - (t - phase) % INTERVAL_MS;

	while (chain->scrapes_lost > 0 && noise(at) % (uint64_t)chain->scrapes_lost == 0) {
		at -= INTERVAL_MS;
	}
	return at + (int64_t)(noise(at) % 4); /* a scheduler's jitter */
}

struct found {
	int64_t page_ms, metric_ms, hpa_ms; /* when it was said; 0 = never */
	int64_t looks;
};

/* What the HPA's status says at this moment: what was served in its controller's last sync. */
static int64_t hpa_average(const struct chain *chain, int64_t now, int64_t begin)
{
	int64_t period = chain->hpa_period_ms > 0 ? chain->hpa_period_ms : 15000;
	int64_t at = chain->hpa_stops_ms > 0 && now > begin + chain->hpa_stops_ms ? begin + chain->hpa_stops_ms : now;

	at -= (at - 4000) % period;
	return chain->served(chain->load(last_scrape(chain, at, chain->other_replica_ms)));
}

static void step(struct mismatch *memory, int64_t value, int64_t at, int64_t sample, int64_t scraped)
{
	comparison_step(memory, &(struct comparison){.value = value,
					.look_at_ms = at,
					.sample = {sample, sample},
					.sample_time = scraped,
					/* answers take their time, and clocks are read late */
					.sample_at_ms = scraped + between(0, 30),
					.interval_ms = INTERVAL_MS});
}

static bool is_certain(const struct mismatch *memory, bool page)
{
	return memory->looks > 0 && values_are_certain(memory, page);
}

static bool is_stale(const struct mismatch *memory, int64_t now_ms)
{
	return memory->looks > 0 && values_are_stale(memory, now_ms);
}

static struct found simulate(const struct chain *chain, int64_t duration_ms)
{
	struct found found = {0, 0, 0, 0};
	struct mismatch page = {.looks = 0};
	struct mismatch metric = {.looks = 0};
	struct mismatch hpa = {.looks = 0};
	int64_t begin = HOUR_MS;
	int64_t now = begin;
	int64_t answered = 0;
	int64_t scraped = 0;

	while (now < begin + duration_ms && (found.page_ms == 0 || found.metric_ms == 0 || found.hpa_ms == 0)) {
		int64_t read = now + between(10, 90);
		int64_t asked = read + between(1, 60);
		int64_t got = asked + between(1, 60);
		int64_t wait = between(chain->probe_min_ms, chain->probe_max_ms);
		int64_t served;
		int64_t again[3];

		/* Prometheus is asked for everybody every 5 s. */
		if (asked - answered >= 5000) {
			answered = asked;
			scraped = last_scrape(chain, asked, 0);
		}
		served = last_scrape(chain, got, chain->other_replica_ms);
		step(&page, chain->load(read), read, chain->series(chain->load(scraped)), scraped);
		step(&metric, chain->served(chain->load(served)), got, chain->series(chain->load(scraped)), scraped);
		step(&hpa, hpa_average(chain, got, begin), got, chain->served(chain->load(served)), scraped);
		found.page_ms = found.page_ms == 0 && is_certain(&page, true) ? read - begin : found.page_ms;
		found.metric_ms = found.metric_ms == 0 && is_certain(&metric, false) ? got - begin : found.metric_ms;
		found.hpa_ms = found.hpa_ms == 0 && is_stale(&hpa, got) ? got - begin : found.hpa_ms;
		again[0] = comparison_again_ms(&page, INTERVAL_MS, got);
		again[1] = comparison_again_ms(&metric, INTERVAL_MS, got);
		again[2] = comparison_again_ms(&hpa, INTERVAL_MS, got);
		for (size_t i = 0; i < ARRAY_LEN(again); i++) {
			wait = again[i] > 0 && again[i] < wait ? again[i] : wait;
		}
		now = got + wait;
		found.looks++;
	}
	return found;
}

static const int64_t probes[][2] = {{2000, 3000}, {24000, 36000}, {2000, 30000}, {15000, 15000}};

static void no_load_makes_a_healthy_chain_disagree(void **state)
{
	int64_t looks = 0;

	(void)state;
	for (size_t l = 0; l < ARRAY_LEN(loads); l++) {
		for (size_t r = 0; r < ARRAY_LEN(probes); r++) {
			struct chain chain = {.load = loads[l],
				.series = as_it_is,
				.served = cut_off,
				.probe_min_ms = probes[r][0],
				.probe_max_ms = probes[r][1],
				.scrapes_lost = r % 2 == 0 ? 0 : 10};
			struct found found;

			seed = l * 100 + r;
			found = simulate(&chain, HOURS * (int64_t)HOUR_MS);
			looks += found.looks;
			assert_int_equal(found.page_ms, 0);
			assert_int_equal(found.metric_ms, 0);
			assert_int_equal(found.hpa_ms, 0);
		}
	}
	print_message("%lld looks\n", (long long)looks);
}

/* Another Prometheus sees other moments: of a load that beats in time with the scrapes, always the same ones, which
 * is why nothing is said of the metrics API where there are two. Any other load is told from none. */
static void another_replica_does_not_disagree(void **state)
{
	(void)state;
	for (size_t l = 0; loads[l] != beats_of_15; l++) {
		for (size_t r = 0; r < ARRAY_LEN(probes); r++) {
			struct chain chain = {.load = loads[l],
				.series = as_it_is,
				.served = as_it_is,
				.probe_min_ms = probes[r][0],
				.probe_max_ms = probes[r][1],
				.other_replica_ms = 7000};

			seed = l * 100 + r;
			assert_int_equal(simulate(&chain, HOURS * (int64_t)HOUR_MS).metric_ms, 0);
		}
	}
}

/* In a large cluster the HPA controller takes minutes for a sync. */
static void an_hpa_controller_that_is_slow_is_not_said_to_stand(void **state)
{
	static const int64_t periods[] = {30000, 60000, 280000};

	(void)state;
	for (size_t l = 0; l < ARRAY_LEN(loads); l++) {
		for (size_t p = 0; p < ARRAY_LEN(periods); p++) {
			struct chain chain = {.load = loads[l],
				.series = as_it_is,
				.served = cut_off,
				.probe_min_ms = 24000,
				.probe_max_ms = 36000,
				.hpa_period_ms = periods[p]};

			seed = l * 100 + p;
			assert_int_equal(simulate(&chain, HOURS * (int64_t)HOUR_MS).hpa_ms, 0);
		}
	}
}

enum hop { HOP_PAGE, HOP_METRIC, HOP_HPA };

/* The slowest of many runs; 0 when one was not found within an hour. */
static int64_t slowest(struct chain chain, enum hop hop)
{
	int64_t most = 0;

	chain.probe_min_ms = 24000;
	chain.probe_max_ms = 36000;
	for (seed = 1; seed < 50; seed++) {
		struct found found = simulate(&chain, HOUR_MS);
		int64_t took = hop == HOP_PAGE ? found.page_ms : hop == HOP_METRIC ? found.metric_ms : found.hpa_ms;

		if (took == 0) {
			return 0;
		}
		most = took > most ? took : most;
	}
	return most;
}

static void a_chain_that_disagrees_is_found_in_minutes(void **state)
{
	static const struct {
		struct chain chain;
		enum hop hop;
	} broken[] = {
		{{.load = full, .series = twice, .served = twice}, HOP_PAGE},
		{{.load = cache_fill, .series = twice, .served = twice}, HOP_PAGE},
		{{.load = full, .series = of_another_pod, .served = of_another_pod}, HOP_PAGE},
		{{.load = waves, .series = of_another_pod, .served = of_another_pod}, HOP_PAGE},
		{{.load = idle, .series = of_another_pod, .served = of_another_pod}, HOP_PAGE},
		{{.load = full, .series = twice, .served = twice, .scrapes_lost = 10}, HOP_PAGE},
		{{.load = full, .series = as_it_is, .served = of_another_pod}, HOP_METRIC},
		/* Until then the load was never as high again. */
		{{.load = ramp, .series = as_it_is, .served = as_it_is, .hpa_stops_ms = 60000}, HOP_HPA},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		int64_t took = slowest(broken[i].chain, broken[i].hop);

		print_message("chain %zu: at most %lld s\n", i, (long long)took / 1000);
		assert_in_range(took, 1, 8 * 60000);
	}
}

static struct comparison look(int64_t value, int64_t sample, int64_t at)
{
	return (struct comparison){.value = value,
		.look_at_ms = at,
		.sample = {sample, sample},
		.sample_time = at - at % INTERVAL_MS,
		.sample_at_ms = at - at % INTERVAL_MS,
		.interval_ms = INTERVAL_MS};
}

static void assert_memory(const struct mismatch *memory, const char *wanted)
{
	auto_json *document = shape_encode(&shape_mismatch, memory);
	auto_free char *text = json_text(document);

	assert_string_equal(text, wanted);
}

static void values_that_meet_are_forgotten(void **state)
{
	const struct comparison first = look(3000, 7000, 100000);
	const struct comparison same_sample = look(5000, 7000, 104900);
	const struct comparison second = look(4000, 9000, 120000);
	const struct comparison between_them = look(7000, 9000, 150000);
	const struct comparison equal = look(4000, 4001, 150000);
	struct mismatch memory = {.looks = 0};
	struct mismatch three;

	(void)state;
	comparison_step(&memory, &first);
	assert_memory(&memory, "{\"looks\":1,\"sampleAt\":90000,\"sampleTime\":90000,\"samples\":1,"
			       "\"series\":[7000,7000],\"since\":100000,\"values\":[3000,3000]}");
	comparison_step(&memory, &same_sample);
	comparison_step(&memory, &second);
	three = memory;
	assert_memory(&memory, "{\"looks\":3,\"near\":[1,1],\"sampleAt\":120000,\"sampleTime\":120000,\"samples\":2,"
			       "\"series\":[7000,9000],\"since\":100000,\"values\":[3000,5000]}");
	/* 7 was said by both: these two begin anew, since they differ. */
	comparison_step(&memory, &between_them);
	assert_memory(&memory, "{\"looks\":1,\"near\":[0,1],\"sampleAt\":150000,\"sampleTime\":150000,\"samples\":1,"
			       "\"series\":[9000,9000],\"since\":150000,\"values\":[7000,7000]}");
	comparison_step(&three, &equal);
	assert_memory(&three, "{}");
	comparison_step(&three, &equal);
	assert_memory(&three, "{}");
}

static void a_value_is_within_what_rounding_leaves(void **state)
{
	const struct range range = {1000, 5000};

	(void)state;
	assert_true(range_holds(&range, 998));
	assert_false(range_holds(&range, 997));
	assert_true(range_holds(&range, 5002));
	assert_false(range_holds(&range, 5003));
}

static void mismatches_are_probed_about_scrapes_and_between(void **state)
{
	const struct mismatch none = {.looks = 0};
	const struct mismatch young = {.samples = 2, .sample_ms = 15000};
	const struct mismatch even = {.samples = 4, .sample_ms = 15000};
	const struct mismatch odd = {.samples = 5, .sample_ms = 15000};

	(void)state;
	assert_int_equal(comparison_again_ms(&none, INTERVAL_MS, 20000), 0);
	assert_int_equal(comparison_again_ms(&young, INTERVAL_MS, 20000), 0);
	assert_int_equal(comparison_again_ms(&even, INTERVAL_MS, 22500), 7500 - 200); /* just before the scrape */
	assert_int_equal(comparison_again_ms(&odd, INTERVAL_MS, 22500), 7500 + 100);
	assert_int_equal(comparison_again_ms(&even, INTERVAL_MS, 29900), 7600); /* halfway to the one after */
	assert_int_equal(comparison_again_ms(&even, INTERVAL_MS, 45100), 7400); /* also when the last is not known */
	assert_int_equal(comparison_again_ms(&even, 1000, 20000), 2000);        /* never in a rush */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_load_makes_a_healthy_chain_disagree),
		cmocka_unit_test(another_replica_does_not_disagree),
		cmocka_unit_test(an_hpa_controller_that_is_slow_is_not_said_to_stand),
		cmocka_unit_test(a_chain_that_disagrees_is_found_in_minutes),
		cmocka_unit_test(values_that_meet_are_forgotten),
		cmocka_unit_test(a_value_is_within_what_rounding_leaves),
		cmocka_unit_test(mismatches_are_probed_about_scrapes_and_between),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
