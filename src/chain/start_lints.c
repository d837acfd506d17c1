/*
 * The lint of pods that take longer to start than the HPA waits between two steps up.
 *
 * A pod that is not ready yet counts as zero when the HPA scales up (replica_calculator.go), so that a
 * load that stays the same does not add pods twice. But requests do not stay the same: while the new
 * pods load their model they pile up in the old ones, and every further step answers to the pile. A
 * fill level or a GPU's share of time cannot pile up beyond full.
 */
#include <string.h>

#include "base/json.h"
#include "checks.h"
#include "lint.h"

#define PERIOD_MAX 1800 /* of a policy; autoscaling/v2 refuses more */

/* What autoscaling/v2 takes when there are none, and what children/hpa.c writes. */
static const char default_policies[] = "[{\"type\": \"Pods\", \"value\": 4, \"periodSeconds\": 15},"
				       " {\"type\": \"Percent\", \"value\": 100, \"periodSeconds\": 15}]";

/* How fast the HPA may go up. */
struct rate {
	json_int_t seconds; /* at least, between two steps */
	json_int_t first;   /* replicas after the first step from spec.minReplicas */
	bool by_default;    /* spec.behavior names no policies */
};

static json_int_t step_from(json_int_t replicas, const json_t *policy)
{
	json_int_t value = json_path_int(policy, "value", 0);

	return strcmp(json_path_string(policy, "type", ""), "Percent") == 0 ? replicas + (replicas * value + 99) / 100
	                                                                    : replicas + value;
}

static void read_policies(const json_t *policies, bool least, json_int_t replicas, struct rate *rate)
{
	size_t i;
	json_t *policy;

	json_array_foreach((json_t *)policies, i, policy) {
		json_int_t period = json_path_int(policy, "periodSeconds", 0);
		json_int_t first = step_from(replicas, policy);

		if (i == 0 || (least ? period > rate->seconds : period < rate->seconds)) {
			rate->seconds = period;
		}
		if (i == 0 || (least ? first < rate->first : first > rate->first)) {
			rate->first = first;
		}
	}
}

/* False when it does not go up at all. */
static bool read_rate(const struct autoscaler *spec, struct rate *rate)
{
	const json_t *rules = json_object_get(spec->behavior, "scaleUp");
	const char *select = json_path_string(rules, "selectPolicy", "Max");
	const json_t *policies = json_object_get(rules, "policies");
	auto_json *usual = json_parse(default_policies, sizeof(default_policies) - 1, NULL);
	json_int_t window = json_path_int(rules, "stabilizationWindowSeconds", 0);

	*rate = (struct rate){.by_default = json_array_size(policies) == 0};
	read_policies(rate->by_default ? usual : policies, strcmp(select, "Min") == 0, spec->min_replicas, rate);
	rate->seconds = window > rate->seconds ? window : rate->seconds;
	return strcmp(select, "Disabled") != 0;
}

static bool piles_up(const struct workload *w)
{
	for (size_t i = 0; i < w->signals_count; i++) {
		if (!w->signals[i].gpu && strcmp(w->signals[i].signal->name, "KVCache") != 0) {
			return true;
		}
	}
	return false;
}

/* In plain figures, so that the sentence does not move with every pod. */
static json_int_t rounded(json_int_t seconds)
{
	json_int_t step = seconds <= 120 ? 10 : seconds <= 600 ? 30 : 60;

	return (seconds + step - 1) / step * step;
}

static void say_start(const struct autoscaler *spec, json_int_t start, const struct rate *rate, struct strbuf *sentence)
{
	json_int_t wanted = start < PERIOD_MAX ? start : PERIOD_MAX;

	strbuf_addf(sentence,
		"a new pod of %s '%s/%s' takes about %lld s until it is ready, but scaling up may go on every %lld s: requests "
		"that pile up meanwhile are answered with more replicas than they need; ",
		spec->target_kind, spec->ns, spec->target_name, (long long)start, (long long)rate->seconds);
	if (rate->by_default) {
		strbuf_addf(sentence,
			"set spec.behavior.scaleUp.policies to [{type: Pods, value: 4, periodSeconds: %lld}], or to others with such "
			"a period",
			(long long)wanted);
	} else {
		strbuf_addf(sentence, "set periodSeconds of all spec.behavior.scaleUp.policies to %lld or more",
			(long long)wanted);
	}
}

enum lint_verdict lint_cold_start_long(const struct facts *facts, struct strbuf *sentence)
{
	const struct autoscaler *spec = facts->workload.spec;
	json_int_t start = evidence_seen(facts)->pods.start.seconds;
	struct rate rate;

	/* With one step there is no second that could come too early. */
	if (!piles_up(&facts->workload) || !read_rate(spec, &rate) || rate.first >= spec->max_replicas ||
		rate.seconds >= PERIOD_MAX) {
		return LINT_SILENT;
	}
	if (start < 0 || !evidence_answers(facts, PART_PODS)) {
		return LINT_UNSEEN;
	}
	if (start <= rate.seconds) {
		return LINT_SILENT;
	}
	say_start(spec, rounded(start), &rate, sentence);
	return start * 4 > rate.seconds * 5 ? LINT_REPORTED : LINT_STILL;
}
