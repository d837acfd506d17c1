/* The lint of targets that the figure never exceeds, so that nothing is ever scaled up. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/quantity.h"
#include "lint.h"

#define TOLERANCE_MILLI 100 /* kube-controller-manager's default */
#define COUNT_MAX 1000000

/* What bounds the figure of one pod. */
struct limit {
	int64_t most;
	const struct view_container *container; /* whose command line says so */
	const char *series;                     /* on the page that says so; both NULL = by its nature */
};

/* 1 to COUNT_MAX; 0 for anything else. */
static int64_t parse_count(const char *text)
{
	char *end;
	long long value = strtoll(text, &end, 10);

	return end != text && *end == '\0' && value >= 1 && value <= COUNT_MAX ? value : 0;
}

/* Each rank has the limit for itself. 0 when it cannot be told how many there are. */
static int64_t ranks_of(const struct engine *engine, const struct view_container *container)
{
	if (engine->config_flag != NULL && view_container_flag(container, engine->config_flag) != NULL) {
		return 0;
	}
	for (size_t i = 0; i < ENGINE_RANKS_MAX && engine->ranks_flags[i] != NULL; i++) {
		const char *value = view_container_flag(container, engine->ranks_flags[i]);

		if (value != NULL) {
			return parse_count(value);
		}
	}
	return 1;
}

/* Of a container whose command line has the flag; of two nobody knows which is the engine's. */
static bool limit_by_flag(const struct facts *facts, const struct engine_signal *signal, struct limit *limit)
{
	const struct view_workload *target = facts->target;
	const char *value = NULL;

	*limit = (struct limit){.most = 0};
	for (uint32_t i = 0; target != NULL && i < target->containers_count; i++) {
		const struct view_container *container = &target->containers[i];
		const char *own = view_container_flag(container, signal->limit_flag);

		if (own != NULL && value != NULL) {
			return false;
		}
		if (own != NULL) {
			value = own;
			limit->container = container;
		}
	}
	if (value != NULL) {
		limit->most = parse_count(value) * ranks_of(facts->workload.engine, limit->container);
	}
	return limit->most > 0;
}

/* LINT_REPORTED when it was found. */
static enum lint_verdict limit_on_page(const struct facts *facts, const struct engine_signal *signal,
	struct limit *limit)
{
	const struct page_seen *page = lint_page(facts);
	const struct signal_limit *own;

	if (page == NULL) {
		return LINT_UNSEEN;
	}
	own = shape_find(&shape_signal_limit, &page->limits, signal->name);
	*limit = (struct limit){.most = own != NULL ? own->most : 0, .series = signal->limit_series};
	return limit->most > 0 ? LINT_REPORTED : LINT_SILENT;
}

static enum lint_verdict find_limit(const struct facts *facts, const struct workload_signal *signal,
	struct limit *limit)
{
	if (signal->gpu || strcmp(signal->signal->name, "KVCache") == 0) {
		*limit = (struct limit){.most = 100};
		return LINT_REPORTED;
	}
	if (signal->signal->limit_flag != NULL) {
		return limit_by_flag(facts, signal->signal, limit) ? LINT_REPORTED : LINT_SILENT;
	}
	return signal->signal->limit_series != NULL ? limit_on_page(facts, signal->signal, limit) : LINT_SILENT;
}

/* By how much the average must exceed the target before the HPA adds a replica (its replica_calculator.go). */
static int64_t tolerance_milli(const struct facts *facts)
{
	const json_t *tolerance = json_path(facts->workload.spec->behavior, "scaleUp.tolerance");
	auto_free char *text = json_is_string(tolerance) ? xstrdup(json_string_value(tolerance))
	                       : tolerance != NULL       ? json_text(tolerance)
	                                                 : NULL;
	int64_t milli = text != NULL ? quantity_parse_milli(text) : -1;

	return milli >= 0 && milli <= COUNT_MAX ? milli : TOLERANCE_MILLI;
}

/* The largest target that the limit exceeds by more than the tolerance, in plain figures. */
static int64_t reachable_milli(int64_t limit, int64_t tolerance)
{
	int64_t milli = (limit * 1000 * 1000 - 1) / (1000 + tolerance);
	int64_t step = milli >= 1000 ? 1000 : milli >= 100 ? 100 : 1;

	return milli - milli % step;
}

static void say_limit(const struct facts *facts, const struct workload_signal *signal, const struct limit *limit,
	struct strbuf *sentence)
{
	const struct autoscaler *spec = facts->workload.spec;
	int64_t tolerance = tolerance_milli(facts);
	const char *field = signal->gpu ? "spec.gpu.target" : "spec.requests.target";
	auto_free char *target = quantity_format_milli(signal->target_milli);
	auto_free char *reachable = quantity_format_milli(reachable_milli(limit->most, tolerance));
	auto_free char *percent = quantity_format_milli(tolerance * 100);

	strbuf_addf(sentence, "%s%s is %s, but ", sentence->len > 0 ? "; " : "", field, target);
	if (limit->container != NULL) {
		strbuf_addf(sentence, "a pod of %s '%s/%s' has at most %lld by %s of container '%s'", spec->target_kind,
			spec->ns, spec->target_name, (long long)limit->most, signal->signal->limit_flag,
			limit->container->name);
	} else if (limit->series != NULL) {
		strbuf_addf(sentence, "a pod of %s '%s/%s' has at most %lld, as its page says in '%s'",
			spec->target_kind, spec->ns, spec->target_name, (long long)limit->most, limit->series);
	} else {
		strbuf_addf(sentence, "%s is at most 100 percent", signal->signal->name);
	}
	strbuf_addf(sentence,
		", and the HorizontalPodAutoscaler adds a replica only when the average exceeds the target by more than "
		"its tolerance, %s percent: set %s to %s or less",
		percent, field, reachable);
	if (limit->container != NULL) {
		strbuf_addf(sentence, ", or raise %s", signal->signal->limit_flag);
	}
}

enum lint_verdict lint_target_unreachable(const struct facts *facts, struct strbuf *sentence)
{
	const struct workload *w = &facts->workload;
	struct limit limit;
	bool unseen = false;

	for (size_t i = 0; i < w->signals_count; i++) {
		enum lint_verdict found = find_limit(facts, &w->signals[i], &limit);

		unseen = unseen || found == LINT_UNSEEN;
		if (found == LINT_REPORTED &&
			w->signals[i].target_milli > reachable_milli(limit.most, tolerance_milli(facts))) {
			say_limit(facts, &w->signals[i], &limit, sentence);
		}
	}
	return sentence->len > 0 ? LINT_REPORTED : unseen ? LINT_UNSEEN : LINT_SILENT;
}
