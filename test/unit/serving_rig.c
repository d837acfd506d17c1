/* A small world for the metrics API. */
#include "serving_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/yaml.h"
#include "view/workload.h"

#define CREATED "creationTimestamp: \"2026-01-31T07:00:00Z\""

static struct view_list some(const struct view *const *items, size_t count, const char *ns, const char *target)
{
	struct view_list list = {.items = xcalloc(count + 1, sizeof(struct view *))};

	for (size_t i = 0; i < count; i++) {
		if ((ns == NULL || strcmp(items[i]->meta.ns, ns) == 0) &&
			(target == NULL || strcmp(view_autoscaler(items[i])->target_name, target) == 0)) {
			list.items[list.count++] = items[i];
		}
	}
	return list;
}

static struct view_list autoscalers(void *ctx, const char *ns)
{
	struct serving_rig *rig = ctx;

	return some(rig->autoscalers, rig->count, ns, NULL);
}

/* The cache has an index for it. Those that scale one target stand side by side here, and often it is the last one. */
static struct view_list of_target(void *ctx, const char *ns, const char *target)
{
	struct serving_rig *rig = ctx;
	size_t end = rig->count;

	while (end > 0 && strcmp(view_autoscaler(rig->autoscalers[end - 1])->target_name, target) != 0) {
		end--;
	}
	return end > 0 ? some(rig->autoscalers + end - 1, 1, ns, target) : some(rig->autoscalers, 0, ns, target);
}

static const struct view *autoscaler(void *ctx, const char *ns, const char *name)
{
	struct serving_rig *rig = ctx;

	for (size_t i = 0; i < rig->count; i++) {
		const struct object_meta *meta = &rig->autoscalers[i]->meta;

		if (strcmp(meta->ns, ns) == 0 && strcmp(meta->name, name) == 0) {
			return rig->autoscalers[i];
		}
	}
	return NULL;
}

static char *target_selector(void *ctx, const struct view_autoscaler *one, struct error *err)
{
	(void)ctx;
	if (strcmp(one->target_name, "unknown") == 0) {
		error_set(err, ERROR_NOT_FOUND, "Deployment '%s' is not there", one->target_name);
		return NULL;
	}
	return xasprintf("app=%s", one->target_name);
}

static struct view_list daemonsets(void *ctx)
{
	struct serving_rig *rig = ctx;

	return some(rig->daemonsets, rig->daemonsets_count, NULL, NULL);
}

static struct view_list services(void *ctx, const char *ns)
{
	(void)ctx;
	(void)ns;
	return some(NULL, 0, NULL, NULL);
}

static bool former(void *ctx, const char *version, struct metrics_former *found)
{
	struct serving_rig *rig = ctx;

	if (rig->former == NULL || strcmp(rig->former, version) != 0) {
		return false;
	}
	*found = (struct metrics_former){.version = rig->former, .url = xstrdup(fake_url(rig->kube.fake))};
	return true;
}

static char *authorization(void *ctx)
{
	(void)ctx;
	return xstrdup("Authorization: Bearer ours");
}

static void forward_failed(void *ctx, const char *why)
{
	struct serving_rig *rig = ctx;

	free_indirect(&rig->forward_failure);
	rig->forward_failure = xstrdup(why);
}

void serving_open(struct serving_rig *rig, fake_handler_fn *handler, void *ctx)
{
	const struct settings settings = SETTINGS_DEFAULT;

	*rig = (struct serving_rig){.settings = settings};
	rig->settings.local = true;
	rig_open(&rig->kube, handler, ctx, NULL);
	rig->port = atoi(strrchr(fake_url(rig->kube.fake), ':') + 1);
	rig->pods = pods_new();
	pods_set_state(rig->pods, true, NULL);
	rig->api = metrics_api_new(&rig->kube.loop, rig->kube.http, rig->pods,
		&(struct metrics_api_hooks){.ctx = rig,
			.settings = &rig->settings,
			.autoscalers = autoscalers,
			.autoscalers_of_target = of_target,
			.autoscaler = autoscaler,
			.target_selector = target_selector,
			.daemonsets = daemonsets,
			.services = services,
			.former = former,
			.authorization = authorization,
			.forward_failed = forward_failed});
}

static void on_closed(void *ctx)
{
	*(bool *)ctx = true;
}

static bool is_true(void *ctx)
{
	return *(bool *)ctx;
}

void serving_close(struct serving_rig *rig)
{
	bool closed = false;

	metrics_api_close(rig->api, on_closed, &closed);
	assert_true(run_until(&rig->kube.loop, is_true, &closed));
	for (size_t i = 0; i < rig->count; i++) {
		view_unref(rig->autoscalers[i]);
	}
	for (size_t i = 0; i < rig->daemonsets_count; i++) {
		view_unref(rig->daemonsets[i]);
	}
	free_indirect(&rig->autoscalers);
	free_indirect(&rig->daemonsets);
	free_indirect(&rig->forward_failure);
	pods_free(rig->pods);
	assert_int_equal(rig_close(&rig->kube), 0);
}

