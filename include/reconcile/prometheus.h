/*
 * Where a Prometheus answers queries, and to which one a URL leads.
 */
#ifndef RECONCILE_PROMETHEUS_H
#define RECONCILE_PROMETHEUS_H

#include "reconcile/world.h"
#include "view/monitoring.h"

/* The Prometheus "ns/name"; borrowed, NULL when it is not there, or key is NULL. */
const struct view_prometheus *prometheus_by_key(const struct world *world, const char *key);
/* The URL as questions go on after it: without a slash at its end. Heap, caller owns. */
char *prometheus_base(const char *url);
/* The base URL of the Prometheus "ns/name": what the settings say, else its
 * governing Service, made by prometheus-operator in its namespace or named by spec.serviceName; over
 * TLS with spec.web.tlsConfig, under spec.routePrefix (which alone decides: prometheus-operator gives
 * Prometheus its --web.route-prefix always, whatever spec.externalUrl is). Heap, caller owns; NULL
 * when neither is known. */
char *prometheus_url(const struct world *world, const char *key);
/* The resource "ns/name" that a URL leads to, by the Service that it names; heap. NULL when that cannot be told: it may
 * be a Thanos, or outside the cluster. `nowhere` becomes true when the URL names a Service that does not exist. */
char *prometheus_behind(const struct world *world, const char *url, bool *nowhere);

#endif
