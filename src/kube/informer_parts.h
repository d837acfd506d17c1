/*
 * The inside of an informer, shared by its files. informer.c decides what follows on what; it starts a list
 * (informer_first.c, later informer_list.c) or a watch (informer_watch.c, which gives a streaming list's events to
 * informer_stream.c) and is called when that is done. All put what they read into informer_store.c, which has
 * informer_reports.c tell the owner. Private to src/kube.
 *
 *     start ──► streaming list ─────── its end bookmark ──────────┐
 *                 ▲    │ refused, silent, broken                  │
 *                 │    ▼                                          ▼
 *                 │  list ───────────────────────────────────► watch ──┐ broken or ended:
 *                 │    ▲  │ failed; 404: missing                  ▲    │ same resourceVersion
 *                 │    └ wait                                     └────┤
 *                 └─── expired, type gone, undecodable event, old ─────┘
 *
 * At any time there is one call under way or the timer running (or neither, when closed), which also paces the parts of a
 * page. During a streaming list there are both: the timer then ends one that fell silent.
 */
#ifndef KUBE_INFORMER_PARTS_H
#define KUBE_INFORMER_PARTS_H

#include "base/json_items.h"
#include "base/strbuf.h"
#include "call.h"
#include "kube/informer.h"
#include "net/backoff.h"
#include "timing.h"

enum informer_step {
	INFORMER_FILL, /* all of it anew: as a stream, or as a list where that is refused */
	INFORMER_LIST,
	INFORMER_WATCH
};

/* A list or a watch is done: `err` NULL = in order. `in_stream`: the server took the request and said `err` in the
 * stream. The call is over, also when the informer is closing. */
typedef void informer_done_fn(struct kube_informer *informer, const struct error *err, bool in_stream);

/* What changed in the cache and the owner does not know yet, in order; one reference to each. */
struct informer_reports {
	struct kube_difference *items;
	size_t cap;
	size_t count;
	size_t next; /* to be reported; those before it are done with */
};

struct informer_group;

/* How one informer stands for several, each of a namespace: informer_group.c. */
struct informer_front {
	void (*start)(struct informer_group *group);
	void (*retry)(struct informer_group *group);
	/* closed(ctx) when they all are. */
	void (*close)(struct informer_group *group, void (*closed)(void *ctx), void *ctx);
	void (*free)(struct informer_group *group);
	/* Whether all are refused. */
	bool (*refused)(const struct informer_group *group);
	/* That of the namespace; NULL = none. */
	const struct kube_informer *(*of)(const struct informer_group *group, uint32_t mark);
	/* Of the one that is furthest behind, but for those that are refused. */
	int64_t (*progress_ms)(const struct informer_group *group);
};

struct kube_informer {
	struct kube_client *client;
	const struct kube_resource *resource;
	struct informer_group *group;       /* owned: the informers that it stands for; NULL = it watches itself */
	const struct informer_front *front; /* what is done with them; NULL likewise */
	uint32_t mark;                      /* of its namespace */
	char *path;                         /* of the collection */
	char *field_selector;               /* NULL = none */
	char *words_list;                   /* "list Service objects" */
	char *words_watch;
	struct kube_informer_hooks hooks;
	struct informer_timing timing;
	struct kube_cache *cache;
	struct kube_call *call; /* under way; NULL = none */
	informer_done_fn *done; /* of the list or the watch under way */
	uv_timer_t timer;
	enum informer_step next; /* what the timer starts */
	struct backoff backoff;

	char *resource_version;      /* where the next watch starts */
	int64_t filled_ms;           /* when the cache was last filled from a whole list */
	bool whole;                  /* the list under way is not paged */
	struct kube_cache *arriving; /* what the list under way has shown; else NULL */
	int stream_failures;         /* of streaming lists, in a row */
	int first_failures;          /* of lists from the server's cache, before there was any list */
	struct json_items page;      /* of a list, on its way into it */
	bool lists_only;             /* the server has shown that it knows no streaming list */

	bool reported; /* the watch under way moved resource_version */
	int64_t watch_start_ms;
	int failures;             /* of watches, in a row */
	bool lost_event;          /* an event could not be read: list again after this watch */
	struct error event_error; /* an ERROR event that ended the watch */

	struct informer_reports reports;
	uv_timer_t pace; /* of the reports; runs while some wait */
	bool filled;     /* the state is to be reported after them */

	bool synced;
	bool missing;
	struct error error;
	int64_t progress_ms;

	bool closing;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

/* informer_first.c: from the server's cache as it comes, until ours is filled. */
void informer_first_start(struct kube_informer *informer, informer_done_fn *done);
/* informer_list.c: page by page, as etcd has it, until the cache is filled. */
void informer_list_start(struct kube_informer *informer, informer_done_fn *done);
/* informer_watch.c: from informer->resource_version. */
void informer_watch_start(struct kube_informer *informer, informer_done_fn *done);
/* One that begins with a streaming list: informer->arriving is not NULL while that comes in. */
void informer_watch_start_streaming(struct kube_informer *informer, informer_done_fn *done);

/* informer_stream.c: the events of a streaming list. */
void informer_stream_begin(struct kube_informer *informer);
void informer_stream_put(struct kube_informer *informer, json_t *object);
void informer_stream_remove(struct kube_informer *informer, json_t *object);
void informer_stream_bookmark(struct kube_informer *informer, json_t *object);

/* informer_reports.c. Takes `err` (NULL = none); calls the state hook when anything is new. */
void informer_set_state(struct kube_informer *informer, bool synced, bool missing, struct error *err);
/* A failure with a long Retry-After is a state at once: it may be the last that is heard for a minute. */
void informer_report_sent_away(struct kube_informer *informer, const struct error *err);
/* Calls the changed hook, now or after what waits already, a few milliseconds in a turn of the loop. */
void informer_report(struct kube_informer *informer, const void *before, const void *now);
/* Likewise many, and then the state of an informer that has synced. Takes a reference to each. */
void informer_report_list(struct kube_informer *informer, const struct kube_difference *all, size_t count);
void informer_reports_release(struct kube_informer *informer);

/* informer_store.c. Something was heard from the server. */
void informer_progress(struct kube_informer *informer);
/* Puts into the cache; has it reported when that changed anything. */
void informer_take(struct kube_informer *informer, json_t *object);
void informer_drop(struct kube_informer *informer, json_t *object);
void informer_clear(struct kube_informer *informer);
/* A list is kept aside until it is whole: then it is the cache's, and what was not in it is gone. */
void informer_begin_list(struct kube_informer *informer);
void informer_arrive(struct kube_informer *informer, json_t *object);
void informer_leave(struct kube_informer *informer, json_t *object);
/* Forgets what has arrived of a list that ended before it was whole. */
void informer_forget_list(struct kube_informer *informer);
/* All of a list of this resourceVersion has arrived: it is the cache's at once, and synced when all that differs is
 * reported. False when the owner closed the informer meanwhile. */
bool informer_filled(struct kube_informer *informer, const char *resource_version);

#endif
