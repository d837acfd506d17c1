/* A target read through its scale. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "kube_rig.h"
#include "probe/scale_query.h"

#define ROOT "/apis/leaderworkerset.x-k8s.io/v1"
#define SETS ROOT "/namespaces/shop/leaderworkersets/gemma/scale"
#define DISCOVERED                                                                                                     \
	"{\"resources\":[{\"name\":\"leaderworkersets\",\"kind\":\"LeaderWorkerSet\"},"                                \
	"{\"name\":\"leaderworkersets/scale\",\"kind\":\"Scale\"}]}"
#define FOUND "{\"spec\":{\"replicas\":3},\"status\":{\"replicas\":2,\"selector\":\"app=gemma,role=leader\"}}"

static const struct {
	struct fake_answer discovery;
	struct fake_answer scale;
	const char *document; /* all of it, or of `says` the cause */
	const char *says;
} rows[] = {
	{{200, NULL, DISCOVERED, FAKE_REPLY, 0}, {200, NULL, FOUND, FAKE_REPLY, 0},
		"{\"current\":2,\"replicas\":3,\"selector\":\"app=gemma,role=leader\"}", NULL},
	{{200, NULL, DISCOVERED, FAKE_REPLY, 0}, {404, NULL, "{}", FAKE_REPLY, 0}, "NotFound",
		"LeaderWorkerSet 'shop/gemma' does not exist"},
	{{200, NULL, DISCOVERED, FAKE_REPLY, 0}, {403, NULL, "{}", FAKE_REPLY, 0}, "Forbidden",
		"allow it to get 'leaderworkersets/scale' of 'leaderworkerset.x-k8s.io/v1', by the chart's value scaleTargets"},
	{{200, NULL, DISCOVERED, FAKE_REPLY, 0}, {200, NULL, "{\"spec\":{\"replicas\":3}}", FAKE_REPLY, 0},
		"NotScalable", "tells no selector"},
	{{404, NULL, "{}", FAKE_REPLY, 0}, {.status = 0}, "NotScalable", "has no kind LeaderWorkerSet"},
	{{200, NULL, "{\"resources\":[{\"name\":\"leaderworkersets\",\"kind\":\"LeaderWorkerSet\"}]}", FAKE_REPLY, 0},
		{.status = 0}, "NotScalable", "with a scale subresource"},
};

struct outcome {
	json_t *document;
};

static void on_done(void *ctx, json_t *document_take)
{
	((struct outcome *)ctx)->document = document_take;
}

static bool is_done(void *ctx)
{
	return ((struct outcome *)ctx)->document != NULL;
}

static void each_answer_is_distinguished(void **state)
{
	auto_json *target = json_pack("{s:s, s:s, s:s}", "apiVersion", "leaderworkerset.x-k8s.io/v1", "kind",
		"LeaderWorkerSet", "name", "gemma");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fake_step steps[] = {{"GET " ROOT, rows[i].discovery}, {"GET " SETS, rows[i].scale}};
		struct outcome outcome = {NULL};
		struct kube_rig rig;

		rig_open(&rig, NULL, NULL, NULL);
		fake_script(rig.fake, steps, rows[i].scale.status != 0 ? 2 : 1);
		scale_query_start(rig.client, "shop", target, on_done, &outcome);
		assert_true(run_until(&rig.loop, is_done, &outcome));
		if (rows[i].says == NULL) {
			auto_free char *text = json_text(outcome.document);

			assert_string_equal(text, rows[i].document);
		} else {
			assert_string_equal(json_path_string(outcome.document, "cause", ""), rows[i].document);
			assert_non_null(strstr(json_path_string(outcome.document, "error", ""), rows[i].says));
		}
		json_decref(outcome.document);
		assert_int_equal(rig_close(&rig), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_answer_is_distinguished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
