/*
 * Whether the metrics API need not be asked, because all that is known besides says what it says.
 *
 * The HPA reads the metric every 15 s, and its status, which is watched, tells whether it could and what it read. Of a
 * new HPA that is awaited, and is the proof (chain/hpa_says.h). As long as it goes on to agree with the samples in
 * Prometheus, and nothing has changed, the last good answer stands: also that of the operator before this one, which is in
 * the autoscaler's status. When that was given is not known, so that it stands for some part of the time, of each key
 * another: ten thousand are not asked for in the moment of a restart, but within the time that an answer stands for.
 * Private to src/probe.
 */
#ifndef PROBE_METRIC_TRUST_H
#define PROBE_METRIC_TRUST_H

#include <stdbool.h>
#include <stdint.h>

#include "evidence/evidence.h"
#include "counted_pods.h"
#include "hpa_silence.h"
#include "probe/probe.h"

/* Then it is asked all the same; each key has its own jitter. */
#define METRIC_TRUSTED_MS (10 * 60 * 1000)

/* All is borrowed. */
struct metric_trust {
	const struct probe_request *request;
	bool same_question;               /* as the probe before */
	bool healthy;                     /* the probe */
	const struct signal_seen *before; /* of the probe before; NULL = none */
	const struct signal_seen *now;    /* of this one: its series, and what they mismatch */
	const struct counted_pods *counted;
	struct hpa_says hpa;               /* of the signal's metric */
	const struct hpa_silence *silence; /* of the HPA */
	int64_t fresh_ms;                  /* a sample that is as old counts no more */
	int64_t now_ms;
};

enum metric_source {
	METRIC_ASK,      /* the metrics API */
	METRIC_STANDS,   /* the answer of the probe before */
	METRIC_BY_HPA,   /* the HPA has read it newly */
	METRIC_REPORTED, /* the answer that the autoscaler's status has from before our start */
	METRIC_AWAITED   /* the HPA is about to read it */
};

/* What is to be told of the metric, or by whom. */
enum metric_source metric_source(const struct metric_trust *trust);
/* When an answer that was reported counts as given: at some time, of this key always as long ago, for which it stands. */
int64_t metric_reported_ms(const struct probe_request *request, int64_t now_ms);

#endif
