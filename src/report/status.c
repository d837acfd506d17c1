/* Building an autoscaler's status. */
#include "report/status.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/quantity.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "chain/lints.h"
#include "children/children.h"
#include "report/kstatus.h"
#include "report/status_bound.h"

static json_t *condition(const struct facts *facts, const char *type, const struct verdict *verdict, const char *now)
{
	const struct view_condition *old = view_condition(&facts->object->status.conditions, type);
	const char *status = verdict_status_text(verdict->status);
	int64_t since_ms = old != NULL && strcmp(old->status, status) == 0 ? view_condition_since_ms(old) : -1;
	auto_free char *since = since_ms >= 0 ? clock_rfc3339(since_ms) : NULL;

	return json_pack("{s:o, s:s, s:o, s:o, s:I, s:s}", "type", status_string("conditions.type", type), "status",
		status, "reason", status_string("conditions.reason", verdict->reason), "message",
		status_string("conditions.message", verdict->message), "observedGeneration",
		(json_int_t)facts->object->view.meta.generation, "lastTransitionTime", since != NULL ? since : now);
}

/* Ready sums up: what we could not write comes first, then the first link that is not True lends
 * its status, reason and message. The caller frees the message. */
static struct verdict ready_verdict(const struct facts *facts, const struct verdict *verdicts, size_t first)
{
	struct verdict ready = {VERDICT_TRUE, "Ready", NULL};

	if (facts->write_problem != NULL) {
		ready = (struct verdict){VERDICT_FALSE, "WriteFailed", xstrdup(facts->write_problem)};
	} else if (facts->reverted != NULL) {
		ready = (struct verdict){VERDICT_FALSE, "RevertedBy", xstrdup(facts->reverted)};
	} else if (first < links_count) {
		ready.status = verdicts[first].status;
		ready.reason = verdicts[first].reason;
		ready.message = xasprintf("%s: %s", links[first].type, verdicts[first].message);
	} else if (facts->workload.spec->paused) {
		ready.reason = "Paused";
		ready.message = xstrdup("every link works; scaling is paused by spec.paused, the replicas are held");
	} else {
		ready.message = xstrdup("every link works, from the pods' metrics to the metrics API");
	}
	return ready;
}

/* Ready, and what kstatus has beside it. */
static void add_ready(json_t *conditions, const struct facts *facts, const struct verdict *verdicts, size_t first,
	const char *now)
{
	struct verdict ready = ready_verdict(facts, verdicts, first);
	const char *beside = kstatus_condition(&ready);
	struct verdict same = {VERDICT_TRUE, ready.reason, ready.message};

	json_array_append_new(conditions, condition(facts, "Ready", &ready, now));
	if (beside != NULL) {
		json_array_append_new(conditions, condition(facts, beside, &same, now));
	}
	free_indirect(&ready.message);
}

/* As the page's pod told, or told before. NULL when it never did. The pod was asked as the engine
 * that the probe request names: its page may be another's, passed on. */
static const char *engine_version(const struct facts *facts)
{
	const struct view_engine *old = &facts->object->status.engine;
	const char *type = facts->workload.engine->type;
	const struct page_seen *page = facts->evidence != NULL ? &facts->evidence->page : NULL;
	const struct probe_request *asked = facts->evidence != NULL ? facts->evidence->asked : NULL;
	const char *asked_as = asked != NULL && asked->engine != NULL ? asked->engine
	                       : page != NULL                         ? page->engine
	                                                              : NULL;

	if (page != NULL && page->version != NULL && text_equal(asked_as, type)) {
		return page->version;
	}
	return text_equal(old->type, type) ? old->version : NULL;
}

static json_t *make_engine(const struct facts *facts)
{
	const struct workload *w = &facts->workload;

	if (!autoscaler_uses_pages(w->spec)) {
		return NULL;
	}
	if (w->engine == NULL || facts->target == NULL) {
		return view_engine_json(&facts->object->status.engine);
	}
	return json_pack("{s:o, s:o*, s:I, s:o}", "type", status_string("engine.type", w->engine->type), "version",
		status_string("engine.version", engine_version(facts)), "port", (json_int_t)w->port, "path",
		status_string("engine.path", w->path));
}

/* The target's own figures: an HPA's lag behind by a period, and are 0 before its first metric. */
static json_t *make_replicas(const struct facts *facts)
{
	const struct view_workload *target = facts->target;

	if (target == NULL) {
		return NULL;
	}
	return json_pack("{s:I, s:I}", "current", (json_int_t)target->current_replicas, "desired",
		(json_int_t)(target->replicas >= 0 ? target->replicas : target->current_replicas));
}

/* Served: the link that says so was reached and holds for this signal. */
static json_t *make_signals(const struct facts *facts, bool served)
{
	const struct workload *w = &facts->workload;
	json_t *list = json_array();

	for (size_t i = 0; i < w->signals_count; i++) {
		auto_free char *target = quantity_format_milli(w->signals[i].target_milli);

		json_array_append_new(list,
			json_pack("{s:o, s:o, s:o, s:b}", "name",
				status_string("signals.name", w->signals[i].signal->name), "metric",
				status_string("signals.metric", w->signals[i].signal->metric), "target",
				status_string("signals.target", target), "served", served));
	}
	return list;
}

