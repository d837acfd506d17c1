/* The survey of the GPU chain is bounded in work, whatever tenants make; what it decides is test/golden's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "reconcile/gpu.h"
#include "reconcile/needs.h"
#include "reconcile/reconcile.h"

/* A tenant's, in one namespace: the most that it makes before the cluster itself suffers. */
#define DECOYS 2000
#define OWN_EXPORTERS 1000

/* The world's objects by kind, in order. */
struct lists {
	struct view_list of[KIND_COUNT];
};

static struct view_list views(void *ctx, enum kind kind, const char *ns)
{
	const struct view_list *all = &((struct lists *)ctx)->of[kind];
	struct view_list list = {.items = xcalloc(all->count, sizeof(*list.items)), .count = all->count};

	(void)ns;
	for (size_t i = 0; i < all->count; i++) {
		list.items[i] = all->items[i];
	}
	return list;
}

static struct view_list views_by(void *ctx, enum kind kind, const char *value)
{
	(void)ctx, (void)kind, (void)value;
	return (struct view_list){.items = NULL};
}

static const struct view *view(void *ctx, enum kind kind, const char *ns, const char *name)
{
	const struct view_list *all = &((struct lists *)ctx)->of[kind];

	for (size_t i = 0; i < all->count; i++) {
		const struct object_meta *meta = &all->items[i]->meta;

		if (strcmp(meta->name, name) == 0 && (ns == NULL || strcmp(meta->ns, ns) == 0)) {
			return all->items[i];
		}
	}
	return NULL;
}

static bool missing(void *ctx, enum kind kind)
{
	(void)ctx, (void)kind;
	return false;
}

static const struct evidence *evidence(void *ctx, const char *key)
{
	(void)ctx, (void)key;
	return NULL;
}

static const struct shared_evidence *nobody_scrapes;

static const struct shared_evidence *shared_evidence(void *ctx)
{
	(void)ctx;
	return nobody_scrapes;
}

static const char *failure(void *ctx, const char *key)
{
	(void)ctx, (void)key;
	return NULL;
}

static void append(struct view_list *list, enum kind kind, json_t *object_take)
{
	list->items = xrealloc(list->items, (list->count + 1) * sizeof(*list->items));
	list->items[list->count++] = view_decode(kind, object_take);
	json_decref(object_take);
}

static void add(struct lists *lists, const char *ns, const char *name, const char *label)
{
	append(&lists->of[KIND_SERVICE], KIND_SERVICE,
		json_pack("{s:s, s:{s:s, s:s, s:{s:s}, s:s}, s:{s:{s:s}, s:[{s:s}]}}", "kind", "Service", "metadata",
			"namespace", ns, "name", name, "labels", "app", "nvidia-dcgm-exporter", "creationTimestamp",
			"2026-01-31T07:00:00Z", "spec", "selector", "app", label, "ports", "name", "gpu-metrics"));
	append(&lists->of[KIND_DAEMONSET], KIND_DAEMONSET,
		json_pack("{s:s, s:{s:s, s:s}, s:{s:{s:{s:{s:s}}}}}", "kind", "DaemonSet", "metadata", "namespace", ns,
			"name", name, "spec", "template", "metadata", "labels", "app", label));
}

static void release(struct view_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		view_unref(list->items[i]);
	}
	view_list_release(list);
}

/* Of CPU, since a machine that is shared makes any wall clock late. */
static double milliseconds(clock_t since)
{
	return (double)(clock() - since) * 1000 / CLOCKS_PER_SEC;
}

static struct world world_of(struct lists *lists, const struct settings *settings, const struct shared_state *shared)
{
	return (struct world){.settings = settings,
		.shared = shared,
		.ctx = lists,
		.view = view,
		.views = views,
		.views_by = views_by,
		.missing = missing,
		.evidence = evidence,
		.shared_evidence = shared_evidence,
		.failure = failure};
}

static void decoys_are_bounded_in_work_and_words(void **state)
{
	struct settings settings = SETTINGS_DEFAULT;
	struct lists lists = {.of = {[KIND_SERVICE] = {.count = 0}}};
	const struct shared_state shared = {.adapter = NULL};
	const struct world world = world_of(&lists, &settings, &shared);
	auto_json *object = json_pack("{s:{s:s, s:s}, s:{s:{s:s, s:s}, s:i, s:s}}", "metadata", "namespace", "shop",
		"name", "gemma", "spec", "scaleTargetRef", "kind", "Deployment", "name", "server", "maxReplicas", 5,
		"mode", "GPU");
	auto_view *autoscaler = view_decode(KIND_AUTOSCALER, object);
	const struct gpu_need need = {"Auto", view_autoscaler(autoscaler), true};
	struct gpu_memory memory = {.mended_ms = 0};
	auto_plan plan = PLAN_INIT;
	struct gpu_survey *survey;
	const char *others;
	clock_t since;

	(void)state;
	for (int i = 0; i < DECOYS; i++) {
		auto_free char *name = xasprintf("evil-%04d", i);

		add(&lists, "a-tenant", name, "nvidia-dcgm-exporter");
	}
	add(&lists, "gpu-operator", "nvidia-dcgm-exporter", "nvidia-dcgm-exporter");
	since = clock();
	survey = gpu_survey_make(&world, &need, 1, &memory, &plan);
	print_message("%d decoys: %.1f ms\n", DECOYS, milliseconds(since));
	/* A fraction of it where it is optimised; sanitizers take several times as long as neither. */
	assert_in_range((uintmax_t)milliseconds(since), 0, 200);
	assert_string_equal(gpu_survey_exporter(survey, "Auto")->service, "gpu-operator/nvidia-dcgm-exporter");
	others = gpu_survey_exporter(survey, "Auto")->others;
	assert_non_null(strstr(others, "Service 'a-tenant/evil-0001'"));
	assert_non_null(strstr(others, " and 1997 more"));
	assert_in_range(strlen(others), 0, 200);
	gpu_survey_free(survey);
	release(&lists.of[KIND_SERVICE]);
	release(&lists.of[KIND_DAEMONSET]);
}

