/* The links of the chain: for each, facts → verdict. */
#include "chain/links.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/memory.h"
#include "kube/resource.h"

#define SAY(verdict, status, reason, ...) say(verdict, status, reason, xasprintf(__VA_ARGS__))

static void say(struct verdict *verdict, enum verdict_status status, const char *reason, char *message)
{
	verdict->status = status;
	verdict->reason = reason;
	verdict->message = message;
}

#define QUESTION_MAX 5

/* What a document of the evidence depends on: members of the wish. */
static const struct question {
	const char *document;
	const char *members[QUESTION_MAX];
} questions[] = {
	{"pods", {"selector"}},
	{"page", {"selector", "port", "path", "scheme", "series"}},
	{"prometheus", {"prometheus", "series"}},
	{"metric", {"selector", "metric"}},
};

/* Whether the document answers what would be asked now. One that does not tell what was asked (a
 * world written by hand) does. */
static bool answers(const struct facts *facts, const char *document)
{
	const json_t *asked = json_object_get(facts->evidence, "asked");

	for (size_t q = 0; asked != NULL && q < ARRAY_LEN(questions); q++) {
		for (size_t m = 0; m < QUESTION_MAX && questions[q].members[m] != NULL; m++) {
			const char *member = questions[q].members[m];
			const json_t *then = json_object_get(asked, member);
			const json_t *now = json_object_get(facts->wish, member);

			if (strcmp(questions[q].document, document) == 0 && then != now && !json_equal(then, now)) {
				return false;
			}
		}
	}
	return true;
}

/* The probe's document of this name, or NULL after saying that it is awaited or failed. */
static const json_t *probed(const struct facts *facts, const char *name, const char *failed_reason,
	struct verdict *verdict)
{
	const json_t *document = json_object_get(facts->evidence, name);
	const char *error = json_path_string(document, "error", NULL);

	if (document == NULL || !answers(facts, name)) {
		SAY(verdict, VERDICT_UNKNOWN, REASON_PROBING, "waiting for the first look at it");
		return NULL;
	}
	if (error != NULL) {
		SAY(verdict, VERDICT_FALSE, failed_reason, "%s", error);
		return NULL;
	}
	return document;
}

static void judge_accepted(const struct facts *facts, struct verdict *verdict)
{
	if (facts->invalid != NULL) {
		SAY(verdict, VERDICT_FALSE, "InvalidSpec", "%s", facts->invalid->message);
		return;
	}
	SAY(verdict, VERDICT_TRUE, "Accepted", "the spec is consistent");
}

static void judge_target_found(const struct facts *facts, struct verdict *verdict)
{
	const struct autoscaler *spec = facts->workload.spec;
	const json_t *pods;

	if (!facts->target_supported) {
		SAY(verdict, VERDICT_FALSE, "KindNotSupported",
			"spec.scaleTargetRef names a %s of %s: this version scales a Deployment or a StatefulSet of apps/v1",
			spec->target_kind, spec->target_api_version);
		return;
	}
	if (facts->target == NULL) {
		SAY(verdict, VERDICT_FALSE, "TargetNotFound",
			"%s '%s/%s' does not exist: create it or correct spec.scaleTargetRef", spec->target_kind, spec->ns,
			spec->target_name);
		return;
	}
	if (facts->workload.match_labels == NULL) {
		SAY(verdict, VERDICT_FALSE, "SelectorNotSupported",
			"%s '%s/%s' selects its pods by matchExpressions, which a Service cannot express: use matchLabels",
			spec->target_kind, spec->ns, spec->target_name);
		return;
	}
	pods = probed(facts, "pods", "PodsNotReadable", verdict);
	if (pods == NULL) {
		return;
	}
	if (json_path_int(pods, "total", 0) == 0) {
		SAY(verdict, VERDICT_FALSE, "NoPods", "%s '%s/%s' has no pods: %s", spec->target_kind, spec->ns,
			spec->target_name,
			json_path_int(facts->target, "spec.replicas", 1) == 0
				? "its replicas are 0, set by hand; set them to 1 to resume"
				: "see its events");
		return;
	}
	SAY(verdict, VERDICT_TRUE, "TargetFound", "%s '%s/%s' has pods", spec->target_kind, spec->ns, spec->target_name);
}

