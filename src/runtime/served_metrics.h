/*
 * What the metrics API answers from: the caches of this replica.
 *
 * Private to src/runtime.
 */
#ifndef RUNTIME_SERVED_METRICS_H
#define RUNTIME_SERVED_METRICS_H

#include "hpa_reads.h"
#include "net/tls_server.h"
#include "runtime/controller.h"
#include "serving/metrics_api.h"

/* Borrows the controller, whose caches are there until the API was closed, and the client for the pods' pages. */
struct metrics_api *served_metrics_new(struct controller *controller, struct http_client *http);
/* Answers one request. Whoever asked for a metric of ours is noted. Both are borrowed, until the API was closed. */
void served_metrics_answer(struct metrics_api *api, struct hpa_reads *reads, struct tls_exchange *exchange);

#endif