static json_t *make_children(const struct facts *facts)
{
	const struct autoscaler *spec = facts->workload.spec;
	json_t *list = json_array();

	for (size_t i = 0; i < children_count; i++) {
		const char *kind = kinds[children[i]->form.kind].resource.kind;
		auto_free char *name = child_name(children[i], spec);

		if (child_wanted(children[i], &facts->workload)) {
			json_array_append_new(list,
				json_pack("{s:o, s:o, s:o}", "kind", status_string("children.kind", kind), "namespace",
					status_string("children.namespace", child_namespace(children[i], spec)), "name",
					status_string("children.name", name)));
		}
	}
	return list;
}

/* Said where there is a choice. New reference. */
static json_t *make_source(const struct facts *facts)
{
	if (!facts->workload.direct && !settings_serve(facts->settings)) {
		return NULL;
	}
	return json_string(facts->workload.direct ? "Direct" : "Prometheus");
}

/* Of a kind that is not watched: the replicas that serve its pods' figures know them by it. New reference. */
static json_t *make_selector(const struct facts *facts)
{
	const char *found = facts->evidence != NULL ? facts->evidence->target.selector : NULL;

	if (facts->target_watched || !facts->workload.direct) {
		return NULL;
	}
	return status_string("selector", found != NULL ? found : facts->object->status.selector);
}

static json_t *make_advice(const struct facts *facts)
{
	auto_json *reported = lints_check(facts);
	json_t *list = json_array();
	size_t i;
	json_t *one;

	json_array_foreach(reported, i, one) {
		json_array_append_new(list,
			json_pack("{s:o, s:o}", "reason",
				status_string("advice.reason", json_path_string(one, "reason", "")), "message",
				status_string("advice.message", json_path_string(one, "message", ""))));
	}
	return list;
}

/* Sums the advice up; NULL while there is none. */
static json_t *advice_condition(const struct facts *facts, const json_t *advice, const char *now)
{
	struct verdict verdict = {VERDICT_TRUE, json_path_string(json_array_get(advice, 0), "reason", NULL), NULL};
	auto_strbuf message = STRBUF_INIT;
	size_t i;
	json_t *one;

	if (json_array_size(advice) == 0) {
		return NULL;
	}
	json_array_foreach((json_t *)advice, i, one) {
		strbuf_addf(&message, "%s%s", i > 0 ? "; " : "", json_path_string(one, "message", ""));
	}
	verdict.message = message.buf;
	return condition(facts, CONDITION_ADVICE, &verdict, now);
}

static json_t *fallback_condition(const struct facts *facts, const char *now)
{
	const struct workload *w = &facts->workload;
	struct verdict verdict = {VERDICT_TRUE, "ChainBroken", NULL};
	json_t *made;

	verdict.message = xasprintf(
		"Ready was False for longer than spec.fallback.after: minReplicas of HorizontalPodAutoscaler '%s/%s' is %lld by "
		"spec.fallback.replicas instead of %lld, until Ready is True",
		w->spec->ns, w->spec->name, (long long)w->min_replicas, (long long)w->spec->min_replicas);
	made = condition(facts, CONDITION_FALLBACK, &verdict, now);
	free_indirect(&verdict.message);
	return made;
}

bool status_only_while_true(const char *type)
{
	static const char *const types[] = {CONDITION_ADVICE, CONDITION_FALLBACK, CONDITION_RECONCILING,
		CONDITION_STALLED};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (strcmp(types[i], type) == 0) {
			return true;
		}
	}
	return false;
}

json_t *status_make(const struct facts *facts, const struct verdict *verdicts, size_t first, int64_t now_ms)
{
	auto_free char *now = clock_rfc3339(now_ms);
	json_t *conditions = json_array();
	auto_json *advice = NULL;
	json_t *summary;

	for (size_t i = 0; i < links_count; i++) {
		if (link_applies(&links[i], &facts->workload)) {
			json_array_append_new(conditions, condition(facts, links[i].type, &verdicts[i], now));
		}
	}
	add_ready(conditions, facts, verdicts, first, now);
	if (facts->invalid != NULL) {
		return json_pack("{s:I, s:o}", "observedGeneration", (json_int_t)facts->object->view.meta.generation,
			"conditions", conditions);
	}
	advice = make_advice(facts);
	if (facts->fallback) {
		json_array_append_new(conditions, fallback_condition(facts, now));
	}
	summary = advice_condition(facts, advice, now);
	if (summary != NULL) {
		json_array_append_new(conditions, summary);
	}
	return json_pack("{s:I, s:o*, s:o*, s:o*, s:o*, s:o, s:o, s:O*, s:o}", "observedGeneration",
		(json_int_t)facts->object->view.meta.generation, "source", make_source(facts), "selector",
		make_selector(facts), "engine", make_engine(facts), "replicas", make_replicas(facts), "signals",
		make_signals(facts, first == links_count), "children", make_children(facts), "advice",
		summary != NULL ? advice : NULL, "conditions", conditions);
}