static bool scales_target(const json_t *scaler, const struct autoscaler *spec)
{
	return strcmp(json_path_string(scaler, "spec.scaleTargetRef.kind", ""), spec->target_kind) == 0 &&
	       strcmp(json_path_string(scaler, "spec.scaleTargetRef.name", ""), spec->target_name) == 0;
}

/* Oldest wins; of the same second, the name that sorts first. */
static bool older(const json_t *other, const json_t *self)
{
	int order = strcmp(json_path_string(other, "metadata.creationTimestamp", ""),
		json_path_string(self, "metadata.creationTimestamp", ""));

	return order != 0 ? order < 0 : strcmp(kube_object_name(other), kube_object_name(self)) < 0;
}

/* The older autoscaler of the same target, or NULL. */
static const json_t *older_owner(const struct facts *facts)
{
	const struct autoscaler *spec = facts->workload.spec;
	size_t i;
	json_t *other;

	json_array_foreach((json_t *)facts->autoscalers, i, other) {
		if (strcmp(kube_object_name(other), spec->name) != 0 && scales_target(other, spec) &&
			older(other, facts->object)) {
			return other;
		}
	}
	return NULL;
}

static void judge_target_exclusive(const struct facts *facts, struct verdict *verdict)
{
	const struct autoscaler *spec = facts->workload.spec;
	const json_t *owner = older_owner(facts);
	size_t i;
	json_t *other;

	if (owner != NULL) {
		SAY(verdict, VERDICT_FALSE, "OwnedByAnotherAutoscaler",
			"InferenceAutoscaler '%s/%s' scales %s '%s' already and is older: delete one of the two", spec->ns,
			kube_object_name(owner), spec->target_kind, spec->target_name);
		return;
	}
	json_array_foreach((json_t *)facts->hpas, i, other) {
		/* An HPA of a younger autoscaler goes away by itself. */
		if (scales_target(other, spec) && !kube_object_owned_by(other, spec->uid) &&
			kube_object_label(other, LABEL_AUTOSCALER) == NULL) {
			SAY(verdict, VERDICT_FALSE, "OwnedByAnotherHPA",
				"HorizontalPodAutoscaler '%s/%s' scales %s '%s' too: delete it", spec->ns,
				kube_object_name(other), spec->target_kind, spec->target_name);
			return;
		}
	}
	if (facts->foreign_child != NULL) {
		SAY(verdict, VERDICT_FALSE, "NameTaken",
			"%s exists and is not ours: delete it, or give this autoscaler another name", facts->foreign_child);
		return;
	}
	SAY(verdict, VERDICT_TRUE, "Exclusive", "nothing else scales %s '%s/%s'", spec->target_kind, spec->ns,
		spec->target_name);
}

static bool page_serves(const json_t *page, const struct engine_signal *signal)
{
	const json_t *series = json_object_get(page, "series");
	size_t i;
	json_t *name;

	for (size_t s = 0; s < ENGINE_SERIES_MAX && signal->series[s] != NULL; s++) {
		json_array_foreach((json_t *)series, i, name) {
			if (strcmp(json_string_value(name), signal->series[s]) == 0) {
				return true;
			}
		}
	}
	return false;
}

static void judge_metrics_exposed(const struct facts *facts, struct verdict *verdict)
{
	const struct workload *w = &facts->workload;
	const json_t *page;

	if (!facts->port_known) {
		SAY(verdict, VERDICT_FALSE, "PortNotFound",
			"no container of %s '%s' has the port '%s' that spec.engine.port names: correct it, or give a number",
			w->spec->target_kind, w->spec->target_name, w->spec->port_name);
		return;
	}
	if (json_path_int(facts->evidence, "pods.ready", -1) == 0) {
		SAY(verdict, VERDICT_UNKNOWN, "NoReadyPod", "no pod of %s '%s' is ready yet: waiting for its model to load",
			w->spec->target_kind, w->spec->target_name);
		return;
	}
	page = probed(facts, "page", "PageNotServed", verdict);
	if (page == NULL) {
		return;
	}
	if (w->engine == NULL) {
		SAY(verdict, VERDICT_FALSE, "EngineNotRecognised",
			"the page at '%s' is of no engine known: set spec.engine.type, or correct spec.engine.port and path",
			json_path_string(page, "url", ""));
		return;
	}
	if (!page_serves(page, w->signal)) {
		SAY(verdict, VERDICT_FALSE, "SeriesNotOnPage",
			"the page at '%s' has no series '%s': is it the engine's metrics port? set spec.engine.port and path",
			json_path_string(page, "url", ""), w->signal->series[0]);
		return;
	}
	SAY(verdict, VERDICT_TRUE, "Exposed", "ready pods serve '%s' on port %lld%s", w->signal->series[0],
		(long long)w->port, w->path);
}

