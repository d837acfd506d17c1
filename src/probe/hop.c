/* Mismatches and samples by pod. */
#include "hop.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static int compare_mismatch(const void *pod, const void *mismatch)
{
	return strcmp(pod, ((const struct pod_mismatch *)mismatch)->pod);
}

static int compare_sample(const void *pod, const void *sample)
{
	return strcmp(pod, ((const struct sample *)sample)->pod);
}

struct mismatch hop_remembers(const struct hop *hop, const char *pod)
{
	const struct pod_mismatch *found =
		hop->count > 0 ? bsearch(pod, hop->before, hop->count, sizeof(*hop->before), compare_mismatch) : NULL;

	return found != NULL ? found->mismatch : (struct mismatch){.looks = 0};
}

void hop_add(const struct hop *hop, const char *pod, const struct mismatch *mismatch)
{
	struct pod_mismatch *own = shape_add(&shape_pod_mismatch, hop->now);

	own->pod = xstrdup(pod);
	own->mismatch = *mismatch;
}

const struct sample *hop_sample(const struct series_seen *series, const char *pod)
{
	const struct sample *samples = series->samples.items;

	return series->samples.count > 0
	               ? bsearch(pod, samples, series->samples.count, sizeof(*samples), compare_sample)
	               : NULL;
}
