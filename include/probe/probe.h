/*
 * Probing the chain from outside: the target's pods, one pod's /metrics page, Prometheus, the
 * metrics API. What was seen becomes evidence (chain/facts.h) and the key is reported.
 *
 * A probe goes along the chain and stops at the first link that shows nothing, since what lies
 * behind it cannot be checked; where the chain forks into signals, each goes on by itself. A healthy
 * autoscaler is probed every 30 s ± 20 %, a broken one after 2 s, then ever later up to 30 s, or up
 * to 5 s while it only waits for something young, one that became healthy within 1 s; a changed probe request is
 * probed at once, and a healthy one when Prometheus has news. At most 8 list their pods at once, and
 * at most 16 pages are fetched at once, the rest wait in line. Answers of Prometheus are shared by all
 * keys: a healthy one's evidence may rest on one that is 5 s old, a broken one's on one of 2 s.
 *
 * The probe request of an autoscaler, and the evidence it leads to:
 *
 *   {namespace, name,
 *    target {apiVersion, kind, name}   whose pods these are
 *    selector?               of the pods; without it the target's scale subresource is asked for it
 *    pages: [{port, path}]   where its pods may serve their metrics, in order; none: no page is read
 *    scheme, engine?         of the page; the engine when it is known
 *    prometheus?             base URL
 *    service?, pool?         the metrics Service, whose name is the job of its scrape, and that scrape's pool
 *    intervalMs,             of the scrape
 *    trusted?                of GPUs: the PromQL of the targets that are believed about all pods (engine/gpu.h)
 *    signals: [{name, metric, page: bool, series: […]}]}     page: its series come from the pods' page
 *
 *   {asked                   the probe request
 *    target {at, error?, cause?, replicas, current, selector}    only without a selector in the probe request
 *    pods {at, error?, total, ready, unready? {POD: since}, foreign: […], ports: […], start? {pod, seconds}},
 *    page {at, error?, cause?, url, pod, port, path, engine?, version?, image?, series: […],
 *          latency? {requests, overMs, uptoMs?}, limits? {SIGNAL: n}, values: {POD: {METRIC: thousandths}},
 *          doubted?: true},
 *    prometheus {at, error?, cause?, url, up, down, lastError?},
 *    signals: {METRIC: {series {at, error?, cause?, pods, missing: […], suspects?: […],
 *                               samples: {POD: {age, time, milli?, source?, shared?}}},
 *                       metric {at, error?, cause?, http?, pods, missing: […], suspects?: […],
 *                               values: {POD: thousandths}, doubtedAt?},
 *                       apart? {page? {POD: …}, record? {POD: …}, metric? {POD: …}, hpa? …},
 *                       scrapers? {POD: [job, …]}}},
 *    againMs?}
 *
 * `unready` are pods that were ready with the containers that they run now, and since when they are not: they count
 * while they have load, and are never missing. `start` is the quickest way of a ready pod from its creation. `latency` is between which bounds the 99th
 * percentile of all requests lies that the page's process has served; none above: beyond the page's last. `limits`
 * are the most that a signal of this pod can be. `image` is what the pod ran when it was asked for its version.
 * `doubted` is a page of before, because the read after it failed, for the first time, and `doubtedAt` when that
 * first was so of a metric, which stands until Prometheus was asked 2 s later and is not to blame. `pods` counts
 * the pods with a sample younger than three intervals, or with a value; `missing` names at most five without, of
 * those that have been ready for three intervals and 30 s (series) or 90 s (metric), and that the probe before missed
 * too: until then they are `suspects`, which may have gone since they were listed. `cause` is NotRegistered (the
 * API), NotListed (the metric), NoValue, Forbidden, Unavailable or Failed; of a question to Prometheus Unauthorized,
 * TLS or NotPrometheus.
 *
 * Values are what the adapter's query comes to (engine/query.h): on the pages of `pod` and up to three others; in
 * Prometheus, where a sample is `age` ms old and of `time` by Prometheus' clock, `milli` is what the adapter would
 * get, and `source`, of GPUs, what would be recorded now; `shared` says that the GPU is others' too. `apart`
 * remembers from probe to probe the pods of which Prometheus and a neighbour, the page, the source or the metrics
 * API, have never said the same (probe/comparison.h), and `hpa` that the HPA's average never was between the values
 * that the metrics API serves; `againMs` is how soon those want another probe, and `scrapers` who gives Prometheus
 * samples of a pod whose page it does not agree with.
 *
 * The probe request of what autoscalers share, known by its member `record`, and its evidence:
 *
 *   {prometheus?, intervalMs, dcgm: [names of series], trusted, targets: PromQL of the targets that are believed about
 *    all pods, and of all exporters', record: name of the recorded series,
 *    rule?: NAMESPACE/NAME of the PrometheusRule, job?: whose scrape is the exporter's, pool?: of a ServiceMonitor of ours}
 *
 *   {asked, exporter {at, error?, cause?, url, jobs: [trusted ones that have such series now], up, down, lastError?,
 *                     series: n, withPod: n that tell their workload},
 *    rule {at, error?, cause?, loaded: bool, health?: ok|unknown|err, lastError?,
 *          rivals?: [NAMESPACE-NAME of other PrometheusRules that record something else by the same name]}}
 *
 * `at` is in ms of the wall. What was not reached is absent.
 */
#ifndef PROBE_PROBE_H
#define PROBE_PROBE_H

#include <jansson.h>
#include <stdbool.h>

#include "kube/client.h"
#include "net/http_client.h"
#include "probe/access.h"

struct prober;

/* The average of a metric that the status of this autoscaler's HPA has now, in thousandths; new reference, NULL when
 * it has none. */
typedef json_t *probe_hpa_average_fn(void *ctx, const char *ns, const char *name, const char *metric);

struct prober_hooks {
	/* From the loop, after each probe that ends; `before`: the evidence of the one before, borrowed, NULL = none. */
	void (*seen)(void *ctx, const char *key, const json_t *before);
	probe_hpa_average_fn *hpa_average;
	void *ctx;
};

/* Borrows client, http and access; copies the hooks. */
struct prober *prober_new(struct kube_client *client, struct http_client *http, struct access *access,
	const struct prober_hooks *hooks);
/* Probes under way end unreported; closed(ctx) from the loop, freed after it. */
void prober_close(struct prober *prober, void (*closed)(void *ctx), void *ctx);

enum probe_interval { PROBE_BROKEN, PROBE_WAITING, PROBE_HEALTHY };

/* What to probe for this key from now on, and how often. The probe request is copied. */
void prober_want(struct prober *prober, const char *key, const json_t *request, enum probe_interval interval);
/* Something moved: probes at once, or again when a probe is under way. */
void prober_wake(struct prober *prober, const char *key);
void prober_forget(struct prober *prober, const char *key);
/* Borrowed until the next loop turn; NULL when no probe has ended yet. */
const json_t *prober_evidence(const struct prober *prober, const char *key);

#endif
