/* A healthy autoscaler's metric is asked for only in doubt, and an adapter that stops is noticed by the HPA's status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "probe/hpa_silence.h"
#include "probe_rig.h"
#include "runtime/cached_views.h"
#include "runtime/routes.h"

#define RUNNING "signals.vllm_num_requests_running"
#define METRIC PROBE_ASK("vllm_num_requests_running")
#define SAMPLES "GET /api/v1/query[?]query=label_replace*"
#define POD(name) PROBE_SAMPLE(name, "time", "95") "," PROBE_SAMPLE(name, "milli", "1")

/* All hops agree. */
static void open_rig(struct probe_rig *rig)
{
	probe_rig_open(rig);
	probe_rig_say(rig, SAMPLES,
		(struct fake_answer){.status = 200, .body = PROBE_RESULT(POD("p-0") "," POD("p-1"))});
	probe_rig_say(rig, METRIC,
		(struct fake_answer){.status = 200,
			.body = PROBE_VALUES(PROBE_VALUE("p-0", "1") "," PROBE_VALUE("p-1", "1"))});
}

/* Probed as a broken one, then as a healthy one. */
static void open_healthy(struct probe_rig *rig)
{
	open_rig(rig);
	rig->hpa = (struct hpa_says){.there = true, .spoke = true, .active = true, .average_milli = 1000};
	probe_rig_want(rig, PROBE_KEY, PROBE_BROKEN);
	probe_rig_wait(rig, 1);
	probe_rig_want(rig, PROBE_KEY, PROBE_HEALTHY);
}

static void test_a_healthy_metric_is_not_asked_for_again(void **state)
{
	struct probe_rig rig;
	const json_t *e;
	json_int_t first_ms;

	(void)state;
	open_healthy(&rig);
	first_ms = json_path_int(probe_rig_evidence(&rig), RUNNING ".metric.at", 0);
	probe_rig_wait(&rig, 2);
	assert_int_equal(probe_rig_asked(&rig, METRIC), 1);
	e = probe_rig_evidence(&rig);
	assert_int_equal(json_path_int(e, RUNNING ".metric.at", 0), first_ms);
	assert_found(e, RUNNING ".metric.pods", "2");
	assert_found(e, RUNNING ".metric.http", "200");
	assert_found(e, RUNNING ".metric.values", "{\"p-0\":1000,\"p-1\":1000}");
	assert_found(e, "againMs", "absent");
	/* Woken, it is. */
	probe_rig_look(&rig);
	assert_int_equal(probe_rig_asked(&rig, METRIC), 2);
	probe_rig_close(&rig);
}

static void test_a_metric_that_the_hpa_does_not_read_is_asked_for(void **state)
{
	static const struct hpa_says hpas[] = {{.there = false, .average_milli = MILLI_NONE},
		{.there = true, .spoke = true, .active = false, .average_milli = 1000},
		{.there = true, .active = true, .average_milli = MILLI_NONE},
		{.there = true, .spoke = true, .active = true, .average_milli = 2000}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hpas); i++) {
		struct probe_rig rig;

		open_healthy(&rig);
		rig.hpa = hpas[i];
		probe_rig_wait(&rig, 2);
		assert_int_equal(probe_rig_asked(&rig, METRIC), 2);
		probe_rig_close(&rig);
	}
}

