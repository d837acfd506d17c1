/*
 * Tags (engine/custom.h) in Prometheus: a sample of an engine that the spec describes may be there, but without its tag no rule
 * finds it. Private to src/chain.
 */
#ifndef CHAIN_TAGS_H
#define CHAIN_TAGS_H

#include <stdbool.h>
#include <stdint.h>

#include "checks.h"

/* After an edit of spec.engine.signals there are samples by the new description once Prometheus has loaded the ServiceMonitor
 * again: whether that may be why none was seen. */
bool tags_in_grace(const struct facts *facts, const struct workload_signal *signal, int64_t seen_ms);
/* Of a signal with a tag, of which no sample is there. */
void tags_say_missing(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict);
/* The metric_relabel_configs that another scrape than our ServiceMonitor's needs; NULL = none. Heap. */
char *tags_needed(const struct facts *facts);

#endif
