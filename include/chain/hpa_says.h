/*
 * What the status of an autoscaler's HPA says of a metric, and when that proves that the metrics API serves it.
 *
 * The HPA controller asks the metrics API what we would ask it, every 15 s, for the first time 15 s after the HPA was
 * made; its status, which is watched, has what it read. But a status does not say when that was, nor, by most API servers,
 * of which spec it speaks: what it said when a question was asked for the first time may be of another target or of long
 * ago, for the controller may have stopped. So only what it says newly counts: it has been seen silent of what is asked,
 * and it speaks less than HPA_SAYS_MS later.
 */
#ifndef CHAIN_HPA_SAYS_H
#define CHAIN_HPA_SAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "evidence/evidence.h"
#include "view/autoscaler.h"
#include "view/hpa.h"

#define HPA_SAYS_MS 60000

struct hpa_says {
	bool there;            /* the HPA is */
	bool spoke;            /* of this metric or of its failure, and not of an older spec as far as that is known */
	bool active;           /* it could read its metrics last */
	int64_t average_milli; /* of the metric; MILLI_NONE = it has none */
	bool reported;         /* beside it the autoscaler's status, of this spec, says that the metric is served */
};

/* `hpa`: NULL = there is none. */
struct hpa_says hpa_says(const struct view_hpa *hpa, const char *metric);
/* Whether the HPA reads the metric. */
static inline bool hpa_says_value(const struct hpa_says *says)
{
	return says->there && says->active && says->average_milli != MILLI_NONE;
}

/* Whether the status of this autoscaler (NULL = there is none) speaks of its spec as it is, and says that this metric is
 * served. */
bool hpa_says_reported(const struct view *autoscaler, const char *metric);

/* All is borrowed. */
struct hpa_proof {
	const struct hpa_says *says;    /* now */
	int64_t silent_ms;              /* wall, when it was last seen silent of what is asked; 0 = it never was */
	int64_t now_ms;                 /* wall */
	const struct signal_seen *seen; /* the signal's samples, of now or of a moment ago */
	size_t counted;                 /* pods that count */
};

/* Whether the HPA has read the metric newly, and its average lies within the samples of all pods that count, which are
 * fresh, while nothing mismatches. */
bool hpa_proves(const struct hpa_proof *proof);

#endif
