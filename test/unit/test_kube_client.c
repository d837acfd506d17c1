/* Requests: what is sent, how answers and failures come back, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "event_loop.h"
#include "kube/call.h"
#include "kube/sources.h"
#include "kube_rig.h"

static const struct kube_resource hpas = {"autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler",
	true};

#define HPAS "/apis/autoscaling/v2/namespaces/ns/horizontalpodautoscalers"

struct outcome {
	size_t calls;
	json_t *result;
	struct error err;
	struct strbuf lines;
	struct kube_call *cancel_on_line;
	int line_rc;
};

#define OUTCOME_INIT                                                                                                   \
	{                                                                                                              \
		.err = ERROR_INIT, .lines = STRBUF_INIT                                                                \
	}

static void on_done(void *ctx, json_t *result, const struct error *err)
{
	struct outcome *outcome = ctx;

	assert_true((result == NULL) == (err != NULL));
	outcome->calls++;
	outcome->result = json_incref(result);
	if (err != NULL) {
		error_copy(&outcome->err, err);
	}
}

static int on_line(void *ctx, const char *line, size_t len)
{
	struct outcome *outcome = ctx;

	strbuf_add(&outcome->lines, line, len);
	strbuf_addch(&outcome->lines, '|');
	if (outcome->cancel_on_line != NULL) {
		kube_call_cancel(outcome->cancel_on_line);
	}
	return outcome->line_rc;
}

static bool is_done(void *ctx)
{
	return ((struct outcome *)ctx)->calls > 0;
}

static void outcome_release(struct outcome *outcome)
{
	json_decref(outcome->result);
	error_release(&outcome->err);
	strbuf_release(&outcome->lines);
	*outcome = (struct outcome)OUTCOME_INIT;
}

static void await(struct kube_rig *rig, struct outcome *outcome)
{
	/* Never from inside the call that started it. */
	assert_int_equal(outcome->calls, 0);
	assert_true(run_until(&rig->loop, is_done, outcome));
	assert_int_equal(outcome->calls, 1);
}

static void open_script(struct kube_rig *rig, const struct fake_step *steps, size_t count)
{
	rig_open(rig, NULL, NULL, "token: t");
	fake_script(rig->fake, steps, count);
}

static void assert_sent(struct kube_rig *rig, const char *line, const char *head, const char *body)
{
	assert_string_equal(fake_last_line(rig->fake), line);
	if (head != NULL && strstr(fake_last_head(rig->fake), head) == NULL) {
		assert_string_equal(fake_last_head(rig->fake), head);
	}
	assert_string_equal(fake_last_body(rig->fake), body);
}

/* Of an answer to a write nobody reads more; of a read everything may be. */
static void test_what_is_read_of_an_answer(void **state)
{
	static const char body[] =
		"{\"metadata\":{\"resourceVersion\":\"7\",\"managedFields\":[{\"fieldsV1\":{\"f:a\":{}}}]},"
		"\"spec\":{\"a\":1},\"status\":{\"b\":1}}";
	static const struct fake_step steps[] = {
		{"PATCH *", {.status = 200, .body = body}},
		{"GET *", {.status = 200, .body = body}},
	};
	auto_json *object = json_pack("{s:{s:s, s:s}}", "metadata", "name", "n", "namespace", "ns");
	struct outcome o = OUTCOME_INIT;
	auto_free char *text = NULL;
	struct kube_rig rig;

	(void)state;
	open_script(&rig, steps, ARRAY_LEN(steps));
	kube_apply(rig.client, &hpas, object, "m", on_done, &o);
	await(&rig, &o);
	text = json_text(o.result);
	assert_string_equal(text,
		"{\"metadata\":{\"managedFields\":[{\"fieldsV1\":{}}],\"resourceVersion\":\"7\"},\"spec\":{\"a\":1},\"status\":{}}");
	outcome_release(&o);
	kube_get(rig.client, &hpas, "ns", "n", on_done, &o);
	await(&rig, &o);
	assert_int_equal(json_path_int(o.result, "status.b", 0), 1);
	outcome_release(&o);
	assert_int_equal(rig_close(&rig), 0);
}

