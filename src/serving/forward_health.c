/* Counting failures. */
#include "forward_health.h"

bool forward_health_failed(struct forward_health *health, int64_t now_ms)
{
	if (health->failures == 0) {
		health->since_ms = now_ms;
	}
	health->failures++;
	if (health->failures < FORWARD_FAILURES_MAX &&
		(health->failures < FORWARD_FAILURES_MIN || now_ms - health->since_ms < FORWARD_FAILING_MS)) {
		return false;
	}
	forward_health_passed(health);
	return true;
}

void forward_health_passed(struct forward_health *health)
{
	*health = (struct forward_health){.failures = 0};
}
