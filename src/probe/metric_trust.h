/*
 * Whether the metrics API need not be asked again, because all that is known besides says what it said last.
 *
 * The HPA reads the metric every 15 s, and its status, which is watched, tells whether it could and what it read. As
 * long as that agrees with the samples in Prometheus, and nothing has changed, the last good answer stands. Private to
 * src/probe.
 */
#ifndef PROBE_METRIC_TRUST_H
#define PROBE_METRIC_TRUST_H

#include <stdbool.h>
#include <stdint.h>

#include "evidence/evidence.h"
#include "counted_pods.h"
#include "probe/probe.h"

/* Then it is asked all the same; each key has its own jitter of 20 %, so that many do not ask in one moment. */
#define METRIC_TRUSTED_MS (10 * 60 * 1000)

/* All is borrowed. */
struct metric_trust {
	const struct probe_request *request;
	bool same_question;               /* as the probe before */
	bool healthy;                     /* the probe */
	const struct signal_seen *before; /* of the probe before; NULL = none */
	const struct signal_seen *now;    /* of this one: its series, and what they mismatch */
	const struct counted_pods *counted;
	struct probe_hpa hpa; /* of the signal's metric */
	int64_t fresh_ms;     /* a sample that is as old counts no more */
	int64_t now_ms;
};

bool metric_is_trusted(const struct metric_trust *trust);
/* How long an answer is trusted for this key. */
int64_t metric_trusted_ms(const char *ns, const char *name);

#endif
