/* The values on the pages as samples. */
#include "page_samples.h"

#include "base/clock.h"
#include "base/memory.h"

void page_samples(const struct page_seen *page, const char *metric, const struct counted_pods *counted,
	struct series_seen *series)
{
	int64_t now_ms = clock_wall_ms();

	series->seen_ms = page->seen_ms;
	for (size_t i = 0; i < page->values.count; i++) {
		const struct page_values *pod = &page->values.items[i];
		const struct metric_value *value = shape_find(&shape_metric_value, &pod->values, metric);
		struct sample *sample;

		if (value == NULL || value->milli == MILLI_NONE || counted_pods_find(counted, pod->pod) == NULL) {
			continue;
		}
		sample = shape_add(&shape_sample, &series->samples);
		*sample = (struct sample){.pod = xstrdup(pod->pod),
			.age_ms = now_ms - page->seen_ms,
			.time_ms = page->seen_ms,
			.milli = value->milli,
			.source = MILLI_NONE};
		series->pods++;
	}
}
