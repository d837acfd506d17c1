/*
 * Where a Prometheus answers queries, and which one answers there.
 */
#ifndef RECONCILE_PROMETHEUS_H
#define RECONCILE_PROMETHEUS_H

#include <jansson.h>

#include "reconcile/world.h"

/* The Prometheus "ns/name" among the resources; borrowed, NULL when it is not there, or key is NULL. */
const json_t *prometheus_by_key(const json_t *prometheuses, const char *key);
/* All that is read of such a resource, here and in chain/monitoring.h, as text: while it stays as it is, nothing is
 * checked otherwise. Heap, caller owns. */
char *prometheus_as_read(const json_t *prometheus);
/* The URL as questions go on after it: without a slash at its end. Heap, caller owns. */
char *prometheus_base(const char *url);
/* The base URL of the Prometheus "ns/name" among the resources: what the settings say, else its
 * governing Service, made by prometheus-operator in its namespace or named by spec.serviceName; over
 * TLS with spec.web.tlsConfig, under spec.routePrefix (which alone decides: prometheus-operator gives
 * Prometheus its --web.route-prefix always, whatever spec.externalUrl is). Heap, caller owns; NULL
 * when neither is known. */
char *prometheus_url(const struct world *world, const json_t *prometheuses, const char *key);
/* The resource "ns/name" that a URL leads to, by the Service that it names; heap. NULL when that cannot be told: it may
 * be a Thanos, or outside the cluster. `nowhere` becomes true when the URL names a Service that does not exist. */
char *prometheus_behind(const struct world *world, const json_t *prometheuses, const char *url, bool *nowhere);
/* The one whose answers count: that the adapter asks, else that the settings' URL leads to. Heap; NULL when neither can
 * be told, and when it does not run. */
char *prometheus_asked(const struct world *world, const json_t *prometheuses);

#endif