/* A new HPA is let read its metric first: nobody is asked before, and nothing is looked at again until it had its time. */
static void test_a_new_hpa_reads_the_metric_first(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	open_rig(&rig);
	rig.hpa = (struct hpa_says){.average_milli = MILLI_NONE};
	probe_rig_want(&rig, PROBE_KEY, PROBE_WAITING);
	probe_rig_wait(&rig, 1);
	e = probe_rig_evidence(&rig);
	assert_found(e, RUNNING ".metric", "absent");
	assert_true(json_path_int(e, "hpaSilentAt", 0) > 0);
	assert_in_range(json_path_int(e, "awaitedMs", 0), HPA_SPEAKS_MS - 5000, HPA_SPEAKS_MS);
	/* It is made, and the chain is woken for something else. */
	rig.hpa.there = true;
	e = probe_rig_look(&rig);
	assert_found(e, RUNNING ".metric", "absent");
	/* It speaks. */
	rig.hpa = (struct hpa_says){.there = true, .spoke = true, .active = true, .average_milli = 1000};
	probe_rig_want(&rig, PROBE_KEY, PROBE_WAITING);
	prober_notify(rig.prober, PROBE_KEY);
	probe_rig_wait(&rig, 3);
	e = probe_rig_evidence(&rig);
	assert_found(e, RUNNING ".metric.byHpa", "true");
	assert_found(e, RUNNING ".metric.pods", "2");
	assert_found(e, RUNNING ".metric.values", "absent");
	assert_found(e, "awaitedMs", "absent");
	assert_int_equal(probe_rig_asked(&rig, METRIC), 0);
	/* As long as it goes on so, nobody asks. */
	probe_rig_want(&rig, PROBE_KEY, PROBE_HEALTHY);
	probe_rig_wait(&rig, 4);
	assert_found(probe_rig_evidence(&rig), RUNNING ".metric.byHpa", "true");
	assert_int_equal(probe_rig_asked(&rig, METRIC), 0);
	/* In doubt we do. */
	rig.hpa.average_milli = 7000;
	e = probe_rig_look(&rig);
	assert_found(e, RUNNING ".metric.byHpa", "absent");
	assert_found(e, RUNNING ".metric.values", "{\"p-0\":1000,\"p-1\":1000}");
	assert_int_equal(probe_rig_asked(&rig, METRIC), 1);
	probe_rig_close(&rig);
}

/* An operator that starts does not know when that was, nor an autoscaler that has another target now of whose pods. */
static void test_what_an_hpa_said_before_it_was_asked_for_is_no_proof(void **state)
{
	struct probe_rig rig;
	const json_t *e;

	(void)state;
	open_rig(&rig);
	rig.hpa = (struct hpa_says){.there = true, .spoke = true, .active = true, .average_milli = 1000};
	probe_rig_want(&rig, PROBE_KEY, PROBE_BROKEN);
	probe_rig_wait(&rig, 1);
	e = probe_rig_evidence(&rig);
	assert_found(e, "hpaSilentAt", "absent");
	assert_found(e, RUNNING ".metric.byHpa", "absent");
	assert_int_equal(probe_rig_asked(&rig, METRIC), 1);
	probe_rig_close(&rig);

	open_rig(&rig);
	rig.hpa = (struct hpa_says){.there = true, .average_milli = MILLI_NONE};
	probe_rig_want(&rig, PROBE_KEY, PROBE_BROKEN);
	probe_rig_wait(&rig, 1);
	rig.hpa = (struct hpa_says){.there = true, .spoke = true, .active = true, .average_milli = 1000};
	json_object_set_new(rig.request, "target", json_pack("{s:s}", "name", "other"));
	probe_rig_want(&rig, PROBE_KEY, PROBE_BROKEN);
	probe_rig_wait(&rig, 2);
	assert_int_equal(probe_rig_asked(&rig, METRIC), 1);
	probe_rig_close(&rig);
}

/* It had its time, and said nothing. */
static void test_a_silent_hpa_has_its_metric_asked_for(void **state)
{
	struct hpa_silence silence = {.silent = true, .since_ms = clock_monotonic_ms() - HPA_SPEAKS_MS};

	(void)state;
	assert_int_equal(hpa_silence_awaited_ms(&silence), 0);
	silence.since_ms += 5000;
	assert_in_range(hpa_silence_awaited_ms(&silence), 1, 5000);
	silence.silent = false;
	assert_int_equal(hpa_silence_awaited_ms(&silence), 0);
}

/* The route from an HPA that fails to the probe of its autoscaler. */
struct scene {
	struct probe_rig rig;
	struct kube_cache *autoscalers;
	struct queue *queue;
	struct routes routes;
	int passes;
	bool closed;
};

static void on_pass(void *ctx, const char *key)
{
	struct scene *scene = ctx;

	scene->passes++;
	queue_done(scene->queue, key);
}

