/* A target read through its scale. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

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
	enum cause cause;
	const char *says; /* NULL = it is read */
} rows[] = {
	{{200, NULL, DISCOVERED, FAKE_REPLY, 0}, {200, NULL, FOUND, FAKE_REPLY, 0}, CAUSE_NONE, NULL},
	{{200, NULL, DISCOVERED, FAKE_REPLY, 0}, {404, NULL, "{}", FAKE_REPLY, 0}, CAUSE_NOT_FOUND,
		"LeaderWorkerSet 'shop/gemma' does not exist"},
	{{200, NULL, DISCOVERED, FAKE_REPLY, 0}, {403, NULL, "{}", FAKE_REPLY, 0}, CAUSE_FORBIDDEN,
		"allow it to get 'leaderworkersets/scale' of 'leaderworkerset.x-k8s.io/v1', by the chart's value scaleTargets"},
	{{200, NULL, DISCOVERED, FAKE_REPLY, 0}, {200, NULL, "{\"spec\":{\"replicas\":3}}", FAKE_REPLY, 0},
		CAUSE_NOT_SCALABLE, "tells no selector"},
	{{404, NULL, "{}", FAKE_REPLY, 0}, {.status = 0}, CAUSE_NOT_SCALABLE, "has no kind LeaderWorkerSet"},
	{{200, NULL, "{\"resources\":[{\"name\":\"leaderworkersets\",\"kind\":\"LeaderWorkerSet\"}]}", FAKE_REPLY, 0},
		{.status = 0}, CAUSE_NOT_SCALABLE, "with a scale subresource"},
};

struct outcome {
	bool done;
	struct target_seen seen;
};

static void on_done(void *ctx, struct target_seen *seen_take)
{
	*(struct outcome *)ctx = (struct outcome){.done = true, .seen = *seen_take};
}

static bool is_done(void *ctx)
{
	return ((struct outcome *)ctx)->done;
}

static void on_closed(void *ctx)
{
	*(bool *)ctx = true;
}

static bool is_true(void *ctx)
{
	return *(bool *)ctx;
}

static void each_answer_is_distinguished(void **state)
{
	char version[] = "leaderworkerset.x-k8s.io/v1";
	char kind[] = "LeaderWorkerSet";
	char name[] = "gemma";
	const struct target_ref target = {.api_version = version, .kind = kind, .name = name};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct fake_step steps[] = {{"GET " ROOT, rows[i].discovery}, {"GET " SETS, rows[i].scale}};
		struct outcome outcome = {.done = false};
		struct kube_rig rig;
		struct api_reads *reads;
		bool closed;

		rig_open(&rig, NULL, NULL, NULL);
		fake_script(rig.fake, steps, rows[i].scale.status != 0 ? 2 : 1);
		reads = api_reads_new(rig.client);
		scale_query_start(reads, "shop", &target, on_done, &outcome);
		assert_true(run_until(&rig.loop, is_done, &outcome));
		if (rows[i].says == NULL) {
			assert_null(outcome.seen.failure.text);
			assert_int_equal(outcome.seen.replicas, 3);
			assert_int_equal(outcome.seen.current, 2);
			assert_string_equal(outcome.seen.selector, "app=gemma,role=leader");
		} else {
			assert_int_equal(outcome.seen.failure.cause, rows[i].cause);
			assert_non_null(strstr(outcome.seen.failure.text, rows[i].says));
		}
		free_indirect(&outcome.seen.selector);
		free_indirect(&outcome.seen.failure.text);
		closed = false;
		api_reads_close(reads, on_closed, &closed);
		assert_true(run_until(&rig.loop, is_true, &closed));
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
