/*
 * Turning answers into evidence: pure functions from a body to one document of chain/facts.h.
 */
#ifndef PROBE_READING_H
#define PROBE_READING_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* A running pod that reports Ready and is not on its way out. */
bool reading_pod_ready(const json_t *pod);
/* {total, ready} of a PodList; `names` gets the ready pods' names, `first` the first ready one, borrowed or NULL. */
json_t *reading_pods(const json_t *list, json_t *names, const json_t **first);
/* {url, pod, engine?, series: those of `wanted` that are on the page}. */
json_t *reading_page(const char *page, const char *url, const char *pod, const json_t *wanted);
/* Adds up, down and lastError from GET /api/v1/targets. */
void reading_targets(const json_t *answer, json_t *prometheus);
/* Adds pods: how many of `names` have a sample younger than `max_age_ms`, from the query below. */
void reading_samples(const json_t *answer, const json_t *names, int64_t now_ms, int64_t max_age_ms, json_t *prometheus);
/* The age query for any of these series in a namespace; heap, caller owns. */
char *reading_sample_query(const json_t *series, const char *ns);
/* {pods: n} of a MetricValueList. */
json_t *reading_metric(const json_t *list);

#endif
