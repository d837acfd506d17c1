/* Carrying out a plan at an API server that is not of our mind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/yaml.h"
#include "runtime/refusals.h"
#include "kube_rig.h"
#include "runtime/runner.h"

#define HPA "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/gemma"

struct outcome {
	bool done;
	char *error;
	size_t writes;
};

static void on_done(void *ctx, struct run_result *result)
{
	struct outcome *outcome = ctx;

	outcome->done = true;
	outcome->error = result->error != NULL ? xstrdup(result->error->message) : NULL;
	outcome->writes = result->writes;
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

/* Applies the wanted one; the server answers with the kept one. */
static struct outcome apply(const char *wanted, const char *kept)
{
	auto_json *answer = hpa(kept);
	auto_free char *body = json_text(answer);
	const struct fake_step steps[] = {{"PATCH " HPA "*", {200, NULL, body, FAKE_REPLY, 0}}};
	struct outcome outcome = {.done = false};
	auto_plan plan = PLAN_INIT;
	struct refusals refusals = REFUSALS_INIT;
	struct kube_rig rig;

	rig_open(&rig, NULL, NULL, NULL);
	fake_script(rig.fake, steps, 1);
	plan_add_take(&plan, PLAN_APPLY, KIND_HPA, hpa(wanted));
	runner_start(rig.client, &plan, NULL, &refusals, on_done, &outcome);
	assert_true(run_until(&rig.loop, is_done, &outcome));
	refusals_clear(&refusals);
	assert_int_equal(rig_close(&rig), 0);
	return outcome;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_field_that_the_server_drops_is_reported),
		cmocka_unit_test(defaults_of_the_server_are_no_complaint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
