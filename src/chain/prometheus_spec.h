/*
 * The spec of the Prometheus, or of the PrometheusAgent, as the reason why nothing arrives. Private to src/chain.
 *
 * Each says so in the verdict, or leaves it as it is and returns false.
 */
#ifndef CHAIN_PROMETHEUS_SPEC_H
#define CHAIN_PROMETHEUS_SPEC_H

#include <stdbool.h>

#include "checks.h"

/* It has more than one shard, and only one of them is asked: each knows a part of what. */
bool prometheus_spec_shards(const char *prometheus, int64_t shards, const char *what, struct verdict *verdict);
/* What it does to the series is why they, or all of its targets, are missing. */
bool prometheus_spec_hinders(const struct facts *facts, struct verdict *verdict);
/* It keeps our ServiceMonitor to its own namespace, which is not that of the pods. */
bool prometheus_spec_keeps_out(const struct facts *facts, struct verdict *verdict);
/* An agent scrapes, and it is not known whom to ask for what it sends on. */
bool prometheus_spec_nobody_answers(const struct facts *facts, struct verdict *verdict);

#endif
