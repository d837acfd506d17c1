/*
 * The values of an autoscaler's signals at each hop of the chain, read with the caller's own rights.
 *
 * All goes through the API server, with the credentials of the kubeconfig: the pods' pages and Prometheus by its proxy,
 * the metrics API and the HPA as they are. So nobody is shown what it may not read, and no token goes to a pod.
 *
 * Private to src/command.
 */
#ifndef COMMAND_OWN_VALUES_H
#define COMMAND_OWN_VALUES_H

#include "command/session.h"
#include "view/autoscaler.h"

/* Of a few pods, as the operator does. */
#define OWN_PAGES_MAX 5

struct own_values;

/* Finds Prometheus. Never NULL: what cannot be read is a warning with each autoscaler. */
struct own_values *own_values_new(struct session *session);
void own_values_free(struct own_values *values);
/* As values_make() of report/values.h gives them. What could not be read, and why, is added to the array of texts
 * `warnings`. New reference. */
json_t *own_values_read(struct own_values *values, const struct view_autoscaler *autoscaler, json_t *warnings);

#endif
