/*
 * One signal along the links that are its own: its samples in Prometheus, compared with the pods' pages, then its
 * metric, compared with the samples. Where the pages are read by our own metrics API, what they say is in the samples'
 * place.
 */
#ifndef PROBE_SIGNAL_PROBE_H
#define PROBE_SIGNAL_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "hpa_silence.h"
#include "key_probe.h"
#include "metric_query.h"

/* Everything is borrowed and outlives the probe. */
struct signal_probe {
	const struct probe_context *context;
	const struct probe_request *request;
	const struct evidence *last; /* the probe's evidence before; NULL = none */
	const struct page_seen
		*page; /* of this probe, or of one that is direct that which stands; NULL = none was read */
	const struct counted_pods *counted;
	const char *selector; /* the pods' labels */
	const struct signal_request *signal;
	struct signal_seen *seen;          /* to be filled */
	const struct hpa_silence *silence; /* of its HPA */
	bool healthy;                      /* answers that others got lately will do */
	void (*done)(void *ctx);
	void *ctx;

	int64_t again_ms; /* how soon another probe is wanted; 0 = at its time */
	bool awaited;     /* the HPA is about to read the metric, and nothing else is missing */

	/* The probe's own. */
	bool same_question;               /* as the probe before */
	const struct signal_seen *before; /* the signal's evidence of that; NULL = none */
	struct metric_query *query;
	bool cancelled;
};

/* `done` comes once, from the loop. */
void signal_probe_start(struct signal_probe *probe);
/* `done` comes all the same, soon unless an answer of Prometheus is awaited. */
void signal_probe_cancel(struct signal_probe *probe);

#endif
