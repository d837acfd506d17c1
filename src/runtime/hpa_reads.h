/*
 * The reads that the HPA's controller makes of our metrics, counted by all replicas together, and what follows of its
 * period.
 *
 * Each replica is asked for a part of them, and which part changes from minute to minute: only all together prove that a
 * metric is read seldom. So each announces a bound of its reads beside its certificates (read_claim.h), and each adds up
 * what all announce, so that one that takes over knows already. What is read, and so what the mean is of, are the metrics
 * that the HPAs of source Direct have just read by their own status: a paused HPA, or one that cannot read, is none.
 *
 * Reads are taken for more, and metrics for fewer, wherever it is not certain: the period is at least what is told. While a
 * replica does not say, as for the first minutes of each, or one has just gone whose reads others have now, nothing new is
 * told. Private to src/runtime.
 */
#ifndef RUNTIME_HPA_READS_H
#define RUNTIME_HPA_READS_H

#include <stdint.h>
#include <uv.h>

#include "read_claims.h"

struct announcements;
struct controller;
struct hpa_reads;

/* All borrowed. */
struct hpa_reads_options {
	struct controller *controller; /* that is told the period */
	struct announcements *announcements;
	const char *identity;
	int64_t after_ms; /* so long it is watched before its period is told; a round is a part of it, as a rule a minute */
	/* Which of the announced entries are of replicas that may be asked. */
	read_claims_live_fn *live;
	void *ctx;
};

struct hpa_reads *hpa_reads_new(uv_loop_t *loop, const struct hpa_reads_options *options);
/* Counts from now on. */
void hpa_reads_start(struct hpa_reads *reads);
/* Somebody has asked for a metric of ours; only the HPA's controller counts. `user` NULL = it is not known who. */
void hpa_reads_note(struct hpa_reads *reads, const char *user);
/* closed(ctx) from the loop; freed after it. */
void hpa_reads_close(struct hpa_reads *reads, void (*closed)(void *ctx), void *ctx);

#endif
