/* Which changes of the cluster bring a pass to whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "kube_rig.h"
#include "runtime/controller.h"

/* Long enough for a pass, if one is due. */
#define QUIET_MS 300

/* A cluster of two autoscalers without a target and a Prometheus; no other type is installed. */
struct rig {
	struct kube_rig kube;
	struct access *access;
	struct settings settings;
	struct controller *controller;
	bool refuses_watches; /* of its Prometheuses */
	bool refuses_writes;
	const char *refusal; /* headers of it; NULL = none */
	int writes;          /* sent to it */
	const char *refused; /* the plural of what may not be read; NULL = nothing */
	int watches;         /* of Prometheuses, begun */
	int lists;           /* of autoscalers */
	int configmaps;      /* asked for */
	int pods;            /* likewise */
	int pods_at_first;   /* when the first write was sent */
	int wanted;          /* what is waited for, so many times in all */
	bool closed;
};

#define AUTOSCALER(name)                                                                                               \
	"{\"metadata\":{\"namespace\":\"shop\",\"name\":\"" name "\",\"creationTimestamp\":\"2026-01-02T00:00:00Z\"}," \
	"\"spec\":{\"maxReplicas\":5,\"scaleTargetRef\":{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\","          \
	"\"name\":\"" name "\"}}}"
#define PROMETHEUS(rv, selector, replicas)                                                                             \
	"{\"metadata\":{\"namespace\":\"monitoring\",\"name\":\"k8s\",\"resourceVersion\":\"" rv "\"},"                \
	"\"spec\":{\"serviceMonitorSelector\":" selector "},\"status\":{\"replicas\":" replicas "}}"
#define LIST(items) "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[" items "]}"
#define MODIFIED(object) "{\"type\":\"MODIFIED\",\"object\":" object "}\n"
#define BOOKMARK "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"9\"}}}\n"

static bool is_refused(const struct rig *rig, const char *line)
{
	auto_free char *pattern = rig->refused != NULL ? xasprintf("GET *[/]%s[?]*", rig->refused) : NULL;

	return pattern != NULL && fnmatch(pattern, line, 0) == 0;
}

static struct fake_answer on_request(void *ctx, const struct fake_request *request)
{
	struct rig *rig = ctx;

	rig->pods += fnmatch("GET *[/]pods[?]*", request->line, 0) == 0;
	if (is_refused(rig, request->line)) {
		return (struct fake_answer){.status = 403};
	}
	if (fnmatch("*sendInitialEvents*", request->line, 0) == 0) {
		return (struct fake_answer){.status = 422, .body = "{\"kind\":\"Status\",\"reason\":\"Invalid\"}"};
	}
	if (fnmatch("GET *[/]configmaps[?]*", request->line, 0) == 0) {
		rig->configmaps++;
	}
	if (settings_serve(&rig->settings) && fnmatch("GET *[/]apiservices[?]*", request->line, 0) == 0) {
		return strstr(request->line, "watch=") != NULL ? (struct fake_answer){.end = FAKE_MUTE}
		                                               : (struct fake_answer){.status = 200, .body = LIST("")};
	}
	if (fnmatch("GET *[/]prometheuses[?]watch*", request->line, 0) == 0) {
		rig->watches++;
		return rig->refuses_watches ? (struct fake_answer){.status = 403}
		                            : (struct fake_answer){.status = 200, .end = FAKE_HOLD};
	}
	if (fnmatch("GET *[/]inferenceautoscalers[?]watch*", request->line, 0) == 0) {
		return (struct fake_answer){.end = FAKE_MUTE};
	}
	if (fnmatch("GET *[/]prometheuses*", request->line, 0) == 0) {
		return (struct fake_answer){.status = 200, .body = LIST(PROMETHEUS("1", "{}", "1"))};
	}
	if (fnmatch("GET *[/]inferenceautoscalers*", request->line, 0) == 0) {
		rig->lists++;
		return (struct fake_answer){.status = 200, .body = LIST(AUTOSCALER("a") "," AUTOSCALER("b"))};
	}
	if (strncmp(request->line, "GET ", 4) != 0) {
		rig->pods_at_first = rig->writes == 0 ? rig->pods : rig->pods_at_first;
		rig->writes++;
		return rig->refuses_writes ? (struct fake_answer){.status = rig->refusal != NULL ? 503 : 403,
						     .headers = rig->refusal}
		                           : (struct fake_answer){.status = 200,
						     .body = "{\"metadata\":{\"resourceVersion\":\"1\"}}"};
	}
	return (struct fake_answer){.status = 404, .body = "404 page not found"};
}

