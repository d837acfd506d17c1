/* The pods by their labels, and who is notified of which. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "pods/pods.h"
#include "view_rig.h"

#define MANY 10000
#define MS INT64_C(1000000)

static const struct view *pod_of(const char *ns, const char *name, const char *labels, const char *status)
{
	auto_free char *text =
		xasprintf("{metadata: {namespace: %s, name: %s, labels: %s}, status: %s}", ns, name, labels, status);

	return view_rig_yaml(&view_pod_type, text);
}

static void put(struct pods *pods, const char *ns, const char *name, const char *labels)
{
	auto_view *pod = pod_of(ns, name, labels, "{}");

	pods_put(pods, pod);
}

/* The same for many: YAML takes its time. */
static void put_many(struct pods *pods, const char *ns, const char *name, const char *one, const char *other)
{
	auto_json *object = json_pack("{s:{s:s, s:s, s:{s:s, s:s}}}", "metadata", "namespace", ns, "name", name,
		"labels", "app", one, "model", other);
	auto_view *pod = view_decode_as(&view_pod_type, object);

	pods_put(pods, pod);
}

/* The names that are found, with a space after each; heap. */
static char *names_of(const struct pods *pods, const char *ns, const char *selector)
{
	auto_free struct view_selector *wanted = view_selector_parse(selector, NULL);
	auto_pod_list found = pods_find(pods, ns, wanted);
	struct strbuf names = STRBUF_INIT;

	for (size_t i = 0; i < found.count; i++) {
		strbuf_addf(&names, "%s ", found.pods[i]->view.meta.name);
	}
	return strbuf_take(&names);
}

#define assert_pods(pods, ns, selector, wanted)                                                                        \
	do {                                                                                                           \
		auto_free char *found_names = names_of(pods, ns, selector);                                            \
		assert_string_equal(found_names, wanted);                                                              \
	} while (0)

static void test_found_by_labels(void **state)
{
	struct pods *pods = pods_new();

	(void)state;
	assert_pods(pods, "a", "app=x", "");
	put(pods, "a", "p-2", "{app: x, tier: web}");
	put(pods, "a", "p-1", "{app: x, tier: web}");
	put(pods, "a", "p-0", "{app: x}");
	put(pods, "a", "q-0", "{app: y}");
	put(pods, "a", "r-0", "{}");
	put(pods, "b", "p-0", "{app: x}");
	assert_int_equal(pods_count(pods), 6);
	assert_pods(pods, "a", "app=x", "p-0 p-1 p-2 ");
	assert_pods(pods, "a", "app=x,tier=web", "p-1 p-2 ");
	assert_pods(pods, "a", "app in (y,x),!tier", "p-0 q-0 ");
	assert_pods(pods, "a", "app in (x,x)", "p-0 p-1 p-2 ");
	assert_pods(pods, "a", "app=x,app=y", "");
	assert_pods(pods, "a", "app!=x", "q-0 r-0 ");
	assert_pods(pods, "a", "app notin (x,y)", "r-0 ");
	assert_pods(pods, "a", "tier", "p-1 p-2 ");
	assert_pods(pods, "a", "", "p-0 p-1 p-2 q-0 r-0 ");
	assert_pods(pods, "b", "app=x", "p-0 ");
	assert_pods(pods, "c", "app=x", "");
	pods_free(pods);
}

static void test_pods_change_and_go(void **state)
{
	struct pods *pods = pods_new();
	auto_view *ended = pod_of("a", "p-1", "{app: x}", "{phase: Succeeded}");

	(void)state;
	put(pods, "a", "p-0", "{app: x}");
	put(pods, "a", "p-1", "{app: x}");
	put(pods, "a", "p-0", "{app: y}");
	assert_pods(pods, "a", "app=x", "p-1 ");
	assert_pods(pods, "a", "app=y", "p-0 ");
	put(pods, "a", "p-0", "{app: x, b: c}");
	assert_pods(pods, "a", "app=x", "p-0 p-1 ");
	assert_pods(pods, "a", "b=c", "p-0 ");
	pods_put(pods, ended);
	assert_pods(pods, "a", "app=x", "p-0 ");
	pods_remove(pods, "a", "p-1");
	pods_remove(pods, "b", "p-0");
	pods_remove(pods, "a", "p-0");
	assert_int_equal(pods_count(pods), 0);
	assert_pods(pods, "a", "", "");
	pods_free(pods);
}

/* What was found stays while somebody holds it. */
static void test_a_list_outlives_its_pods(void **state)
{
	struct pods *pods = pods_new();
	auto_free struct view_selector *selector = view_selector_parse("app=x", NULL);
	struct pod_list found;

	(void)state;
	put(pods, "a", "p-0", "{app: x}");
	found = pods_find(pods, "a", selector);
	pods_remove(pods, "a", "p-0");
	pods_free(pods);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.pods[0]->view.meta.name, "p-0");
	pod_list_release(&found);
	pod_list_release(&found);
}

