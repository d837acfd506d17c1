/*
 * What Prometheus is asked, and what its answers hold: targets ("/api/v1/…", heap, the caller owns)
 * and, for each, the function that makes the index its readers look things up in (new reference).
 *
 * A question never names an autoscaler: that is what lets many share its answer. The one exception
 * is the reason of a failing scrape, asked only while it fails.
 */
#ifndef PROBE_QUESTION_H
#define PROBE_QUESTION_H

#include <jansson.h>

/* The scrapes of all metrics Services of ours: {namespace: {job: {up, down}}}. */
char *question_scrapes(void);
json_t *question_scrapes_index(const json_t *answer);
/* The youngest sample of any of these series (names or selectors), and what they come to for `metric` as the
 * adapter would ask for it: {namespace: {pod: {age, time, milli?, source?, shared?}}}. `age` and `time` are in ms
 * by Prometheus' own clock; `milli` are thousandths, of what is recorded when it is the GPUs', and `source`
 * then those of the expression that is recorded of the `trusted` targets (engine/gpu.h; NULL = not known), `shared` is
 * there when the pod's GPU is others' too. A metric that is no preset's has none of them. */
char *question_samples(const json_t *series, const char *metric, const char *trusted);
json_t *question_samples_index(const json_t *answer);
/* Whose scrapes have these series: {namespace: {pod: [job, …]}}, asked only while a pod's values do not agree. */
char *question_scrapers(const json_t *series);
json_t *question_scrapers_index(const json_t *answer);
/* The last errors of a scrape pool's targets: {pool: {pod: error}}, of others too where the pool is no filter (Thanos). */
char *question_pool(const char *pool);
json_t *question_pool_index(const json_t *answer);

/* How many of the exporters' series there are, of the targets that are believed about all pods and of all exporters'
 * (engine/gpu.h): {"trusted": {job: n}, "targets": {job: n}}. */
char *question_exporter(const json_t *series, const char *trusted, const char *targets);
json_t *question_exporter_index(const json_t *answer);
/* How many of the targets' series tell the workload's pod: an integer. */
char *question_workloads(const json_t *series, const char *targets);
json_t *question_workloads_index(const json_t *answer);
/* The scrapes of these jobs, as far as they are of the targets: {job: {up, down}}. `jobs` is not empty. */
char *question_jobs(const json_t *jobs, const char *targets);
json_t *question_jobs_index(const json_t *answer);
/* The recording rules of a name: {name: [{file, health, query, lastError?}]}; `file` is that of its group. A
 * Prometheus that does not filter by name tells of others too. */
char *question_rule(const char *record);
json_t *question_rule_index(const json_t *answer);

#endif
