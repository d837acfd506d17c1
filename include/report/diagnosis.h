/*
 * What there is to say of one InferenceAutoscaler: its chain, read from its status.
 */
#ifndef REPORT_DIAGNOSIS_H
#define REPORT_DIAGNOSIS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "view/autoscaler.h"

/*
 * The document that `explain -o json` prints; new reference:
 *   namespace, name, mode, target {kind, name}
 *   works       Ready is True, and of today's spec
 *   ready       True, False, Unknown; Unknown when there is no such condition
 *   reason, message   Ready's; absent when there is none
 *   broken      the first link that is not True; absent when there is none
 *   since       when Ready became what it is; absent when not known
 *   stale       the status speaks of an older spec
 *   generation, observedGeneration
 *   chain       [{type, status, reason, message}] in order
 *   engine, replicas {current, desired, min, max}, signals, children   absent when not known
 *   advice      [{reason, message}]: what will hurt although no link is broken; empty when there is none
 *   values      the signals' at each hop (values.h); absent where no operator tells them
 *   warnings    sentences: what makes the rest uncertain
 */
json_t *diagnosis_make(const struct view_autoscaler *object);

/* Appends it as lines for people, in colour or not; `now_ms` is the wall's. */
void diagnosis_text(struct strbuf *text, const json_t *diagnosis, bool colour, int64_t now_ms);

#endif