static void scene_open(struct scene *scene)
{
	auto_json *own = json_pack("{s:{s:s, s:s}, s:{s:{s:s}}}", "metadata", "namespace", "team", "name", "gemma",
		"spec", "scaleTargetRef", "name", "gemma");
	const struct kube_cache_form form = cached_form(KIND_AUTOSCALER);
	const void *before = NULL;

	*scene = (struct scene){.autoscalers = kube_cache_new(&form)};
	kube_cache_put(scene->autoscalers, own, NULL, &before);
	open_healthy(&scene->rig);
	probe_rig_wait(&scene->rig, 2);
	assert_int_equal(probe_rig_asked(&scene->rig, METRIC), 1);
	scene->queue = queue_new(&scene->rig.kube.loop, 1, on_pass, NULL, scene);
	routes_init(&scene->routes, scene->autoscalers, scene->queue, scene->rig.prober);
}

static void on_closed(void *ctx)
{
	*(bool *)ctx = true;
}

static bool is_true(void *ctx)
{
	return *(bool *)ctx;
}

static void scene_close(struct scene *scene)
{
	queue_close(scene->queue, on_closed, &scene->closed);
	assert_true(run_until(&scene->rig.kube.loop, is_true, &scene->closed));
	kube_cache_free(scene->autoscalers);
	probe_rig_close(&scene->rig);
}

/* The HPA whose condition has this status, "" = it has none yet. New reference; NULL for NULL. */
static const struct view *hpa_of(const char *name, const char *active)
{
	auto_json *hpa = json_pack("{s:{s:s, s:s}, s:{s:[{s:s, s:s}]}}", "metadata", "namespace", "team", "name", name,
		"status", "conditions", "type", "ScalingActive", "status", active != NULL ? active : "");

	if (active == NULL) {
		return NULL;
	}
	if (active[0] == '\0') {
		json_object_del(hpa, "status");
	}
	return view_decode(KIND_HPA, hpa);
}

/* It changes from the one to the other; NULL = it is not there. */
static void change_hpa(struct scene *scene, const char *name, const char *from, const char *to)
{
	auto_view *before = hpa_of(name, from);
	auto_view *now = hpa_of(name, to);

	routes_changed(&scene->routes, KIND_HPA, before, now);
}

static void test_an_hpa_that_cannot_read_its_metric_has_it_asked_for(void **state)
{
	struct scene scene;
	const json_t *e;

	(void)state;
	scene_open(&scene);
	probe_rig_say(&scene.rig, METRIC, (struct fake_answer){.status = 403, .body = "{\"message\":\"no\"}"});
	scene.rig.hpa.active = false;
	change_hpa(&scene, "gemma", "True", "False");
	probe_rig_wait(&scene.rig, 3);
	e = probe_rig_evidence(&scene.rig);
	assert_found(e, RUNNING ".metric.cause", "\"Forbidden\"");
	assert_int_equal(probe_rig_asked(&scene.rig, METRIC), 1);
	scene_close(&scene);
}

static void test_other_changes_of_an_hpa_wake_no_probe(void **state)
{
	static const struct {
		const char *name, *from, *to;
	} changes[] = {{"gemma", NULL, ""}, {"gemma", "", "True"}, {"gemma", "False", NULL},
		{"other", "True", "False"}};
	struct scene scene;

	(void)state;
	scene_open(&scene);
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		change_hpa(&scene, changes[i].name, changes[i].from, changes[i].to);
	}
	run_for(&scene.rig.kube.loop, 300);
	assert_int_equal(scene.rig.seen, 2);
	/* One that goes on to fail wakes once, until it was active again. */
	change_hpa(&scene, "gemma", "True", "False");
	probe_rig_wait(&scene.rig, 3);
	change_hpa(&scene, "gemma", "False", "False");
	run_for(&scene.rig.kube.loop, 300);
	assert_int_equal(scene.rig.seen, 3);
	change_hpa(&scene, "gemma", "False", "True");
	change_hpa(&scene, "gemma", "True", "False");
	probe_rig_wait(&scene.rig, 4);
	scene_close(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_healthy_metric_is_not_asked_for_again),
		cmocka_unit_test(test_a_metric_that_the_hpa_does_not_read_is_asked_for),
		cmocka_unit_test(test_a_new_hpa_reads_the_metric_first),
		cmocka_unit_test(test_what_an_hpa_said_before_it_was_asked_for_is_no_proof),
		cmocka_unit_test(test_a_silent_hpa_has_its_metric_asked_for),
		cmocka_unit_test(test_an_hpa_that_cannot_read_its_metric_has_it_asked_for),
		cmocka_unit_test(test_other_changes_of_an_hpa_wake_no_probe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
