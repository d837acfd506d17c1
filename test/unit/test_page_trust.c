/* When a page that was read stands, and each thing that has it read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "probe/page_trust.h"
#include "probe_rig.h"

#define NOW_MS 1767225600000
#define METRIC "vllm_num_requests_running"
#define SAMPLES "GET /api/v1/query[?]query=label_replace*"
#define POD(name) PROBE_SAMPLE(name, "time", "95") "," PROBE_SAMPLE(name, "milli", "1")

/* Two pods of a healthy autoscaler, half a minute after the last probe. */
struct scene {
	struct evidence *last;
	struct signal_seen *signal;
	struct counted_pods counted;
	struct page_trust trust;
};

static void add_sample(struct scene *scene, const char *pod)
{
	struct sample *sample = shape_add(&shape_sample, &scene->signal->series.samples);

	sample->pod = xstrdup(pod);
}

static void scene_open(struct scene *scene)
{
	struct probe_request *request = probe_request_new();
	struct signal_request *signal = probe_request_add_signal(request, "Running", METRIC, true);

	*scene = (struct scene){.last = evidence_new(request)};
	texts_add(&signal->series, "a");
	texts_add(&signal->series, "b");
	request->ns = xstrdup("team");
	request->name = xstrdup("gemma");
	scene->last->page.seen_ms = NOW_MS - 30000;
	scene->last->page.pod = xstrdup("p-0");
	texts_add(&scene->last->page.series, "b");
	scene->last->scrape.seen_ms = NOW_MS - 30000;
	scene->last->scrape.up = 2;
	scene->signal = evidence_add_signal(scene->last, METRIC);
	scene->signal->series.pods = 2;
	add_sample(scene, "p-0");
	add_sample(scene, "p-1");
	counted_pods_add(&scene->counted, "p-0", 1);
	counted_pods_add(&scene->counted, "p-1", 1);
	scene->trust = (struct page_trust){.request = request,
		.calm = TIMING_CALM,
		.last = scene->last,
		.pod = "p-0",
		.counted = &scene->counted,
		.now_ms = NOW_MS};
}

static void scene_close(struct scene *scene)
{
	counted_pods_release(&scene->counted);
	evidence_free(scene->last);
}

static void nothing(struct scene *scene)
{
	(void)scene;
}

static void it_is_almost_old(struct scene *scene)
{
	scene->last->page.seen_ms = NOW_MS - timing_of_key(PAGE_TRUSTED_MS, "team", "gemma") + 1;
}

static void it_is_old(struct scene *scene)
{
	scene->last->page.seen_ms = NOW_MS - timing_of_key(PAGE_TRUSTED_MS, "team", "gemma");
}

static void the_clock_was_set_back(struct scene *scene)
{
	scene->last->page.seen_ms = NOW_MS + 1;
}

static void something_changed(struct scene *scene)
{
	scene->trust.calm = TIMING_UNREST;
}

static void the_first_probe(struct scene *scene)
{
	scene->trust.last = NULL;
}

static void another_question(struct scene *scene)
{
	scene->trust.request = NULL;
}

static void it_was_not_read(struct scene *scene)
{
	scene->last->page.seen_ms = 0;
}

static void it_failed(struct scene *scene)
{
	failure_set(&scene->last->page.failure, CAUSE_NONE, xstrdup("no"));
}

static void its_failure_is_unconfirmed(struct scene *scene)
{
	scene->last->page.unconfirmed = true;
}

static void another_pod_would_be_read(struct scene *scene)
{
	scene->trust.pod = "p-1";
}

static void a_signal_was_not_on_it(struct scene *scene)
{
	texts_release(&scene->last->page.series);
}