static const struct view *decode(const struct view_type *type, const char *text)
{
	auto_error err = ERROR_INIT;
	auto_json *object = yaml_parse(text, strlen(text), &err);

	if (object == NULL) {
		fail_msg("%s\n%s", err.message, text);
	}
	return view_decode_as(type, object);
}

void serving_add(struct serving_rig *rig, const char *ns, const char *name, const char *spec, const char *status)
{
	auto_free char *text = xasprintf(
		"{metadata: {namespace: %s, name: %s, " CREATED
		"}, spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: %s}, maxReplicas: 9, %s}, status: %s}",
		ns, name, name, spec, status);

	rig->autoscalers = xgrow(rig->autoscalers, &rig->cap, rig->count + 1, sizeof(*rig->autoscalers));
	rig->autoscalers[rig->count] = decode(&view_autoscaler_type, text);
	if (view_autoscaler(rig->autoscalers[rig->count])->invalid.kind != ERROR_NONE) {
		fail_msg("%s", view_autoscaler(rig->autoscalers[rig->count])->invalid.message);
	}
	rig->count++;
}

void serving_pod_yaml(struct serving_rig *rig, const char *text)
{
	auto_view *pod = decode(&view_pod_type, text);

	pods_put(rig->pods, pod);
}

void serving_pod(struct serving_rig *rig, const char *ns, const char *target, int number, const char *ready)
{
	auto_free char *text =
		xasprintf("{metadata: {namespace: %s, name: %s-hash-%d, labels: {app: %s, pod-template-hash: hash},"
			  "ownerReferences: [{kind: ReplicaSet, name: %s-hash}]}, spec: {nodeName: node-%d},"
			  "status: {phase: Running, podIP: 127.0.0.1,"
			  "conditions: [{type: Ready, status: \"%s\", lastTransitionTime: \"2026-01-31T07:30:00Z\"}],"
			  "containerStatuses: [{state: {running: {startedAt: \"2026-01-31T07:00:30Z\"}}}]}}",
			ns, target, number, target, target, number, ready);

	serving_pod_yaml(rig, text);
}

void serving_daemonset(struct serving_rig *rig, const char *text)
{
	rig->daemonsets =
		xgrow(rig->daemonsets, &rig->daemonsets_cap, rig->daemonsets_count + 1, sizeof(*rig->daemonsets));
	rig->daemonsets[rig->daemonsets_count++] = decode(&view_workload_type, text);
}

static void on_reply(struct metrics_asker *asker, int status, const char *content_type, const char *body, size_t len)
{
	struct serving_asked *asked = container_of(asker, struct serving_asked, asker);

	assert_string_equal(content_type, "application/json");
	assert_int_equal(asked->status, 0);
	asked->status = status;
	asked->took_ms = clock_monotonic_ms() - asked->begun_ms;
	asked->body = xstrndup(body, len);
}

void serving_ask(struct serving_rig *rig, struct serving_asked *asked, const char *target)
{
	*asked = (struct serving_asked){.asker = {.target = target, .reply = on_reply},
		.begun_ms = clock_monotonic_ms()};
	metrics_api_ask(rig->api, &asked->asker);
}

static bool is_answered(void *ctx)
{
	return ((struct serving_asked *)ctx)->status != 0;
}

void serving_await(struct serving_rig *rig, struct serving_asked *asked)
{
	assert_true(run_until(&rig->kube.loop, is_answered, asked));
}

static char *words_of(const struct serving_asked *asked)
{
	auto_json *body = json_parse(asked->body, strlen(asked->body), NULL);
	struct strbuf words = STRBUF_INIT;
	size_t i;
	json_t *item;

	if (asked->status != 200) {
		assert_int_equal(json_path_int(body, "code", 0), asked->status);
		return xasprintf("%d %s", asked->status, json_path_string(body, "message", ""));
	}
	json_array_foreach(json_object_get(body, "items"), i, item) {
		strbuf_addf(&words, "%s%s=%s", i > 0 ? " " : "", json_path_string(item, "describedObject.name", ""),
			json_path_string(item, "value", ""));
	}
	return strbuf_take(&words);
}

char *serving_get(struct serving_rig *rig, const char *target)
{
	struct serving_asked asked;
	char *words;

	serving_ask(rig, &asked, target);
	serving_await(rig, &asked);
	words = words_of(&asked);
	free_indirect(&asked.body);
	return words;
}

char *serving_values(struct serving_rig *rig, const char *ns, const char *app, const char *metric)
{
	auto_free char *target =
		xasprintf("/apis/custom.metrics.k8s.io/v1beta2/namespaces/%s/pods/%%2A/%s?labelSelector=app%%3D%s", ns,
			metric, app);

	return serving_get(rig, target);
}
