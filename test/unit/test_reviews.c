/* Who a caller is and what it may: asked of the API server few at a time, kept for seconds, and no open door without it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "kube_rig.h"
#include "runtime/peers.h"
#include "runtime/reviews.h"

#define MANY 10000

/* The tokens that begin with "good" are alice's, who may in namespace 'shop'. */
struct bench {
	struct kube_rig kube;
	struct reviews *reviews;
	bool mute;  /* the server does not answer */
	int status; /* that it answers instead; 0 = none */
	int tokens, accesses;
	size_t most_kept;
	unsigned char peer[PEER_BYTES]; /* who asks */
	bool listed;
	int done;
	enum review_verdict last;
	char caller[64];
	char why[256];
	char body[1024]; /* of the last access review */
};

static struct fake_answer on_request(void *ctx, const struct fake_request *request)
{
	struct bench *bench = ctx;
	bool of_token = strstr(request->line, "/tokenreviews") != NULL;

	bench->tokens += of_token ? 1 : 0;
	bench->accesses += of_token ? 0 : 1;
	assert_non_null(strstr(request->line, "POST /apis/"));
	if (bench->mute) {
		return (struct fake_answer){.end = FAKE_MUTE};
	}
	if (bench->status != 0) {
		return (struct fake_answer){.status = bench->status,
			.body = "{\"kind\":\"Status\",\"message\":\"no\"}"};
	}
	if (of_token) {
		return (struct fake_answer){.status = 201,
			.body = strstr(request->body, "\"token\":\"good") != NULL
		                        ? "{\"status\":{\"authenticated\":true,\"user\":{\"username\":\"alice\",\"uid\":\"u\","
		                          "\"groups\":[\"g\"],\"extra\":{\"k\":[\"v\"]}}}}"
		                        : "{\"status\":{\"error\":\"unknown token\"}}"};
	}
	strncpy(bench->body, request->body, sizeof(bench->body) - 1);
	return (struct fake_answer){.status = 201,
		.body = strstr(request->body, "\"namespace\":\"shop\"") != NULL ? "{\"status\":{\"allowed\":true}}"
	                                                                        : "{\"status\":{\"allowed\":false}}"};
}

static void on_done(void *ctx, const struct review_answer *answer)
{
	struct bench *bench = ctx;
	size_t kept = reviews_kept(bench->reviews);

	bench->done++;
	bench->last = answer->verdict;
	bench->most_kept = kept > bench->most_kept ? kept : bench->most_kept;
	strncpy(bench->caller, answer->caller, sizeof(bench->caller) - 1);
	strncpy(bench->why, answer->why, sizeof(bench->why) - 1);
}

static void open_bench(struct bench *bench)
{
	*bench = (struct bench){.status = 0};
	rig_open(&bench->kube, on_request, bench, NULL);
	bench->reviews = reviews_new(bench->kube.client);
}

static void on_closed(void *ctx)
{
	*(bool *)ctx = true;
}

static bool is_true(void *ctx)
{
	return *(bool *)ctx;
}

static void close_bench(struct bench *bench)
{
	bool closed = false;

	reviews_close(bench->reviews, on_closed, &closed);
	assert_true(run_until(&bench->kube.loop, is_true, &closed));
	assert_int_equal(rig_close(&bench->kube), 0);
}

static struct review *start(struct bench *bench, const char *token, const char *ns, const char *path)
{
	const struct review_question question = {.token = token,
		.ns = ns,
		.path = path,
		.listed = bench->listed,
		.peer = bench->peer};

	return reviews_ask(bench->reviews, &question, on_done, bench);
}

static bool is_done(void *ctx)
{
	return ((struct bench *)ctx)->done > 0;
}

static enum review_verdict ask(struct bench *bench, const char *token, const char *ns, const char *path)
{
	bench->done = 0;
	start(bench, token, ns, path);
	assert_int_equal(bench->done, 0);
	assert_true(run_until(&bench->kube.loop, is_done, bench));
	return bench->last;
}

