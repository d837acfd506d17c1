/* Quantiles from the buckets of a histogram. */
#include "engine/histogram.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "engine/page.h"

#define BUCKETS_MAX 128

struct bucket {
	double bound;
	double count; /* of what is at most that */
};

struct buckets {
	struct bucket of[BUCKETS_MAX];
	size_t count;
};

static bool add(struct buckets *buckets, double bound, double count)
{
	size_t i = 0;

	while (i < buckets->count && buckets->of[i].bound < bound) {
		i++;
	}
	if (i < buckets->count && buckets->of[i].bound <= bound) {
		buckets->of[i].count += count;
		return true;
	}
	if (buckets->count == BUCKETS_MAX) {
		return false;
	}
	memmove(&buckets->of[i + 1], &buckets->of[i], (buckets->count - i) * sizeof(buckets->of[0]));
	buckets->of[i] = (struct bucket){bound, count};
	buckets->count++;
	return true;
}

/* The bound "le" of a bucket; NAN when it has none. */
static double bound_of(const struct page_sample *sample)
{
	const struct page_label *le = page_sample_label(sample, "le", 2);
	double bound;

	return le != NULL && page_number(le->value, le->value_len, &bound) ? bound : NAN;
}

static bool read_buckets(const struct page *page, const char *name, struct buckets *buckets)
{
	auto_free char *series = xasprintf("%s_bucket", name);
	size_t len = strlen(series);
	const struct page_sample *sample = NULL;

	buckets->count = 0;
	while ((sample = page_next_sample(page, series, len, sample)) != NULL) {
		double bound = bound_of(sample);

		if (isnan(bound) || !(sample->value >= 0) || !add(buckets, bound, sample->value)) {
			return false;
		}
	}
	return buckets->count > 0 && isinf(buckets->of[buckets->count - 1].bound) &&
	       !page_has_too_many(page, series, len);
}

bool histogram_quantile(const struct page *page, const char *name, double share, struct quantile *quantile)
{
	struct buckets buckets;
	double before = 0;

	if (!read_buckets(page, name, &buckets)) {
		return false;
	}
	*quantile = (struct quantile){.upto = -1, .count = buckets.of[buckets.count - 1].count};
	for (size_t i = 0; i < buckets.count; i++) {
		if (buckets.of[i].count < before) {
			return false; /* a sum over series of unlike buckets */
		}
		before = buckets.of[i].count;
		if (quantile->upto < 0 && before >= share * quantile->count) {
			quantile->upto = buckets.of[i].bound;
			quantile->over = i > 0 ? buckets.of[i - 1].bound : 0;
		}
	}
	return quantile->count > 0;
}
