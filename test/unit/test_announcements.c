/* A replica's own entry among the announced certificates, and the ends of others'. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "kube_rig.h"
#include "net/certificate.h"
#include "runtime/announcements.h"

#define NAME "ia.system.svc"

/* An API server with one ConfigMap, in which each apply puts its entry. */
struct rig {
	struct kube_rig kube;
	struct announcements *announcements;
	json_t *data;
	int version;
	int applied;
	int refuse; /* so many times */
	int changed;
	int wanted;
	struct strbuf answer;
	bool closed;
};

static json_t *configmap(const struct rig *rig)
{
	auto_free char *version = xasprintf("%d", rig->version);

	return json_pack("{s:{s:s, s:s, s:s}, s:O}", "metadata", "namespace", "system", "name", "certificates",
		"resourceVersion", version, "data", rig->data);
}

static const char *written(struct rig *rig, json_t *value_take)
{
	auto_json *value = value_take;
	auto_free char *text = json_text(value);

	strbuf_reset(&rig->answer);
	strbuf_addf(&rig->answer, "%s\n", text);
	return rig->answer.buf;
}

static struct fake_answer on_apply(struct rig *rig, const struct fake_request *request)
{
	auto_json *object = json_parse(request->body, strlen(request->body), NULL);

	rig->applied++;
	assert_non_null(strstr(request->line, "fieldManager=inference-autoscaler-one"));
	if (rig->refuse > 0) {
		rig->refuse--;
		return (struct fake_answer){.status = 403, .body = "{\"kind\":\"Status\",\"reason\":\"Forbidden\"}"};
	}
	json_object_update(rig->data, json_object_get(object, "data"));
	rig->version++;
	return (struct fake_answer){.status = 200, .body = written(rig, configmap(rig))};
}

static struct fake_answer on_request(void *ctx, const struct fake_request *request)
{
	struct rig *rig = ctx;

	if (strncmp(request->line, "PATCH ", 6) == 0) {
		return on_apply(rig, request);
	}
	if (strstr(request->line, "sendInitialEvents") != NULL) {
		return (struct fake_answer){.status = 422, .body = "{\"kind\":\"Status\",\"reason\":\"Invalid\"}"};
	}
	assert_non_null(strstr(request->line, "/namespaces/system/configmaps"));
	assert_non_null(strstr(request->line, "fieldSelector=metadata.name%3Dcertificates"));
	if (strstr(request->line, "watch=true") != NULL) {
		return (struct fake_answer){.status = 200, .end = FAKE_HOLD};
	}
	return (struct fake_answer){.status = 200,
		.body = written(rig,
			json_pack("{s:{s:s}, s:[o]}", "metadata", "resourceVersion", "1", "items", configmap(rig)))};
}

/* As the watch would tell it. */
static void push(struct rig *rig)
{
	rig->version++;
	fake_push(rig->kube.fake, written(rig, json_pack("{s:s, s:o}", "type", "MODIFIED", "object", configmap(rig))));
}

static void on_changed(void *ctx)
{
	((struct rig *)ctx)->changed++;
}

static bool leads(void *ctx)
{
	(void)ctx;
	return false;
}

static bool gone(void *ctx, const char *identity)
{
	(void)ctx;
	(void)identity;
	return false;
}

static bool has_applied(void *ctx)
{
	const struct rig *rig = ctx;

	return rig->applied >= rig->wanted;
}

static bool has_changed(void *ctx)
{
	const struct rig *rig = ctx;

	return rig->changed >= rig->wanted;
}

static bool is_closed(void *ctx)
{
	return *(bool *)ctx;
}

static void on_closed(void *ctx)
{
	*(bool *)ctx = true;
}

static void rig_begin(struct rig *rig)
{
	*rig = (struct rig){.data = json_object(), .version = 1, .answer = STRBUF_INIT};
	rig_open(&rig->kube, on_request, rig, NULL);
	rig->announcements = announcements_new(&(struct announcements_options){.client = rig->kube.client,
						       .writer = rig->kube.client,
						       .ns = "system",
						       .name = "certificates",
						       .identity = "one",
						       .dns_name = NAME},
		&(struct announcements_hooks){.changed = on_changed, .leads = leads, .gone = gone, .ctx = rig});
	announcements_start(rig->announcements);
}

static void rig_end(struct rig *rig)
{
	announcements_close(rig->announcements, on_closed, &rig->closed);
	assert_true(run_until(&rig->kube.loop, is_closed, &rig->closed));
	assert_int_equal(rig_close(&rig->kube), 0);
	json_decref(rig->data);
	strbuf_release(&rig->answer);
}