static void the_api_server_decides_by_namespace(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	assert_int_equal(ask(&bench, "good", "shop", NULL), REVIEW_ALLOWED);
	assert_string_equal(bench.caller, "alice");
	assert_non_null(strstr(bench.body, "\"extra\":{\"k\":[\"v\"]},\"groups\":[\"g\"],"));
	assert_non_null(strstr(bench.body,
		"\"resourceAttributes\":{\"group\":\"inference-autoscaler.io\",\"namespace\":\"shop\","
		"\"resource\":\"inferenceautoscalers\",\"verb\":\"get\"},\"uid\":\"u\",\"user\":\"alice\""));
	assert_int_equal(ask(&bench, "good", "bank", NULL), REVIEW_FORBIDDEN);
	assert_string_equal(bench.caller, "alice");
	assert_int_equal(ask(&bench, "good", "", NULL), REVIEW_FORBIDDEN);
	assert_int_equal(ask(&bench, "good", NULL, "/metrics"), REVIEW_FORBIDDEN);
	assert_non_null(strstr(bench.body, "\"nonResourceAttributes\":{\"path\":\"/metrics\",\"verb\":\"get\"}"));
	assert_int_equal(ask(&bench, "bad", "shop", NULL), REVIEW_NOBODY);
	assert_int_equal(bench.tokens, 2);
	assert_int_equal(bench.accesses, 4);
	close_bench(&bench);
}

static void an_answer_is_kept(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(ask(&bench, "good", "shop", NULL), REVIEW_ALLOWED);
		assert_int_equal(ask(&bench, "bad", "shop", NULL), REVIEW_NOBODY);
	}
	assert_int_equal(bench.tokens, 2);
	assert_int_equal(bench.accesses, 1);
	/* What is called as another's is another's. */
	assert_int_equal(ask(&bench, "good", "/metrics", NULL), REVIEW_FORBIDDEN);
	assert_int_equal(ask(&bench, "good", NULL, "/metrics"), REVIEW_FORBIDDEN);
	assert_int_equal(bench.accesses, 3);
	close_bench(&bench);
}

static void a_refusal_is_kept_for_less_long(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	ask(&bench, "good", "shop", NULL);
	ask(&bench, "bad", "shop", NULL);
	run_for(&bench.kube.loop, REVIEWS_REFUSED_MS + 100);
	ask(&bench, "good", "shop", NULL);
	assert_int_equal(bench.tokens, 2);
	ask(&bench, "bad", "shop", NULL);
	assert_int_equal(bench.tokens, 3);
	close_bench(&bench);
}

static void ten_thousand_tokens_take_bounded_room(void **state)
{
	static struct bench bench;

	(void)state;
	open_bench(&bench);
	for (int i = 0; i < MANY; i++) {
		auto_free char *token = xasprintf("%s-%d", i % 2 == 0 ? "good" : "bad", i);

		bench.done = 0;
		memcpy(bench.peer, &i, sizeof(i));
		start(&bench, token, "shop", NULL);
		assert_true(run_until(&bench.kube.loop, is_done, &bench));
	}
	assert_int_equal(bench.tokens, MANY);
	assert_int_equal(bench.most_kept, REVIEWS_KEPT);
	close_bench(&bench);
}

/* New ones each time, of which nothing kept helps. */
static void one_peer_cannot_have_ten_thousand_tokens_reviewed(void **state)
{
	static struct bench bench;
	int64_t begun_ms = clock_monotonic_ms();
	int64_t most;

	(void)state;
	open_bench(&bench);
	assert_int_equal(ask(&bench, "good", "shop", NULL), REVIEW_ALLOWED);
	for (int i = 0; i < MANY; i++) {
		auto_free char *token = xasprintf("bad-%d", i);
		enum review_verdict verdict = ask(&bench, token, "shop", NULL);

		assert_int_equal(verdict, i < PEERS_BURST ? REVIEW_NOBODY : verdict);
		assert_true(verdict == REVIEW_NOBODY || verdict == REVIEW_TOO_MANY);
	}
	most = 1 + PEERS_BURST + (clock_monotonic_ms() - begun_ms) / PEERS_EACH_MS + 1;
	assert_in_range(bench.tokens, 1 + PEERS_BURST, most);
	/* A token that is known to be somebody's costs nothing; nor does one that is shown by somebody else. */
	bench.peer[0] = 1;
	assert_int_equal(ask(&bench, "bad-again", "shop", NULL), REVIEW_NOBODY);
	assert_int_equal(ask(&bench, "good-too", "shop", NULL), REVIEW_ALLOWED);
	close_bench(&bench);
}

