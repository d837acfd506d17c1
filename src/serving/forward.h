/*
 * Passing on what is not ours to the server whose metrics API we took over, and its answer back.
 *
 * The API server has let in who asks for exactly this path; the former owner is asked for the same path by our own account.
 * It may have only one of the two versions: then the other is asked, and the answer put in the words that are awaited.
 * Private to src/serving.
 */
#ifndef SERVING_FORWARD_H
#define SERVING_FORWARD_H

#include <stdbool.h>
#include <stdint.h>

#include "forward_health.h"
#include "measures.h"
#include "serving/metrics_api.h"

#define FORWARD_MAX_BYTES (4U * 1024 * 1024)
#define FORWARD_MS 10000
/* The list of metrics: what the API server asks to see whether we are there, which waits for 5 s. */
#define FORWARD_LIST_MS 3000
/* So many at once, and of them those of one namespace. */
#define FORWARD_MOST 64
#define FORWARD_SHARE 16

struct forward;

/* All borrowed. */
struct forward *forward_new(uv_loop_t *loop, struct http_client *http, const struct metrics_api_hooks *hooks,
	struct measures *measures);
/* What is under way is answered with 503; closed(ctx) comes from the loop, and the client may be closed after it. */
void forward_close(struct forward *forward, void (*closed)(void *ctx), void *ctx);
/* False when there is nobody to pass it on to: nothing happened then. Else the asker is answered later. `target` is one
 * that was split into proper parts. */
bool forward_ask(struct forward *forward, struct metrics_asker *asker);
/* The same of the list of a version, which ours is put before; without an answer it is ours alone. */
bool forward_list(struct forward *forward, struct metrics_asker *asker, const char *ours);

#endif
