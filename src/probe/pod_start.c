/* From pods' times to how long one takes to be of use. */
#include "pod_start.h"

#include <string.h>

#include "base/memory.h"

#define START_MAX_MS 3600000

/* In seconds, rounded up; -1 when it does not tell. */
static int64_t seconds_of(const struct view_pod *pod, int64_t ready_ms, const struct pod_start *last)
{
	int64_t created_ms = pod->view.meta.created_ms;
	int64_t took_ms = ready_ms - created_ms;

	if (last != NULL && last->pod != NULL && strcmp(last->pod, pod->view.meta.name) == 0) {
		return last->seconds;
	}
	if (created_ms <= 0 || took_ms <= 0 || took_ms > START_MAX_MS || pod->restarted) {
		return -1;
	}
	return (took_ms + 999) / 1000;
}

void pod_start_quickest(const struct pod_list *list, const struct counted_pods *counted, const struct pod_start *last,
	struct pod_start *start)
{
	const char *quickest = NULL;
	int64_t least = 0;

	for (size_t i = 0; i < list->count; i++) {
		const char *name = list->pods[i]->view.meta.name;
		const struct counted_pod *pod = counted_pods_find(counted, name);
		int64_t seconds =
			pod != NULL && pod->ready_ms >= 0 ? seconds_of(list->pods[i], pod->ready_ms, last) : -1;

		if (seconds >= 0 && (quickest == NULL || seconds < least)) {
			quickest = name;
			least = seconds;
		}
	}
	start->pod = xstrdup(quickest);
	start->seconds = quickest != NULL ? least : start->seconds;
}
