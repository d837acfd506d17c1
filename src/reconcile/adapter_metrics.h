/*
 * The set of metrics whose rules are, or are to be, in the adapter's configuration: a JSON object, whose keys they are.
 */
#ifndef RECONCILE_ADAPTER_METRICS_H
#define RECONCILE_ADAPTER_METRICS_H

#include <jansson.h>

#include "adapter/adapter_rule.h"

/* The set as an annotation's text, "a,b" in order; heap, NULL when it is empty. */
char *adapter_metrics_text(const json_t *metrics);
/* The set that an annotation tells. A name that another version knew is left out. New reference. */
json_t *adapter_metrics_parse(const char *text);
/* A rule for each; heap array, caller owns. */
struct adapter_rule *adapter_metrics_rules(const json_t *metrics);

#endif
