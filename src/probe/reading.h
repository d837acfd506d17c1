/*
 * Turning answers into evidence: pure functions from what was answered to documents of
 * probe/probe.h. The pods that count are known as {name: since when it is ready, in ms of the wall}, or null for one
 * that is not ready any more.
 */
#ifndef PROBE_READING_H
#define PROBE_READING_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct page;

/* Since when a pod must be ready before it is said to miss something, and for whom. */
struct reading_grace {
	int64_t now_ms;
	int64_t grace_ms;
};

/* A string of evidence: a peer's words may be no UTF-8, which JSON cannot hold, and of any length; they are cut at
 * 4 KiB. New reference. */
json_t *reading_text(const char *text);
/* "http://10.0.0.1", "http://[fd00::1]"; heap, caller owns. */
char *reading_pod_authority(const json_t *pod, const char *scheme);
/* What the pod runs, as far as its version depends on it: its images' digests, or names until they are
 * known, and its template's hash, since one image may hold several versions; heap, caller owns. */
char *reading_pod_image(const json_t *pod);
/* {total, ready, unready?, foreign, ports} of a PodList: of the pods that the target {kind, name} made (NULL: all) how
 * many there are and how many are ready, some that are not any more, the names of some that it did not make, and the
 * ports that `first` lists. `counted` gets those that count, `first` the first of them, a ready one if there is any,
 * borrowed or NULL. */
json_t *reading_pods(const json_t *list, const json_t *target, json_t *counted, const json_t **first);
/* {url, pod, engine?, series: those of `wanted` that are on the page, latency?: how long the slowest of 100 requests
 * took, {requests, overMs, uptoMs?}, limits?: the most that signals can be, {SIGNAL: n}}. The page was read for all
 * engines (engine/page.h). */
json_t *reading_page(const struct page *page, const char *url, const char *pod, const json_t *wanted);
/* What the page's series come to for each signal of a probe request that comes from it: {metric: thousandths}. */
json_t *reading_page_values(const struct page *page, const json_t *signals);
/* {pods, missing, samples}: the pods that count whose youngest sample, of question_samples_index, is younger than
 * `max_age_ms`; and their samples, old ones too. Only a ready pod is ever missing: another has a value only while it
 * has load. */
json_t *reading_series(const json_t *samples, const json_t *counted, int64_t max_age_ms,
	const struct reading_grace *grace);
/* {pods, missing, values: {pod: thousandths}} of a MetricValueList. */
json_t *reading_metric(const json_t *list, const json_t *counted, const struct reading_grace *grace);
/* Whether a discovery document (APIResourceList) names the pods' metric. */
bool reading_metric_listed(const json_t *resources, const char *metric);

#endif
