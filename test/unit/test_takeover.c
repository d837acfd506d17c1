/* What is remembered of an APIService that was taken over, when whoever put it back took our note away with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/yaml.h"
#include "reconcile/takeover.h"

#define API                                                                                                            \
	"objects: [{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1beta1.custom.metrics.k8s.io"
#define NOTES                                                                                                          \
	", annotations: {inference-autoscaler.io/metrics-service: system/ours, inference-autoscaler.io/former: "       \
	"'{\"spec\":{\"service\":{\"name\":\"adapter\",\"namespace\":\"monitoring\"}}}'}"
#define OURS API NOTES "}, spec: {group: custom.metrics.k8s.io, service: {namespace: system, name: ours}}}]"
#define THEIRS API "}, spec: {group: custom.metrics.k8s.io, service: {namespace: monitoring, name: adapter}}}]"

static struct settings settings(void)
{
	struct settings made = SETTINGS_DEFAULT;

	assert_int_equal(metrics_service_read("system/ours:443", &made.metrics_service, NULL), 0);
	made.metrics_take_over = true;
	return made;
}

/* One pass over the world of this text; whether something is to be taken over after it. */
static bool wanted_after(struct shared_state *state, const char *text)
{
	const struct settings told = settings();
	auto_error err = ERROR_INIT;
	auto_json *document = yaml_parse(text, strlen(text), &err);
	struct world world;
	bool wanted;

	if (document == NULL) {
		fail_msg("%s", err.message);
	}
	world_from_document(&world, document, &told);
	world.shared = state;
	takeover_note(&world, &state->takeover);
	wanted = takeover_wanted(&world);
	world_release_document(&world);
	return wanted;
}

static void one_that_was_put_back_stays_so(void **unused)
{
	struct shared_state state = SHARED_STATE_INIT;

	(void)unused;
	assert_true(wanted_after(&state, "{" THEIRS "}"));
	assert_true(wanted_after(&state, "{" OURS "}"));
	assert_true(wanted_after(&state, "{" OURS "}"));
	assert_false(wanted_after(&state, "{" THEIRS "}"));
	assert_false(wanted_after(&state, "{" THEIRS "}"));
}

static void one_that_we_gave_back_is_taken_again_in_time(void **unused)
{
	struct shared_state state = SHARED_STATE_INIT;

	(void)unused;
	assert_true(wanted_after(&state, "{" OURS "}"));
	assert_false(wanted_after(&state, "{forwardFailure: refused, " OURS "}"));
	assert_false(wanted_after(&state, "{forwardFailure: refused, " THEIRS "}"));
	assert_true(wanted_after(&state, "{" THEIRS "}"));
}

static void one_that_is_deleted_is_nobodys(void **unused)
{
	struct shared_state state = SHARED_STATE_INIT;

	(void)unused;
	assert_true(wanted_after(&state, "{" OURS "}"));
	assert_true(wanted_after(&state, "{objects: []}"));
	assert_true(wanted_after(&state, "{" THEIRS "}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_was_put_back_stays_so),
		cmocka_unit_test(one_that_we_gave_back_is_taken_again_in_time),
		cmocka_unit_test(one_that_is_deleted_is_nobodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
