/* From answers to evidence. */
#include "reading.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/quantity.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "engine/histogram.h"
#include "engine/page.h"
#include "engine/query.h"
#include "kube/resource.h"

#define MISSING_MAX 5
#define TEXT_MAX 4096 /* several quotes, and what we say around them */
#define LATENCY_MAX 1e9
#define LIMIT_MAX 1e6

json_t *reading_text(const char *text)
{
	auto_free char *fit = text_fit(text, TEXT_MAX);

	return json_string(fit);
}

/* Whether it has an address, and is not on its way out. */
static bool is_reachable(const json_t *pod)
{
	return json_path(pod, "metadata.deletionTimestamp") == NULL &&
	       json_path_string(pod, "status.podIP", NULL) != NULL;
}

static bool is_ready(const json_t *pod)
{
	return is_reachable(pod) &&
	       strcmp(json_path_string(kube_object_condition(pod, "Ready"), "status", ""), "True") == 0;
}

/* When the last of its containers started; -1 when one of them does not run. */
static int64_t started_ms(const json_t *pod)
{
	int64_t last = -1;
	size_t i;
	json_t *container;

	json_array_foreach(json_path(pod, "status.containerStatuses"), i, container) {
		int64_t at = clock_parse_rfc3339(json_path_string(container, "state.running.startedAt", ""));

		if (at < 0) {
			return -1;
		}
		last = at > last ? at : last;
	}
	return last;
}

/* Since when a pod is not ready that was, with the containers that it runs now, in ms of the wall; -1 for any other. */
static int64_t unready_since(const json_t *pod)
{
	const json_t *condition = kube_object_condition(pod, "Ready");
	int64_t since = clock_parse_rfc3339(json_path_string(condition, "lastTransitionTime", ""));
	int64_t started = started_ms(pod);

	if (!is_reachable(pod) || strcmp(json_path_string(condition, "status", ""), "False") != 0) {
		return -1;
	}
	/* One whose container ended has not been ready since before the next one started. */
	return started >= 0 && since > started ? since : -1;
}

char *reading_pod_authority(const json_t *pod, const char *scheme)
{
	const char *ip = json_path_string(pod, "status.podIP", "");
	bool v6 = strchr(ip, ':') != NULL;

	return xasprintf("%s://%s%s%s", scheme, v6 ? "[" : "", ip, v6 ? "]" : "");
}

static void add_words(struct strbuf *words, const json_t *items, const char *member)
{
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)items, i, item) {
		strbuf_addf(words, "%s%s", words->len > 0 ? " " : "", json_path_string(item, member, ""));
	}
}

char *reading_pod_image(const json_t *pod)
{
	static const char *const templates[] = {"pod-template-hash", "controller-revision-hash"};
	struct strbuf words = STRBUF_INIT;

	add_words(&words, json_path(pod, "status.containerStatuses"), "imageID");
	if (words.len == 0) {
		add_words(&words, json_path(pod, "spec.containers"), "image");
	}
	for (size_t i = 0; i < ARRAY_LEN(templates); i++) {
		const char *hash = kube_object_label(pod, templates[i]);

		if (hash != NULL) {
			strbuf_addf(&words, " %s", hash);
		}
	}
	return strbuf_take(&words);
}

/* Whether the target {kind, name} made the pod: a StatefulSet itself, a Deployment by a ReplicaSet
 * that has its name and the hash of its template. */
static bool made_by(const json_t *pod, const json_t *target)
{
	const char *hash = kube_object_label(pod, "pod-template-hash");
	const char *name = json_path_string(target, "name", "");
	auto_free char *replica_set = xasprintf("%s-%s", name, hash != NULL ? hash : "");
	const char *kind = json_path_string(target, "kind", "");
	bool direct = strcmp(kind, "StatefulSet") == 0;
	size_t i;
	json_t *owner;

	json_array_foreach(json_path(pod, "metadata.ownerReferences"), i, owner) {
		if (strcmp(json_path_string(owner, "name", ""), direct ? name : replica_set) == 0) {
			return true;
		}
	}
	/* How other kinds make their pods is not known. */
	return !direct && strcmp(kind, "Deployment") != 0;
}

