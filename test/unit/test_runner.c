/* Carrying out a plan at an API server that is not of our mind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/yaml.h"
#include "runtime/refusals.h"
#include "kube_rig.h"
#include "runtime/runner.h"
#include "view_rig.h"

#define HPA "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/gemma"

struct outcome {
	bool done;
	char *error;
	enum error_kind kind;
	size_t writes;
	bool sent_in_vain;
};

static void on_done(void *ctx, struct run_result *result)
{
	struct outcome *outcome = ctx;

	outcome->done = true;
	outcome->error = result->error != NULL ? xstrdup(result->error->message) : NULL;
	outcome->kind = result->error != NULL ? result->error->kind : ERROR_NONE;
	outcome->writes = result->writes;
	outcome->sent_in_vain = result->sent_in_vain;
}

static bool is_done(void *ctx)
{
	return ((struct outcome *)ctx)->done;
}

static json_t *hpa(const char *behavior)
{
	auto_free char *text = xasprintf("apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n"
					 "metadata: {namespace: shop, name: gemma, resourceVersion: '7'}\n"
					 "spec: {maxReplicas: 5, behavior: %s}\n",
		behavior);
	json_t *object = yaml_parse(text, strlen(text), NULL);

	assert_non_null(object);
	return object;
}

/* Writes the wanted one; the server answers by the one step. */
static struct outcome write_by(enum plan_verb verb, const char *wanted, const struct fake_step *steps)
{
	struct outcome outcome = {.done = false};
	auto_plan plan = PLAN_INIT;
	struct refusals refusals = REFUSALS_INIT;
	struct kube_rig rig;

	rig_open(&rig, NULL, NULL, NULL);
	fake_script(rig.fake, steps, 1);
	plan_add_take(&plan, verb, KIND_HPA, hpa(wanted));
	runner_start(rig.client, &plan, NULL, &refusals, on_done, &outcome);
	assert_true(run_until(&rig.loop, is_done, &outcome));
	refusals_clear(&refusals);
	assert_int_equal(rig_close(&rig), 0);
	return outcome;
}

/* The server answers with the kept one. */
static struct outcome write_one(enum plan_verb verb, const char *wanted, const char *kept)
{
	auto_json *answer = hpa(kept);
	auto_free char *body = json_text(answer);
	const struct fake_step steps[] = {{"PATCH " HPA "*", {200, NULL, body, FAKE_REPLY, 0}}};

	return write_by(verb, wanted, steps);
}

static struct outcome apply(const char *wanted, const char *kept)
{
	return write_one(PLAN_APPLY, wanted, kept);
}

static void a_field_that_the_server_drops_is_reported(void **state)
{
	struct outcome outcome =
		apply("{scaleUp: {tolerance: 50m, selectPolicy: Max}}", "{scaleUp: {selectPolicy: Max}}");

	(void)state;
	assert_int_equal(outcome.writes, 1);
	assert_string_equal(outcome.error,
		"HorizontalPodAutoscaler 'shop/gemma': the API server did not keep 'spec.behavior.scaleUp.tolerance': its "
		"version does not have this field, or has it switched off; take it out of the InferenceAutoscaler");
	free_indirect(&outcome.error);
}

static void defaults_of_the_server_are_no_complaint(void **state)
{
	struct outcome outcome = apply("{scaleUp: {selectPolicy: Max}}",
		"{scaleUp: {selectPolicy: Max, stabilizationWindowSeconds: 0}}");

	(void)state;
	assert_int_equal(outcome.writes, 1);
	assert_null(outcome.error);
}

static void a_patch_that_is_changed_back_is_reported(void **state)
{
	struct outcome outcome = write_one(PLAN_PATCH, "{scaleUp: {selectPolicy: Max, tolerance: null}}",
		"{scaleUp: {selectPolicy: Min}}");

	(void)state;
	assert_int_equal(outcome.writes, 1);
	assert_string_equal(outcome.error,
		"HorizontalPodAutoscaler 'shop/gemma': the API server did not keep 'spec.behavior.scaleUp.selectPolicy': a "
		"webhook or a policy changes what is written; let it leave this object alone");
	free_indirect(&outcome.error);
}

