/*
 * The inside of an informer, shared by its three files: informer.c (life, cache and what the owner
 * is told), informer_list.c and informer_watch.c. Private to src/kube.
 *
 *        start
 *          │            404: missing           broken or ended: same resourceVersion
 *          ▼          ┌────────────┐          ┌──────────┐
 *   ┌─► list pages ───┤            ├──► watch ┤          ├──► watch …
 *   │      ▲          └─► wait ──┐ │          └─► wait ──┘
 *   │      └─────────────────────┘ │
 *   └──── expired, type gone, undecodable event ◄────────┘
 *
 * At any time there is either one call under way or the timer running (or neither, when closed).
 */
#ifndef KUBE_INFORMER_PARTS_H
#define KUBE_INFORMER_PARTS_H

#include "base/map.h"
#include "base/strbuf.h"
#include "call.h"
#include "kube/informer.h"
#include "net/backoff.h"
#include "pace.h"

enum informer_step { INFORMER_LIST, INFORMER_WATCH };

struct kube_informer {
	struct kube_client *client;
	const struct kube_resource *resource;
	char *path;	      /* of the collection */
	char *field_selector; /* NULL = none */
	char *words_list;     /* "list Service objects" */
	char *words_watch;
	struct kube_informer_hooks hooks;
	struct informer_pace pace;
	struct kube_cache *cache;
	struct kube_call *call;
	uv_timer_t timer;
	enum informer_step next; /* what the timer starts */
	struct backoff backoff;

	char *resource_version; /* where the next watch starts */
	struct map seen;	/* keys of the list under way */
	bool whole;		/* the list under way is not paged */

	char *watched_from; /* resource_version at the watch's start: did it tell us anything? */
	int64_t watch_start_ms;
	int failures;		  /* of watches, in a row */
	bool lost_event;	  /* an event could not be read: list again after this watch */
	struct error event_error; /* an ERROR event that ended the watch */

	bool synced;
	bool missing;
	struct error error;
	int64_t progress_ms;

	bool closing;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

/* informer_list.c: the next page (`token` NULL = the first). */
void informer_start_list(struct kube_informer *informer, const char *token);
/* informer_watch.c: from informer->resource_version. */
void informer_start_watch(struct kube_informer *informer);

/* Something was heard from the server. */
void informer_progress(struct kube_informer *informer);
/* Takes `err` (NULL = none); calls the state hook when anything is new. */
void informer_set_state(struct kube_informer *informer, bool synced, bool missing,
			struct error *err);
/* Puts into the cache; calls the changed hook when that changed anything. */
void informer_take(struct kube_informer *informer, json_t *object);
void informer_drop(struct kube_informer *informer, json_t *object);
/* Drops all objects whose key is not in `seen`. */
void informer_drop_unseen(struct kube_informer *informer);
void informer_wait_then(struct kube_informer *informer, enum informer_step next, int64_t delay_ms);
void informer_back_off_then(struct kube_informer *informer, enum informer_step next,
			    int64_t retry_after_ms);
/* After each completed call: true when the informer is on its way out. */
bool informer_ended(struct kube_informer *informer);
void informer_add_query(struct strbuf *path, const char *name, const char *value);

#endif
