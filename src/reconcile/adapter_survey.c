/* Reading what prometheus-adapter's Deployment says. */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/words.h"
#include "reconcile/adapter.h"

#define RELIST_USUAL_MS 60000

static const char *flag_of(const json_t *deployment, const char *flag)
{
	size_t i;
	json_t *container;

	json_array_foreach(json_path(deployment, "spec.template.spec.containers"), i, container) {
		const char *value = words_flag(json_object_get(container, "args"), flag);

		value = value != NULL ? value : words_flag(json_object_get(container, "command"), flag);
		if (value != NULL) {
			return value;
		}
	}
	return NULL;
}

/* Whether prometheus-operator's pods of this Prometheus are behind the Service. */
static bool is_behind(const json_t *prometheus, const json_t *service)
{
	static const char *const labels[] = {"operator.prometheus.io/name", "prometheus"};
	const json_t *selector = json_path(service, "spec.selector");

	if (strcmp(kube_object_namespace(prometheus), kube_object_namespace(service)) != 0) {
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		const char *wanted = json_string_value(json_object_get(selector, labels[i]));

		if (wanted != NULL) {
			return strcmp(wanted, kube_object_name(prometheus)) == 0;
		}
	}
	return strcmp(json_path_string(prometheus, "spec.serviceName", "prometheus-operated"),
		       kube_object_name(service)) == 0;
}

/* Of http://NAME.NAMESPACE.svc… and http://NAME.NAMESPACE only: any other host may be anything. */
static bool split_host(const char *url, char **name, char **ns)
{
	const char *host = strstr(url, "://");
	const char *dot;
	const char *rest;
	size_t len;

	host = host != NULL ? host + 3 : url;
	dot = host + strcspn(host, ".:/");
	if (*dot != '.') {
		return false;
	}
	rest = dot + 1;
	len = strcspn(rest, ".:/");
	if (rest[len] == '.' && strncmp(rest + len, ".svc", 4) != 0) {
		return false;
	}
	*name = xstrndup(host, (size_t)(dot - host));
	*ns = xstrndup(rest, len);
	return true;
}

static void survey_url(const struct world *world, const char *url, json_t *survey)
{
	auto_json *all = world->list(world->ctx, KIND_PROMETHEUS, NULL);
	auto_json *service = NULL;
	auto_free char *name = NULL;
	auto_free char *ns = NULL;
	auto_free char *found = NULL;
	size_t count = 0;
	size_t i;
	json_t *prometheus;

	json_object_set_new(survey, "url", json_string(url));
	if (!split_host(url, &name, &ns)) {
		return;
	}
	service = world->get(world->ctx, KIND_SERVICE, ns, name);
	if (service == NULL) {
		json_object_set_new(survey, "nowhere", json_true());
		return;
	}
	json_array_foreach(all, i, prometheus) {
		if (is_behind(prometheus, service)) {
			found = found == NULL ? kube_object_key(prometheus) : found;
			count++;
		}
	}
	/* Several may be behind a Service that all of a namespace share. */
	if (count == 1) {
		json_object_set_new(survey, "prometheus", json_string(found));
	}
}

/* When its last rollout ended, by the Deployment's own account; -1 when it does not tell. */
static int64_t rolled_out_ms(const json_t *deployment)
{
	const json_t *progressing = kube_object_condition(deployment, "Progressing");

	return clock_parse_rfc3339(json_path_string(progressing, "lastUpdateTime", ""));
}

json_t *adapter_survey(const struct world *world)
{
	const struct settings *s = world->settings;
	auto_json *deployment =
		world->get(world->ctx, KIND_ADAPTER_DEPLOYMENT, s->adapter_namespace, s->adapter_deployment);
	const char *url = flag_of(deployment, "--prometheus-url");
	const char *relist = flag_of(deployment, "--metrics-relist-interval");
	json_t *survey = json_object();

	if (url != NULL) {
		survey_url(world, url, survey);
	}
	if (rolled_out_ms(deployment) > 0) {
		json_object_set_new(survey, "since", json_integer(rolled_out_ms(deployment)));
	}
	/* Without the flag the adapter takes 10 minutes (cmd/adapter/adapter.go). */
	if (deployment != NULL && clock_parse_duration(relist != NULL ? relist : "10m") > RELIST_USUAL_MS) {
		json_object_set_new(survey, "relist", json_string(relist != NULL ? relist : "10m"));
	}
	if (deployment != NULL) {
		json_object_set_new(survey, "replicas", json_integer(json_path_int(deployment, "spec.replicas", 1)));
	}
	return survey;
}
