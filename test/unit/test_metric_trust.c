/* When the last answer of the metrics API stands, when what the HPA reads will do, and each thing that casts doubt on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"
#include "probe/metric_trust.h"
#include "probe/timing.h"

#define NOW_MS 1767225600000
#define FRESH_MS 45000

/* Two pods of a healthy autoscaler, a minute after the metrics API was asked for them. */
struct scene {
	struct probe_request *request;
	struct evidence *evidence;
	struct counted_pods counted;
	struct signal_seen *before, *now;
	struct hpa_silence silence;
	struct metric_trust trust;
};

static struct sample *add_sample(struct scene *scene, const char *pod, int64_t milli)
{
	struct sample *sample = shape_add(&shape_sample, &scene->now->series.samples);

	sample->pod = xstrdup(pod);
	sample->age_ms = 1000;
	sample->milli = milli;
	return sample;
}

static void add_value(struct scene *scene, const char *pod)
{
	struct pod_value *value = shape_add(&shape_pod_value, &scene->before->value.values);

	value->pod = xstrdup(pod);
	value->milli = 4000;
}

static void scene_open(struct scene *scene)
{
	*scene = (struct scene){.request = probe_request_new(), .evidence = evidence_new(NULL)};
	scene->request->ns = xstrdup("team");
	scene->request->name = xstrdup("gemma");
	evidence_add_signal(scene->evidence, "before");
	evidence_add_signal(scene->evidence, "now");
	scene->before = evidence_find_signal(scene->evidence, "before");
	scene->now = evidence_find_signal(scene->evidence, "now");
	counted_pods_add(&scene->counted, "p-0", 1);
	counted_pods_add(&scene->counted, "p-1", -1);
	scene->before->value.seen_ms = NOW_MS - 60000;
	scene->before->value.http = 200;
	scene->before->value.pods = 2;
	add_value(scene, "leaving");
	add_value(scene, "p-0");
	add_value(scene, "p-1");
	add_sample(scene, "p-0", 2000);
	add_sample(scene, "p-1", 8000);
	scene->trust = (struct metric_trust){.request = scene->request,
		.same_question = true,
		.healthy = true,
		.before = scene->before,
		.now = scene->now,
		.counted = &scene->counted,
		.hpa = {.there = true, .spoke = true, .active = true, .average_milli = 5000},
		.silence = &scene->silence,
		.fresh_ms = FRESH_MS,
		.now_ms = NOW_MS};
}

static void scene_close(struct scene *scene)
{
	counted_pods_release(&scene->counted);
	evidence_free(scene->evidence);
	probe_request_unref(scene->request);
}

static void nothing(struct scene *scene)
{
	(void)scene;
}

static void the_average_is_the_least(struct scene *scene)
{
	scene->trust.hpa.average_milli = 1998; /* but for what rounding does */
}

static void the_average_is_the_most(struct scene *scene)
{
	scene->trust.hpa.average_milli = 8002;
}

static void a_pod_has_no_value_of_its_own(struct scene *scene)
{
	add_sample(scene, "p-2", MILLI_NONE);
}

static void another_question(struct scene *scene)
{
	scene->trust.same_question = false;
}

static void a_probe_that_is_not_healthy(struct scene *scene)
{
	scene->trust.healthy = false;
}

static void the_first_probe(struct scene *scene)
{
	scene->trust.before = NULL;
}

static void it_was_not_asked(struct scene *scene)
{
	scene->before->value.seen_ms = 0;
}

static void it_failed(struct scene *scene)
{
	failure_set(&scene->before->value.failure, CAUSE_FAILED, xstrdup("no"));
}

static void its_failure_is_unconfirmed(struct scene *scene)
{
	scene->before->value.unconfirmed_ms = NOW_MS - 1000;
}

static void a_pod_missed_a_value(struct scene *scene)
{
	texts_add(&scene->before->value.missing, "p-1");
}

