/* Registering our own metrics API, and whether the API server reaches it. */
#include "reconcile/registration.h"

#include <string.h>

#include "base/base64.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "chain/aggregator.h"
#include "chain/links.h"
#include "reconcile/takeover.h"
#include "registered.h"
#include "vacancy.h"
#include "view/service.h"

#define GROUP "custom.metrics.k8s.io"
#define GROUP_PRIORITY 100 /* as others have it for this group */

/* The HPA controller asks the version of the higher priority. */
static const struct version {
	const char *apiservice;
	const char *version;
	int priority;
} versions[] = {
	{APISERVICE_V1BETA1, "v1beta1", 100},
	{APISERVICE_V1BETA2, "v1beta2", 200},
};

static const struct view_apiservice *apiservice(const struct world *world, const struct version *version)
{
	return registered(world, version->apiservice);
}

bool registration_is_ours(const struct world *world)
{
	return settings_serve(world->settings) && registered_readable(world) && registered_others(world) == NULL &&
	       (vacancy_wait_ms(world) == 0 || registered_any(world));
}

/* ---- what is written ---- */

/* As spec.caBundle has it; heap. */
static char *encoded(const char *pem)
{
	auto_strbuf text = STRBUF_INIT;

	base64_encode(pem, strlen(pem), &text);
	return strbuf_take(&text);
}

static json_t *service_reference(const struct metrics_service *service)
{
	return json_pack("{s:s, s:s, s:i}", "namespace", service->ns, "name", service->name, "port", service->port);
}

/* Beside one of another server's it is marked as what goes when that is given back. */
static json_t *apiservice_make(const struct world *world, const struct version *version, const char *ca_bundle)
{
	const struct metrics_service *ours = &world->settings->metrics_service;
	const struct view_apiservice *beside = registered_shared(world);
	auto_free char *service = kube_key(ours->ns, ours->name);

	return json_pack("{s:s, s:s, s:{s:s, s:{s:s}, s:{s:s, s:s*}}, s:{s:s, s:s, s:o, s:s, s:i, s:i}}", "apiVersion",
		"apiregistration.k8s.io/v1", "kind", "APIService", "metadata", "name", version->apiservice, "labels",
		LABEL_MANAGED_BY, MANAGED_BY, "annotations", ANNOTATION_METRICS_SERVICE, service, ANNOTATION_FORMER,
		beside != NULL ? "{}" : NULL, "spec", "group", GROUP, "version", version->version, "service",
		service_reference(ours), "caBundle", ca_bundle, "groupPriorityMinimum", GROUP_PRIORITY,
		"versionPriority", beside != NULL ? takeover_priority_beside(beside) : version->priority);
}

/* With a certificate that is trusted the API server has no reason to take any. */
static json_t *apiservice_patch(const struct world *world, const struct view_apiservice *api, const char *ca_bundle)
{
	const struct object_meta *meta = &api->view.meta;

	return json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:o, s:s, s:o*}}", "apiVersion", "apiregistration.k8s.io/v1",
		"kind", "APIService", "metadata", "name", meta->name, "resourceVersion", meta->resource_version, "spec",
		"service", service_reference(&world->settings->metrics_service), "caBundle", ca_bundle,
		"insecureSkipTLSVerify", api->insecure ? json_null() : NULL);
}

static bool is_as_wanted(const struct world *world, const struct view_apiservice *api, const char *ca_bundle)
{
	return !api->insecure && text_equal(api->ca_bundle, ca_bundle) &&
	       api->service_port == world->settings->metrics_service.port;
}

/* Goes, or is given back to whom it was taken from. */
static void remove_one(const struct view_apiservice *api, struct plan *plan)
{
	if (api->former.taken && api->former.service_name != NULL) {
		plan_add_take(plan, PLAN_PATCH, KIND_APISERVICE, takeover_undo(api));
	} else {
		plan_add_delete(plan, KIND_APISERVICE, &api->view);
	}
}

