/* The lints of what the pods' own pages show. */
#include <string.h>

#include "base/json.h"
#include "checks.h"
#include "lint.h"

#define REQUESTS_MIN 100 /* fewer have no slowest of 100 */

const json_t *page_seen(const struct facts *facts)
{
	const json_t *page = json_object_get(facts->evidence, "page");

	return json_object_get(page, "error") == NULL && evidence_answers(facts, "page") ? page : NULL;
}

static bool page_has(const json_t *page, const char *series)
{
	size_t i;
	json_t *name;

	json_array_foreach(json_object_get(page, "series"), i, name) {
		if (strcmp(json_string_value(name), series) == 0) {
			return true;
		}
	}
	return false;
}

/* The series that the signal has beside this one; NULL when none. */
static const char *successor(const struct engine_signal *signal, const char *former)
{
	for (size_t s = 0; s < ENGINE_SERIES_MAX && signal->series[s] != NULL; s++) {
		if (strcmp(signal->series[s], former) != 0) {
			return signal->series[s];
		}
	}
	return NULL;
}

/* Scaling survives a rename, since both names are asked for; what other people wrote does not. */
static void say_name_leaves(const struct facts *facts, const struct engine_signal *signal, const char *next,
	struct strbuf *sentence)
{
	const struct autoscaler *spec = facts->workload.spec;

	strbuf_addf(sentence, "the pods of %s '%s/%s' report spec.requests.signal %s as '%s', which %s removes",
		spec->target_kind, spec->ns, spec->target_name, signal->name, signal->former, signal->gone_in);
	if (next != NULL) {
		strbuf_addf(sentence,
			": this autoscaler reads '%s' too and needs nothing; before upgrading the engine change your own "
			"dashboards and alerts to it",
			next);
	} else {
		strbuf_addstr(sentence,
			" without another in its place: choose another spec.requests.signal before upgrading the engine");
	}
}

enum lint_verdict lint_name_leaves(const struct facts *facts, struct strbuf *sentence)
{
	const struct workload *w = &facts->workload;
	const json_t *page = page_seen(facts);

	for (size_t i = 0; i < w->signals_count; i++) {
		const struct engine_signal *signal = w->signals[i].signal;
		const char *next = signal->former != NULL ? successor(signal, signal->former) : NULL;

		if (signal->former == NULL) {
			continue;
		}
		if (page == NULL) {
			return LINT_UNSEEN;
		}
		if (page_has(page, signal->former) && (next == NULL || !page_has(page, next))) {
			say_name_leaves(facts, signal, next, sentence);
			return LINT_REPORTED;
		}
	}
	return LINT_SILENT;
}

static void say_latency(const struct autoscaler *spec, const json_t *latency, json_int_t drain, struct strbuf *sentence)
{
	json_int_t over = json_path_int(latency, "overMs", 0) / 1000;
	json_int_t upto = (json_path_int(latency, "uptoMs", -1000) + 999) / 1000;

	strbuf_addf(sentence, "1 of 100 requests takes %lld", (long long)over);
	if (upto > 0) {
		strbuf_addf(sentence, " to %lld", (long long)upto);
	}
	strbuf_addf(sentence,
		" s or longer, but %s '%s/%s' has spec.template.spec.terminationGracePeriodSeconds %lld: a pod that is scaled "
		"away cuts such requests off; set it to ",
		spec->target_kind, spec->ns, spec->target_name, (long long)drain);
	if (upto > 0) {
		strbuf_addf(sentence, "%lld or more", (long long)upto);
	} else {
		strbuf_addf(sentence, "more than %lld", (long long)over);
	}
}

enum lint_verdict lint_drain_too_short(const struct facts *facts, struct strbuf *sentence)
{
	const struct workload *w = &facts->workload;
	const json_t *latency = json_object_get(page_seen(facts), "latency");
	/* 30 is what the API server fills in. */
	json_int_t drain = json_path_int(facts->target, "spec.template.spec.terminationGracePeriodSeconds", 30);
	json_int_t upto = json_path_int(latency, "uptoMs", -1);

	/* The template of a kind that is not watched is not known. */
	if (!autoscaler_uses_pages(w->spec) || w->engine == NULL || w->engine->latency == NULL ||
		!facts->target_watched || facts->target == NULL) {
		return LINT_SILENT;
	}
	if (json_path_int(latency, "requests", 0) < REQUESTS_MIN) {
		return LINT_UNSEEN;
	}
	if (upto >= 0 && upto <= drain * 1000) {
		return LINT_SILENT;
	}
	/* Between the two bounds it may be either. */
	say_latency(w->spec, latency, drain, sentence);
	return json_path_int(latency, "overMs", 0) >= drain * 1000 ? LINT_REPORTED : LINT_STILL;
}
