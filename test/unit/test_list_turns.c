/* A list of 10,000 objects comes in without holding the loop: probes, and passes of others, go on meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "event_loop.h"
#include "kube/informer.h"
#include "kube_rig.h"
#include "runtime/cached_views.h"
#include "view_rig.h"

/* Sanitizers take several times as long, and measure nothing here. */
#if defined(__SANITIZE_ADDRESS__)
#define MANY 2000
#else
#define MANY 10000
#endif
#define PAGE 100
/* Of the owner, for each that it is told of: all of them in one turn would hold the loop for four times as long as may be. */
#define REPORT_MS 0.02
/* Of CPU: a machine that is shared makes any wall clock late. The operator may take 50; without optimisation the same work
 * takes up to twice as long. */
#ifdef __OPTIMIZE__
#define TURN_MAX_MS 50
#else
#define TURN_MAX_MS 100
#endif

/* How the server gives its list. */
enum way { AS_STREAM, WHOLE, IN_PAGES };
static const char *const ways[] = {"as a stream", "as a whole list", "in pages"};

struct rig {
	struct kube_rig kube;
	struct kube_informer *informer;
	struct strbuf answer;
	enum way way;
	bool ends; /* the stream, with the list */
	bool closed;
	int pages; /* asked for */
	int reported;
};

/* Each as large as the API server sends it: with the fields that others manage. Made before, since the server of the test
 * is on the same loop. */
static char *objects[MANY];

static int make_objects(void **state)
{
	auto_json *object = view_rig_object("InferenceAutoscaler", "gemma");
	json_t *metadata = json_object_get(object, "metadata");

	(void)state;
	json_object_set_new(metadata, "managedFields",
		json_pack("[{s:s, s:O}, {s:s, s:O}]", "manager", "inference-autoscaler", "fieldsV1",
			json_object_get(object, "status"), "manager", "kubectl", "fieldsV1",
			json_object_get(object, "spec")));
	for (int i = 0; i < MANY; i++) {
		auto_free char *name = xasprintf("model-%05d", i);
		auto_free char *version = xasprintf("%d", 1000 + i);

		json_object_set_new(metadata, "name", json_string(name));
		json_object_set_new(metadata, "resourceVersion", json_string(version));
		objects[i] = json_text(object);
	}
	return 0;
}

static int free_objects(void **state)
{
	(void)state;
	for (int i = 0; i < MANY; i++) {
		free(objects[i]);
	}
	return 0;
}

static void add_list(struct strbuf *text, const char *token, int from, int to)
{
	strbuf_addf(text, "{\"metadata\":{\"resourceVersion\":\"99\",\"continue\":\"%s\"},\"items\":[", token);
	for (int i = from; i < to; i++) {
		strbuf_addstr(text, i > from ? "," : "");
		strbuf_addstr(text, objects[i]);
	}
	strbuf_addstr(text, "]}");
}

static struct fake_answer answer(void *ctx, const struct fake_request *request)
{
	struct rig *rig = ctx;
	const char *token = strstr(request->line, "continue=");
	int from = token != NULL ? atoi(token + strlen("continue=")) : 0;

	strbuf_reset(&rig->answer);
	if (strstr(request->line, "sendInitialEvents") != NULL && rig->way != AS_STREAM) {
		return (struct fake_answer){.status = 422, .body = "{\"kind\":\"Status\",\"reason\":\"Invalid\"}"};
	}
	if (strstr(request->line, "sendInitialEvents") != NULL) {
		for (int i = 0; i < MANY; i++) {
			strbuf_addstr(&rig->answer, "{\"type\":\"ADDED\",\"object\":");
			strbuf_addstr(&rig->answer, objects[i]);
			strbuf_addstr(&rig->answer, "}\n");
		}
		strbuf_addstr(&rig->answer,
			"{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"99\","
			"\"annotations\":{\"k8s.io/initial-events-end\":\"true\"}}}}\n");
		return (struct fake_answer){.status = 200,
			.body = rig->answer.buf,
			.end = rig->ends ? FAKE_END : FAKE_HOLD};
	}
	if (strstr(request->line, "watch=true") != NULL) {
		return (struct fake_answer){.status = 200, .end = FAKE_HOLD};
	}
	if (strstr(request->line, "resourceVersion=0") != NULL && rig->way == IN_PAGES) {
		return (struct fake_answer){.status = 504, .body = "{\"kind\":\"Status\",\"reason\":\"Timeout\"}"};
	}
	if (strstr(request->line, "resourceVersion=0") != NULL) {
		add_list(&rig->answer, "", 0, MANY);
	} else {
		auto_free char *next = from + PAGE < MANY ? xasprintf("%d", from + PAGE) : xstrdup("");

		rig->pages++;
		add_list(&rig->answer, next, from, from + PAGE);
	}
	return (struct fake_answer){.status = 200, .body = rig->answer.buf};
}

