/*
 * An Event and how often it was told, and the lines in which such wait to be written. Private to src/kube.
 */
#ifndef KUBE_EVENT_SERIES_H
#define KUBE_EVENT_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kube/event.h"

/* At rest it has no text: it is kept only to count what repeats. */
struct series {
	struct kube_recorder *recorder;
	const char *key; /* the map's */
	char *ns;
	char *name;
	char *text; /* the whole Event, while it waits or a call is under way; it has no series */
	int64_t count;
	int64_t last_ms;      /* monotonic, for the window */
	int64_t last_wall_ms; /* for lastObservedTime */
	uint64_t since_ms;    /* loop time: in line */
	bool warning;
	bool created;        /* the API server has it */
	bool owed;           /* to be written, or written once more */
	bool waiting;        /* in one of the recorder's lines */
	struct series *next; /* in that line */
	struct kube_call *call;
};

/* Copies both texts. */
struct series *series_new(struct kube_recorder *recorder, const char *ns, const char *name);
/* For a map. */
void series_free(void *series);

/* First in, first out. */
struct line {
	struct series *first;
	struct series *last;
	size_t count;
};

void line_add(struct line *line, struct series *series);
/* The first, which is owed no more; NULL when nothing waits there. */
struct series *line_take(struct line *line);

#endif