static void a_pod_lost_its_readiness(struct scene *scene)
{
	shape_add(&shape_unready_pod, &scene->last->pods.unready);
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

static void a_sample_was_old(struct scene *scene)
{
	scene->signal->series.pods = 1;
}

static void a_pod_missed_its_sample(struct scene *scene)
{
	texts_add(&scene->signal->series.missing, "p-1");
}

static void a_pod_seemed_to_miss_its_sample(struct scene *scene)
{
	texts_add(&scene->signal->series.unconfirmed, "p-1");
}

static void prometheus_failed(struct scene *scene)
{
	failure_set(&scene->signal->series.failure, CAUSE_NONE, xstrdup("no"));
}

static void its_scrapes_were_not_read(struct scene *scene)
{
	failure_set(&scene->last->scrape.failure, CAUSE_NONE, xstrdup("no"));
}

static void a_scrape_failed(struct scene *scene)
{
	scene->last->scrape.down = 1;
}

static void nothing_was_scraped(struct scene *scene)
{
	scene->last->scrape.up = 0;
}

static void a_value_mismatched(struct scene *scene)
{
	shape_add(&shape_pod_mismatch, &scene->signal->mismatches.page);
}

static void the_signal_was_not_reached(struct scene *scene)
{
	scene->signal->metric[0] = 'x';
}

/* A new chain, whose scrape is to come. */
static void it_waits(struct scene *scene)
{
	scene->trust.calm = TIMING_WAITS;
	scene->last->page.seen_ms = NOW_MS - 10000;
	nothing_was_scraped(scene);
	the_signal_was_not_reached(scene);
}

static void it_waits_for_long(struct scene *scene)
{
	it_waits(scene);
	scene->last->page.seen_ms = NOW_MS - PAGE_OF_WAITING_MS * 2;
}

static void it_waits_for_a_series_on_it(struct scene *scene)
{
	it_waits(scene);
	a_signal_was_not_on_it(scene);
}

#define ROW(change, stands)                                                                                            \
	{                                                                                                              \
#change, change, stands                                                                                \
	}

static void any_doubt_has_it_read(void **state)
{
	static const struct {
		const char *name;
		void (*change)(struct scene *scene);
		bool stands;
	} rows[] = {
		ROW(nothing, true),
		ROW(it_is_almost_old, true),
		ROW(it_is_old, false),
		ROW(the_clock_was_set_back, false),
		ROW(something_changed, false),
		ROW(the_first_probe, false),
		ROW(another_question, false),
		ROW(it_was_not_read, false),
		ROW(it_failed, false),
		ROW(its_failure_is_unconfirmed, false),
		ROW(another_pod_would_be_read, false),
		ROW(a_signal_was_not_on_it, false),
		ROW(a_pod_lost_its_readiness, false),
		ROW(a_pod_more_counts, false),
		ROW(a_pod_less_counts, false),
		ROW(another_pod_counts, false),
		ROW(a_sample_was_old, false),
		ROW(a_pod_missed_its_sample, false),
		ROW(a_pod_seemed_to_miss_its_sample, false),
		ROW(prometheus_failed, false),
		ROW(its_scrapes_were_not_read, false),
		ROW(a_scrape_failed, false),
		ROW(nothing_was_scraped, false),
		ROW(a_value_mismatched, false),
		ROW(the_signal_was_not_reached, false),
		ROW(it_waits, true),
		ROW(it_waits_for_long, false),
		ROW(it_waits_for_a_series_on_it, false),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scene scene;
		bool stands;

		scene_open(&scene);
		rows[i].change(&scene);
		stands = page_is_trusted(&scene.trust);
		if (stands != rows[i].stands) {
			fail_msg("%s: %s", rows[i].name, stands ? "stands" : "read");
		}
		scene_close(&scene);
	}
}

/* Of a chain that is well: a probe when it was broken, and a healthy one. */
static void open_healthy(struct probe_rig *rig)
{
	probe_rig_open(rig);
	probe_rig_say(rig, SAMPLES,
		(struct fake_answer){.status = 200, .body = PROBE_RESULT(POD("p-0") "," POD("p-1"))});
	probe_rig_want(rig, PROBE_KEY, PROBE_BROKEN);
	probe_rig_wait(rig, 1);
	assert_int_equal(probe_rig_asked(rig, "GET /metrics"), 2); /* of each pod */
	probe_rig_want(rig, PROBE_KEY, PROBE_HEALTHY);
	probe_rig_wait(rig, 2);
}

static void a_healthy_page_is_not_read_again(void **state)
{
	struct probe_rig rig;
	const json_t *e;
	json_int_t first_ms;

	(void)state;
	open_healthy(&rig);
	assert_int_equal(probe_rig_asked(&rig, "GET /metrics"), 2);
	e = probe_rig_evidence(&rig);
	first_ms = json_path_int(e, "page.at", 0);
	assert_true(first_ms > 0 && first_ms < json_path_int(e, "pods.at", 0));
	assert_found(e, "page.values.p-1", "{\"vllm_num_requests_running\":1000}");
	assert_found(e, "againMs", "absent");
	/* One of its pods changes. */
	probe_rig_pods(&rig, PROBE_PODS);
	probe_rig_wait(&rig, 3);
	assert_int_equal(probe_rig_asked(&rig, "GET /metrics"), 4);
	/* It is woken. */
	probe_rig_look(&rig);
	assert_int_equal(probe_rig_asked(&rig, "GET /metrics"), 6);
	probe_rig_close(&rig);
}

/* Its values are of before: those of Prometheus may well be others by now. */
static void a_page_that_stands_is_compared_with_nothing(void **state)
{
	struct probe_rig rig;

	(void)state;
	open_healthy(&rig);
	probe_rig_say(&rig, SAMPLES,
		(struct fake_answer){.status = 200,
			.body = PROBE_RESULT(PROBE_SAMPLE("p-0", "time", "99") "," PROBE_SAMPLE("p-0", "milli",
				"9") "," POD("p-1"))});
	run_for(&rig.kube.loop, 5500); /* an answer of Prometheus serves so long */
	prober_pods_known(rig.prober); /* probes everybody, and nothing has changed */
	probe_rig_wait(&rig, 3);
	assert_int_equal(probe_rig_asked(&rig, "GET /metrics"), 2);
	assert_found(probe_rig_evidence(&rig), "signals." METRIC ".series.samples.p-0.milli", "9000");
	assert_found(probe_rig_evidence(&rig), "signals." METRIC ".apart.page", "absent");
	probe_rig_close(&rig);
}

/* Prometheus begins to miss a pod: what is wrong may show on the page. */
static void a_doubt_has_the_page_read_with_the_next_probe(void **state)
{
	struct probe_rig rig;

	(void)state;
	open_healthy(&rig);
	probe_rig_say(&rig, SAMPLES,
		(struct fake_answer){.status = 200,
			.body = PROBE_RESULT(PROBE_SAMPLE("p-0", "time", "40") "," POD("p-1"))});
	run_for(&rig.kube.loop, 5500);
	prober_pods_known(rig.prober);
	probe_rig_wait(&rig, 3);
	assert_int_equal(probe_rig_asked(&rig, "GET /metrics"), 2);
	assert_found(probe_rig_evidence(&rig), "againMs", "1500");
	probe_rig_wait(&rig, 4);
	assert_int_equal(probe_rig_asked(&rig, "GET /metrics"), 4);
	probe_rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_doubt_has_it_read),
		cmocka_unit_test(a_healthy_page_is_not_read_again),
		cmocka_unit_test(a_page_that_stands_is_compared_with_nothing),
		cmocka_unit_test(a_doubt_has_the_page_read_with_the_next_probe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
