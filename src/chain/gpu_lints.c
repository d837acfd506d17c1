/* The lint of GPUs that several pods share, whose value is that of all of them. */
#include "checks.h"
#include "lint.h"

bool any_gpu_is_shared(const struct series_seen *series)
{
	for (size_t i = 0; i < series->samples.count; i++) {
		if (series->samples.items[i].shared) {
			return true;
		}
	}
	return false;
}

enum lint_verdict lint_gpu_shared(const struct facts *facts, struct strbuf *sentence)
{
	const struct autoscaler *spec = facts->workload.spec;

	for (size_t i = 0; i < facts->workload.signals_count; i++) {
		const struct workload_signal *signal = &facts->workload.signals[i];
		const struct series_seen *series = &evidence_signal(facts, signal)->series;

		if (!signal->gpu) {
			continue;
		}
		if (series->samples.count == 0) {
			return LINT_UNSEEN;
		}
		if (!any_gpu_is_shared(series)) {
			return LINT_SILENT;
		}
		strbuf_addf(sentence,
			"pods of %s '%s/%s' hold shares of GPUs, by time-slicing or MPS, and '%s' is that of the whole GPU: pods "
			"that share one are scaled on each other's load; set spec.mode to Requests, or give each pod a GPU of its own",
			spec->target_kind, spec->ns, spec->target_name, signal->signal->metric);
		return LINT_REPORTED;
	}
	return LINT_SILENT;
}
