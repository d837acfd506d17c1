/*
 * Turning answers into evidence: pure functions from what was answered to structs of evidence/evidence.h, which the
 * caller owns and which were empty.
 *
 * Private to src/probe.
 */
#ifndef PROBE_READING_H
#define PROBE_READING_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "evidence/evidence.h"
#include "pods/pods.h"
#include "counted_pods.h"
#include "table.h"

struct page;

/* Since when a pod must be ready before it is said to miss something, and for whom. */
struct reading_grace {
	int64_t now_ms;
	int64_t grace_ms;
};

/* A text of evidence: a peer's words may be no UTF-8, which JSON cannot hold, and of any length; they are cut at
 * 4 KiB. Heap, caller owns. */
char *reading_text(const char *text);
/* Of the pods that the target made: how many there are and how many are ready, some that are not any more, the names of
 * some that it did not make, and the ports that one of those that count lists: the first ready one's, if there is any.
 * Returns that pod, borrowed; NULL when none counts. `counted` gets those that count. */
const struct view_pod *reading_pods(const struct pod_list *list, const struct target_ref *target,
	struct counted_pods *counted, struct pods_seen *seen);
/* Whose page it is, which of the series `wanted` are on it, its latency and limits. It was read for all engines
 * (engine/page.h). */
void reading_page(const struct page *page, const struct texts *wanted, struct page_seen *seen);
/* What the page's series come to for each signal of the request that comes from it. */
void reading_page_values(const struct page *page, const struct probe_request *request, struct page_values *values);
/* Of a table of answer_samples: the samples of the pods that count, old ones too, and which of the ready ones have none
 * that is younger than `max_age_ms`. Only a ready pod is ever missing: another has a value only while it has load. */
void reading_series(const struct table *samples, const char *ns, const struct counted_pods *counted, int64_t max_age_ms,
	const struct reading_grace *grace, struct series_seen *seen);
/* Of a MetricValueList, NULL = of no pod: the values, sorted by pod, and which ready pods have none. */
void reading_metric(const json_t *list, const struct counted_pods *counted, const struct reading_grace *grace,
	struct metric_seen *seen);
/* Among values sorted by pod; NULL when it has none. */
const struct pod_value *reading_value_of(const struct metric_seen *seen, const char *pod);
/* Whether a discovery document (APIResourceList) names the pods' metric. */
bool reading_metric_listed(const json_t *resources, const char *metric);

#endif