/* An operator that does not serve has no right to it. `all` = those too that we serve, as a cleanup does; `taken` = those of them that were taken
 * over, and our notes on what somebody put back. */
static void remove_ours(const struct world *world, bool all, bool taken, struct plan *plan)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		const struct view_apiservice *api = apiservice(world, &versions[i]);
		bool served = api != NULL && registered_leads_to_us(world, api) && registered_by_us(api);

		if (api == NULL || (!all && !settings_serve(world->settings))) {
			continue;
		}
		if (registered_dead(world, api) || (served && (all || (taken && api->former.taken)))) {
			remove_one(api, plan);
		} else if (api->former.noted && !registered_by_us(api) && !world->settings->metrics_take_over) {
			plan_add_take(plan, PLAN_PATCH, KIND_APISERVICE, takeover_undo(api));
		}
	}
}

/* An absent one is made, another server's is taken over, and ours has the certificates. */
static void plan_version(const struct world *world, const struct version *version, const char *ca_bundle, bool wanted,
	struct plan *plan)
{
	const struct view_apiservice *api = apiservice(world, version);
	int64_t wait_ms = registered_shared(world) != NULL ? takeover_wait_ms(world) : 0;

	if (api == NULL && wait_ms < vacancy_wait_ms(world)) {
		wait_ms = vacancy_wait_ms(world);
	}
	if (api != NULL && registered_leads_to_us(world, api)) {
		if (registered_by_us(api) && !is_as_wanted(world, api, ca_bundle)) {
			plan_add_take(plan, PLAN_PATCH, KIND_APISERVICE, apiservice_patch(world, api, ca_bundle));
		}
	} else if (wanted && wait_ms > 0) {
		plan_again(plan, wait_ms);
	} else if (wanted && api == NULL) {
		plan_add_take(plan, PLAN_CREATE, KIND_APISERVICE, apiservice_make(world, version, ca_bundle));
	} else if (wanted && api->service_name[0] != '\0') {
		plan_add_take(plan, PLAN_PATCH, KIND_APISERVICE, takeover_patch(world, api, ca_bundle));
	}
}

void registration_plan_removal(const struct world *world, struct plan *plan)
{
	remove_ours(world, true, true, plan);
}

void registration_plan(const struct world *world, bool wanted, struct plan *plan)
{
	auto_free char *ca_bundle = world->ca_bundle != NULL ? encoded(world->ca_bundle) : NULL;

	remove_ours(world, false, !takeover_wanted(world), plan);
	if (wanted) {
		plan_again(plan, vacancy_wait_ms(world));
	}
	if (plan->count > 0 || !registered_readable(world) || ca_bundle == NULL ||
		(!registration_is_ours(world) && !takeover_wanted(world))) {
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		plan_version(world, &versions[i], ca_bundle, wanted, plan);
	}
}

/* ---- what is to be said ---- */

static void say(struct own_api *own, const char *reason, char *message)
{
	own->reason = reason;
	own->message = message;
}

/* Nobody has registered it. */
static void say_absent(const struct world *world, const struct version *version, struct own_api *own)
{
	const char *failure = world->failure(world->ctx, SHARED_KEY);

	if (vacancy_wait_ms(world) > 0) {
		say(own, REASON_WAITING, vacancy_text(world));
	} else if (world->settings->leave_shared) {
		say(own, REASON_WAITING,
			xasprintf("APIService '%s' does not exist yet: our chart's writeShared is false, so that the "
				  "operator of another release is to register the metrics API",
				version->apiservice));
	} else if (failure != NULL) {
		say(own, "APIServiceMissing",
			xasprintf("APIService '%s' does not exist, and the operator could not make it: %s",
				version->apiservice, failure));
	} else if (world->ca_bundle == NULL) {
		say(own, REASON_WAITING,
			xasprintf("APIService '%s' does not exist yet: it is made once a replica of the operator has "
				  "announced its certificate",
				version->apiservice));
	} else {
		say(own, REASON_WAITING,
			xasprintf("APIService '%s' does not exist yet: the operator is making it",
				version->apiservice));
	}
}

