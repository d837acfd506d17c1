/* The lint of GPUs that several pods share, whose value is that of all of them. */
#include "base/json.h"
#include "checks.h"
#include "lint.h"

static bool any_shared(const json_t *samples)
{
	const char *pod;
	json_t *sample;

	json_object_foreach((json_t *)samples, pod, sample) {
		if (json_object_get(sample, "shared") != NULL) {
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
		const json_t *samples = json_path(evidence_signal(facts, signal), "series.samples");

		if (!signal->gpu) {
			continue;
		}
		if (json_object_size(samples) == 0) {
			return LINT_UNSEEN;
		}
		if (!any_shared(samples)) {
			return LINT_SILENT;
		}
		strbuf_addf(sentence,
			"pods of %s '%s/%s' hold shares of GPUs, by time-slicing or MPS, and '%s' is that of the whole GPU: who shares "
			"one answers to the other's load; set spec.mode to Requests, or give each pod a GPU of its own",
			spec->target_kind, spec->ns, spec->target_name, signal->signal->metric);
		return LINT_REPORTED;
	}
	return LINT_SILENT;
}
