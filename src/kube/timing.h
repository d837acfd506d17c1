/*
 * The waits of the informer, the lease and the recorder of Events, so that their tests need not wait that long. Private
 * to src/kube and its tests; everybody else lives with the defaults.
 */
#ifndef KUBE_TIMING_H
#define KUBE_TIMING_H

#include <stdbool.h>
#include <stdint.h>

#include "kube/event.h"
#include "kube/informer.h"
#include "kube/lease.h"

struct informer_timing {
	int64_t backoff_ms; /* first wait after a failure: 800 */
	int64_t missing_ms; /* between looks for a missing type: 10 000 */
	int64_t short_ms;   /* a watch that ends sooner than this and told nothing is a failure: 1 000
			   */
	int64_t margin_ms;  /* how long after timeoutSeconds a silent watch is given up: 30 000 */
	int min_timeout_s;  /* of a watch; it is random in [min, 2·min]: 300 */
	int64_t silence_ms; /* of a streaming list, until it is given up: 30 000 */
	int64_t relist_ms;  /* a list older than this is compared with a new one: 10 h */
};

struct lease_timing {
	int64_t duration_ms;  /* 15 000, in whole seconds */
	int64_t deadline_ms;  /* 10 000 */
	int64_t retry_ms;     /* of a leader's renewals: 2 000 */
	int64_t candidate_ms; /* of a candidate's looks, up to half more: 500 */
	int64_t release_ms;   /* how long the release at close may take: 5 000 */
};

struct recorder_timing {
	int64_t series_ms; /* a Warning that repeats within it is one Event: 360 000 */
	int64_t news_ms;   /* likewise what is no Warning: 60 000 */
	int64_t refill_ms; /* until an object may write one Event more: 300 000 */
	int64_t sweep_ms;  /* between two looks for what can be forgotten: 60 000 */
	int64_t calm_ms;   /* after somebody was busy last: 1 000 */
	int64_t hold_ms;   /* how long one waits for that at most: 30 000 */
};

void informer_set_timing(struct kube_informer *informer, const struct informer_timing *timing);
/* Whether duration > deadline > 1.2 × retry. */
bool lease_is_in_time(int64_t duration_ms, int64_t deadline_ms, int64_t retry_ms);
/* -1 unless it is so. */
int lease_set_timing(struct kube_lease *lease, const struct lease_timing *timing);
void recorder_set_timing(struct kube_recorder *recorder, const struct recorder_timing *timing);
/* How many Events and objects it remembers. */
size_t recorder_kept(const struct kube_recorder *recorder);

#endif