static void judge_scrape_selected(const struct facts *facts, struct verdict *verdict)
{
	const struct autoscaler *spec = facts->workload.spec;

	if (facts->prometheus_missing) {
		SAY(verdict, VERDICT_FALSE, "PrometheusOperatorMissing",
			"the types of prometheus-operator (monitoring.coreos.com/v1) are not installed: install it; this is "
			"noticed by itself");
		return;
	}
	if (facts->selected_by == NULL) {
		SAY(verdict, VERDICT_FALSE, "NotSelected", "ServiceMonitor '%s/%s' is selected by no Prometheus: %s", spec->ns,
			spec->name, facts->select_problem);
		return;
	}
	SAY(verdict, VERDICT_TRUE, "Selected", "Prometheus '%s' selects ServiceMonitor '%s/%s'", facts->selected_by, spec->ns,
		spec->name);
}

static void judge_scrape_healthy(const struct facts *facts, struct verdict *verdict)
{
	const json_t *prometheus = probed(facts, "prometheus", "PrometheusNotReachable", verdict);

	if (prometheus == NULL) {
		return;
	}
	if (json_path_int(prometheus, "up", 0) > 0) {
		SAY(verdict, VERDICT_TRUE, "Scraped", "Prometheus '%s' scrapes the pods", facts->selected_by);
	} else if (json_path_int(prometheus, "down", 0) > 0) {
		SAY(verdict, VERDICT_FALSE, "ScrapeFailing", "Prometheus '%s' cannot scrape the pods: %s", facts->selected_by,
			json_path_string(prometheus, "lastError", "no reason given"));
	} else {
		SAY(verdict, VERDICT_FALSE, "NoTargets",
			"Prometheus '%s' has no target for ServiceMonitor '%s/%s' yet: it loads a new one within about a "
			"minute; if it stays so, see prometheus-operator's log",
			facts->selected_by, facts->workload.spec->ns, facts->workload.spec->name);
	}
}

static void judge_series_fresh(const struct facts *facts, struct verdict *verdict)
{
	const json_t *prometheus = probed(facts, "prometheus", "PrometheusNotReachable", verdict);

	if (prometheus == NULL) {
		return;
	}
	if (json_path_int(prometheus, "pods", 0) == 0) {
		SAY(verdict, VERDICT_FALSE, "SeriesMissing",
			"Prometheus '%s' has no sample of '%s' for the target's pods younger than three scrape intervals",
			facts->selected_by, facts->workload.signal->series[0]);
		return;
	}
	SAY(verdict, VERDICT_TRUE, "Fresh", "Prometheus '%s' has fresh samples of '%s'", facts->selected_by,
		facts->workload.signal->series[0]);
}

static void judge_adapter_configured(const struct facts *facts, struct verdict *verdict)
{
	const struct settings *s = facts->settings;

	switch (facts->adapter) {
	case ADAPTER_UNKNOWN:
		SAY(verdict, VERDICT_UNKNOWN, REASON_PROBING, "waiting for the first look at it");
		return;
	case ADAPTER_ROLLING:
		SAY(verdict, VERDICT_UNKNOWN, "RollingOut", "Deployment '%s/%s' is restarting with our rules",
			s->adapter_namespace, s->adapter_deployment);
		return;
	case ADAPTER_BROKEN:
		SAY(verdict, VERDICT_FALSE, facts->adapter_reason, "%s", facts->adapter_message);
		return;
	case ADAPTER_LOADED:
		SAY(verdict, VERDICT_TRUE, "Configured", "Deployment '%s/%s' runs with our rules", s->adapter_namespace,
			s->adapter_deployment);
		return;
	}
}