static void test_verbs(void **state)
{
	static const struct fake_step steps[] = {
		{"GET *", {.status = 200, .body = "{\"a\":1}"}},
		{"PATCH *", {.status = 200, .body = "{}"}},
		{"PATCH *", {.status = 201, .body = "{}"}},
		{"PATCH *", {.status = 200, .body = "{}"}},
		{"PATCH *", {.status = 200, .body = "{}"}},
		{"POST *", {.status = 201, .body = "{}"}},
		{"PUT *", {.status = 200, .body = "{}"}},
		{"DELETE *", {.status = 200, .body = "{}"}},
		{"DELETE *", {.status = 404, .body = "{\"reason\":\"NotFound\"}"}},
		{"GET *", {.status = 200, .body = "{}"}},
		{"POST *", {.status = 201, .body = "{}"}},
	};
	auto_json *object = json_pack("{s:{s:s, s:s}}", "metadata", "name", "n", "namespace", "ns");
	const char *object_text = "{\"metadata\":{\"name\":\"n\",\"namespace\":\"ns\"}}";
	struct outcome o = OUTCOME_INIT;
	struct kube_rig rig;

	(void)state;
	open_script(&rig, steps, ARRAY_LEN(steps));
	assert_ptr_equal(kube_client_loop(rig.client), &rig.loop);

	kube_get(rig.client, &hpas, "ns", "n", on_done, &o);
	await(&rig, &o);
	assert_int_equal(json_path_int(o.result, "a", 0), 1);
	assert_sent(&rig, "GET " HPAS "/n", "Accept: application/json\r\n", "");
	assert_non_null(strstr(fake_last_head(rig.fake), "User-Agent: inference-autoscaler/"));
	assert_non_null(strstr(fake_last_head(rig.fake), "Authorization: Bearer t\r\n"));
	assert_null(strstr(fake_last_head(rig.fake), "Content-Type"));
	outcome_release(&o);

	kube_apply(rig.client, &hpas, object, "me & you", on_done, &o);
	await(&rig, &o);
	assert_sent(&rig, "PATCH " HPAS "/n?fieldManager=me%20%26%20you&force=true",
		"Content-Type: application/apply-patch+yaml\r\n", object_text);
	outcome_release(&o);

	kube_apply_status(rig.client, &hpas, object, "m", on_done, &o);
	await(&rig, &o);
	assert_sent(&rig, "PATCH " HPAS "/n/status?fieldManager=m&force=true",
		"Content-Type: application/apply-patch+yaml\r\n", object_text);
	outcome_release(&o);

	json_object_set_new(json_object_get(object, "metadata"), "resourceVersion", json_string("7"));
	kube_claim(rig.client, &hpas, object, 2, on_done, &o);
	json_object_del(json_object_get(object, "metadata"), "resourceVersion");
	await(&rig, &o);
	assert_sent(&rig, "PATCH " HPAS "/n", "Content-Type: application/json-patch+json\r\n",
		"[{\"op\":\"replace\",\"path\":\"/metadata/resourceVersion\",\"value\":\"7\"},"
		"{\"op\":\"replace\",\"path\":\"/metadata/managedFields/2/operation\",\"value\":\"Apply\"}]");
	outcome_release(&o);

	kube_merge_patch(rig.client, &hpas, "ns", "n", object, "m", on_done, &o);
	await(&rig, &o);
	assert_sent(&rig, "PATCH " HPAS "/n?fieldManager=m", "Content-Type: application/merge-patch+json\r\n",
		object_text);
	outcome_release(&o);

	kube_create(rig.client, &hpas, object, "m", on_done, &o);
	await(&rig, &o);
	assert_sent(&rig, "POST " HPAS "?fieldManager=m", "Content-Type: application/json\r\n", object_text);
	outcome_release(&o);

	kube_replace(rig.client, &hpas, object, "m", on_done, &o);
	await(&rig, &o);
	assert_sent(&rig, "PUT " HPAS "/n?fieldManager=m", "Content-Type: application/json\r\n", object_text);
	outcome_release(&o);

	kube_delete(rig.client, &hpas, "ns", "n", "u1", on_done, &o);
	await(&rig, &o);
	assert_sent(&rig, "DELETE " HPAS "/n", "Content-Type: application/json\r\n",
		"{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"preconditions\":{\"uid\":"
		"\"u1\"},\"propagationPolicy\":\"Background\"}");
	outcome_release(&o);

	kube_delete(rig.client, &hpas, "ns", "n", NULL, on_done, &o);
	await(&rig, &o);
	assert_sent(&rig, "DELETE " HPAS "/n", NULL,
		"{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"propagationPolicy\":"
		"\"Background\"}");
	assert_int_equal(json_object_size(o.result), 0);
	outcome_release(&o);

	kube_request(rig.client, "GET", "/version?x=y", NULL, NULL, on_done, &o);
	await(&rig, &o);
	assert_sent(&rig, "GET /version?x=y", NULL, "");
	outcome_release(&o);

	kube_request(rig.client, "POST", "/x", "a/b", object, on_done, &o);
	await(&rig, &o);
	assert_sent(&rig, "POST /x", "Content-Type: a/b\r\n", object_text);
	outcome_release(&o);
	assert_int_equal(rig_close(&rig), 0);
}