static void a_field_that_a_patch_takes_away_and_that_stays_is_reported(void **state)
{
	struct outcome outcome = write_one(PLAN_PATCH, "{scaleUp: {tolerance: null}}", "{scaleUp: {tolerance: 50m}}");

	(void)state;
	assert_non_null(strstr(outcome.error, "did not keep 'spec.behavior.scaleUp.tolerance'"));
	free_indirect(&outcome.error);
}

/* The API server leaves a map out that has nothing in it any more. */
static void the_last_field_that_a_patch_takes_away_is_no_complaint(void **state)
{
	static const char *const kept[] = {"{scaleUp: {}}", "{}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		struct outcome outcome = write_one(PLAN_PATCH, "{scaleUp: {tolerance: null}}", kept[i]);

		assert_int_equal(outcome.writes, 1);
		assert_null(outcome.error);
	}
}

/* Not by force, as an apply would do it. */
static void what_is_there_already_is_left_as_it_is(void **state)
{
	static const struct fake_step steps[] = {
		{"POST /apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers?fieldManager=inference-autoscaler",
			{409, NULL, "{\"reason\":\"AlreadyExists\",\"message\":\"it is there\"}", FAKE_REPLY, 0}}};
	struct outcome outcome = write_by(PLAN_CREATE, "{}", steps);

	(void)state;
	assert_int_equal(outcome.writes, 0);
	assert_int_equal(outcome.kind, ERROR_CONFLICT); /* so that what is there is read first */
	free_indirect(&outcome.error);
}

static void a_field_that_the_server_drops_of_a_new_object_is_reported(void **state)
{
	auto_json *answer = hpa("{}");
	auto_free char *body = json_text(answer);
	const struct fake_step steps[] = {{"POST *", {201, NULL, body, FAKE_REPLY, 0}}};
	struct outcome outcome = write_by(PLAN_CREATE, "{scaleUp: {tolerance: 50m}}", steps);

	(void)state;
	assert_non_null(strstr(outcome.error, "its version does not have this field"));
	free_indirect(&outcome.error);
}

/* A server whose answers the test chooses: what came of the writes of three children. */
struct rig {
	struct kube_rig kube;
	struct refusals refusals;
	struct plan plan;
	struct outcome outcome;
	const struct view *owner; /* NULL = no status is written */
	int requests;
	int refused;
	bool mute;
	bool refuses;     /* the first two, and the status */
	const char *late; /* a part of the path of what is refused after the others */
};

static struct fake_answer refuse(struct rig *rig, const struct fake_request *request, const char *body)
{
	/* Its end is the test's to send: the others are answered first. */
	bool late = rig->late != NULL && strstr(request->line, rig->late) != NULL;

	rig->refused += late ? 0 : 1;
	return (struct fake_answer){.status = 403, .body = body, .end = late ? FAKE_HOLD : FAKE_REPLY};
}

static struct fake_answer on_request(void *ctx, const struct fake_request *request)
{
	struct rig *rig = ctx;

	rig->requests++;
	if (rig->mute) {
		return (struct fake_answer){.end = FAKE_MUTE};
	}
	if (strstr(request->line, "/services/") != NULL && rig->refuses) {
		return refuse(rig, request, "{\"message\":\"no Service\"}");
	}
	if (strstr(request->line, "/servicemonitors/") != NULL && rig->refuses) {
		return refuse(rig, request, "{\"message\":\"no ServiceMonitor\"}");
	}
	if (strstr(request->line, "/status") != NULL && rig->refuses) {
		return refuse(rig, request, "{\"message\":\"no status\"}");
	}
	return (struct fake_answer){.status = 200, .body = "{\"metadata\":{\"resourceVersion\":\"9\"}}"};
}