/* The ports that the pod's containers list, in order. */
static json_t *listed_ports(const json_t *pod)
{
	json_t *ports = json_array();
	size_t i;
	json_t *container;

	json_array_foreach(json_path(pod, "spec.containers"), i, container) {
		json_array_extend(ports, json_object_get(container, "ports"));
	}
	return ports;
}

json_t *reading_pods(const json_t *list, const json_t *target, json_t *counted, const json_t **first)
{
	json_t *foreign = json_array();
	auto_json *unready = json_object();
	const json_t *first_unready = NULL;
	json_int_t total = 0;
	json_int_t ready = 0;
	size_t i;
	json_t *pod;

	*first = NULL;
	json_array_foreach(json_object_get(list, "items"), i, pod) {
		const char *phase = json_path_string(pod, "status.phase", "");
		const char *since = json_path_string(kube_object_condition(pod, "Ready"), "lastTransitionTime", "");
		int64_t lost_ms = unready_since(pod); /* its readiness */

		if (strcmp(phase, "Succeeded") == 0 || strcmp(phase, "Failed") == 0) {
			continue;
		}
		if (!made_by(pod, target)) {
			if (json_array_size(foreign) < MISSING_MAX) {
				json_array_append_new(foreign, json_string(kube_object_name(pod)));
			}
			continue;
		}
		total++;
		if (is_ready(pod)) {
			json_object_set_new(counted, kube_object_name(pod), json_integer(clock_parse_rfc3339(since)));
			ready++;
			*first = *first != NULL ? *first : pod;
		} else if (lost_ms >= 0) {
			json_object_set_new(counted, kube_object_name(pod), json_null());
			first_unready = first_unready != NULL ? first_unready : pod;
			if (json_object_size(unready) < MISSING_MAX) {
				json_object_set_new(unready, kube_object_name(pod), json_integer(lost_ms));
			}
		}
	}
	*first = *first != NULL ? *first : first_unready;
	return json_pack("{s:I, s:I, s:O*, s:o, s:o}", "total", total, "ready", ready, "unready",
		json_object_size(unready) > 0 ? unready : NULL, "foreign", foreign, "ports", listed_ports(*first));
}

/* {requests, overMs, uptoMs?}: how long the slowest of 100 requests took; NULL when the page does not tell. */
static json_t *page_latency(const struct page *page, const struct engine *engine)
{
	struct quantile q;
	json_t *latency;

	if (engine == NULL || engine->latency == NULL || !histogram_quantile(page, engine->latency, 0.99, &q) ||
		q.count > LATENCY_MAX || q.over > LATENCY_MAX) {
		return NULL;
	}
	latency = json_pack("{s:I, s:I}", "requests", (json_int_t)q.count, "overMs", (json_int_t)(q.over * 1000));
	if (q.upto <= LATENCY_MAX) {
		json_object_set_new(latency, "uptoMs", json_integer((json_int_t)(q.upto * 1000)));
	}
	return latency;
}

/* {SIGNAL: the most that it can be}; NULL when the page does not tell of any. */
static json_t *page_limits(const struct page *page, const struct engine *engine)
{
	json_t *limits = NULL;

	for (size_t i = 0; engine != NULL && i < ENGINE_SIGNALS_MAX && engine->signals[i].name != NULL; i++) {
		const char *series = engine->signals[i].limit_series;
		size_t len = series != NULL ? strcspn(series, "{") : 0;
		const struct page_sample *one = NULL;
		double most = 0;

		while (series != NULL && (one = page_next_sample(page, series, len, one)) != NULL) {
			most += page_sample_matches(one, series + len + (series[len] == '{' ? 1 : 0)) ? one->value : 0;
		}
		if (most >= 1 && most <= LIMIT_MAX) {
			limits = limits != NULL ? limits : json_object();
			json_object_set_new(limits, engine->signals[i].name, json_integer((json_int_t)most));
		}
	}
	return limits;
}