/* In mode GPU, with an exporter of its own namespace that its spec describes. */
static const struct view *asks_for(const char *ns, const char *name, const char *label)
{
	auto_json *object = json_pack("{s:{s:s, s:s}, s:{s:{s:s, s:s}, s:i, s:s, s:{s:{s:s, s:s, s:{s:{s:s}}, s:s}}}}",
		"metadata", "namespace", ns, "name", name, "spec", "scaleTargetRef", "kind", "Deployment", "name",
		"server", "maxReplicas", 5, "mode", "GPU", "gpu", "exporter", "type", "Custom", "namespace", ns,
		"selector", "matchLabels", "own", label, "port", "web");

	return view_decode(KIND_AUTOSCALER, object);
}

static json_t *own_service(const char *ns, const char *name)
{
	return json_pack("{s:s, s:{s:s, s:s, s:{s:s}}, s:{s:{s:s}, s:[{s:s}]}}", "kind", "Service", "metadata",
		"namespace", ns, "name", name, "labels", "own", name, "spec", "selector", "app", name, "ports", "name",
		"web");
}

static size_t writes_of(const struct plan *plan, enum kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++) {
		count += plan->writes[i].kind == kind;
	}
	return count;
}

/* Whoever writes autoscalers in one namespace: they fill neither the platform's namespace nor the loop's time. */
static void exporters_of_one_namespace_are_bounded(void **state)
{
	struct settings settings = SETTINGS_DEFAULT;
	struct lists lists = {.of = {[KIND_SERVICE] = {.count = 0}}};
	const struct shared_state shared = {.adapter = NULL};
	const struct world world = world_of(&lists, &settings, &shared);
	const struct shared_evidence seen = {.exporter = {.seen_ms = 1}};
	auto_needs needs;
	auto_free struct gpu_need *asked = NULL;
	struct gpu_memory memory = {.mended_ms = 0};
	auto_plan plan = PLAN_INIT;
	struct gpu_survey *survey;
	size_t count;
	clock_t since;

	(void)state;
	nobody_scrapes = &seen;
	needs_init(&needs);
	append(&lists.of[KIND_PROMETHEUS], KIND_PROMETHEUS,
		json_pack("{s:s, s:{s:s, s:s}, s:{s:{}, s:{}, s:{}, s:{}}}", "kind", "Prometheus", "metadata",
			"namespace", "monitoring", "name", "k8s", "spec", "serviceMonitorSelector",
			"serviceMonitorNamespaceSelector", "ruleSelector", "ruleNamespaceSelector"));
	for (int i = 0; i <= OWN_EXPORTERS; i++) {
		const char *ns = i < OWN_EXPORTERS ? "a-tenant" : "shop";
		auto_free char *name = xasprintf("own-%04d", i);
		auto_view *autoscaler = asks_for(ns, name, name);

		append(&lists.of[KIND_SERVICE], KIND_SERVICE, own_service(ns, name));
		needs_put(&needs, &settings, view_autoscaler(autoscaler), NULL);
	}
	since = clock();
	asked = needs_exporters(&needs, false, &count);
	survey = gpu_survey_make(&world, asked, count, &memory, &plan);
	print_message("%d exporters of one namespace: %.1f ms\n", OWN_EXPORTERS, milliseconds(since));
	assert_int_equal(count, OWN_EXPORTERS + 1);
	assert_in_range((uintmax_t)milliseconds(since), 0, 200);
	/* Those that were first, and the other namespace's. */
	assert_int_equal(writes_of(&plan, KIND_SERVICEMONITOR), GPU_OWN_MAX + 1);
	for (size_t i = 0; i < count; i++) {
		const struct exporter_survey *row = gpu_survey_exporter(survey, asked[i].id);

		assert_true((row->problem == NULL) == (i < GPU_OWN_MAX || i == OWN_EXPORTERS));
	}
	assert_non_null(strstr(gpu_survey_exporter(survey, asked[GPU_OWN_MAX].id)->problem,
		"autoscalers in namespace 'a-tenant' describe more than 8 exporters"));
	gpu_survey_free(survey);
	for (enum kind kind = 0; kind < KIND_COUNT; kind++) {
		release(&lists.of[kind]);
	}
	nobody_scrapes = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decoys_are_bounded_in_work_and_words),
		cmocka_unit_test(exporters_of_one_namespace_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
