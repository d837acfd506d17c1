/* Healthy, broken and waiting: how often. */
#include "timing.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/memory.h"
#include "prometheus.h"

#define HEALTHY_MS 30000
#define BROKEN_FIRST_MS 2000
#define TURNED_MS 1000 /* within this many after Prometheus has news, or the chain became whole */
#define BROKEN_MAX_MS 30000
#define WAITING_MAX_MS 5000
#define PODS_MS 1000
#define LATER_MS 20000
#define OF_KEY_PERCENT 20
#define PARTS 9973 /* a prime: all bits of a digest count */

/* Else the questions of an autoscaler that is alone would rest until it comes back: Prometheus would have fewer of
 * them, and its news would come late. HEALTHY_MS is jittered by 20 %. */
_Static_assert(PROMETHEUS_KEPT_REFRESHES *PROMETHEUS_REFRESH_MS > HEALTHY_MS * 12 / 10,
	"a question is kept until a healthy autoscaler asks it again");

/* ± 20 %, so that many autoscalers do not ask at the same moment. */
static int64_t jittered(int64_t ms, unsigned *seed)
{
	return ms * 8 / 10 + rand_r(seed) % (ms * 4 / 10 + 1);
}

/* Ever later, up to the most. */
static int64_t next_delay(struct timing *timing)
{
	int64_t max_ms = timing->interval == PROBE_WAITING ? WAITING_MAX_MS : BROKEN_MAX_MS;
	int64_t delay_ms = timing->delay_ms == 0 ? BROKEN_FIRST_MS : timing->delay_ms * 3 / 2;

	timing->delay_ms = delay_ms < max_ms ? delay_ms : max_ms;
	return timing->delay_ms;
}

/* Where nothing else is awaited than what the HPA says, which is notified (prober_notify()), nothing is to be seen before
 * it had its time. */
static int64_t wait_for_hpa(const struct evidence *last, unsigned *seed)
{
	return last->awaited_ms + rand_r(seed) % (last->awaited_ms / 5 + 1);
}

uint64_t timing_next(struct timing *timing, const struct evidence *last, unsigned *seed)
{
	int64_t again_ms = last != NULL ? last->again_ms : 0;
	int64_t wait_ms = HEALTHY_MS;

	if (timing->changed) {
		timing->delay_ms = 0;
		return timing->interval == PROBE_LATER ? LATER_MS : 0;
	}
	if (timing->interval == PROBE_HEALTHY) {
		timing->delay_ms = 0;
		if (timing->healed) {
			return timing_soon(seed);
		}
	} else {
		wait_ms = next_delay(timing);
	}
	wait_ms = jittered(wait_ms, seed);
	if (timing->interval == PROBE_WAITING && last != NULL && last->awaited_ms > 0) {
		wait_ms = wait_for_hpa(last, seed);
	}
	if (again_ms > 0 && again_ms < wait_ms) {
		wait_ms = again_ms;
	}
	return timing->pods_changed && timing_after_pods(timing) < (uint64_t)wait_ms ? timing_after_pods(timing)
	                                                                             : (uint64_t)wait_ms;
}

uint64_t timing_after_pods(const struct timing *timing)
{
	int64_t wait_ms = timing->begun_ms + PODS_MS - clock_monotonic_ms();

	return wait_ms > 0 ? (uint64_t)wait_ms : 0;
}

uint64_t timing_soon(unsigned *seed)
{
	return (uint64_t)(rand_r(seed) % TURNED_MS);
}

static enum timing_calm calm_of(const struct timing *timing)
{
	if (timing->changed || timing->anew || timing->pods_changed) {
		return TIMING_UNREST;
	}
	return timing->interval == PROBE_HEALTHY   ? TIMING_CALM
	       : timing->interval == PROBE_WAITING ? TIMING_WAITS
	                                           : TIMING_UNREST;
}

bool timing_begin(struct timing *timing, enum timing_calm *calm)
{
	bool healthy = timing->interval == PROBE_HEALTHY && !timing->anew && !timing->changed;

	*calm = calm_of(timing);
	timing->anew = timing->changed = false;
	timing->pods_changed = false;
	timing->healed = false;
	timing->begun_ms = clock_monotonic_ms();
	return healthy;
}

static uint64_t digest_of_key(const char *ns, const char *name)
{
	auto_free char *key = xasprintf("%s/%s", ns, name);

	return digest_bytes(key, strlen(key)).low;
}

int64_t timing_of_key(int64_t ms, const char *ns, const char *name)
{
	return ms / 100 * (100 - OF_KEY_PERCENT + (int64_t)(digest_of_key(ns, name) % (2 * OF_KEY_PERCENT + 1)));
}

int64_t timing_part_of_key(int64_t ms, const char *ns, const char *name)
{
	return timing_of_key(ms, ns, name) * (int64_t)(digest_of_key(ns, name) % PARTS) / PARTS;
}
