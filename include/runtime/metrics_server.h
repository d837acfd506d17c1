/*
 * The custom metrics API as this replica serves it: the TLS server, its certificate, whom it trusts, and what it answers.
 *
 * Every replica serves, whether it leads or not.
 */
#ifndef RUNTIME_METRICS_SERVER_H
#define RUNTIME_METRICS_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "api/settings.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "kube/client.h"
#include "net/http_client.h"
#include "runtime/controller.h"

struct metrics_server;

/* All borrowed; the texts are copied where they are kept. */
struct metrics_server_options {
	const char *listen;                    /* "HOST:PORT" */
	const struct metrics_service *service; /* by which the API server comes */
	const char *certificates;              /* the ConfigMap, in the Service's namespace */
	const char *identity;                  /* of this replica: its pod's name */
	int64_t validity_ms;                   /* of a certificate */
	int64_t hpa_period_after_ms; /* the HPA's controller is watched for so long before its period is told; at least 15 s */
	const char *cert_file; /* the one to serve, with its key; NULL = one is made */
	const char *key_file;
	struct kube_client *client;    /* for watches, and for what only the leader writes */
	struct kube_client *writer;    /* for what every replica writes: nothing guards it */
	struct http_client *http;      /* for the pods' pages */
	struct controller *controller; /* whose caches are read */
};

/* NULL and `err` on failure. Nothing is sent before start. */
struct metrics_server *metrics_server_new(const struct metrics_server_options *options, struct error *err);
void metrics_server_start(struct metrics_server *server);
/* Why the API server is not to send requests here; NULL = it may. Static. */
const char *metrics_server_unready(const struct metrics_server *server);
/* The end is near: it is not ready any more, and who asks goes elsewhere with the next request. */
void metrics_server_drain(struct metrics_server *server);
/* closed(ctx) from the loop; freed after it. The controller's caches must be there until then. */
void metrics_server_close(struct metrics_server *server, void (*closed)(void *ctx), void *ctx);
/* Its counts, in the Prometheus text format. */
void metrics_server_metrics(const struct metrics_server *server, struct strbuf *page);

#endif