static void rig_begin(struct rig *rig)
{
	*rig = (struct rig){.refusals = REFUSALS_INIT, .plan = PLAN_INIT};
	rig_open(&rig->kube, on_request, rig, NULL);
}

static void rig_end(struct rig *rig)
{
	free_indirect(&rig->outcome.error);
	view_unref(rig->owner);
	refusals_clear(&rig->refusals);
	assert_int_equal(rig_close(&rig->kube), 0);
}

static void add(struct rig *rig, enum kind kind, const char *version)
{
	plan_add_take(&rig->plan, PLAN_APPLY, kind,
		json_pack("{s:{s:s, s:s, s:s}}", "metadata", "namespace", "shop", "name", "gemma", "resourceVersion",
			version));
}

static void start(struct rig *rig)
{
	free_indirect(&rig->outcome.error);
	rig->outcome = (struct outcome){.done = false};
	runner_start(rig->kube.client, &rig->plan, rig->owner, &rig->refusals, on_done, &rig->outcome);
}

static bool has_three(void *ctx)
{
	return ((struct rig *)ctx)->requests >= 3;
}

static bool has_ended(void *ctx)
{
	return ((struct rig *)ctx)->outcome.done;
}

/* Closing the client ends those that were never answered. */
static void end_unanswered(struct rig *rig)
{
	fake_refuse(rig->kube.fake, true);
	assert_true(run_until(&rig->kube.loop, has_ended, rig));
	fake_refuse(rig->kube.fake, false);
}

static void those_of_one_step_go_side_by_side(void **state)
{
	struct rig rig;

	(void)state;
	rig_begin(&rig);
	rig.mute = true;
	add(&rig, KIND_SERVICE, "1");
	add(&rig, KIND_SERVICEMONITOR, "1");
	add(&rig, KIND_HPA, "1");
	start(&rig);
	assert_true(run_until(&rig.kube.loop, has_three, &rig));
	end_unanswered(&rig);
	rig_end(&rig);
}

static void a_step_waits_for_the_one_before(void **state)
{
	struct rig rig;

	(void)state;
	rig_begin(&rig);
	rig.mute = true;
	add(&rig, KIND_CONFIGMAP, "1");
	plan_then(&rig.plan);
	add(&rig, KIND_DEPLOYMENT, "1");
	start(&rig);
	run_for(&rig.kube.loop, 150);
	assert_int_equal(rig.requests, 1);
	end_unanswered(&rig);
	assert_int_equal(rig.requests, 1); /* the one before failed */
	rig_end(&rig);
}

static bool has_refused(void *ctx)
{
	return ((struct rig *)ctx)->refused > 0;
}

/* The Service and the ServiceMonitor are refused, the `late` one of them as the last of all. */
static void fail_both(struct rig *rig, const char *late)
{
	rig->refuses = true;
	rig->late = late;
	rig->refused = 0;
	add(rig, KIND_SERVICE, "1");
	add(rig, KIND_SERVICEMONITOR, "1");
	add(rig, KIND_HPA, "1");
	start(rig);
	assert_true(run_until(&rig->kube.loop, has_refused, rig));
	run_for(&rig->kube.loop, 100);
	assert_false(rig->outcome.done);
	fake_end(rig->kube.fake);
	assert_true(run_until(&rig->kube.loop, has_ended, rig));
}

static void of_two_failures_the_plans_first_is_reported(void **state)
{
	static const char *const late[] = {"/services/", "/servicemonitors/"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(late); i++) {
		struct rig rig;

		rig_begin(&rig);
		fail_both(&rig, late[i]);
		assert_string_equal(rig.outcome.error, "cannot apply Service 'shop/gemma': no Service");
		assert_int_equal(rig.outcome.writes, 1);
		assert_true(rig.outcome.sent_in_vain);
		rig_end(&rig);
	}
}