#define REASON(reason, message) "{\"reason\":\"" reason "\",\"message\":\"" message "\"}"

static void test_errors(void **state)
{
	static const struct {
		struct fake_answer answer;
		enum error_kind kind;
		int64_t retry_after_ms;
		const char *message;
	} rows[] = {
		{{.status = 404, .body = REASON("NotFound", "m")}, ERROR_NOT_FOUND, -1, "m"},
		{{.status = 409, .body = REASON("Conflict", "m")}, ERROR_CONFLICT, -1, "m"},
		{{.status = 409, .body = REASON("AlreadyExists", "m")}, ERROR_CONFLICT, -1, "m"},
		{{.status = 410, .body = REASON("Expired", "m")}, ERROR_EXPIRED, -1, "m"},
		{{.status = 401, .body = REASON("Unauthorized", "m")}, ERROR_UNAUTHORIZED, -1, "m"},
		{{.status = 403, .body = REASON("Forbidden", "m")}, ERROR_FORBIDDEN, -1, "m"},
		{{.status = 422, .body = REASON("Invalid", "m")}, ERROR_INVALID, -1, "m"},
		{{.status = 400, .body = REASON("BadRequest", "m")}, ERROR_INVALID, -1, "m"},
		{{.status = 415, .body = REASON("UnsupportedMediaType", "m")}, ERROR_INVALID, -1, "m"},
		{{.status = 429, .body = REASON("TooManyRequests", "m")}, ERROR_UNAVAILABLE, -1, "m"},
		{{.status = 500,
			 .body = "{\"reason\":\"ServerTimeout\",\"message\":\"m\",\"details\":{"
				 "\"retryAfterSeconds\":3}}"},
			ERROR_UNAVAILABLE, 3000, "m"},
		{{.status = 504, .body = REASON("Timeout", "m")}, ERROR_UNAVAILABLE, -1, "m"},
		{{.status = 502, .body = "<html>"}, ERROR_UNAVAILABLE, -1, "the server answered HTTP 502"},
		{{.status = 503, .body = ""}, ERROR_UNAVAILABLE, -1, "the server answered HTTP 503"},
		{{.status = 404, .body = "404 page not found\n"}, ERROR_NOT_FOUND, -1, "404 page not found (HTTP 404)"},
		{{.status = 502, .body = "caf\xe9 ferm\xe9\n"}, ERROR_UNAVAILABLE, -1, "caf? ferm? (HTTP 502)"},
		{{.status = 302, .headers = "Location: /\r\n", .body = ""}, ERROR_INTERNAL, -1,
			"the server answered HTTP 302"},
	};
	struct fake_step step = {.expect = "PATCH *"};
	auto_json *object = json_pack("{s:{s:s, s:s}}", "metadata", "name", "n", "namespace", "ns");
	struct outcome o = OUTCOME_INIT;
	struct kube_rig rig;

	(void)state;
	rig_open(&rig, NULL, NULL, "token: t");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *want = xasprintf("cannot apply HorizontalPodAutoscaler 'ns/n': %s", rows[i].message);

		step.answer = rows[i].answer;
		fake_script(rig.fake, &step, 1);
		kube_apply(rig.client, &hpas, object, "m", on_done, &o);
		await(&rig, &o);
		assert_string_equal(o.err.message, want);
		assert_int_equal(o.err.kind, rows[i].kind);
		assert_int_equal(o.err.http, rows[i].answer.status);
		assert_int_equal(o.err.retry_after_ms, rows[i].retry_after_ms);
		outcome_release(&o);
	}
	assert_int_equal(rig_close(&rig), 0);
}

