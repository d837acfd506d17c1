/* What is remembered of an APIService that was taken over, when whoever put it back took our note away with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/yaml.h"
#include "reconcile/handover.h"
#include "reconcile/takeover.h"

#define API                                                                                                            \
	"objects: [{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1beta1.custom.metrics.k8s.io"
#define NOTES                                                                                                          \
	", annotations: {inference-autoscaler.io/metrics-service: system/ours, inference-autoscaler.io/former: "       \
	"'{\"spec\":{\"service\":{\"name\":\"adapter\",\"namespace\":\"monitoring\"}}}'}"
#define OURS API NOTES "}, spec: {group: custom.metrics.k8s.io, service: {namespace: system, name: ours}}}]"
#define BESIDE                                                                                                         \
	API ", annotations: {inference-autoscaler.io/metrics-service: system/ours, inference-autoscaler.io/former: "   \
	    "'{}'}}, spec: {group: custom.metrics.k8s.io, service: {namespace: system, name: ours}}}]"
#define THEIRS API "}, spec: {group: custom.metrics.k8s.io, service: {namespace: monitoring, name: adapter}}}]"

static struct settings settings(void)
{
	struct settings made = SETTINGS_DEFAULT;

	assert_int_equal(metrics_service_read("system/ours:443", &made.metrics_service, NULL), 0);
	made.metrics_take_over = true;
	return made;
}

/* What the last pass had to tell: "Normal GivenBack: …"; "" = nothing. */
static char news[1024];

static void note_news(const struct world *world, const struct takeover_memory *before)
{
	struct handover found[APISERVICES];
	size_t count = handovers_find(world, before, found);

	assert_true(count <= 1);
	news[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(found[i].api->view.meta.name, "v1beta1.custom.metrics.k8s.io");
		(void)snprintf(news, sizeof(news), "%s %s: %s", found[i].told.warning ? "Warning" : "Normal",
			found[i].told.reason, found[i].told.note);
		transitions_release(&found[i].told, 1);
	}
}

/* One pass over the world of this text; whether something is to be taken over after it. */
static bool wanted_after_of(const struct settings told, struct shared_state *state, const char *text)
{
	struct takeover_memory before = state->takeover;
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
	note_news(&world, &before);
	world_release_document(&world);
	return wanted;
}

static bool wanted_after(struct shared_state *state, const char *text)
{
	return wanted_after_of(settings(), state, text);
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

static void what_changed_hands_is_told(void **unused)
{
	struct shared_state state = SHARED_STATE_INIT;

	(void)unused;
	(void)wanted_after(&state, "{" THEIRS "}");
	assert_string_equal(news, "");
	(void)wanted_after(&state, "{" OURS "}");
	assert_string_equal(news,
		"Normal TakenOver: 'v1beta1.custom.metrics.k8s.io' of Service 'monitoring/adapter' leads to the operator, which "
		"passes on to it what is not its own");
	(void)wanted_after(&state, "{" OURS "}");
	assert_string_equal(news, "");
	(void)wanted_after(&state, "{forwardFailure: refused, " OURS "}");
	assert_string_equal(news, "");
	(void)wanted_after(&state, "{forwardFailure: refused, " THEIRS "}");
	assert_string_equal(news,
		"Warning GivenBack: 'v1beta1.custom.metrics.k8s.io' leads to Service 'monitoring/adapter' again, "
		"since what others asked could not be passed on to it (refused)");
}

static void who_gave_it_back_is_told(void **unused)
{
	struct shared_state state = SHARED_STATE_INIT;
	struct settings ended = settings();

	(void)unused;
	ended.metrics_take_over = false;
	(void)wanted_after(&state, "{" OURS "}");
	assert_string_equal(news, "");
	(void)wanted_after(&state, "{" THEIRS "}");
	assert_string_equal(news,
		"Warning GivenBack: 'v1beta1.custom.metrics.k8s.io' leads to Service 'monitoring/adapter' again, "
		"and not by this operator, which leaves it so");
	state = SHARED_STATE_INIT;
	(void)wanted_after_of(ended, &state, "{" OURS "}");
	assert_string_equal(news, "");
	(void)wanted_after_of(ended, &state, "{" THEIRS "}");
	assert_string_equal(news,
		"Normal GivenBack: 'v1beta1.custom.metrics.k8s.io' leads to Service 'monitoring/adapter' again");
}

static void what_was_made_or_deleted_changed_no_hands(void **unused)
{
	struct shared_state state = SHARED_STATE_INIT;

	(void)unused;
	(void)wanted_after(&state, "{objects: []}");
	(void)wanted_after(&state, "{" BESIDE "}");
	assert_string_equal(news, "");
	(void)wanted_after(&state, "{objects: []}");
	assert_string_equal(news, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_was_put_back_stays_so),
		cmocka_unit_test(one_that_we_gave_back_is_taken_again_in_time),
		cmocka_unit_test(one_that_is_deleted_is_nobodys),
		cmocka_unit_test(what_changed_hands_is_told),
		cmocka_unit_test(who_gave_it_back_is_told),
		cmocka_unit_test(what_was_made_or_deleted_changed_no_hands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
