/* The lints of what the pods' own pages show. */
#include <string.h>

#include "base/json.h"
#include "judges.h"
#include "lint.h"

/* The page as it was read for today's question; NULL when it was not. */
static const json_t *page_seen(const struct facts *facts)
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

	strbuf_addf(sentence, "the pods of %s '%s/%s' report spec.requests.signal %s as '%s', which %s removes", spec->target_kind,
		spec->ns, spec->target_name, signal->name, signal->former, signal->gone_in);
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
			return LINT_SAID;
		}
	}
	return LINT_SILENT;
}