static void a_pod_seemed_to_miss_a_value(struct scene *scene)
{
	texts_add(&scene->before->value.unconfirmed, "p-1");
}

static void a_pod_misses_a_sample(struct scene *scene)
{
	texts_add(&scene->now->series.missing, "p-1");
}

static void a_pod_seems_to_miss_a_sample(struct scene *scene)
{
	texts_add(&scene->now->series.unconfirmed, "p-1");
}

static void a_page_mismatched(struct scene *scene)
{
	shape_add(&shape_pod_mismatch, &scene->before->mismatches.page);
}

static void a_record_mismatches(struct scene *scene)
{
	shape_add(&shape_pod_mismatch, &scene->now->mismatches.record);
}

static void a_page_mismatches(struct scene *scene)
{
	shape_add(&shape_pod_mismatch, &scene->now->mismatches.page);
}

static void a_value_mismatched(struct scene *scene)
{
	shape_add(&shape_pod_mismatch, &scene->before->mismatches.metric);
}

static void the_hpa_mismatched(struct scene *scene)
{
	scene->before->mismatches.hpa.looks = 1;
}

static void a_pod_more_counts(struct scene *scene)
{
	counted_pods_add(&scene->counted, "p-2", 1);
}

static void a_pod_less_counts(struct scene *scene)
{
	free_indirect(&scene->counted.items[--scene->counted.count].name);
}

static void another_pod_counts(struct scene *scene)
{
	free_indirect(&scene->counted.items[1].name);
	scene->counted.items[1].name = xstrdup("p-2");
}

static void there_is_no_hpa(struct scene *scene)
{
	scene->trust.hpa.there = false;
}

static void the_hpa_is_not_active(struct scene *scene)
{
	scene->trust.hpa.active = false;
}

static void the_hpa_has_no_average(struct scene *scene)
{
	scene->trust.hpa.average_milli = MILLI_NONE;
	scene->now->series.samples.items[0].milli = 0; /* as near as can be */
}

static void the_average_is_too_small(struct scene *scene)
{
	scene->trust.hpa.average_milli = 1997;
}

static void the_average_is_too_large(struct scene *scene)
{
	scene->trust.hpa.average_milli = 8003;
}

static void the_sample_that_would_do_is_old(struct scene *scene)
{
	scene->now->series.samples.items[1].age_ms = FRESH_MS;
}

static void there_are_no_samples(struct scene *scene)
{
	shape_empty(&shape_sample, &scene->now->series.samples);
}

static void it_is_old(struct scene *scene)
{
	scene->before->value.seen_ms = NOW_MS - timing_of_key(METRIC_TRUSTED_MS, "team", "gemma");
}

static void it_is_almost_old(struct scene *scene)
{
	scene->before->value.seen_ms = NOW_MS - timing_of_key(METRIC_TRUSTED_MS, "team", "gemma") + 1;
}

static void the_clock_was_set_back(struct scene *scene)
{
	scene->before->value.seen_ms = NOW_MS + 1;
}

/* The values of then were read by the HPA. */
static void the_hpa_read_it(struct scene *scene)
{
	struct signal_seen *before = scene->before;

	shape_empty(&shape_pod_value, &before->value.values);
	before->value.by_hpa = true;
	shape_copy(&shape_series_seen, &before->series, &scene->now->series);
}

static void the_hpa_read_it_of_one_pod(struct scene *scene)
{
	the_hpa_read_it(scene);
	shape_empty(&shape_sample, &scene->before->series.samples);
}

static void the_hpa_read_it_long_ago(struct scene *scene)
{
	the_hpa_read_it(scene);
	it_is_old(scene);
}

/* It was silent, and speaks for the first time: nobody has asked the metrics API. */
static void the_hpa_speaks(struct scene *scene)
{
	scene->trust.before = NULL;
	scene->trust.same_question = scene->trust.healthy = false;
	scene->silence.last_ms = NOW_MS - 16000;
	scene->now->series.seen_ms = NOW_MS;
	scene->now->series.pods = 2;
}

