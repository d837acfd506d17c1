/*
 * The way to Prometheus through the API server.
 *
 * Private to src/command.
 */
#ifndef COMMAND_PROMETHEUS_PROXY_H
#define COMMAND_PROMETHEUS_PROXY_H

#include "command/session.h"
#include "view/autoscaler.h"

struct prometheuses;

/* Those there are. NULL and `err` when there is none, or the caller may not list them. */
struct prometheuses *prometheuses_read(struct session *session, struct error *err);
/* NULL is allowed. */
void prometheuses_free(struct prometheuses *all);
/* The path of the API server's proxy to the Service of the one that counts for this autoscaler, "/api/v1/…/proxy" with its
 * path prefix: one that selects its ServiceMonitor, else the oldest. Heap. */
char *prometheus_proxy(struct prometheuses *all, const struct view_autoscaler *autoscaler);

#endif
