/*
 * What the running operators tell over HTTP, asked through the API server: by its proxy to their pods.
 */
#ifndef COMMAND_OPERATORS_H
#define COMMAND_OPERATORS_H

#include "command/session.h"

/* The items of their /explain, of all that answer; a replica that waits for the Lease has none. New reference to an
 * array; NULL and `err` when none answers. */
json_t *operators_explain(struct session *session, struct error *err);

#endif