static void judge_metric_served(const struct facts *facts, struct verdict *verdict)
{
	const struct workload *w = &facts->workload;
	const json_t *metric = probed(facts, "metric", "MetricNotServed", verdict);

	if (metric == NULL) {
		return;
	}
	if (json_path_int(metric, "pods", 0) == 0) {
		SAY(verdict, VERDICT_FALSE, "NoValue",
			"the metrics API knows '%s' but returns no value for the pods of %s '%s': a metric appears at the "
			"adapter's next relist",
			w->signal->metric, w->spec->target_kind, w->spec->target_name);
		return;
	}
	SAY(verdict, VERDICT_TRUE, "Served", "the metrics API serves '%s' for the target's pods", w->signal->metric);
}

static void judge_scaling_active(const struct facts *facts, struct verdict *verdict)
{
	size_t i;
	json_t *hpa;

	json_array_foreach((json_t *)facts->hpas, i, hpa) {
		const json_t *condition = kube_object_condition(hpa, "ScalingActive");

		if (!kube_object_owned_by(hpa, facts->workload.spec->uid) || condition == NULL) {
			continue;
		}
		/* The HPA's reason tells all; its message repeats moving detail. */
		if (strcmp(json_path_string(condition, "status", ""), "True") == 0) {
			SAY(verdict, VERDICT_TRUE, "ScalingActive", "HorizontalPodAutoscaler '%s/%s' reads its metric",
				kube_object_namespace(hpa), kube_object_name(hpa));
		} else {
			SAY(verdict, VERDICT_FALSE, "ScalingInactive",
				"HorizontalPodAutoscaler '%s/%s' does not scale: %s", kube_object_namespace(hpa),
				kube_object_name(hpa), json_path_string(condition, "reason", "no reason given"));
		}
		return;
	}
	SAY(verdict, VERDICT_UNKNOWN, "AwaitingHPA", "the HorizontalPodAutoscaler has not reported yet");
}

const struct link links[] = {
	{"Accepted", judge_accepted, false},
	{"TargetFound", judge_target_found, false},
	{"TargetExclusive", judge_target_exclusive, false},
	{"MetricsExposed", judge_metrics_exposed, false},
	{"ScrapeSelected", judge_scrape_selected, false},
	{"ScrapeHealthy", judge_scrape_healthy, false},
	{"SeriesFresh", judge_series_fresh, false},
	{"AdapterConfigured", judge_adapter_configured, false},
	{"MetricServed", judge_metric_served, false},
	{"ScalingActive", judge_scaling_active, true},
};

const size_t links_count = ARRAY_LEN(links);

size_t links_judge(const struct facts *facts, struct verdict *verdicts)
{
	size_t first = links_count;

	for (size_t i = 0; i < links_count; i++) {
		if (first < i) {
			bool broken = verdicts[first].status == VERDICT_FALSE;

			SAY(&verdicts[i], VERDICT_UNKNOWN, broken ? "UpstreamBroken" : "UpstreamPending", "%s comes first",
				links[first].type);
			continue;
		}
		links[i].judge(facts, &verdicts[i]);
		if (verdicts[i].status != VERDICT_TRUE && !links[i].beyond_ready) {
			first = i;
		}
	}
	return first;
}

bool links_target_exclusive(const struct facts *facts)
{
	struct verdict verdict = {VERDICT_UNKNOWN, NULL, NULL};

	judge_target_exclusive(facts, &verdict);
	free_indirect(&verdict.message);
	return verdict.status == VERDICT_TRUE;
}

bool links_target_taken(const struct facts *facts)
{
	return older_owner(facts) != NULL;
}

void verdicts_release(struct verdict *verdicts)
{
	for (size_t i = 0; i < links_count; i++) {
		free_indirect(&verdicts[i].message);
	}
}

const char *verdict_status_text(enum verdict_status status)
{
	static const char *const texts[] = {
		[VERDICT_UNKNOWN] = "Unknown", [VERDICT_TRUE] = "True", [VERDICT_FALSE] = "False"};

	return texts[status];
}
