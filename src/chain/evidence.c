/* Reading the probes' evidence for a verdict: is it there, of today's question, and no error? */
#include <string.h>

#include "base/json.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "checks.h"
#include "kube/resource.h"

#define QUESTION_MAX 2

/* What a document of the evidence depends on: members of the probe request. */
static const struct question {
	const char *document;
	const char *members[QUESTION_MAX];
} questions[] = {
	{"target", {"target"}},
	{"pods", {"selector", "target"}},
	{"page", {"selector", "scheme"}},
	{"prometheus", {"prometheus", "service"}},
	{"signals", {"selector", "prometheus"}},
};

void say(struct verdict *verdict, enum verdict_status status, const char *reason, char *message)
{
	free_indirect(&verdict->message);
	verdict->status = status;
	verdict->reason = reason;
	verdict->message = message;
}

void say_probing(struct verdict *verdict)
{
	SAY(verdict, VERDICT_UNKNOWN, REASON_PROBING, "waiting for the first look at it");
}

/* Whether the page was found where it would be looked for now; one that was found nowhere, whether
 * the same places were tried. */
static bool page_is_candidate(const struct facts *facts)
{
	size_t i;
	json_t *candidate;

	if (json_path(facts->evidence, "page.error") != NULL) {
		return json_equal(json_path(facts->evidence, "asked.pages"), json_object_get(facts->request, "pages"));
	}
	json_array_foreach(json_object_get(facts->request, "pages"), i, candidate) {
		if (json_path_int(candidate, "port", 0) == json_path_int(facts->evidence, "page.port", 0) &&
			strcmp(json_path_string(candidate, "path", ""),
				json_path_string(facts->evidence, "page.path", "")) == 0) {
			return true;
		}
	}
	return false;
}

/* Whether this series was looked for on the page. */
static bool was_looked_for(const struct facts *facts, const json_t *series)
{
	size_t i;
	json_t *signal;

	json_array_foreach(json_path(facts->evidence, "asked.signals"), i, signal) {
		if (json_path_bool(signal, "page", false) && json_holds(json_object_get(signal, "series"), series)) {
			return true;
		}
	}
	return false;
}

static bool page_was_searched(const struct facts *facts)
{
	size_t i;
	size_t s;
	json_t *signal;
	json_t *series;

	json_array_foreach(json_object_get(facts->request, "signals"), i, signal) {
		if (!json_path_bool(signal, "page", false)) {
			continue;
		}
		json_array_foreach(json_object_get(signal, "series"), s, series) {
			if (!was_looked_for(facts, series)) {
				return false;
			}
		}
	}
	return true;
}

bool evidence_answers(const struct facts *facts, const char *document)
{
	const json_t *asked = json_object_get(facts->evidence, "asked");

	/* A world written by hand does not tell what was asked. */
	for (size_t q = 0; asked != NULL && q < ARRAY_LEN(questions); q++) {
		for (size_t m = 0; m < QUESTION_MAX && questions[q].members[m] != NULL; m++) {
			const char *member = questions[q].members[m];
			const json_t *then = json_object_get(asked, member);
			const json_t *now = json_object_get(facts->request, member);

			if (strcmp(questions[q].document, document) == 0 && then != now && !json_equal(then, now)) {
				return false;
			}
		}
	}
	return asked == NULL || strcmp(document, "page") != 0 || (page_is_candidate(facts) && page_was_searched(facts));
}

static bool signal_was_asked(const struct facts *facts, const char *metric)
{
	const json_t *asked = json_path(facts->evidence, "asked.signals");
	const json_t *signal = json_find(json_object_get(facts->request, "signals"), "metric", metric);

	return asked == NULL || signal == NULL || json_holds(asked, signal);
}

const char *evidence_cause(const json_t *document, const struct cause *causes, const char *otherwise)
{
	const char *cause = json_path_string(document, "cause", "");

	for (; causes->cause != NULL; causes++) {
		if (strcmp(causes->cause, cause) == 0) {
			return causes->reason;
		}
	}
	return otherwise;
}

const char *evidence_reason(const json_t *document, const char *otherwise)
{
	static const struct cause causes[] = {
		{"Unauthorized", "PrometheusUnauthorized"},
		{"TLS", "PrometheusTLSFailed"},
		{"NotPrometheus", "NotPrometheus"},
		{"PageTooLarge", "PageTooLarge"},
		{NULL, NULL},
	};

	return evidence_cause(document, causes, otherwise);
}

static const json_t *check_document(const json_t *document, const char *failed_reason, struct verdict *verdict)
{
	const char *error = json_path_string(document, "error", NULL);

	if (document == NULL) {
		say_probing(verdict);
		return NULL;
	}
	if (error != NULL) {
		SAY(verdict, VERDICT_FALSE, evidence_reason(document, failed_reason), "%s", error);
		return NULL;
	}
	return document;
}

const json_t *evidence_read(const struct facts *facts, const char *document, const char *failed_reason,
	struct verdict *verdict)
{
	return check_document(evidence_answers(facts, document) ? json_object_get(facts->evidence, document) : NULL,
		failed_reason, verdict);
}

const json_t *evidence_signal(const struct facts *facts, const struct workload_signal *signal)
{
	const json_t *signals = json_object_get(facts->evidence, "signals");

	return signal != NULL ? json_object_get(signals, signal->signal->metric) : NULL;
}

const json_t *evidence_read_signal(const struct facts *facts, const struct workload_signal *signal, const char *part,
	const char *failed_reason, struct verdict *verdict)
{
	const json_t *own = NULL;

	if (signal != NULL && evidence_answers(facts, "signals") && signal_was_asked(facts, signal->signal->metric)) {
		own = evidence_signal(facts, signal);
	}
	return check_document(json_object_get(own, part), failed_reason, verdict);
}

char *evidence_last_error(const json_t *document)
{
	return text_quote(json_path_string(document, "lastError", "no reason given"));
}

char *evidence_missing(const json_t *document)
{
	const json_t *missing = json_object_get(document, "missing");
	auto_strbuf text = STRBUF_INIT;
	size_t count = json_array_size(missing);
	size_t i;
	json_t *name;

	json_array_foreach((json_t *)missing, i, name) {
		strbuf_addf(&text, "%s'%s'", i == 0 ? "" : i + 1 < count ? ", " : " and ", json_string_value(name));
	}
	return count > 0 ? strbuf_take(&text) : NULL;
}

bool evidence_gap_passes(const struct facts *facts, const char *type, const json_t *document)
{
	const json_t *before = kube_object_condition(facts->object, type);

	return json_array_size(json_object_get(document, "missing")) == 0 &&
	       strcmp(json_path_string(before, "status", ""), "True") == 0 &&
	       json_path_int(before, "observedGeneration", -1) ==
	               json_path_int(facts->object, "metadata.generation", 0);
}