static struct certificate *make(void)
{
	return certificate_make(NAME, clock_wall_ms(), 3600000, NULL);
}

static void test_the_own_entry_is_made_kept_and_believed(void **state)
{
	struct certificate *certificate = make(), *other = make();
	struct rig rig;

	(void)state;
	rig_begin(&rig);
	announcements_set(rig.announcements, certificate_pem(certificate));
	rig.wanted = 1;
	assert_true(run_until(&rig.kube.loop, has_applied, &rig));
	json_object_set_new(rig.data, "two", json_string(certificate_pem(other)));
	push(&rig);
	assert_true(run_until(&rig.kube.loop, has_changed, &rig));
	assert_non_null(strstr(announcements_bundle(rig.announcements), certificate_pem(certificate)));
	assert_non_null(strstr(announcements_bundle(rig.announcements), certificate_pem(other)));
	/* Somebody takes it away. */
	json_object_del(rig.data, "one");
	push(&rig);
	rig.wanted = 2;
	assert_true(run_until(&rig.kube.loop, has_applied, &rig));
	assert_string_equal(json_string_value(json_object_get(rig.data, "one")), certificate_pem(certificate));
	assert_string_equal(json_string_value(json_object_get(rig.data, "two")), certificate_pem(other));
	rig_end(&rig);
	certificate_free(certificate);
	certificate_free(other);
}

static void test_what_is_said_beside_stands_before_it(void **state)
{
	struct certificate *certificate = make(), *other = make();
	struct rig rig;
	const char *entry;

	(void)state;
	rig_begin(&rig);
	announcements_set_note(rig.announcements, "reads=1\n");
	run_for(&rig.kube.loop, 50);
	assert_int_equal(rig.applied, 0);
	announcements_set(rig.announcements, certificate_pem(certificate));
	rig.wanted = 1;
	assert_true(run_until(&rig.kube.loop, has_applied, &rig));
	announcements_set_note(rig.announcements, "reads=1\n");
	announcements_set_note(rig.announcements, "reads=22\n");
	rig.wanted = 2;
	assert_true(run_until(&rig.kube.loop, has_applied, &rig));
	push(&rig);
	rig.wanted = 1;
	assert_true(run_until(&rig.kube.loop, has_changed, &rig));
	entry = json_string_value(json_object_get(rig.data, "one"));
	assert_int_equal(strncmp(entry, "reads=22\n-----BEGIN CERTIFICATE-----\n", 37), 0);
	assert_string_equal(view_pairs_get(announcements_entries(rig.announcements), "one"), entry);
	/* No part of it is a certificate that others should trust. */
	assert_string_equal(announcements_bundle(rig.announcements), certificate_pem(certificate));
	announcements_set(rig.announcements, certificate_pem(other));
	rig.wanted = 3;
	assert_true(run_until(&rig.kube.loop, has_applied, &rig));
	entry = json_string_value(json_object_get(rig.data, "one"));
	assert_string_equal(entry + strlen("reads=22\n"), certificate_pem(other));
	rig_end(&rig);
	certificate_free(certificate);
	certificate_free(other);
}

/* Who takes it away again and again has it written no more than once a second. */
static void test_a_fight_about_the_own_entry_is_slow(void **state)
{
	struct certificate *certificate = make();
	struct rig rig;

	(void)state;
	rig_begin(&rig);
	announcements_set(rig.announcements, certificate_pem(certificate));
	rig.wanted = 1;
	assert_true(run_until(&rig.kube.loop, has_applied, &rig));
	for (int i = 0; i < 20; i++) {
		json_object_clear(rig.data);
		push(&rig);
		run_for(&rig.kube.loop, 20);
	}
	assert_in_range(rig.applied, 1, 2);
	rig_end(&rig);
	certificate_free(certificate);
}

static void test_what_is_refused_is_tried_again(void **state)
{
	struct certificate *certificate = make();
	struct rig rig;

	(void)state;
	rig_begin(&rig);
	rig.refuse = 1;
	announcements_set(rig.announcements, certificate_pem(certificate));
	rig.wanted = 2;
	assert_true(run_until(&rig.kube.loop, has_applied, &rig));
	assert_non_null(json_object_get(rig.data, "one"));
	rig_end(&rig);
	certificate_free(certificate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_own_entry_is_made_kept_and_believed),
		cmocka_unit_test(test_what_is_said_beside_stands_before_it),
		cmocka_unit_test(test_a_fight_about_the_own_entry_is_slow),
		cmocka_unit_test(test_what_is_refused_is_tried_again),
	};

	log_configure(LOG_ERROR, LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
