/*
 * Where a Prometheus answers queries.
 */
#ifndef RECONCILE_PROMETHEUS_H
#define RECONCILE_PROMETHEUS_H

#include <jansson.h>

#include "api/settings.h"

/* The Prometheus "ns/name" among the resources; borrowed, NULL when it is not there, or key is NULL. */
const json_t *prometheus_by_key(const json_t *prometheuses, const char *key);
/* The base URL of the Prometheus "ns/name" among the resources: what the settings say, else its
 * governing Service, made by prometheus-operator in its namespace. Heap, caller owns; NULL when
 * neither is known. */
char *prometheus_url(const struct settings *settings, const json_t *prometheuses, const char *key);

#endif
