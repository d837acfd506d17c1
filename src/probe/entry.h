/*
 * One key that is probed: what is asked for it, what was seen last, and when it is looked at again.
 *
 * Private to src/probe.
 */
#ifndef PROBE_ENTRY_H
#define PROBE_ENTRY_H

#include <stdbool.h>
#include <uv.h>

#include "evidence/evidence.h"
#include "hpa_silence.h"
#include "key_probe.h"
#include "net/agenda.h"
#include "net/line.h"
#include "pods/pods.h"
#include "probe/probe.h"
#include "timing.h"

/* What all keys have in common. */
struct entry_common {
	struct probe_context context;
	struct prober_hooks hooks;
	struct samples_questions questions;
	struct pods *pods;
	struct agenda agenda;                       /* when each is due */
	unsigned seed;                              /* of the jitter */
	struct line waiting;                        /* due; held while the pods are awaited */
	unsigned open;                              /* entries not freed yet, and the asker of Prometheus */
	void (*freed)(struct entry_common *common); /* after one is freed */
};

/* Lives until it is forgotten and no probe is under way. */
struct entry {
	struct entry_common *common;
	const char *key;        /* the prober's, until it is forgotten */
	struct agenda_item due; /* its next probe */
	/* Of an autoscaler, NULL of what is shared. */
	struct probe_request *request;
	struct evidence *evidence; /* of the last probe that ended */
	/* Of what is shared, NULL of an autoscaler. */
	struct shared_request *shared_request;
	struct shared_evidence *shared_evidence;
	struct pod_reader pods;
	struct hpa_silence silence;
	struct timing timing;
	bool gone;                /* forgotten: to be freed */
	struct list_item waiting; /* among the prober's */
	bool running;             /* a probe is under way */
	bool unread;              /* a pass is to read what was seen last: it sets the next probe */
	bool dropped;             /* the probe, since Prometheus fails from now on: it is begun again */
	struct key_probe *probe;  /* it, when it can be cancelled */
};

/* To be given its key. */
struct entry *entry_new(struct entry_common *common);
/* Forgets it: freed at once, or when its probe ends. */
void entry_close(struct entry *entry);
/* Sets its next probe by its timing. */
void entry_schedule(struct entry *entry);
/* What was seen last has been read: sets the next probe. Nothing when it had been read before. */
void entry_read(struct entry *entry);
/* As a healthy one: from then on Prometheus is asked by itself, and its news is reported. */
void entry_probe_soon(struct entry *entry);
/* It is due: what is shared is probed at once, others get into the line. */
void entry_due(struct agenda_item *item);
/* In the turn of the line: its probe begins. */
void entry_begin(struct list_item *item);

#endif