static int metric(const struct rig *rig, const char *name)
{
	auto_free char *line = xasprintf("\ninference_autoscaler_%s ", name);
	auto_strbuf page = STRBUF_INIT;

	controller_metrics(rig->controller, &page);
	return atoi(strstr(page.buf, line) + strlen(line));
}

static int passes(const struct rig *rig)
{
	return metric(rig, "passes_total");
}

static bool has_passes(void *ctx)
{
	const struct rig *rig = ctx;

	return passes(rig) >= rig->wanted;
}

static void wait_for_passes(struct rig *rig, int wanted)
{
	rig->wanted = wanted;
	assert_true(run_until(&rig->kube.loop, has_passes, rig));
}

static bool has_watches(void *ctx)
{
	const struct rig *rig = ctx;

	return rig->watches >= rig->wanted;
}

static void wait_for_watches(struct rig *rig, int wanted)
{
	rig->wanted = wanted;
	assert_true(run_until(&rig->kube.loop, has_watches, rig));
}

/* Runs until nothing is left to do; how many passes that were in all. */
static int settled(struct rig *rig)
{
	int before;

	do {
		before = passes(rig);
		run_for(&rig->kube.loop, QUIET_MS);
	} while (passes(rig) != before);
	return before;
}

/* Of an operator that serves the metrics API, when that is not "". */
static void rig_watch_serving(struct rig *rig, const char *service, const char *refused)
{
	*rig = (struct rig){.settings = SETTINGS_DEFAULT, .refused = refused};
	if (service[0] != '\0') {
		assert_int_equal(metrics_service_read(service, &rig->settings.metrics_service, NULL), 0);
	}
	rig_open(&rig->kube, on_request, rig, NULL);
	rig->access = access_new(&(struct access_options){.url = NULL}, NULL);
	rig->controller =
		controller_new(rig->kube.client, rig->kube.http, rig->access, &rig->settings, "the test's own");
	controller_watch(rig->controller);
}

static void rig_watch(struct rig *rig, const char *refused)
{
	rig_watch_serving(rig, "", refused);
}

static void rig_start(struct rig *rig, const char *refused)
{
	rig_watch(rig, refused);
	controller_lead(rig->controller);
}

static void rig_begin(struct rig *rig)
{
	rig_start(rig, NULL);
	wait_for_passes(rig, 3);
	wait_for_watches(rig, 1);
}

static void on_closed(void *ctx)
{
	*(bool *)ctx = true;
}

static bool is_true(void *ctx)
{
	return *(bool *)ctx;
}

static void rig_end(struct rig *rig)
{
	controller_retire(rig->controller, on_closed, &rig->closed);
	assert_true(run_until(&rig->kube.loop, is_true, &rig->closed));
	rig->closed = false;
	controller_close(rig->controller, on_closed, &rig->closed);
	assert_true(run_until(&rig->kube.loop, is_true, &rig->closed));
	access_free(rig->access);
	assert_int_equal(rig_close(&rig->kube), 0);
}

/* prometheus-operator writes the status of its resources all the time. */
static void test_a_prometheus_is_news_when_its_spec_changes(void **state)
{
	struct rig rig;
	int before;

	(void)state;
	rig_begin(&rig);
	/* It was there before anybody looked: what changed by the first event cannot be told. */
	fake_push(rig.kube.fake, MODIFIED(PROMETHEUS("2", "{}", "2")));
	before = settled(&rig);
	fake_push(rig.kube.fake, MODIFIED(PROMETHEUS("3", "{}", "3")));
	assert_int_equal(settled(&rig), before);
	fake_push(rig.kube.fake, MODIFIED(PROMETHEUS("4", "{\"matchLabels\":{\"team\":\"a\"}}", "3")));
	wait_for_passes(&rig, before + 3); /* both autoscalers, and what they share */
	rig_end(&rig);
}

/* The watch is refused, and begins anew without an event: the error stands until one comes. */
static void have_an_error(struct rig *rig)
{
	rig->refuses_watches = true;
	fake_drop(rig->kube.fake);
	wait_for_watches(rig, rig->watches + 1);
	rig->refuses_watches = false;
	wait_for_watches(rig, rig->watches + 1);
}

static void test_an_error_that_comes_and_goes_is_no_news(void **state)
{
	struct rig rig;
	int before;

	(void)state;
	rig_begin(&rig);
	before = settled(&rig);
	have_an_error(&rig);
	fake_push(rig.kube.fake, BOOKMARK);
	assert_int_equal(settled(&rig), before);
	rig_end(&rig);
}