static void a_status_that_fails_too_is_not_what_is_reported(void **state)
{
	static const struct {
		bool has_children;
		const char *error;
	} rows[] = {{true, "cannot apply Service 'shop/gemma': no Service"},
		{false, "cannot apply status of InferenceAutoscaler 'shop/gemma': no status"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig rig;

		rig_begin(&rig);
		rig.refuses = true;
		rig.owner = view_rig_yaml(&view_autoscaler_type, "metadata: {namespace: shop, name: gemma, uid: u}");
		if (rows[i].has_children) {
			add(&rig, KIND_SERVICE, "1");
		}
		rig.plan.status = json_pack("{s:i}", "observedGeneration", 1);
		start(&rig);
		assert_true(run_until(&rig.kube.loop, has_ended, &rig));
		assert_int_equal(rig.refused, rows[i].has_children ? 2 : 1);
		assert_string_equal(rig.outcome.error, rows[i].error);
		rig_end(&rig);
	}
}

static void what_was_refused_waits_for_its_time(void **state)
{
	struct rig rig;

	(void)state;
	rig_begin(&rig);
	fail_both(&rig, "/services/");
	rig.refusals.until_ms = clock_monotonic_ms() + 60000;
	rig.refuses = false;
	rig.requests = 0;
	/* A version that the object only repeats makes no other object of it. */
	add(&rig, KIND_SERVICE, "2");
	add(&rig, KIND_HPA, "2");
	start(&rig);
	assert_true(run_until(&rig.kube.loop, has_ended, &rig));
	assert_int_equal(rig.requests, 1);
	assert_string_equal(rig.outcome.error, "cannot apply Service 'shop/gemma': no Service");
	assert_false(rig.outcome.sent_in_vain);
	/* Its time has come. */
	rig.refusals.until_ms = clock_monotonic_ms();
	add(&rig, KIND_SERVICE, "3");
	start(&rig);
	assert_true(run_until(&rig.kube.loop, has_ended, &rig));
	assert_int_equal(rig.requests, 2);
	assert_null(rig.outcome.error);
	rig_end(&rig);
}

static void what_differs_from_what_was_refused_is_sent(void **state)
{
	struct rig rig;

	(void)state;
	rig_begin(&rig);
	fail_both(&rig, "/services/");
	rig.refusals.until_ms = clock_monotonic_ms() + 60000;
	rig.refuses = false;
	rig.requests = 0;
	add(&rig, KIND_SERVICE, "2");
	json_object_set_new(json_object_get(rig.plan.writes[0].object, "metadata"), "generateName", json_string("x"));
	start(&rig);
	assert_true(run_until(&rig.kube.loop, has_ended, &rig));
	assert_int_equal(rig.requests, 1);
	assert_null(rig.outcome.error);
	rig_end(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_field_that_the_server_drops_is_reported),
		cmocka_unit_test(defaults_of_the_server_are_no_complaint),
		cmocka_unit_test(a_patch_that_is_changed_back_is_reported),
		cmocka_unit_test(a_field_that_a_patch_takes_away_and_that_stays_is_reported),
		cmocka_unit_test(the_last_field_that_a_patch_takes_away_is_no_complaint),
		cmocka_unit_test(what_is_there_already_is_left_as_it_is),
		cmocka_unit_test(a_field_that_the_server_drops_of_a_new_object_is_reported),
		cmocka_unit_test(those_of_one_step_go_side_by_side),
		cmocka_unit_test(a_step_waits_for_the_one_before),
		cmocka_unit_test(of_two_failures_the_plans_first_is_reported),
		cmocka_unit_test(a_status_that_fails_too_is_not_what_is_reported),
		cmocka_unit_test(what_was_refused_waits_for_its_time),
		cmocka_unit_test(what_differs_from_what_was_refused_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
