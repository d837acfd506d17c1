/*
 * What the running operators tell over HTTP, asked through the API server: by its proxy to their pods.
 */
#ifndef COMMAND_OPERATORS_H
#define COMMAND_OPERATORS_H

#include "command/session.h"

struct operators;

/* Those whose pods run; NULL and `err` when there is none, or pods cannot be listed. */
struct operators *operators_find(struct session *session, struct error *err);
void operators_free(struct operators *operators);
/* What the one that has this autoscaler says of it at /explain/NAMESPACE/NAME; new reference. NULL and `err`: NOT_FOUND
 * when those that answer do not have it, as a replica that waits for the Lease has none. */
json_t *operators_explain(struct operators *operators, const char *ns, const char *name, struct error *err);

#endif
