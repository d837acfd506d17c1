/* The lints of targets that the figure never exceeds, so that nothing is ever scaled up, and of those that it exceeds
 * with the first request, so that nothing is ever scaled down. */
#include "base/memory.h"
#include "base/quantity.h"
#include "chain/limit.h"
#include "lint.h"

static void say_limit(const struct facts *facts, const struct workload_signal *signal, const struct limit *limit,
	struct strbuf *sentence)
{
	const struct autoscaler *spec = facts->workload.spec;
	int64_t tolerance = limit_tolerance_milli(facts->workload.spec);
	auto_free char *field = workload_signal_field(&facts->workload, signal, "target");
	auto_free char *target = quantity_format_milli(signal->target_milli);
	auto_free char *reachable = quantity_format_milli(limit_reachable_milli(limit->most, tolerance));
	auto_free char *percent = quantity_format_milli(tolerance * 100);

	strbuf_addf(sentence, "%s%s is %s, but ", sentence->len > 0 ? "; " : "", field, target);
	if (limit->container != NULL) {
		strbuf_addf(sentence, "a pod of %s '%s/%s' has at most %lld by %s of container '%s'", spec->target_kind,
			spec->ns, spec->target_name, (long long)limit->most, limit->option, limit->container->name);
	} else if (limit->series != NULL) {
		strbuf_addf(sentence, "a pod of %s '%s/%s' has at most %lld, as its %s says in '%s'", spec->target_kind,
			spec->ns, spec->target_name, (long long)limit->most,
			signal->signal->limit_series != NULL ? "page" : facts->workload.engine->version_path,
			limit->series);
	} else {
		strbuf_addf(sentence, "%s is at most 100 percent", signal->signal->name);
	}
	strbuf_addf(sentence,
		", and the HorizontalPodAutoscaler adds a replica only when the average exceeds the target by more than "
		"its tolerance, %s percent: set %s to %s or less",
		percent, field, reachable);
	if (limit->container != NULL) {
		strbuf_addf(sentence, ", or raise %s", limit->option);
	}
}

enum lint_verdict lint_target_unreachable(const struct facts *facts, struct strbuf *sentence)
{
	const struct workload *w = &facts->workload;
	struct limit limit;
	bool unseen = false;

	for (size_t i = 0; i < w->signals_count; i++) {
		enum limit_found found = limit_find(facts, &w->signals[i], lint_page(facts), &limit);

		unseen = unseen || found == LIMIT_UNSEEN;
		if (found == LIMIT_FOUND &&
			w->signals[i].target_milli >
				limit_reachable_milli(limit.most, limit_tolerance_milli(facts->workload.spec))) {
			say_limit(facts, &w->signals[i], &limit, sentence);
		}
	}
	return sentence->len > 0 ? LINT_REPORTED : unseen ? LINT_UNSEEN : LINT_SILENT;
}

/* Less than that, and one request asks for as many replicas as there may be. */
static int64_t least_milli(const struct autoscaler *spec)
{
	return spec->max_replicas > 1 ? (1000 + spec->max_replicas - 2) / (spec->max_replicas - 1) : 0;
}

/* Whether the engine's limit leaves no larger target. */
static bool is_forced(const struct facts *facts, const struct workload_signal *signal)
{
	struct limit limit;

	return limit_find(facts, signal, lint_page(facts), &limit) == LIMIT_FOUND &&
	       limit_reachable_milli(limit.most, limit_tolerance_milli(facts->workload.spec)) <= signal->target_milli;
}

static bool is_too_low(const struct facts *facts, const struct workload_signal *signal)
{
	const struct autoscaler *spec = facts->workload.spec;

	return !signal->gpu && !signal->by_default && !engine_metric_is_percent(signal->signal->metric) &&
	       signal->target_milli < least_milli(spec) && spec->min_replicas < spec->max_replicas &&
	       !is_forced(facts, signal);
}

static void say_too_low(const struct facts *facts, const struct workload_signal *signal, struct strbuf *sentence)
{
	const struct autoscaler *spec = facts->workload.spec;
	auto_free char *field = workload_signal_field(&facts->workload, signal, "target");
	auto_free char *target = quantity_format_milli(signal->target_milli);
	auto_free char *wanted = quantity_format_milli(least_milli(spec));

	strbuf_addf(sentence,
		"%s%s is %s, so that a single request asks for all %lld replicas of spec.maxReplicas, and none goes while "
		"there is one: set %s to %s or more",
		sentence->len > 0 ? "; " : "", field, target, (long long)spec->max_replicas, field, wanted);
}

enum lint_verdict lint_target_low(const struct facts *facts, struct strbuf *sentence)
{
	const struct workload *w = &facts->workload;

	for (size_t i = 0; i < w->signals_count; i++) {
		if (is_too_low(facts, &w->signals[i])) {
			say_too_low(facts, &w->signals[i], sentence);
		}
	}
	return sentence->len > 0 ? LINT_REPORTED : LINT_SILENT;
}
