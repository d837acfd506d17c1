/*
 * Who reads the pods of which selector, found by a pod's labels. Private to the room.
 */
#ifndef PODS_READERS_H
#define PODS_READERS_H

#include "label_index.h"
#include "view/view.h"

struct pod_reader;

/* What a reader reads. */
struct pod_reading {
	struct pod_reader *reader;
	char *ns;
	char *text;
	struct view_selector *selector; /* NULL = the text is none: it reads nothing */
	size_t selector_bytes;
	struct label_link *links;
	uint32_t links_count;
	uint64_t change; /* the last that the reader was notified of */
};

/* All zeros is empty. */
struct pod_readers {
	struct label_index index; /* struct pod_reading */
	uint64_t changes;         /* so far */
};

/* Every reading was freed. */
void pod_readers_release(struct pod_readers *readers);
struct pod_reading *pod_reading_new(struct pod_readers *readers, struct pod_reader *reader, const char *ns,
	const char *selector);
/* NULL is allowed. */
void pod_reading_free(struct pod_readers *readers, struct pod_reading *reading);
/* A pod is not what it was: calls `changed` once of each reader that selects it as it was or as it is. Either may be
 * NULL. */
void pod_readers_notify(struct pod_readers *readers, const struct view *before, const struct view *now,
	void (*changed)(struct pod_reader *reader));

#endif
