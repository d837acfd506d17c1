/*
 * The cluster's pods as they are watched: those that a selector matches, and who is notified when one of them changes.
 *
 * A lookup costs what it finds: the pods of a namespace that have the same labels are one group, which is found by the
 * rarest label that the selector asks for. So does a change: a pod that no reader selects notifies none, however many
 * there are. Pods that ended are none. All of it is in memory, nothing here asks anybody.
 */
#ifndef PODS_PODS_H
#define PODS_PODS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "view/pod.h"
#include "view/selector.h"

struct pods;

struct pods *pods_new(void);
/* Every reader was released. NULL is allowed. */
void pods_free(struct pods *pods);

/* A pod as it is now; a reference is kept. */
void pods_put(struct pods *pods, const struct view *pod);
void pods_remove(struct pods *pods, const char *ns, const char *name);
size_t pods_count(const struct pods *pods);

/* Whether all pods were put, and why they cannot be known (copied; NULL = they can). Until the first call they are
 * neither known nor refused: they are awaited. True when this is another state than before. */
bool pods_set_state(struct pods *pods, bool known, const struct error *refused);
bool pods_awaited(const struct pods *pods);

/* Some pods, ordered by name; holds a reference of each. */
struct pod_list {
	const struct view_pod **pods;
	size_t count;
};

/* `selector` is given. */
struct pod_list pods_find(const struct pods *pods, const char *ns, const struct view_selector *selector);
void pod_list_release(struct pod_list *list);
#define auto_pod_list ATTR_CLEANUP(pod_list_release) struct pod_list

struct pod_reading;

/* Who reads the pods of one selector. It stays where it is from init to release. */
struct pod_reader {
	/* One of them came, changed in what a probe sees, or went; once for each time. The reader may not be released, nor
	 * given another selector, within this call. */
	void (*changed)(struct pod_reader *reader);
	struct pods *pods;           /* borrowed */
	struct pod_reading *reading; /* what it reads; NULL before the first pod_reader_select() */
};

void pod_reader_init(struct pod_reader *reader, struct pods *pods, void (*changed)(struct pod_reader *reader));
void pod_reader_release(struct pod_reader *reader);
/* What it reads from now on: the selector in the form of text. The same again costs nothing. */
void pod_reader_select(struct pod_reader *reader, const char *ns, const char *selector);
/* The pods that it selects now, to be released by the caller. -1 when they cannot be known, or the text is no selector. */
int pod_reader_find(const struct pod_reader *reader, struct pod_list *found, struct error *err);

#endif