static void the_hpa_spoke_when_it_was_asked_for(struct scene *scene)
{
	the_hpa_speaks(scene);
	scene->silence.last_ms = 0; /* of a target of before, or of an operator that starts */
}

static void the_hpa_spoke_long_ago(struct scene *scene)
{
	the_hpa_speaks(scene);
	scene->silence.last_ms = NOW_MS - HPA_SAYS_MS; /* a controller that stopped since would not take it back */
}

static void the_hpa_speaks_by_another_clock(struct scene *scene)
{
	the_hpa_speaks(scene);
	scene->silence.last_ms = NOW_MS + 1;
}

static void the_hpa_speaks_of_what_nobody_samples(struct scene *scene)
{
	the_hpa_speaks(scene);
	scene->trust.hpa.average_milli = 9000;
}

static void the_hpa_speaks_while_a_pod_has_no_sample_yet(struct scene *scene)
{
	the_hpa_speaks(scene);
	counted_pods_add(&scene->counted, "p-2", 1);
}

static void the_hpa_speaks_while_a_pod_seems_to_miss_one(struct scene *scene)
{
	the_hpa_speaks(scene);
	a_pod_seems_to_miss_a_sample(scene);
}

static void the_hpa_speaks_while_a_page_mismatches(struct scene *scene)
{
	the_hpa_speaks(scene);
	a_page_mismatches(scene);
}

static void the_hpa_speaks_after_a_value_mismatched(struct scene *scene)
{
	the_hpa_speaks(scene);
	scene->trust.before = scene->before;
	a_value_mismatched(scene);
}

static void the_hpa_speaks_after_we_failed(struct scene *scene)
{
	the_hpa_speaks(scene);
	scene->trust.before = scene->before;
	scene->trust.same_question = true;
	it_failed(scene);
}

static void the_hpa_speaks_of_a_failure(struct scene *scene)
{
	the_hpa_speaks(scene);
	scene->trust.hpa.active = false;
}

static void the_hpa_speaks_of_an_older_spec(struct scene *scene)
{
	the_hpa_speaks(scene);
	scene->trust.hpa.spoke = false;
}

static void the_hpa_is_silent(struct scene *scene)
{
	the_hpa_speaks(scene);
	scene->trust.hpa = (struct hpa_says){.there = true, .average_milli = MILLI_NONE};
	scene->silence.silent = scene->silence.there = true;
	scene->silence.since_ms = clock_monotonic_ms();
}

static void the_hpa_is_to_be_made(struct scene *scene)
{
	the_hpa_is_silent(scene);
	scene->trust.hpa.there = scene->silence.there = false;
}

static void the_hpa_is_silent_for_too_long(struct scene *scene)
{
	the_hpa_is_silent(scene);
	scene->silence.since_ms -= HPA_SPEAKS_MS;
}

static void the_hpa_speaks_of_another_metric_only(struct scene *scene)
{
	the_hpa_is_silent(scene);
	scene->silence.silent = false;
}

static void the_hpa_was_made_anew(struct scene *scene)
{
	the_hpa_is_silent(scene);
	scene->trust.before = scene->before;
	scene->trust.same_question = true;
}

static void the_hpa_is_silent_of_another_question(struct scene *scene)
{
	the_hpa_was_made_anew(scene);
	scene->trust.same_question = false;
}

/* Our own metrics API is asked where the pages are read too. */
static void direct(struct scene *scene)
{
	scene->request->direct = true;
}

static void direct_and_the_hpa_is_silent(struct scene *scene)
{
	the_hpa_is_silent(scene);
	direct(scene);
}

static void direct_and_the_hpa_disagrees(struct scene *scene)
{
	scene->trust.hpa.average_milli = 8003;
	direct(scene);
}

/* Of many pods a few pages are read: the average may be anything. */
static void direct_and_some_pages_are_not_read(struct scene *scene)
{
	direct_and_the_hpa_disagrees(scene);
	counted_pods_add(&scene->counted, "p-2", 1);
	scene->before->value.pods = 3;
	add_value(scene, "p-2");
}

