/*
 * The bridge to the probes while they speak JSON: what was seen is decoded once, and a request is encoded.
 */
#ifndef RUNTIME_EVIDENCE_BRIDGE_H
#define RUNTIME_EVIDENCE_BRIDGE_H

#include "controller_parts.h"
#include "reconcile/plan.h"

/* Keeps what the key's probe saw; NULL = nothing is known any more. */
void bridge_set_evidence(struct pass *pass, const json_t *document);
/* NULL when the prober has forgotten it meanwhile. */
const struct evidence *bridge_evidence(const struct controller *c, const char *key);
/* New reference; NULL when there is nothing to probe. */
json_t *bridge_request(const struct plan *plan);

#endif
