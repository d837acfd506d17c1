/*
 * Reads that a probe makes of the API server, of all autoscalers together a few at once.
 *
 * While ten thousand chains come up, each asks the metrics API for its own value. The API server passes every one of
 * these on to the adapter, and would answer the writes that the chains wait for with "429 Too Many Requests". Who is
 * beyond the few waits in line, first come first served. Private to src/probe.
 */
#ifndef PROBE_API_READ_H
#define PROBE_API_READ_H

#include "kube/client.h"

/* Of the 100 that an API server carries at once on a connection; the passes' writes leave so many (runtime/controller.c). */
#define API_READS_MAX 16
/* One that takes longer counts no more: an adapter that hangs is to be found out for each chain, and not for sixteen every
 * half a minute, when these have timed out. */
#define API_READ_QUICK_MS 250

struct api_reads;
struct api_read;

/* The client is borrowed. */
struct api_reads *api_reads_new(struct kube_client *client);
/* None is left. closed(ctx) from the loop, freed after it. */
void api_reads_close(struct api_reads *reads, void (*closed)(void *ctx), void *ctx);
/* GET of a path ("/apis/…?query", read during the call). As kube_request: `done` comes from the loop, once. */
struct api_read *api_read_start(struct api_reads *reads, const char *path, kube_done_fn *done, void *ctx);
/* `done` comes all the same, soon. */
void api_read_cancel(struct api_read *read);

#endif