/* What is quoted of it leaves room for what the message says behind it. */
static void test_a_refusal_of_many_words_is_cut(void **state)
{
	auto_free char *much = xcalloc(1, 40001);
	auto_free char *body = NULL;
	struct fake_step step = {.expect = "GET *"};
	struct outcome o = OUTCOME_INIT;
	struct kube_rig rig;

	(void)state;
	memset(much, 'x', 40000);
	body = xasprintf("{\"message\":\"%s\"}", much);
	step.answer = (struct fake_answer){.status = 422, .body = body};
	rig_open(&rig, NULL, NULL, "token: t");
	fake_script(rig.fake, &step, 1);
	kube_request(rig.client, "GET", "/x", NULL, NULL, on_done, &o);
	await(&rig, &o);
	assert_int_equal(strlen(o.err.message), strlen("cannot GET '/x': ") + TEXT_QUOTE_MAX);
	outcome_release(&o);
	assert_int_equal(rig_close(&rig), 0);
}

static void test_an_answer_that_is_not_json(void **state)
{
	static const struct fake_step steps[] = {{"GET *", {.status = 200, .body = "ok"}}};
	struct outcome o = OUTCOME_INIT;
	struct kube_rig rig;

	(void)state;
	open_script(&rig, steps, ARRAY_LEN(steps));
	kube_request(rig.client, "GET", "/healthz", NULL, NULL, on_done, &o);
	await(&rig, &o);
	assert_int_equal(o.err.kind, ERROR_INTERNAL);
	assert_non_null(strstr(o.err.message, "cannot GET '/healthz': the answer is not JSON: "));
	outcome_release(&o);
	assert_int_equal(rig_close(&rig), 0);
}

static void test_retries(void **state)
{
	static const struct fake_step steps[] = {
		{"POST /x", {.status = 429, .headers = "Retry-After: 0\r\n", .body = "{}"}},
		{"POST /x", {.status = 503, .headers = "Retry-After: 0\r\n", .body = "{}"}},
		{"POST /x", {.status = 200, .body = "{}"}},
	};
	struct fake_step always[11];
	auto_json *body = json_pack("{s:i}", "a", 1);
	struct outcome o = OUTCOME_INIT;
	struct kube_rig rig;

	(void)state;
	open_script(&rig, steps, ARRAY_LEN(steps));
	kube_request(rig.client, "POST", "/x", NULL, body, on_done, &o);
	await(&rig, &o);
	assert_non_null(o.result);
	assert_string_equal(fake_last_body(rig.fake), "{\"a\":1}");
	outcome_release(&o);

	for (size_t i = 0; i < ARRAY_LEN(always); i++) {
		always[i] = steps[0];
	}
	fake_script(rig.fake, always, ARRAY_LEN(always));
	kube_request(rig.client, "POST", "/x", NULL, body, on_done, &o);
	await(&rig, &o);
	assert_int_equal(o.err.kind, ERROR_UNAVAILABLE);
	assert_int_equal(o.err.http, 429);
	assert_int_equal(o.err.retry_after_ms, 0);
	outcome_release(&o);
	assert_int_equal(rig_close(&rig), 0);
}