static void on_closed(void *ctx)
{
	((struct rig *)ctx)->closed = true;
}

static bool is_closed(void *ctx)
{
	return ((struct rig *)ctx)->closed;
}

static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* In the order of their names, all of them before the informer counts as synced. */
static void on_changed(void *ctx, struct kube_informer *informer, const void *before, const void *now)
{
	struct rig *rig = ctx;
	auto_free char *name = xasprintf("model-%05d", rig->reported++);
	double start = cpu_ms();

	assert_null(before);
	assert_string_equal(((const struct view *)now)->meta.name, name);
	assert_false(kube_informer_synced(informer));
	while (cpu_ms() - start < REPORT_MS) {
	}
}

/* The longest turn of the loop until the list is in, but those in which the server of the test made an answer. */
static double longest_turn_ms(struct rig *rig)
{
	double longest = 0;

	while (!kube_informer_synced(rig->informer)) {
		size_t requests = fake_requests(rig->kube.fake);
		double start = cpu_ms();
		double took;

		event_loop_turn(&rig->kube.loop);
		took = cpu_ms() - start;
		if (fake_requests(rig->kube.fake) == requests && took > longest) {
			longest = took;
		}
	}
	return longest;
}

static void check_list(enum way way, bool ends)
{
	struct rig rig = {.answer = STRBUF_INIT, .way = way, .ends = ends};
	struct kube_informer_hooks hooks = {.form = cached_form(KIND_AUTOSCALER), .changed = on_changed, .ctx = &rig};
	double longest;

	rig_open(&rig.kube, answer, &rig, NULL);
	rig.informer = kube_informer_new(rig.kube.client, &kinds[KIND_AUTOSCALER].resource, NULL, NULL, &hooks);
	kube_informer_start(rig.informer);
	longest = longest_turn_ms(&rig);
	assert_int_equal(kube_cache_count(kube_informer_cache(rig.informer)), MANY);
	assert_int_equal(rig.reported, MANY);
	assert_int_equal(rig.pages, way == IN_PAGES ? MANY / PAGE : 0);
	print_message("%d objects %s: the longest turn took %.1f ms\n", MANY, ways[way], longest);
	kube_informer_close(rig.informer, on_closed, &rig);
	assert_true(run_until(&rig.kube.loop, is_closed, &rig));
	assert_int_equal(rig_close(&rig.kube), 0);
	strbuf_release(&rig.answer);
#if !defined(__SANITIZE_ADDRESS__)
	/* Sanitizers take several times as long. */
	assert_in_range((uintmax_t)longest, 0, TURN_MAX_MS);
#endif
}

static void test_a_stream_of_many_holds_nobody_up(void **state)
{
	(void)state;
	check_list(AS_STREAM, false);
}

/* Most of the lines wait for their turn when the connection is closed: none is lost. */
static void test_a_stream_that_ends_with_its_list(void **state)
{
	(void)state;
	check_list(AS_STREAM, true);
}

static void test_a_whole_list_of_many_holds_nobody_up(void **state)
{
	(void)state;
	check_list(WHOLE, false);
}

static void test_pages_of_many_hold_nobody_up(void **state)
{
	(void)state;
	check_list(IN_PAGES, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_stream_of_many_holds_nobody_up),
		cmocka_unit_test(test_a_stream_that_ends_with_its_list),
		cmocka_unit_test(test_a_whole_list_of_many_holds_nobody_up),
		cmocka_unit_test(test_pages_of_many_hold_nobody_up),
	};

	return cmocka_run_group_tests(tests, make_objects, free_objects);
}
