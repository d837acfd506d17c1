/* From an exporter's page to the figures of pods. */
#include "gpu_page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "engine/gpu.h"
#include "engine/query.h"

/* A sample of a GPU, or of one MIG instance of it, that a pod holds. */
struct held {
	char *pod; /* "namespace/name" */
	char *gpu; /* its UUID and, behind a '"', the instance's */
	size_t series;
	double percent;
};

struct all {
	struct held *items;
	size_t count;
	size_t cap;
};

void gpu_page_want(struct page *page)
{
	for (size_t i = 0; gpu_dcgm_series[i] != NULL; i++) {
		page_want(page, gpu_dcgm_series[i]);
	}
}

static char *label(const struct page_sample *sample, const char *name)
{
	const struct page_label *found = page_sample_label(sample, name, strlen(name));

	return found != NULL ? xstrndup(found->value, found->value_len) : xstrdup("");
}

/* As the rule: nothing but a value that can be one; GPU_UTIL does not exist for an instance. */
static bool read_percent(size_t series, const char *instance, double value, double *percent)
{
	if (series == 0) {
		*percent = value;
		return instance[0] == '\0' && value >= 0 && value <= 100;
	}
	*percent = 100 * fmin(value, 1);
	return value >= 0 && value <= 2;
}

static void add_sample(struct all *all, size_t series, const struct page_sample *sample)
{
	auto_free char *ns = label(sample, "namespace");
	auto_free char *pod = label(sample, "pod");
	auto_free char *gpu = label(sample, "UUID");
	auto_free char *instance = label(sample, "GPU_I_ID");
	struct held held = {.series = series};

	if (ns[0] == '\0' || pod[0] == '\0' || !read_percent(series, instance, sample->value, &held.percent)) {
		return;
	}
	held.pod = xasprintf("%s/%s", ns, pod);
	held.gpu = xasprintf("%s\"%s", gpu, instance);
	all->items = xgrow(all->items, &all->cap, all->count + 1, sizeof(*all->items));
	all->items[all->count++] = held;
}

static int same_gpu(const struct held *one, const struct held *other)
{
	int pods = strcmp(one->pod, other->pod);

	return pods != 0 ? pods : strcmp(one->gpu, other->gpu);
}

/* By pod and GPU, of each first the series that is believed more, and of that the largest value. */
static int compare(const void *a, const void *b)
{
	const struct held *one = a;
	const struct held *other = b;
	int order = same_gpu(one, other);

	if (order != 0 || one->series != other->series) {
		return order != 0 ? order : one->series < other->series ? -1 : 1;
	}
	return one->percent > other->percent ? -1 : one->percent < other->percent;
}

/* The GPUs of the pod from `begin` on; returns where the next pod's begin. */
static size_t answer_pod_from(const struct all *all, size_t begin, struct figures *figures)
{
	double sum = 0;
	size_t gpus = 0;
	size_t i = begin;
	int64_t milli;

	for (; i < all->count && strcmp(all->items[i].pod, all->items[begin].pod) == 0; i++) {
		if (i == begin || same_gpu(&all->items[i - 1], &all->items[i]) != 0) {
			sum += all->items[i].percent;
			gpus++;
		}
	}
	if (query_milli(sum / (double)gpus, &milli)) {
		figures_add(figures, all->items[begin].pod, milli);
	}
	return i;
}

void gpu_page_answer(const struct page *page, struct figures *figures)
{
	struct all all = {.items = NULL};

	for (size_t s = 0; gpu_dcgm_series[s] != NULL; s++) {
		const struct page_sample *sample = NULL;

		while ((sample = page_next_sample(page, gpu_dcgm_series[s], strlen(gpu_dcgm_series[s]), sample)) !=
			NULL) {
			add_sample(&all, s, sample);
		}
	}
	if (all.count > 1) {
		qsort(all.items, all.count, sizeof(*all.items), compare);
	}
	for (size_t i = 0; i < all.count;) {
		i = answer_pod_from(&all, i, figures);
	}
	for (size_t i = 0; i < all.count; i++) {
		free_indirect(&all.items[i].pod);
		free_indirect(&all.items[i].gpu);
	}
	free_indirect(&all.items);
}