static bool has_failures(void *ctx)
{
	const struct rig *rig = ctx;

	return metric(rig, "pass_failures_total") >= rig->wanted;
}

static bool has_writes(void *ctx)
{
	const struct rig *rig = ctx;

	return metric(rig, "writes_total") >= rig->wanted;
}

/* After twelve failures of each autoscaler its next try is five seconds away. */
static void test_what_failed_is_tried_when_the_server_is_back(void **state)
{
	struct rig rig;
	int64_t start;

	(void)state;
	rig_begin(&rig);
	rig.refuses_writes = true;
	fake_push(rig.kube.fake, MODIFIED(PROMETHEUS("2", "{\"matchLabels\":{\"team\":\"z\"}}", "1")));
	rig.wanted = 1;
	assert_true(run_until(&rig.kube.loop, has_failures, &rig));
	have_an_error(&rig);
	rig.wanted = 24;
	assert_true(run_until(&rig.kube.loop, has_failures, &rig));
	start = clock_monotonic_ms();
	rig.refuses_writes = false;
	fake_push(rig.kube.fake, BOOKMARK);
	rig.wanted = metric(&rig, "writes_total") + 2;
	assert_true(run_until(&rig.kube.loop, has_writes, &rig));
	assert_in_range(clock_monotonic_ms() - start, 0, 4000);
	rig_end(&rig);
}

/* All are woken, and have their passes. */
static void wake_all(struct rig *rig, const char *prometheus)
{
	int before = passes(rig);

	fake_push(rig->kube.fake, prometheus);
	wait_for_passes(rig, before + 3);
}

/* After nine failures of each autoscaler the next try is more than a second away. */
static void test_what_was_refused_is_not_sent_because_something_woke_it(void **state)
{
	struct rig rig;
	int before;

	(void)state;
	rig_begin(&rig);
	rig.refuses_writes = true;
	rig.wanted = 18;
	fake_push(rig.kube.fake, MODIFIED(PROMETHEUS("2", "{\"matchLabels\":{\"team\":\"z\"}}", "1")));
	assert_true(run_until(&rig.kube.loop, has_failures, &rig));
	before = rig.writes;
	wake_all(&rig, MODIFIED(PROMETHEUS("3", "{\"matchLabels\":{\"team\":\"a\"}}", "1")));
	wake_all(&rig, MODIFIED(PROMETHEUS("4", "{\"matchLabels\":{\"team\":\"b\"}}", "1")));
	assert_int_equal(rig.writes, before);
	rig_end(&rig);
}

static void test_a_server_that_asks_to_be_left_alone_is_left_alone(void **state)
{
	struct rig rig;
	int before;

	(void)state;
	rig_begin(&rig);
	rig.refuses_writes = true;
	rig.refusal = "Retry-After: 60\r\n";
	rig.wanted = 2;
	fake_push(rig.kube.fake, MODIFIED(PROMETHEUS("2", "{\"matchLabels\":{\"team\":\"z\"}}", "1")));
	assert_true(run_until(&rig.kube.loop, has_failures, &rig));
	before = rig.writes;
	fake_push(rig.kube.fake, MODIFIED(PROMETHEUS("3", "{\"matchLabels\":{\"team\":\"a\"}}", "1")));
	run_for(&rig.kube.loop, QUIET_MS);
	assert_int_equal(rig.writes, before);
	rig_end(&rig);
}

/* Without the right to pods each autoscaler's status says so. */
static void test_a_refused_watch_of_pods_is_not_waited_for(void **state)
{
	struct rig rig;

	(void)state;
	rig_start(&rig, "pods");
	wait_for_passes(&rig, 3);
	assert_true(controller_ready(rig.controller));
	rig_end(&rig);
}

/* Where it came back while this replica stood by and waited to try again, nobody is told that it is missing. */
static void test_a_right_that_came_back_is_seen_before_a_word_is_said(void **state)
{
	struct rig rig;
	int before;

	(void)state;
	rig_watch(&rig, "pods");
	run_for(&rig.kube.loop, QUIET_MS);
	rig.refused = NULL;
	before = rig.pods;
	controller_lead(rig.controller);
	wait_for_passes(&rig, 3);
	assert_true(rig.writes > 0);
	assert_true(rig.pods_at_first > before);
	rig_end(&rig);
}

