/*
 * One rule of prometheus-adapter: ours to write, and somebody else's to understand.
 *
 * How prometheus-adapter 0.12 treats a rule decides what ours look like (pkg/config, pkg/naming,
 * pkg/custom-provider/series_registry.go):
 *
 * - The file is decoded strictly: an unknown or a repeated key, a bad regular expression, a bad
 *   template or an unknown resource in `overrides` ends the process, for all rules of all teams.
 * - Discovery asks Prometheus for the series of `seriesQuery` and stores, for each pair (resource,
 *   exposed name), one series name and one rule. A later series or rule overwrites the pair
 *   silently. So a seriesQuery that matches two names exposed as one leaves only one of them in
 *   `<<.Series>>`, and pods that export the other vanish.
 * - An override maps a label to a resource and is inverted through a Go map, whose order is random:
 *   two labels for one resource give one or the other from start to start. One label each.
 * - `name.as` is a regexp expansion: a `$` in it is a group reference.
 *
 * Old and new series names under one exposed name are therefore written without `<<.Series>>`: the
 * seriesQuery finds either, the metricsQuery names both. Aggregating first leaves only the
 * GroupBy label, so that `or` takes the new name where a pod has it and the old one elsewhere, and
 * never adds the two up:
 *
 *   seriesQuery: {__name__=~"vllm:(kv|gpu)_cache_usage_perc",namespace!="",pod!=""}
 *   metricsQuery: max(vllm:kv_cache_usage_perc{<<.LabelMatchers>>}) by (<<.GroupBy>>)
 *              or max(vllm:gpu_cache_usage_perc{<<.LabelMatchers>>}) by (<<.GroupBy>>)
 */
#ifndef ADAPTER_ADAPTER_RULE_H
#define ADAPTER_ADAPTER_RULE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "engine/presets.h"

/* One rule of ours, per engine and signal. The strings are borrowed. */
struct adapter_rule {
	const char *name;            /* as exposed: "vllm_num_requests_running"; letters, digits, '_' */
	const char *series_query;    /* a series selector: {__name__="…",namespace!="",pod!=""} */
	const char *namespace_label; /* the label that holds the namespace; NULL is "namespace" */
	const char *pod_label;       /* the label that holds the pod; NULL is "pod" */
	const char *metrics_query;   /* PromQL with <<.Series>>, <<.LabelMatchers>>, <<.GroupBy>> */
};

/* The rule that serves a signal; borrows its strings. */
struct adapter_rule adapter_rule_of(const struct engine_signal *signal);
/* Whether the adapter would take a rule of ours; the error names the rule and the field. */
int adapter_rule_check(const struct adapter_rule *rule, struct error *err);
/* The rule as the adapter will read it. New reference. */
json_t *adapter_rule_json(const struct adapter_rule *rule);
/* Appends the rule in block style: lines indented by `column` spaces and ended by `newline`. */
void adapter_rule_block(struct strbuf *out, const struct adapter_rule *rule, size_t column, const char *newline);
/* Appends the rule as one flow mapping: {seriesQuery: '…', …}. */
void adapter_rule_flow(struct strbuf *out, const struct adapter_rule *rule);

/* Whether the adapter could start and list series with this rule of anybody's. It cannot tell
 * whether a regular expression or a template is good: those are Go's. */
int adapter_rule_check_json(const json_t *rule, struct error *err);
/* The name under which this rule certainly exposes a metric; NULL when that depends on what
 * Prometheus holds. Heap, caller owns. */
char *adapter_rule_exposes(const json_t *rule);
/* Whether it is one that only we write, of this version or an earlier one: by the metric, the form of its discovery, and
 * all of its fields. */
bool adapter_rule_is_ours(const json_t *rule);

#endif
