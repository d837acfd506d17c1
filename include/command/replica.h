/*
 * One running operator: its clients, its Lease, its endpoint and the metrics API that it serves, from the start to an
 * orderly stop (SIGTERM, SIGINT).
 */
#ifndef COMMAND_REPLICA_H
#define COMMAND_REPLICA_H

#include "base/error.h"
#include "command/options.h"
#include "kube/lease.h"

/* Runs until it is stopped; the options and times were checked. The exit code; `err` when that is not of success. */
int replica_run(const struct options *options, const struct kube_lease_times *times, struct error *err);

#endif
