/* Which times of a Lease are safe. */
#include "kube/lease.h"
#include "timing.h"

/* Of what can be set: a renewal is a write of the API server's, and its own field counts seconds in 32 bits. */
#define RETRY_MIN_MS 100
#define DURATION_MAX_MS (3600 * 1000)

/* A renewal comes up to a fifth later than it should. */
bool lease_is_in_time(int64_t duration_ms, int64_t deadline_ms, int64_t retry_ms)
{
	return duration_ms > deadline_ms && deadline_ms > retry_ms + retry_ms / 5;
}

int kube_lease_check_times(const struct kube_lease_times *times, struct error *err)
{
	if (times->retry_ms < RETRY_MIN_MS) {
		return error_set(err, ERROR_INVALID,
			"the Lease would be renewed every %lld ms: every %d ms is enough at the least",
			(long long)times->retry_ms, RETRY_MIN_MS);
	}
	if (times->duration_ms % 1000 != 0 || times->duration_ms > DURATION_MAX_MS) {
		return error_set(err, ERROR_INVALID,
			"the Lease's duration is %lld ms: whole seconds are wanted, %d at most",
			(long long)times->duration_ms, DURATION_MAX_MS / 1000);
	}
	if (!lease_is_in_time(times->duration_ms, times->deadline_ms, times->retry_ms)) {
		return error_set(err, ERROR_INVALID,
			"the Lease holds %lld ms, is renewed for up to %lld ms, and every %lld ms: each has to be less than "
			"the one before, the last by a fifth",
			(long long)times->duration_ms, (long long)times->deadline_ms, (long long)times->retry_ms);
	}
	return 0;
}
