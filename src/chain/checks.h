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

/* What to do about this field manager, who sets the target's replicas; heap. */
char *replicas_remedy(const struct facts *facts, const char *manager);

/* The parts of the evidence that a verdict reads. */
enum evidence_part { PART_TARGET, PART_PODS, PART_PAGE, PART_SCRAPE, PART_SIGNALS };

/* All that was seen, whatever was asked; empty when nothing was. */
const struct evidence *evidence_seen(const struct facts *facts);
/* The same of one signal, which may be NULL. */
const struct signal_seen *evidence_signal(const struct facts *facts, const struct workload_signal *signal);
/* Whether this part of the evidence answers what would be asked now. */
bool evidence_answers(const struct facts *facts, enum evidence_part part);

/* Whether a part was seen without failure; else says that it is awaited or failed. */
bool evidence_reads(int64_t seen_ms, const struct failure *failure, const char *failed_reason, struct verdict *verdict);
/* The part that answers today's question, or NULL after saying that it is awaited or failed. */
const struct target_seen *evidence_read_target(const struct facts *facts, const char *failed_reason,
	struct verdict *verdict);
const struct pods_seen *evidence_read_pods(const struct facts *facts, struct verdict *verdict);
const struct page_seen *evidence_read_page(const struct facts *facts, struct verdict *verdict);
const struct scrape_seen *evidence_read_scrape(const struct facts *facts, struct verdict *verdict);
/* The same of a signal. */
const struct series_seen *evidence_read_series(const struct facts *facts, const struct workload_signal *signal,
	struct verdict *verdict);
const struct metric_seen *evidence_read_metric(const struct facts *facts, const struct workload_signal *signal,
	const char *failed_reason, struct verdict *verdict);

/* A cause that the probe finds, and the reason to give for it. */
struct cause_reason {
	enum cause cause;
	const char *reason;
};

/* The reason for a failure by its cause, else `otherwise`. CAUSE_NONE ends `reasons`. */
const char *evidence_cause(const struct failure *failure, const struct cause_reason *reasons, const char *otherwise);
/* Prometheus' words, as much of them as a message quotes; heap. NULL is allowed. */
char *evidence_last_error(const char *last_error);
/* "'a', 'b' and 'c'"; heap, NULL when there is none. */
char *evidence_names(const struct texts *pods);

/* Whether the status says that the link of this type works. */
bool worked_before(const struct facts *facts, const char *type);
/* Whether the link of this type worked until now and no pod lacks anything for longer than a new one may: a rollout is
 * under way, and nothing is broken. `missing`: NULL is allowed. */
bool evidence_gap_passes(const struct facts *facts, const char *type, const struct texts *missing);

/* The Prometheus that scrapes: "ns/name", its address when no resource stands for it. Borrowed. */
const char *prometheus_name(const struct facts *facts);
/* Whether the HPA's status says that it reads the signal's metric. */
bool hpa_reads(const struct facts *facts, const struct workload_signal *signal);
/* Whether fresh values of this signal, of each pod that counts, were seen at Prometheus and at the metrics API, and the HPA
 * reads them. */
bool values_arrive(const struct facts *facts, const struct workload_signal *signal);

/* Whether the pages that were read tell that none of their pods has any of the metric's load. */
bool page_is_idle(const struct page_seen *page, const char *metric);

/*
 * Whether something is missing in a part, seen at `seen_ms`, only because it is new; then the link is Unknown, with
 * REASON_WAITING, until a part that was seen after the grace period still lacks it.
 */
/* A ServiceMonitor or PrometheusRule made then, of this interval; 0 = to be made, -1 = not known. */
bool grace_of_object(int64_t seen_ms, int64_t made_ms, int64_t interval_ms);
/* Pods that are ready for so short a time that none of them is missed yet. */
bool grace_of_pods(const struct series_seen *series);
/* A metric whose series, or whose adapter, are there only since the adapter may have relisted last. */
bool grace_of_metric(const struct facts *facts, int64_t seen_ms, bool gpu);
/* The API server finds the metrics API available for so short a time that the probe may not have seen it. */
bool grace_of_registration(const struct facts *facts, int64_t seen_ms);
/* The adapter restarted so lately that the API server may not have noticed. */
bool grace_of_restart(const struct facts *facts, int64_t seen_ms);
/* An autoscaler whose target may come right after it. */
bool grace_of_autoscaler(const struct facts *facts);
/* A target whose controller may not have made its first pod yet. */
bool grace_of_target(const struct facts *facts, int64_t seen_ms);
/* Our own metrics API has been out of the API server's reach for so short a time that it may be restarting. */
bool grace_of_own_api(const struct facts *facts);
/* The HPA controller may not have come to a new HPA yet. */
bool grace_of_hpa(const struct facts *facts);
/* The HPA may not have read the metric yet since it or the metric is there, or its condition tells of one reading that
 * failed. */
bool grace_of_reading(const struct facts *facts, const struct view_condition *condition);

/* Whether the memory of two hops that mismatch excludes that one load explains them; `of_moments`: one
 * side is the load as it is at a moment, the other as it was at scrapes. */
bool values_are_certain(const struct mismatch *memory, bool of_moments);
/* The same of the HPA's average and what is served, which an HPA controller that is slow explains for a while. */
bool values_are_stale(const struct mismatch *memory, int64_t now_ms);
/* The pod about which two hops are certainly at odds, of several the first by name; NULL when there is none. */
const struct pod_mismatch *values_find_certain(const struct pod_mismatch *pods, size_t count, bool of_moments);
/* Says that this hop's values are certainly not its neighbour's; false when they may be. */
bool values_mismatch_page(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict);
bool values_mismatch_record(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict);
bool values_mismatch_metric(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict);
/* The same of the metrics API that is our own, and the pages. */
bool values_mismatch_served(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict);
bool values_mismatch_hpa(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict);

/* The older autoscaler of the same target, or NULL. */
const struct view_autoscaler *older_owner(const struct facts *facts);

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

/* What keeps the GPU chain from bringing anything for the target's pods (gpu_causes.c). */
/* Says so when it is a Prometheus that keeps our ServiceMonitor to its own namespace. */
bool say_out_of_reach(const struct facts *facts, struct verdict *verdict);
/* Says so when it is a Prometheus that enforces a namespace where the pods' own is needed. */
bool say_namespace_enforced(const struct facts *facts, struct verdict *verdict);
/* Says so when it is one of shards of which one is asked, which knows a part of the exporters. */
bool say_gpu_sharded(const struct facts *facts, struct verdict *verdict);
/* That they request no GPU, or in a way that the exporter does not follow by itself; heap. NULL = they do as usual, or it is
 * not known. */
char *gpu_request_cause(const struct facts *facts);

void check_metric_served(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict);
/* The same where we serve it ourselves (direct_link.c). */
void check_direct_served(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict);

#endif
