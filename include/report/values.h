/*
 * The values of an autoscaler's signals at each hop of the chain, side by side.
 */
#ifndef REPORT_VALUES_H
#define REPORT_VALUES_H

#include <jansson.h>

#include "base/strbuf.h"
#include "evidence/evidence.h"
#include "view/hpa.h"

/*
 * From the evidence (NULL is allowed) and the autoscaler's HPA (NULL = none); new reference, one item for each signal
 * that was asked for:
 *   {metric, percent: bool,
 *    pods: [{pod, page?, prometheus?, ageMs?, recorded?, served?}] by name,
 *    pageReadAt?, servedReadAt?,              when the pages and the metrics API were read, RFC 3339
 *    servedByHpa?: true,                      the HPA has read the metrics API, we have not: there are no values by pod
 *    hpa?}                                    the average that the HPA works with
 * Values are decimal strings ("12", "0.85"). `ageMs` is that of Prometheus' sample, or of the recorded one. A
 * pod's page is read of a few pods only.
 */
json_t *values_make(const struct evidence *evidence, const struct view_hpa *hpa);

/* Appends the table of one metric's item for people, each line indented by 10; nothing when there is no such item.
 * `now_ms`, wall: what was read more than a minute before has its age. */
void values_text(struct strbuf *text, const json_t *values, const char *metric, int64_t now_ms);

#endif
