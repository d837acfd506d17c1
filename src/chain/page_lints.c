/* The lints of what the pods' own pages show. */
#include <string.h>

#include "base/memory.h"
#include "checks.h"
#include "lint.h"

#define REQUESTS_MIN 100 /* fewer have no slowest of 100 */

const struct page_seen *lint_page(const struct facts *facts)
{
	const struct page_seen *page = &evidence_seen(facts)->page;
	bool read = page->seen_ms != 0 && page->failure.text == NULL;

	return read && evidence_answers(facts, PART_PAGE) ? page : NULL;
}

bool latency_is_known(const struct page_latency *latency)
{
	return latency->requests >= REQUESTS_MIN;
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
static void say_name_leaves(const struct facts *facts, const struct workload_signal *leaving, const char *next,
	struct strbuf *sentence)
{
	const struct autoscaler *spec = facts->workload.spec;
	const struct engine_signal *signal = leaving->signal;
	auto_free char *field = workload_signal_field(&facts->workload, leaving, "signal");

	strbuf_addf(sentence, "the pods of %s '%s/%s' report %s %s as '%s', which %s removes", spec->target_kind,
		spec->ns, spec->target_name, field, signal->name, signal->former, signal->gone_in);
	if (next != NULL) {
		strbuf_addf(sentence,
			": this autoscaler reads '%s' too and needs nothing; before upgrading the engine change your own "
			"dashboards and alerts to it",
			next);
	} else {
		strbuf_addf(sentence, " without another in its place: choose another %s before upgrading the engine",
			field);
	}
}

enum lint_verdict lint_name_leaves(const struct facts *facts, struct strbuf *sentence)
{
	const struct workload *w = &facts->workload;
	const struct page_seen *page = lint_page(facts);

	for (size_t i = 0; i < w->signals_count; i++) {
		const struct engine_signal *signal = w->signals[i].signal;
		const char *next = signal->former != NULL ? successor(signal, signal->former) : NULL;

		if (signal->former == NULL) {
			continue;
		}
		if (page == NULL) {
			return LINT_UNSEEN;
		}
		if (texts_hold(&page->series, signal->former) && (next == NULL || !texts_hold(&page->series, next))) {
			say_name_leaves(facts, &w->signals[i], next, sentence);
			return LINT_REPORTED;
		}
	}
	return LINT_SILENT;
}

static void say_latency(const struct autoscaler *spec, const struct page_latency *latency, int64_t drain,
	struct strbuf *sentence)
{
	int64_t over = latency->over_ms / 1000;
	int64_t upto = (latency->upto_ms + 999) / 1000;

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
	const struct page_seen *page = lint_page(facts);
	int64_t drain;

	/* The template of a kind that is not watched is not known. */
	if (!autoscaler_uses_pages(w->spec) || w->engine == NULL || w->engine->latency == NULL ||
		!facts->target_watched || facts->target == NULL) {
		return LINT_SILENT;
	}
	/* 30 is what the API server fills in. */
	drain = facts->target->grace_period_s >= 0 ? facts->target->grace_period_s : 30;
	if (page == NULL || !latency_is_known(&page->latency)) {
		return LINT_UNSEEN;
	}
	if (page->latency.upto_ms >= 0 && page->latency.upto_ms <= drain * 1000) {
		return LINT_SILENT;
	}
	/* Between the two bounds it may be either. */
	say_latency(w->spec, &page->latency, drain, sentence);
	return page->latency.over_ms >= drain * 1000 ? LINT_REPORTED : LINT_STILL;
}