/* What a busy server may ask for is bounded, in the header and in the body alike. */
static void test_a_long_retry_after_is_cut_and_given_back(void **state)
{
	static const struct {
		struct fake_answer answer;
		int64_t retry_after_ms;
	} rows[] = {
		{{.status = 503, .headers = "Retry-After: 3600\r\n", .body = "{}"}, 60000},
		{{.status = 429, .headers = "Retry-After: 9223372036854775807\r\n", .body = "{}"}, 60000},
		{{.status = 503, .headers = "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT\r\n", .body = "{}"}, 60000},
		{{.status = 503, .headers = "Retry-After: 60\r\n", .body = "{}"}, 60000},
		{{.status = 503, .headers = "Retry-After: 11\r\n", .body = "{}"}, 11000},
		{{.status = 503, .body = "{\"details\":{\"retryAfterSeconds\":3600}}"}, 60000},
		{{.status = 503, .body = "{\"details\":{\"retryAfterSeconds\":9223372036854775807}}"}, 60000},
		{{.status = 503, .body = "{\"details\":{\"retryAfterSeconds\":-5}}"}, -1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fake_step step = {"POST /x", rows[i].answer};
		auto_json *body = json_object();
		struct outcome o = OUTCOME_INIT;
		struct kube_rig rig;

		open_script(&rig, &step, 1);
		kube_request(rig.client, "POST", "/x", NULL, body, on_done, &o);
		await(&rig, &o);
		assert_int_equal(o.err.kind, ERROR_UNAVAILABLE);
		assert_int_equal(o.err.retry_after_ms, rows[i].retry_after_ms);
		outcome_release(&o);
		assert_int_equal(rig_close(&rig), 0);
	}
}

/* It is the sum that counts: who waits has other things to do. */
static void test_a_call_waits_ten_seconds_in_all(void **state)
{
	static const struct fake_step steps[] = {
		{"POST /x", {.status = 429, .headers = "Retry-After: 1\r\n", .body = "{}"}},
		{"POST /x", {.status = 429, .headers = "Retry-After: 10\r\n", .body = "{}"}},
	};
	auto_json *body = json_object();
	struct outcome o = OUTCOME_INIT;
	struct kube_rig rig;
	uint64_t start = uv_hrtime();

	(void)state;
	open_script(&rig, steps, ARRAY_LEN(steps));
	kube_request(rig.client, "POST", "/x", NULL, body, on_done, &o);
	await(&rig, &o);
	assert_true(uv_hrtime() - start >= UINT64_C(990000000));
	assert_int_equal(o.err.retry_after_ms, 10000);
	outcome_release(&o);
	assert_int_equal(rig_close(&rig), 0);
}

static bool asked(void *ctx)
{
	return fake_requests(ctx) > 0;
}

static bool answer_of(void *ctx)
{
	return *(bool *)ctx;
}

static void test_a_guarded_client_sends_no_write(void **state)
{
	static const struct fake_step steps[] = {
		{"GET *", {.status = 200, .body = "{}"}},
		{"POST *", {.status = 503, .headers = "Retry-After: 0\r\n", .body = "{}"}},
	};
	auto_json *body = json_object();
	struct outcome o = OUTCOME_INIT;
	struct kube_rig rig;
	bool may = false;

	(void)state;
	open_script(&rig, steps, ARRAY_LEN(steps));
	kube_client_guard(rig.client, answer_of, &may);
	kube_request(rig.client, "POST", "/x", NULL, body, on_done, &o);
	await(&rig, &o);
	assert_int_equal(o.err.kind, ERROR_CANCELLED);
	assert_string_equal(o.err.message, "cannot POST '/x': this replica does not hold the Lease");
	outcome_release(&o);
	kube_request(rig.client, "GET", "/x", NULL, NULL, on_done, &o);
	await(&rig, &o);
	assert_non_null(o.result);
	outcome_release(&o);
	/* Nor is one sent again. */
	may = true;
	kube_request(rig.client, "POST", "/x", NULL, body, on_done, &o);
	while (fake_requests(rig.fake) < 2) {
		event_loop_turn(&rig.loop);
	}
	may = false;
	await(&rig, &o);
	assert_int_equal(o.err.kind, ERROR_CANCELLED);
	outcome_release(&o);
	/* The answer counts that is given when it is about to leave: the process may have stood still
	 * between its start and that. */
	may = true;
	kube_request(rig.client, "POST", "/x", NULL, body, on_done, &o);
	may = false;
	await(&rig, &o);
	assert_int_equal(o.err.kind, ERROR_CANCELLED);
	assert_string_equal(o.err.message, "cannot POST '/x': this replica does not hold the Lease");
	assert_int_equal(fake_requests(rig.fake), 2);
	outcome_release(&o);
	assert_int_equal(rig_close(&rig), 0);
}

static void test_cancelling(void **state)
{
	static const struct fake_step mute[] = {{"GET *", {.end = FAKE_MUTE}}};
	static const struct fake_step later[] = {
		{"GET *", {.status = 503, .headers = "Retry-After: 10\r\n", .body = "{}"}}};
	const struct {
		const struct fake_step *step;
		bool wait;
	} rows[] = {{mute, true}, {later, true}, {NULL, false}};
	struct outcome o = OUTCOME_INIT;
	struct kube_rig rig;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct kube_call *call;

		open_script(&rig, rows[i].step, rows[i].step != NULL ? 1 : 0);
		call = kube_request(rig.client, "GET", "/x", NULL, NULL, on_done, &o);
		if (rows[i].wait) {
			assert_true(run_until(&rig.loop, asked, rig.fake));
		}
		kube_call_cancel(call);
		await(&rig, &o);
		assert_int_equal(o.err.kind, ERROR_CANCELLED);
		assert_string_equal(o.err.message, "cannot GET '/x': cancelled");
		outcome_release(&o);
		assert_int_equal(rig_close(&rig), 0);
	}
}

