/*
 * The links of autoscalers as metrics: what its status says, for alerts and dashboards.
 */
#ifndef RUNTIME_LINK_METRICS_H
#define RUNTIME_LINK_METRICS_H

#include "base/strbuf.h"
#include "view/autoscaler.h"

/*
 * Appends inference_autoscaler_link_healthy{autoscaler_namespace, autoscaler, link} in the Prometheus text format: 1 of a
 * link that works, 0 of one that does not. A link behind a broken one is not known, and has no sample, so
 * that an alert on 0 names the link to mend. Ready is a link here too. (A label `namespace` would be
 * renamed by a Prometheus that puts the operator's own there.)
 *
 * And inference_autoscaler_advice{…, reason}: 1 while a lint (chain/lints.h) has something to say. All samples of a
 * metric must stand together, so that the two are written separately; `begin` writes what comes first of each.
 */
void link_health_begin(struct strbuf *page);
void link_health_add(const struct view_autoscaler *autoscaler, struct strbuf *page);
void advice_begin(struct strbuf *page);
void advice_add(const struct view_autoscaler *autoscaler, struct strbuf *page);

#endif
