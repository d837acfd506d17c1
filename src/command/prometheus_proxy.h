/*
 * The way to Prometheus through the API server.
 *
 * Private to src/command.
 */
#ifndef COMMAND_PROMETHEUS_PROXY_H
#define COMMAND_PROMETHEUS_PROXY_H

#include "command/session.h"

/* The path of the API server's proxy to the Service of the Prometheus resource that counts most, "/api/v1/…/proxy" with
 * its path prefix; heap. NULL and `err` when there is none, or the caller may not list them. */
char *prometheus_proxy_find(struct session *session, struct error *err);

#endif