static void test_a_refused_token_is_read_again(void **state)
{
	static const struct fake_step steps[] = {
		{"GET *", {.status = 401, .body = REASON("Unauthorized", "m")}},
		{"GET *", {.status = 200, .body = "{}"}},
	};
	auto_free char *dir = rig_dir();
	auto_free char *path = rig_file(dir, "token", "old");
	auto_free char *user = xasprintf("tokenFile: '%s'", path);
	struct outcome o = OUTCOME_INIT;
	struct kube_rig rig;

	(void)state;
	rig_open(&rig, NULL, NULL, user);
	fake_script(rig.fake, steps, ARRAY_LEN(steps));
	free(rig_file(dir, "token", "new"));
	kube_request(rig.client, "GET", "/x", NULL, NULL, on_done, &o);
	await(&rig, &o);
	assert_int_equal(o.err.kind, ERROR_UNAUTHORIZED);
	assert_non_null(strstr(fake_last_head(rig.fake), "Authorization: Bearer old\r\n"));
	outcome_release(&o);
	kube_request(rig.client, "GET", "/x", NULL, NULL, on_done, &o);
	await(&rig, &o);
	assert_non_null(strstr(fake_last_head(rig.fake), "Authorization: Bearer new\r\n"));
	outcome_release(&o);

	/* Without any token nothing is sent, and the failure still comes from the loop. */
	rig_remove_dir(dir);
	kube_config_refused(rig.config, 0);
	kube_request(rig.client, "GET", "/x", NULL, NULL, on_done, &o);
	await(&rig, &o);
	assert_int_equal(o.err.kind, ERROR_UNAUTHORIZED);
	assert_non_null(strstr(o.err.message, "cannot GET '/x': token cannot be read: file '"));
	outcome_release(&o);
	assert_int_equal(rig_close(&rig), 0);
}

static void test_a_refusal_may_be_cut_short(void **state)
{
	static const struct fake_step steps[] = {{"GET *", {.status = 401, .body = "{\"mess", .end = FAKE_HOLD}}};
	auto_free char *dir = rig_dir();
	auto_free char *path = rig_file(dir, "token", "old");
	auto_free char *user = xasprintf("tokenFile: '%s'", path);
	struct outcome o = OUTCOME_INIT;
	struct kube_rig rig;

	(void)state;
	rig_open(&rig, NULL, NULL, user);
	fake_script(rig.fake, steps, ARRAY_LEN(steps));
	kube_request(rig.client, "GET", "/x", NULL, NULL, on_done, &o);
	assert_true(run_until(&rig.loop, asked, rig.fake));
	fake_drop(rig.fake);
	await(&rig, &o);
	assert_int_equal(o.err.kind, ERROR_UNAUTHORIZED);
	assert_string_equal(o.err.message, "cannot GET '/x': the server answered HTTP 401");
	outcome_release(&o);
	rig_remove_dir(dir);
	assert_int_equal(rig_close(&rig), 0);
}