json_t *reading_page(const struct page *page, const char *url, const char *pod, const json_t *wanted)
{
	const struct engine *engine = page_engine(page);
	json_t *series = json_array();
	size_t i;
	json_t *selector;

	json_array_foreach((json_t *)wanted, i, selector) {
		if (page_has_series(page, json_string_value(selector))) {
			json_array_append(series, selector);
		}
	}
	return json_pack("{s:s, s:s, s:s*, s:o, s:o*, s:o*}", "url", url, "pod", pod, "engine",
		engine != NULL ? engine->type : NULL, "series", series, "latency", page_latency(page, engine), "limits",
		page_limits(page, engine));
}

json_t *reading_page_values(const struct page *page, const json_t *signals)
{
	json_t *values = json_object();
	size_t i;
	json_t *wanted;

	json_array_foreach((json_t *)signals, i, wanted) {
		const char *metric = json_path_string(wanted, "metric", "");
		const struct engine_signal *signal = engine_signal_by_metric(metric);
		double value;
		int64_t milli;

		if (json_path_bool(wanted, "page", false) && signal != NULL &&
			query_on_page(signal->metrics_query, page, &value) && query_milli(value, &milli)) {
			json_object_set_new(values, metric, json_integer(milli));
		}
	}
	return values;
}

/* {pods, missing}: how many of the pods that count are in `have`, and which of the ready ones are not although they had
 * the time. */
static json_t *coverage(const json_t *have, const json_t *counted, const struct reading_grace *grace)
{
	json_int_t pods = 0;
	json_t *missing = json_array();
	const char *name;
	json_t *since;

	json_object_foreach((json_t *)counted, name, since) {
		if (json_object_get(have, name) != NULL) {
			pods++;
		} else if (json_is_integer(since) && json_integer_value(since) + grace->grace_ms < grace->now_ms &&
			   json_array_size(missing) < MISSING_MAX) {
			json_array_append_new(missing, json_string(name));
		}
	}
	return json_pack("{s:I, s:o}", "pods", pods, "missing", missing);
}

json_t *reading_series(const json_t *samples, const json_t *counted, int64_t max_age_ms,
	const struct reading_grace *grace)
{
	auto_json *fresh = json_object();
	json_t *own = json_object();
	json_t *document;
	const char *name;
	json_t *sample;

	json_object_foreach((json_t *)samples, name, sample) {
		/* What of a pod is told without its age is not its sample: only the GPUs' source. */
		if (json_object_get(counted, name) == NULL || json_object_get(sample, "age") == NULL) {
			continue;
		}
		json_object_set(own, name, sample);
		if (json_path_int(sample, "age", 0) < max_age_ms) {
			json_object_set(fresh, name, sample);
		}
	}
	document = coverage(fresh, counted, grace);
	json_object_set_new(document, "samples", own);
	return document;
}

json_t *reading_metric(const json_t *list, const json_t *counted, const struct reading_grace *grace)
{
	json_t *values = json_object();
	json_t *document;
	size_t i;
	json_t *item;

	json_array_foreach(json_object_get(list, "items"), i, item) {
		int64_t milli = quantity_parse_milli(json_path_string(item, "value", ""));

		json_object_set_new(values, json_path_string(item, "describedObject.name", ""),
			milli >= 0 ? json_integer(milli) : json_null());
	}
	document = coverage(values, counted, grace);
	json_object_set_new(document, "values", values);
	return document;
}

bool reading_metric_listed(const json_t *resources, const char *metric)
{
	auto_free char *wanted = xasprintf("pods/%s", metric);
	size_t i;
	json_t *resource;

	json_array_foreach(json_object_get(resources, "resources"), i, resource) {
		if (strcmp(json_path_string(resource, "name", ""), wanted) == 0) {
			return true;
		}
	}
	return false;
}
