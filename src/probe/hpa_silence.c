/* An HPA that has not spoken yet. */
#include "hpa_silence.h"

#include "base/clock.h"

/* Whether it says nothing of any of the metrics. */
static bool is_silent(const struct prober_hooks *hooks, const struct probe_request *request, bool *there)
{
	*there = false;
	for (size_t i = 0; i < request->signals.count; i++) {
		struct hpa_says says =
			hooks->hpa(hooks->ctx, request->ns, request->name, request->signals.items[i].metric);

		*there = says.there;
		if (says.spoke) {
			return false;
		}
	}
	return true;
}

void hpa_silence_begin(struct hpa_silence *silence, const struct prober_hooks *hooks,
	const struct probe_request *request)
{
	*silence = (struct hpa_silence){.since_ms = clock_monotonic_ms()};
	hpa_silence_look(silence, hooks, request);
}

void hpa_silence_look(struct hpa_silence *silence, const struct prober_hooks *hooks,
	const struct probe_request *request)
{
	bool there;

	silence->silent = is_silent(hooks, request, &there);
	if (silence->silent) {
		silence->last_ms = clock_wall_ms();
	}
	/* The time of one that was made meanwhile begins with it. */
	if (there && !silence->there) {
		silence->since_ms = clock_monotonic_ms();
	}
	silence->there = there;
}

int64_t hpa_silence_awaited_ms(const struct hpa_silence *silence)
{
	int64_t left_ms = silence->since_ms + HPA_SPEAKS_MS - clock_monotonic_ms();

	return silence->silent && left_ms > 0 ? left_ms : 0;
}