static void direct_and_the_hpa_reads_none_of_many(struct scene *scene)
{
	direct_and_some_pages_are_not_read(scene);
	scene->trust.hpa.active = false;
}

/* The first probe since our start, of an autoscaler whose status says that its metric is served. */
static void reported(struct scene *scene)
{
	the_first_probe(scene);
	scene->trust.same_question = scene->trust.healthy = false;
	scene->trust.hpa.reported = true;
	scene->now->series.pods = 2;
}

static void reported_and_direct(struct scene *scene)
{
	reported(scene);
	direct(scene);
}

static void reported_and_the_hpa_is_not_active(struct scene *scene)
{
	reported(scene);
	scene->trust.hpa.active = false;
}

static void reported_and_the_hpa_disagrees(struct scene *scene)
{
	reported(scene);
	scene->trust.hpa.average_milli = 8003;
}

static void reported_and_a_pod_more_counts(struct scene *scene)
{
	reported(scene);
	counted_pods_add(&scene->counted, "p-2", 1);
}

static void reported_and_a_pod_misses_a_sample(struct scene *scene)
{
	reported(scene);
	a_pod_misses_a_sample(scene);
}

static void reported_and_a_page_mismatches(struct scene *scene)
{
	reported(scene);
	a_page_mismatches(scene);
}

static void reported_and_seen_since(struct scene *scene)
{
	reported(scene);
	scene->trust.before = scene->before;
}

#define ROW(change, source)                                                                                            \
	{                                                                                                              \
#change, change, METRIC_##source                                                                       \
	}

static void any_doubt_has_it_asked(void **state)
{
	static const struct {
		const char *name;
		void (*change)(struct scene *scene);
		enum metric_source source;
	} rows[] = {
		ROW(nothing, STANDS),
		ROW(the_average_is_the_least, STANDS),
		ROW(the_average_is_the_most, STANDS),
		ROW(a_pod_has_no_value_of_its_own, STANDS),
		ROW(it_is_almost_old, STANDS),
		ROW(another_question, ASK),
		ROW(a_probe_that_is_not_healthy, ASK),
		ROW(the_first_probe, ASK),
		ROW(it_was_not_asked, ASK),
		ROW(it_failed, ASK),
		ROW(its_failure_is_unconfirmed, ASK),
		ROW(a_pod_missed_a_value, ASK),
		ROW(a_pod_seemed_to_miss_a_value, ASK),
		ROW(a_pod_misses_a_sample, ASK),
		ROW(a_pod_seems_to_miss_a_sample, ASK),
		ROW(a_page_mismatched, ASK),
		ROW(a_page_mismatches, ASK),
		ROW(a_record_mismatches, ASK),
		ROW(a_value_mismatched, ASK),
		ROW(the_hpa_mismatched, ASK),
		ROW(a_pod_more_counts, ASK),
		ROW(a_pod_less_counts, ASK),
		ROW(another_pod_counts, ASK),
		ROW(there_is_no_hpa, ASK),
		ROW(the_hpa_is_not_active, ASK),
		ROW(the_hpa_has_no_average, ASK),
		ROW(the_average_is_too_small, ASK),
		ROW(the_average_is_too_large, ASK),
		ROW(the_sample_that_would_do_is_old, ASK),
		ROW(there_are_no_samples, ASK),
		ROW(it_is_old, ASK),
		ROW(the_clock_was_set_back, ASK),
		ROW(the_hpa_read_it, STANDS),
		ROW(the_hpa_read_it_of_one_pod, ASK),
		ROW(the_hpa_read_it_long_ago, ASK),
		ROW(the_hpa_speaks, BY_HPA),
		ROW(the_hpa_speaks_after_we_failed, BY_HPA),
		ROW(the_hpa_spoke_when_it_was_asked_for, ASK),
		ROW(the_hpa_spoke_long_ago, ASK),
		ROW(the_hpa_speaks_by_another_clock, ASK),
		ROW(the_hpa_speaks_of_what_nobody_samples, ASK),
		ROW(the_hpa_speaks_while_a_pod_has_no_sample_yet, ASK),
		ROW(the_hpa_speaks_while_a_pod_seems_to_miss_one, ASK),
		ROW(the_hpa_speaks_while_a_page_mismatches, ASK),
		ROW(the_hpa_speaks_after_a_value_mismatched, ASK),
		ROW(the_hpa_speaks_of_a_failure, ASK),
		ROW(the_hpa_speaks_of_an_older_spec, ASK),
		ROW(the_hpa_is_silent, AWAITED),
		ROW(the_hpa_is_to_be_made, AWAITED),
		ROW(the_hpa_is_silent_of_another_question, AWAITED),
		ROW(the_hpa_is_silent_for_too_long, ASK),
		ROW(the_hpa_speaks_of_another_metric_only, ASK),
		ROW(the_hpa_was_made_anew, ASK),
		ROW(direct, STANDS),
		ROW(direct_and_the_hpa_is_silent, ASK),
		ROW(direct_and_the_hpa_disagrees, ASK),
		ROW(direct_and_some_pages_are_not_read, STANDS),
		ROW(direct_and_the_hpa_reads_none_of_many, ASK),
		ROW(reported, REPORTED),
		ROW(reported_and_direct, ASK),
		ROW(reported_and_the_hpa_is_not_active, ASK),
		ROW(reported_and_the_hpa_disagrees, ASK),
		ROW(reported_and_a_pod_more_counts, ASK),
		ROW(reported_and_a_pod_misses_a_sample, ASK),
		ROW(reported_and_a_page_mismatches, ASK),
		ROW(reported_and_seen_since, ASK),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene scene;
		enum metric_source source;

		scene_open(&scene);
		rows[i].change(&scene);
		source = metric_source(&scene.trust);
		if (source != rows[i].source) {
			fail_msg("%s: %d, not %d", rows[i].name, source, rows[i].source);
		}
		scene_close(&scene);
	}
}

