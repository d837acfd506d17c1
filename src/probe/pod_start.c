/* From pods' times to how long one takes to be of use. */
#include "pod_start.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "kube/resource.h"

#define START_MAX_MS 3600000

static bool was_restarted(const json_t *pod)
{
	size_t i;
	json_t *container;

	json_array_foreach(json_path(pod, "status.containerStatuses"), i, container) {
		if (json_path_int(container, "restartCount", 0) > 0) {
			return true;
		}
	}
	return false;
}

/* In seconds, rounded up; -1 when it does not tell. */
static json_int_t seconds_of(const json_t *pod, json_int_t ready_ms, const json_t *last)
{
	int64_t created_ms = clock_parse_rfc3339(json_path_string(pod, "metadata.creationTimestamp", ""));
	int64_t took_ms = ready_ms - created_ms;

	if (strcmp(json_path_string(last, "pod", ""), kube_object_name(pod)) == 0) {
		return json_path_int(last, "seconds", -1);
	}
	if (created_ms < 0 || took_ms <= 0 || took_ms > START_MAX_MS || was_restarted(pod)) {
		return -1;
	}
	return (took_ms + 999) / 1000;
}

json_t *pod_start_quickest(const json_t *list, const json_t *ready, const json_t *last)
{
	const char *quickest = NULL;
	json_int_t least = 0;
	size_t i;
	json_t *pod;

	json_array_foreach(json_object_get(list, "items"), i, pod) {
		const json_t *since = json_object_get(ready, kube_object_name(pod));
		json_int_t seconds = json_is_integer(since) ? seconds_of(pod, json_integer_value(since), last) : -1;

		if (seconds >= 0 && (quickest == NULL || seconds < least)) {
			quickest = kube_object_name(pod);
			least = seconds;
		}
	}
	return quickest != NULL ? json_pack("{s:s, s:I}", "pod", quickest, "seconds", least) : NULL;
}