/* Nor the right to the adapter's ConfigMap; and a wait for that right is no reason to be restarted. */
static void test_a_refused_watch_of_the_adapters_configmap_is_not_waited_for(void **state)
{
	struct rig rig;

	(void)state;
	rig_start(&rig, "configmaps");
	wait_for_passes(&rig, 3);
	assert_true(controller_ready(rig.controller));
	assert_true(controller_live(rig.controller));
	rig_end(&rig);
}

/* Where nobody needs an adapter and there is none, the operator may have no rights in what would be its namespace. */
static void test_no_adapter_is_looked_for_where_the_metrics_api_is_ours(void **state)
{
	struct rig rig;

	(void)state;
	rig_watch_serving(&rig, "shop/metrics:443", NULL);
	controller_lead(rig.controller);
	wait_for_passes(&rig, 3);
	assert_true(controller_ready(rig.controller));
	assert_true(controller_live(rig.controller));
	assert_int_equal(rig.configmaps, 0);
	rig_end(&rig);

	rig_start(&rig, NULL);
	wait_for_passes(&rig, 3);
	assert_true(rig.configmaps > 0);
	rig_end(&rig);
}

/* Of anything else a half-seen world is never acted on. */
static void test_any_other_refused_watch_is_waited_for(void **state)
{
	struct rig rig;

	(void)state;
	rig_start(&rig, "services");
	wait_for_watches(&rig, 1);
	assert_int_equal(settled(&rig), 0);
	assert_false(controller_ready(rig.controller));
	rig_end(&rig);
}

static bool is_ready(void *ctx)
{
	const struct rig *rig = ctx;

	return controller_ready(rig->controller);
}

static size_t count_autoscalers(const struct rig *rig)
{
	size_t count = 0;
	const struct view_autoscaler *next = controller_next(rig->controller, NULL);

	while (next != NULL) {
		auto_free char *key = meta_key(&next->view.meta);

		count++;
		next = controller_next(rig->controller, key);
	}
	return count;
}

/* It has seen all, does nothing of it and says nothing of it, and lists nothing anew when its time comes. */
static void test_a_replica_that_waits_is_warm_and_silent(void **state)
{
	struct rig rig;
	int lists;

	(void)state;
	rig_watch(&rig, NULL);
	assert_true(run_until(&rig.kube.loop, is_ready, &rig));
	wait_for_watches(&rig, 1);
	fake_push(rig.kube.fake, MODIFIED(PROMETHEUS("2", "{}", "2")));
	fake_push(rig.kube.fake, MODIFIED(PROMETHEUS("3", "{\"matchLabels\":{\"team\":\"a\"}}", "3")));
	assert_int_equal(settled(&rig), 0);
	assert_int_equal(metric(&rig, "queue_length"), 0);
	assert_int_equal(rig.writes, 0);
	assert_int_equal(count_autoscalers(&rig), 0);
	assert_false(controller_has(rig.controller, "shop/a"));
	lists = rig.lists;
	controller_lead(rig.controller);
	wait_for_passes(&rig, 3);
	assert_int_equal(rig.lists, lists);
	assert_int_equal(count_autoscalers(&rig), 2);
	rig_end(&rig);
}

/* The Lease may come first. */
static void test_a_replica_that_leads_early_acts_when_it_has_seen_all(void **state)
{
	struct rig rig;

	(void)state;
	rig_start(&rig, NULL);
	assert_int_equal(passes(&rig), 0);
	wait_for_passes(&rig, 3);
	rig_end(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_prometheus_is_news_when_its_spec_changes),
		cmocka_unit_test(test_an_error_that_comes_and_goes_is_no_news),
		cmocka_unit_test(test_what_failed_is_tried_when_the_server_is_back),
		cmocka_unit_test(test_what_was_refused_is_not_sent_because_something_woke_it),
		cmocka_unit_test(test_a_server_that_asks_to_be_left_alone_is_left_alone),
		cmocka_unit_test(test_a_refused_watch_of_pods_is_not_waited_for),
		cmocka_unit_test(test_a_right_that_came_back_is_seen_before_a_word_is_said),
		cmocka_unit_test(test_a_refused_watch_of_the_adapters_configmap_is_not_waited_for),
		cmocka_unit_test(test_no_adapter_is_looked_for_where_the_metrics_api_is_ours),
		cmocka_unit_test(test_any_other_refused_watch_is_waited_for),
		cmocka_unit_test(test_a_replica_that_waits_is_warm_and_silent),
		cmocka_unit_test(test_a_replica_that_leads_early_acts_when_it_has_seen_all),
	};

	log_configure(LOG_ERROR, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