static void say_others(const struct world *world, const struct view_apiservice *api, struct own_api *own)
{
	const char *ns = api->service_namespace;
	const char *name = api->service_name;
	char *resting = takeover_resting(world, api);

	if (resting != NULL) {
		say(own, "OtherServer", resting);
		return;
	}
	say(own, "OtherServer",
		xasprintf(
			"APIService '%s' belongs to another server, behind Service '%s/%s'%s, and only one can have it: "
			"remove that server together with its APIService, whose place the operator takes two minutes later, or set "
			"spec.source to Prometheus",
			api->view.meta.name, ns, name,
			registered_leads_nowhere(world, api) ? ", which does not exist" : ""));
}

/* It is about to be taken over. */
static void say_taking(const struct world *world, const struct view_apiservice *api, struct own_api *own)
{
	const char *failure = world->failure(world->ctx, SHARED_KEY);

	say(own, failure != NULL ? "OtherServer" : REASON_WAITING,
		failure != NULL
			? xasprintf(
				  "APIService '%s' leads to Service '%s/%s', and the operator could not take it over: %s",
				  api->view.meta.name, api->service_namespace, api->service_name, failure)
			: xasprintf("APIService '%s' leads to Service '%s/%s' still: the operator is taking it over",
				  api->view.meta.name, api->service_namespace, api->service_name));
}

static void say_unavailable(const struct world *world, const struct version *version,
	const struct view_condition *available, struct own_api *own)
{
	const struct metrics_service *ours = &world->settings->metrics_service;
	const struct view_service *service = view_service(world_view(world, KIND_SERVICE, ours->ns, ours->name));
	struct aggregator_trouble trouble =
		aggregator_of_condition(ours, service, available->reason, available->message);

	say(own, trouble.reason,
		xasprintf("APIService '%s' is not available (%s): %s", version->apiservice,
			available->reason != NULL ? available->reason : "no reason given", trouble.remedy));
	own->away = !trouble.certain;
	own->since_ms = view_condition_since_ms(available);
	free_indirect(&trouble.remedy);
}

static void check_version(const struct world *world, const struct version *version, struct own_api *own)
{
	const struct view_apiservice *api = apiservice(world, version);
	const struct view_condition *available = api != NULL ? view_condition(&api->conditions, "Available") : NULL;

	if (api == NULL) {
		say_absent(world, version, own);
	} else if (available == NULL) {
		say(own, REASON_WAITING,
			xasprintf("APIService '%s' was just made: the API server has not tried to reach it yet",
				version->apiservice));
	} else if (strcmp(available->status, "True") != 0) {
		say_unavailable(world, version, available, own);
	} else if (view_condition_since_ms(available) > own->since_ms) {
		own->since_ms = view_condition_since_ms(available);
	}
}

void registration_check(const struct world *world, struct shared_state *state)
{
	struct own_api *own = &state->own;
	const struct view_apiservice *other;

	free_indirect(&own->message);
	*own = (struct own_api){.since_ms = -1, .ours = registration_is_ours(world)};
	if (!settings_serve(world->settings)) {
		say(own, "NotServing",
			xstrdup("the operator does not serve the metrics API: set the chart's metricsServer.enabled to true, or "
				"spec.source to Prometheus"));
		return;
	}
	if (world->missing(world->ctx, KIND_APISERVICE)) {
		say(own, "APIServiceMissing",
			xstrdup("the API server has no aggregation layer (apiregistration.k8s.io): without it nobody can serve "
				"metrics to an HPA"));
		return;
	}
	if (world->refused(world->ctx, KIND_APISERVICE)) {
		say(own, "Forbidden",
			xstrdup("the operator may not list and watch APIServices: apply the chart's ClusterRole again"));
		return;
	}
	other = registered_others(world);
	if (other != NULL && takeover_wanted(world)) {
		say_taking(world, other, own);
		return;
	}
	if (other != NULL) {
		say_others(world, other, own);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(versions) && own->reason == NULL; i++) {
		check_version(world, &versions[i], own);
	}
}