static struct kube_call *stream(struct kube_rig *rig, int64_t idle_timeout_ms, struct outcome *outcome)
{
	return kube_call_start(rig->client, &(struct kube_call_spec){
						    .method = "GET",
						    .path = "/s",
						    .what = "stream '/s'",
						    .on_line = on_line,
						    .idle_timeout_ms = idle_timeout_ms,
						    .done = on_done,
						    .ctx = outcome,
					    });
}

static void test_streams(void **state)
{
	static const struct fake_step steps[] = {
		{"GET /s", {.status = 200, .body = "one\n\ntwo\nrest", .end = FAKE_END, .piece = 3}},
		{"GET /s", {.status = 410, .body = REASON("Expired", "m")}},
		{"GET /s", {.status = 503, .headers = "Retry-After: 7\r\n", .body = "{}"}},
		{"GET /s", {.status = 200, .body = "one\ntwo\n", .end = FAKE_HOLD}},
		{"GET /s", {.status = 200, .body = "one\ntwo\n", .end = FAKE_HOLD}},
		{"GET /s", {.status = 200, .end = FAKE_HOLD}},
	};
	struct outcome o = OUTCOME_INIT;
	struct kube_rig rig;

	(void)state;
	open_script(&rig, steps, ARRAY_LEN(steps));
	/* What has no newline is no whole line. */
	stream(&rig, 0, &o);
	await(&rig, &o);
	assert_string_equal(o.lines.buf, "one|two|");
	assert_true(json_is_null(o.result));
	outcome_release(&o);

	stream(&rig, 0, &o);
	await(&rig, &o);
	assert_int_equal(o.err.kind, ERROR_EXPIRED);
	assert_string_equal(o.err.message, "cannot stream '/s': m");
	outcome_release(&o);

	/* A stream is not retried inside: its owner knows where to go on. */
	stream(&rig, 0, &o);
	await(&rig, &o);
	assert_int_equal(o.err.retry_after_ms, 7000);
	outcome_release(&o);

	o.line_rc = -1;
	stream(&rig, 0, &o);
	await(&rig, &o);
	assert_string_equal(o.lines.buf, "one|");
	assert_int_equal(o.err.kind, ERROR_CANCELLED);
	outcome_release(&o);

	o.cancel_on_line = stream(&rig, 0, &o);
	await(&rig, &o);
	assert_string_equal(o.lines.buf, "one|");
	assert_string_equal(o.err.message, "cannot stream '/s': cancelled");
	outcome_release(&o);

	stream(&rig, 50, &o);
	await(&rig, &o);
	assert_int_equal(o.err.kind, ERROR_UNAVAILABLE);
	assert_non_null(strstr(o.err.message, "cannot stream '/s': no data from "));
	outcome_release(&o);
	assert_int_equal(rig_close(&rig), 0);
}

static void test_a_line_has_a_limit(void **state)
{
	struct fake_step step = {"GET /s", {.status = 200, .end = FAKE_HOLD, .piece = 1 << 20}};
	struct outcome o = OUTCOME_INIT;
	size_t size = (16 << 20) + 1;
	auto_free char *body = xcalloc(size + 1, 1);
	struct kube_rig rig;

	(void)state;
	memset(body, 'x', size);
	step.answer.body = body;
	open_script(&rig, &step, 1);
	stream(&rig, 0, &o);
	await(&rig, &o);
	assert_int_equal(o.err.kind, ERROR_INTERNAL);
	assert_string_equal(o.err.message, "cannot stream '/s': a line is longer than 16 MiB");
	assert_int_equal(o.lines.len, 0);
	outcome_release(&o);
	assert_int_equal(rig_close(&rig), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verbs),
		cmocka_unit_test(test_what_is_read_of_an_answer),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_a_refusal_of_many_words_is_cut),
		cmocka_unit_test(test_an_answer_that_is_not_json),
		cmocka_unit_test(test_retries),
		cmocka_unit_test(test_a_long_retry_after_is_cut_and_given_back),
		cmocka_unit_test(test_a_call_waits_ten_seconds_in_all),
		cmocka_unit_test(test_a_guarded_client_sends_no_write),
		cmocka_unit_test(test_cancelling),
		cmocka_unit_test(test_a_refused_token_is_read_again),
		cmocka_unit_test(test_a_refusal_may_be_cut_short),
		cmocka_unit_test(test_streams),
		cmocka_unit_test(test_a_line_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