/* A thousand that were asked for at once are not asked for again in one moment. */
static void each_key_has_its_own_time(void **state)
{
	int of_minute[60] = {0};

	(void)state;
	for (int i = 0; i < 1000; i++) {
		auto_free char *name = xasprintf("gemma-%d", i);
		int64_t ms = timing_of_key(METRIC_TRUSTED_MS, "team", name);

		assert_in_range(ms, METRIC_TRUSTED_MS / 10 * 8, METRIC_TRUSTED_MS / 10 * 12);
		assert_int_equal(ms, timing_of_key(METRIC_TRUSTED_MS, "team", name));
		of_minute[ms / 60000]++;
	}
	for (size_t i = 0; i < ARRAY_LEN(of_minute); i++) {
		assert_in_range(of_minute[i], 0, 400);
	}
}

/* Those of before a restart are asked for again all along the time for which they stand. */
static void reported_ones_end_at_all_times(void **state)
{
	int of_minute[10] = {0};

	(void)state;
	for (int i = 0; i < 10000; i++) {
		auto_free char *name = xasprintf("gemma-%d", i);
		const struct probe_request request = {.ns = (char[]){"team"}, .name = name};
		int64_t left_ms = metric_reported_ms(&request, NOW_MS) - NOW_MS +
		                  timing_of_key(METRIC_TRUSTED_MS, request.ns, request.name);

		assert_in_range(left_ms, 1, METRIC_TRUSTED_MS / 10 * 12);
		of_minute[left_ms / 60000 < 10 ? left_ms / 60000 : 9]++;
	}
	for (size_t i = 0; i < ARRAY_LEN(of_minute); i++) {
		assert_in_range(of_minute[i], 600, 1600);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_doubt_has_it_asked),
		cmocka_unit_test(each_key_has_its_own_time),
		cmocka_unit_test(reported_ones_end_at_all_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
