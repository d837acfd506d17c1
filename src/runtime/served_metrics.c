/* The metrics API on the caches of this replica. */
#include "served_metrics.h"

#include <string.h>

#include "base/base64.h"
#include "base/memory.h"
#include "cached_views.h"
#include "controller_parts.h"
#include "view/core.h"
#include "view/workload.h"

static struct view_list autoscalers(void *ctx, const char *ns)
{
	return cached_views(controller_cache(ctx, KIND_AUTOSCALER), ns);
}

static struct view_list autoscalers_of_target(void *ctx, const char *ns, const char *target)
{
	auto_free char *key = kube_key(ns, target);

	return cached_views_by(controller_cache(ctx, KIND_AUTOSCALER), key);
}

static const struct view *autoscaler(void *ctx, const char *ns, const char *name)
{
	return kube_cache_get(controller_cache(ctx, KIND_AUTOSCALER), ns, name);
}

/* Of a kind that is watched. */
static char *watched_selector(const struct controller *c, enum kind kind, const struct view_autoscaler *object,
	struct error *err)
{
	const struct view_workload *target =
		view_workload(kube_cache_get(controller_cache(c, kind), object->view.meta.ns, object->target_name));

	if (target == NULL || !target->selector.valid) {
		error_set(err, ERROR_NOT_FOUND, "%s '%s/%s' does not exist", object->target_kind, object->view.meta.ns,
			object->target_name);
		return NULL;
	}
	return view_selector_text(&target->selector);
}

/* Of any other the leader has read it, and the status has it since; of an earlier spec it may be another target's. */
static char *target_selector(void *ctx, const struct view_autoscaler *object, struct error *err)
{
	enum kind kind = kind_by_name(object->spec.target_api_version, object->target_kind);
	const struct view_status *status = &object->status;

	if (kind == KIND_DEPLOYMENT || kind == KIND_STATEFULSET) {
		return watched_selector(ctx, kind, object, err);
	}
	if (status->selector == NULL || status->observed_generation != object->view.meta.generation) {
		error_set(err, ERROR_UNAVAILABLE, "the pods of %s '%s/%s' are not known yet", object->target_kind,
			object->view.meta.ns, object->target_name);
		return NULL;
	}
	return xstrdup(status->selector);
}

static struct view_list daemonsets(void *ctx)
{
	return cached_views(controller_cache(ctx, KIND_DAEMONSET), NULL);
}

static struct view_list services(void *ctx, const char *ns)
{
	return cached_views(controller_cache(ctx, KIND_SERVICE), ns);
}

/* A server by what an APIService or our note on it says of it. */
static struct metrics_former former_at(const char *ns, const char *name, int64_t port, bool insecure,
	const char *ca_bundle)
{
	auto_strbuf pem = STRBUF_INIT;
	struct metrics_former former = {.url = xasprintf("https://%s.%s.svc:%lld", name, ns, (long long)port),
		.insecure = insecure};

	if (ca_bundle != NULL && base64_decode(ca_bundle, &pem) == 0) {
		former.ca_pem = strbuf_take(&pem);
	}
	return former;
}

/* From the note on the APIService that leads to us. One that leads to another server again was given back: an API server that
 * still asks us has not seen it yet. */
static bool former(void *ctx, const char *version, struct metrics_former *found)
{
	const struct controller *c = ctx;
	const struct metrics_service *ours = &c->settings->metrics_service;
	const bool newer = strcmp(version, "v1beta2") == 0;
	const struct view_apiservice *api = view_apiservice(kube_cache_get(controller_cache(c, KIND_APISERVICE), NULL,
		newer ? APISERVICE_V1BETA2 : APISERVICE_V1BETA1));

	if (api == NULL) {
		return false;
	}
	if (!view_apiservice_leads_to(api, ours->ns, ours->name) && api->service_name[0] != '\0') {
		*found = former_at(api->service_namespace, api->service_name, api->service_port, api->insecure,
			api->ca_bundle);
	} else if (api->former.taken && api->former.service_name != NULL) {
		*found = former_at(api->former.service_namespace, api->former.service_name, api->former.service_port,
			api->former.insecure, api->former.ca_bundle);
	} else {
		return false;
	}
	found->version = newer ? "v1beta2" : "v1beta1";
	return true;
}

static char *authorization(void *ctx)
{
	const struct controller *c = ctx;

	return kube_client_authorization(c->client);
}

static void forward_failed(void *ctx, const char *why)
{
	controller_set_forward_failure(ctx, why);
}

struct metrics_api *served_metrics_new(struct controller *c, struct http_client *http)
{
	return metrics_api_new(kube_client_loop(c->client), http, c->pods,
		&(struct metrics_api_hooks){.ctx = c,
			.settings = c->settings,
			.autoscalers = autoscalers,
			.autoscalers_of_target = autoscalers_of_target,
			.autoscaler = autoscaler,
			.target_selector = target_selector,
			.daemonsets = daemonsets,
			.services = services,
			.former = former,
			.authorization = authorization,
			.forward_failed = forward_failed});
}

/* One request on its way to an answer. */
struct answering {
	struct metrics_asker asker;
	struct tls_exchange *exchange;
	struct hpa_reads *reads;
};

static void reply(struct metrics_asker *asker, int status, const char *content_type, const char *body, size_t len)
{
	struct answering *answering = container_of(asker, struct answering, asker);

	if (asker->ours) {
		hpa_reads_note(answering->reads, tls_exchange_user(answering->exchange));
	}
	tls_reply(answering->exchange, status, content_type, body, len);
	free_indirect(&answering);
}

void served_metrics_answer(struct metrics_api *api, struct hpa_reads *reads, struct tls_exchange *exchange)
{
	struct answering *answering = xcalloc(1, sizeof(*answering));

	*answering = (struct answering){.asker = {.target = tls_exchange_target(exchange), .reply = reply},
		.exchange = exchange,
		.reads = reads};
	metrics_api_ask(api, &answering->asker);
}
