/*
 * The checks of single links: facts → verdict. Those with a signal are asked once per signal of the
 * mode; it is NULL while it cannot be named, because the engine is not known.
 */
#ifndef CHAIN_CHECKS_H
#define CHAIN_CHECKS_H

#include "base/memory.h"
#include "chain/links.h"

#define SAY(verdict, status, reason, ...) say(verdict, status, reason, xasprintf(__VA_ARGS__))

/* How to mend an HPA that its controller does not come to. */
#define HPA_CONTROLLER_REMEDY                                                                                               \
	"see whether kube-controller-manager runs and keeps up: 'kubectl get lease kube-controller-manager -n kube-system " \
	"-o yaml' has its last sign of life"

/* Takes the message; what was said before is forgotten. */
void say(struct verdict *verdict, enum verdict_status status, const char *reason, char *message);
void say_probing(struct verdict *verdict);

/* Whether the document of the evidence ("pods", "page", "prometheus" or "signals") answers what would be asked now. */
bool evidence_answers(const struct facts *facts, const char *document);
/* The probe's document at this path, or NULL after saying that it is awaited or failed. */
const json_t *evidence_read(const struct facts *facts, const char *document, const char *failed_reason,
	struct verdict *verdict);
/* All that was seen of the signal alone, whatever was asked; NULL when nothing was, or the signal is. */
const json_t *evidence_signal(const struct facts *facts, const struct workload_signal *signal);
/* The signal's part "series" or "metric", likewise. */
const json_t *evidence_read_signal(const struct facts *facts, const struct workload_signal *signal, const char *part,
	const char *failed_reason, struct verdict *verdict);
/* A cause that the probe finds, and the reason to give for it. */
struct cause {
	const char *cause;
	const char *reason;
};

/* The reason for a document's error by its cause, else `otherwise`. A row of NULLs ends `causes`. */
const char *evidence_cause(const json_t *document, const struct cause *causes, const char *otherwise);
/* The same for the causes of a question to Prometheus. */
const char *evidence_reason(const json_t *document, const char *otherwise);
/* The document's `lastError`, Prometheus' words, as much as a message quotes; heap. */
char *evidence_last_error(const json_t *document);
/* "a, b and c" of the document's `missing`; heap, NULL when none is. */
char *evidence_missing(const json_t *document);

/* Whether the link of this type worked until now and the document names no pod that lacks anything for longer than
 * a new one may: a rollout is under way, and nothing is broken. */
bool evidence_gap_passes(const struct facts *facts, const char *type, const json_t *document);

/*
 * Whether something is missing in a document only because it is new; then the link is Unknown, with
 * REASON_WAITING, until a document that was seen after the grace period still lacks it.
 */
/* A ServiceMonitor or PrometheusRule made then, of this interval; 0 = to be made, -1 = not known. */
bool grace_of_object(const struct facts *facts, const json_t *document, int64_t made_ms, int64_t interval_ms);
/* Pods that are ready for so short a time that none of them is missed yet. */
bool grace_of_pods(const json_t *document);
/* A metric whose series, or whose adapter, are there only since the adapter may have relisted last. */
bool grace_of_metric(const struct facts *facts, const json_t *document, bool gpu);
/* The adapter restarted so lately that the API server may not have noticed. */
bool grace_of_restart(const struct facts *facts, const json_t *document);
/* An autoscaler whose target may come right after it. */
bool grace_of_autoscaler(const struct facts *facts);
/* A target whose controller may not have made its first pod yet. */
bool grace_of_target(const struct facts *facts, const json_t *document);
/* The HPA controller may not have come to a new HPA yet. */
bool grace_of_hpa(const struct facts *facts);
/* The HPA may not have read the metric yet since it or the metric is there, or its condition tells of one reading that
 * failed. */
bool grace_of_reading(const struct facts *facts, const json_t *condition);

/* Whether the memory of two hops that mismatch (facts.h) excludes that one load explains them; `of_moments`: one
 * side is the load as it is at a moment, the other as it was at scrapes. */
bool values_are_certain(const json_t *memory, bool of_moments);
/* The same of the HPA's average and what is served, which an HPA controller that is slow explains for a while. */
bool values_are_stale(const json_t *memory, int64_t now_ms);
/* Says that this hop's values are certainly not its neighbour's; false when they may be. */
bool values_mismatch_page(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict);
bool values_mismatch_record(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict);
bool values_mismatch_metric(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict);
bool values_mismatch_hpa(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict);

/* The older autoscaler of the same target, or NULL. */
const json_t *older_owner(const struct facts *facts);

void check_accepted(const struct facts *facts, struct verdict *verdict);
void check_target_found(const struct facts *facts, struct verdict *verdict);
/* Who else scales the target, or stands in our way: asked of objects alone, no evidence. */
void check_target_owned(const struct facts *facts, struct verdict *verdict);
void check_target_exclusive(const struct facts *facts, struct verdict *verdict);
void check_adapter_configured(const struct facts *facts, struct verdict *verdict);
void check_scaling_active(const struct facts *facts, struct verdict *verdict);

void check_page_exposed(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict);
void check_page_selected(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict);
void check_page_scraped(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict);
void check_page_fresh(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict);

void check_gpu_exposed(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict);
void check_gpu_selected(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict);
void check_gpu_scraped(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict);
void check_gpu_fresh(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict);
void check_gpu_recorded(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict);

void check_metric_served(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict);

#endif