/* Random pods that come, change and go; each selector finds what a walk over all of them finds. */
static void test_the_same_as_a_walk(void **state)
{
	static const char *const texts[] = {"a=0", "a=1,b=1", "a in (0,2),b!=1", "a notin (0)", "b", "!b,a=2",
		"a=0,b=0,c=0", "c in (0,1,2)", "a!=1,c", ""};
	enum { PODS = 60, STEPS = 3000 };
	const struct view *model[PODS] = {NULL};
	struct view_selector *selectors[ARRAY_LEN(texts)];
	struct pods *pods = pods_new();
	unsigned seed = 1;
	size_t matched = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		selectors[i] = view_selector_parse(texts[i], NULL);
	}
	for (int step = 0; step < STEPS; step++) {
		int p = rand_r(&seed) % PODS;
		auto_free char *name = xasprintf("p-%02d", p);
		auto_json *labels = json_object();
		auto_json *object = json_pack("{s:{s:s, s:s, s:O}}", "metadata", "namespace", p % 2 ? "m" : "n", "name",
			name, "labels", labels);
		const struct view_selector *selector = selectors[step % (int)ARRAY_LEN(texts)];
		auto_pod_list found = {.pods = NULL};
		size_t wanted = 0;

		for (const char *key = "a\0b\0c\0"; *key != '\0'; key += 2) {
			char value[2] = {(char)('0' + rand_r(&seed) % 3), '\0'};

			if (rand_r(&seed) % 3 > 0) {
				json_object_set_new(labels, key, json_string(value));
			}
		}
		view_unref(model[p]);
		model[p] = NULL;
		if (rand_r(&seed) % 4 == 0) {
			pods_remove(pods, p % 2 ? "m" : "n", name);
		} else {
			model[p] = view_decode_as(&view_pod_type, object);
			pods_put(pods, model[p]);
		}
		found = pods_find(pods, "m", selector);
		for (int i = 1; i < PODS; i += 2) {
			if (model[i] != NULL && view_selector_matches(selector, &model[i]->meta.labels, false)) {
				assert_true(wanted < found.count);
				assert_ptr_equal(found.pods[wanted], model[i]);
				wanted++;
			}
		}
		assert_int_equal(found.count, wanted);
		matched += wanted;
	}
	assert_true(matched > STEPS);
	pods_free(pods);
	for (int i = 0; i < PODS; i++) {
		view_unref(model[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		free_indirect(&selectors[i]);
	}
}

/* Of size. A walk over all pods for each lookup would take a hundred million comparisons here, some seconds. */

/* Each lookup's number is in its namespace when they are `numbered`, else in its selector. */
static void find_each(const struct pods *pods, const char *ns, bool numbered, const char *before, const char *after)
{
	int64_t start = clock_worked_ns();
	int64_t took;

	for (int i = 0; i < MANY; i++) {
		auto_free char *own_ns = numbered ? xasprintf("%s%d", ns, i) : xstrdup(ns);
		auto_free char *text = numbered ? xstrdup(before) : xasprintf("%s%d%s", before, i, after);
		auto_free struct view_selector *selector = view_selector_parse(text, NULL);
		auto_pod_list found = pods_find(pods, own_ns, selector);

		assert_int_equal(found.count, 1);
	}
	took = clock_worked_ns() - start;
	print_message("%d lookups of one pod each among as many: %lld ms\n", MANY, (long long)(took / MS));
	assert_true(took < 1000 * MS);
}

static void test_many_targets_in_one_namespace(void **state)
{
	struct pods *pods = pods_new();

	(void)state;
	for (int i = 0; i < MANY; i++) {
		auto_free char *name = xasprintf("model-%d-0", i);
		auto_free char *model = xasprintf("m%d", i);

		put_many(pods, "team", name, "vllm", model);
	}
	find_each(pods, "team", false, "app=vllm,model=m", "");
	find_each(pods, "team", false, "model in (m", "),app in (vllm,sglang)");
	pods_free(pods);
}

static void test_many_namespaces(void **state)
{
	struct pods *pods = pods_new();

	(void)state;
	for (int i = 0; i < MANY; i++) {
		auto_free char *ns = xasprintf("team-%d", i);

		put_many(pods, ns, "vllm-0", "vllm", "gemma");
	}
	find_each(pods, "team-", true, "app=vllm", NULL);
	find_each(pods, "team-", true, "!other", NULL);
	pods_free(pods);
}

/* All pods of one target change their labels, and back; one is found all the same as soon as it is there. */
static void test_many_pods_change_their_labels(void **state)
{
	struct pods *pods = pods_new();
	int64_t start = clock_worked_ns();

	(void)state;
	for (int turn = 0; turn < 4; turn++) {
		for (int i = 0; i < MANY; i++) {
			auto_free char *name = xasprintf("p-%d", i);

			put_many(pods, "team", name, "vllm", turn % 2 ? "new" : "old");
		}
	}
	assert_int_equal(pods_count(pods), MANY);
	assert_pods(pods, "team", "model=old", "");
	assert_true(clock_worked_ns() - start < 3000 * MS);
	pods_free(pods);
}

/* What a pod costs, of a large cluster: its view, and its place here. */

#ifndef __SANITIZE_ADDRESS__
#define CLUSTER 100000
#define OF_A_DEPLOYMENT 20

/* The usual pod of the i-th place; one of a StatefulSet has labels that no other has. */
static void put_usual(struct pods *pods, json_t *object, int i, bool of_a_set)
{
	json_t *metadata = json_object_get(object, "metadata");
	json_t *labels = json_object_get(metadata, "labels");
	auto_free char *ns = xasprintf("team-of-number-%d", i / 1000);
	auto_free char *app = xasprintf("vllm-gemma-%d", i / OF_A_DEPLOYMENT);
	auto_free char *name = xasprintf("%s-7d9c8b6f5-%05d", app, i);
	auto_view *pod = NULL;

	json_object_set_new(metadata, "namespace", json_string(ns));
	json_object_set_new(metadata, "name", json_string(name));
	json_object_set_new(labels, "app", json_string(app));
	if (of_a_set) {
		json_object_del(labels, "pod-template-hash");
		json_object_set_new(labels, "controller-revision-hash", json_string("vllm-gemma-7d9c8b6f5"));
		json_object_set_new(labels, "statefulset.kubernetes.io/pod-name", json_string(name));
		json_object_set_new(labels, "apps.kubernetes.io/pod-index", json_string(name + strlen(name) - 1));
	}
	pod = view_decode_as(&view_pod_type, object);
	pods_put(pods, pod);
}

static size_t bytes_of_cluster(const char *what, bool of_a_set)
{
	auto_json *object = yaml_file("unit/objects/pod.yaml");
	size_t before = mallinfo2().uordblks;
	struct pods *pods = pods_new();
	size_t bytes;

	json_array_remove(json_path(object, "spec.containers"), 1);
	json_array_remove(json_path(object, "status.containerStatuses"), 1);
	for (int i = 0; i < CLUSTER; i++) {
		put_usual(pods, object, i, of_a_set);
	}
	bytes = mallinfo2().uordblks - before;
	print_message("%d pods of %s: %zu MiB, %zu bytes each\n", CLUSTER, what, bytes >> 20, bytes / CLUSTER);
	pods_free(pods);
	return bytes / CLUSTER;
}

static void test_what_a_pod_costs(void **state)
{
	(void)state;
	assert_true(bytes_of_cluster("Deployments", false) <= 600);
	assert_true(bytes_of_cluster("StatefulSets", true) <= 1200);
}
#endif

/* Readers. */

struct reader {
	struct pod_reader reader;
	int notified;
};

static void on_changed(struct pod_reader *reader)
{
	container_of(reader, struct reader, reader)->notified++;
}

static void reader_open(struct reader *r, struct pods *pods, const char *ns, const char *selector)
{
	*r = (struct reader){.notified = 0};
	pod_reader_init(&r->reader, pods, on_changed);
	pod_reader_select(&r->reader, ns, selector);
}

static int taken(struct reader *r)
{
	int notified = r->notified;

	r->notified = 0;
	return notified;
}

static void test_readers_are_notified_of_their_pods(void **state)
{
	struct pods *pods = pods_new();
	auto_view *ready = pod_of("a", "p-0", "{app: x}", "{conditions: [{type: Ready, status: 'True'}]}");
	auto_view *again = pod_of("a", "p-0", "{app: x}", "{message: m, conditions: [{type: Ready, status: 'True'}]}");
	struct reader x;
	struct reader either;
	struct reader any;
	struct reader elsewhere;

	(void)state;
	reader_open(&x, pods, "a", "app=x");
	reader_open(&either, pods, "a", "app in (x,y)");
	reader_open(&any, pods, "a", "!none");
	reader_open(&elsewhere, pods, "b", "app=x");
	put(pods, "a", "p-0", "{app: x}");
	assert_int_equal(taken(&x), 1);
	assert_int_equal(taken(&either), 1);
	assert_int_equal(taken(&any), 1);
	put(pods, "a", "p-0", "{app: x}"); /* nothing that a probe sees */
	assert_int_equal(taken(&x), 0);
	pods_put(pods, ready);
	assert_int_equal(taken(&x), 1);
	pods_put(pods, again);
	assert_int_equal(taken(&x), 0);
	put(pods, "a", "p-0", "{app: y}");
	assert_int_equal(taken(&x), 1); /* it went, for this one */
	assert_int_equal(taken(&either), 2);
	put(pods, "a", "p-0", "{app: z}");
	assert_int_equal(taken(&x), 0);
	assert_int_equal(taken(&either), 1);
	pods_remove(pods, "a", "p-0");
	assert_int_equal(taken(&either), 0);
	assert_int_equal(taken(&any), 4);
	pods_remove(pods, "a", "p-0");
	assert_int_equal(taken(&any), 0);
	assert_int_equal(taken(&elsewhere), 0);
	pod_reader_release(&x.reader);
	put(pods, "a", "p-0", "{app: x}");
	assert_int_equal(taken(&x), 0);
	assert_int_equal(taken(&either), 1);
	pod_reader_release(&either.reader);
	pod_reader_release(&any.reader);
	pod_reader_release(&elsewhere.reader);
	pods_free(pods);
}

static void test_a_reader_reads(void **state)
{
	struct pods *pods = pods_new();
	auto_error err = ERROR_INIT;
	auto_error forbidden = ERROR_INIT;
	struct pod_list found;
	struct reader r;

	(void)state;
	assert_true(pods_awaited(pods));
	put(pods, "a", "p-0", "{app: x}");
	put(pods, "a", "p-1", "{app: y}");
	reader_open(&r, pods, "a", "app=x");
	pods_set_state(pods, true, NULL);
	assert_false(pods_awaited(pods));
	assert_int_equal(pod_reader_find(&r.reader, &found, &err), 0);
	assert_int_equal(found.count, 1);
	pod_list_release(&found);
	pod_reader_select(&r.reader, "a", "app=x,");
	assert_int_equal(pod_reader_find(&r.reader, &found, &err), -1);
	assert_int_equal(err.kind, ERROR_INVALID);
	assert_non_null(strstr(err.message, "'app=x,'"));
	put(pods, "a", "p-0", "{app: z}");
	assert_int_equal(taken(&r), 0);
	pod_reader_select(&r.reader, "a", "app=y");
	pods_remove(pods, "a", "p-1");
	assert_int_equal(taken(&r), 1);
	error_set(&forbidden, ERROR_FORBIDDEN, "no");
	pods_set_state(pods, true, &forbidden);
	assert_int_equal(pod_reader_find(&r.reader, &found, &err), -1);
	assert_int_equal(err.kind, ERROR_FORBIDDEN);
	pods_set_state(pods, false, &forbidden);
	assert_false(pods_awaited(pods)); /* it need not be waited for */
	pods_set_state(pods, true, NULL);
	assert_int_equal(pod_reader_find(&r.reader, &found, &err), 0);
	assert_int_equal(found.count, 0);
	pod_reader_release(&r.reader);
	pods_free(pods);
}

/* Ten thousand readers whose selectors have a label in common: a pod that is nobody's, and one that is somebody's, are
 * compared with few of them. */
static void test_many_readers(void **state)
{
	struct pods *pods = pods_new();
	struct reader *readers = xcalloc(MANY, sizeof(*readers));
	int64_t start;
	int64_t took;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		auto_free char *selector = xasprintf("app=vllm,model=m%d", i);

		reader_open(&readers[i], pods, "team", selector);
	}
	start = clock_worked_ns();
	for (int i = 0; i < MANY; i++) {
		put_many(pods, "team", "nobodys", "vllm", i % 2 ? "x" : "y");
		put_many(pods, "team", "somebodys", "vllm", i % 2 ? "m7" : "m8");
	}
	took = clock_worked_ns() - start;
	print_message("%d changes for %d readers: %lld ms\n", 2 * MANY, MANY, (long long)(took / MS));
	assert_true(took < 2000 * MS);
	assert_int_equal(readers[7].notified, MANY - 1); /* the first time it was the other's */
	assert_int_equal(readers[8].notified, MANY);
	for (int i = 0; i < MANY; i++) {
		assert_true(i == 7 || i == 8 || readers[i].notified == 0);
		pod_reader_release(&readers[i].reader);
	}
	free_indirect(&readers);
	pods_free(pods);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found_by_labels),
		cmocka_unit_test(test_pods_change_and_go),
		cmocka_unit_test(test_a_list_outlives_its_pods),
		cmocka_unit_test(test_the_same_as_a_walk),
		cmocka_unit_test(test_many_targets_in_one_namespace),
		cmocka_unit_test(test_many_namespaces),
		cmocka_unit_test(test_many_pods_change_their_labels),
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test(test_what_a_pod_costs),
#endif
		cmocka_unit_test(test_readers_are_notified_of_their_pods),
		cmocka_unit_test(test_a_reader_reads),
		cmocka_unit_test(test_many_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