/* Of a token that is good: each namespace is another question. */
static void one_peer_cannot_have_ten_thousand_namespaces_reviewed(void **state)
{
	static struct bench bench;
	int64_t begun_ms = clock_monotonic_ms();
	int64_t most;

	(void)state;
	open_bench(&bench);
	for (int i = 0; i < MANY; i++) {
		auto_free char *ns = xasprintf("bank-%d", i);
		enum review_verdict verdict = ask(&bench, "good", ns, NULL);

		assert_int_equal(verdict, i < PEERS_BURST ? REVIEW_FORBIDDEN : verdict);
		assert_true(verdict == REVIEW_FORBIDDEN || verdict == REVIEW_TOO_MANY);
	}
	most = PEERS_BURST + (clock_monotonic_ms() - begun_ms) / PEERS_EACH_MS + 1;
	assert_in_range(bench.accesses, PEERS_BURST, most);
	/* Who may costs nothing, however often; and who looks for its own among those that there are is no guesser. */
	bench.peer[0] = 1;
	for (int i = 0; i < 2 * PEERS_BURST; i++) {
		auto_free char *token = xasprintf("good-%d", i);

		assert_int_equal(ask(&bench, token, "shop", NULL), REVIEW_ALLOWED);
	}
	bench.listed = true;
	for (int i = 0; i < 2 * PEERS_BURST; i++) {
		auto_free char *ns = xasprintf("bank-%d", i);

		assert_int_equal(ask(&bench, "good", ns, NULL), REVIEW_FORBIDDEN);
	}
	close_bench(&bench);
}

static bool full(void *ctx)
{
	return ((struct bench *)ctx)->tokens == REVIEWS_UNDER_WAY;
}

static void few_are_under_way_and_one_question_once(void **state)
{
	static struct bench bench;

	(void)state;
	open_bench(&bench);
	bench.mute = true;
	for (int i = 0; i < 100; i++) {
		auto_free char *token = xasprintf("good-%d", i);

		start(&bench, "good", "shop", NULL);
		start(&bench, token, "shop", NULL);
	}
	assert_true(run_until(&bench.kube.loop, full, &bench));
	run_for(&bench.kube.loop, 300);
	assert_int_equal(bench.tokens, REVIEWS_UNDER_WAY);
	assert_int_equal(bench.done, 0);
	close_bench(&bench);
	assert_int_equal(bench.done, 0);
}

static void one_that_hangs_is_no_open_door(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	bench.mute = true;
	assert_int_equal(ask(&bench, "good", "shop", NULL), REVIEW_UNAVAILABLE);
	assert_string_equal(bench.why, "the API server has not answered within 5 s");
	/* The next one is not kept waiting for it. */
	bench.mute = false;
	assert_int_equal(ask(&bench, "good", "shop", NULL), REVIEW_ALLOWED);
	close_bench(&bench);
}

static void an_outage_is_no_open_door_and_is_not_kept(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	bench.status = 403;
	assert_int_equal(ask(&bench, "good", "shop", NULL), REVIEW_UNAVAILABLE);
	assert_true(strlen(bench.why) > 0);
	fake_refuse(bench.kube.fake, true);
	assert_int_equal(ask(&bench, "good", "shop", NULL), REVIEW_UNAVAILABLE);
	fake_refuse(bench.kube.fake, false);
	bench.status = 0;
	assert_int_equal(ask(&bench, "good", "shop", NULL), REVIEW_ALLOWED);
	close_bench(&bench);
}

static void who_leaves_is_forgotten(void **state)
{
	struct bench bench;

	(void)state;
	open_bench(&bench);
	for (int i = 0; i < 3; i++) {
		review_cancel(start(&bench, "good", "shop", NULL));
	}
	assert_int_equal(ask(&bench, "good", "shop", NULL), REVIEW_ALLOWED);
	assert_int_equal(bench.done, 1);
	close_bench(&bench);
}

static void what_cannot_be_a_token_is_not_sent(void **state)
{
	static const char *const tokens[] = {"", "a b", "\xc3\xa9", "\xff", "a\nb"};
	struct bench bench;

	(void)state;
	open_bench(&bench);
	for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
		assert_int_equal(ask(&bench, tokens[i], "shop", NULL), REVIEW_NOBODY);
	}
	assert_int_equal(bench.tokens, 0);
	close_bench(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_api_server_decides_by_namespace),
		cmocka_unit_test(an_answer_is_kept),
		cmocka_unit_test(a_refusal_is_kept_for_less_long),
		cmocka_unit_test(ten_thousand_tokens_take_bounded_room),
		cmocka_unit_test(one_peer_cannot_have_ten_thousand_tokens_reviewed),
		cmocka_unit_test(one_peer_cannot_have_ten_thousand_namespaces_reviewed),
		cmocka_unit_test(few_are_under_way_and_one_question_once),
		cmocka_unit_test(one_that_hangs_is_no_open_door),
		cmocka_unit_test(an_outage_is_no_open_door_and_is_not_kept),
		cmocka_unit_test(who_leaves_is_forgotten),
		cmocka_unit_test(what_cannot_be_a_token_is_not_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
