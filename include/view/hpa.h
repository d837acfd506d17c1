/*
 * What is read of a HorizontalPodAutoscaler.
 */
#ifndef VIEW_HPA_H
#define VIEW_HPA_H

#include <assert.h>
#include <stdint.h>

#include "view/condition.h"
#include "view/view.h"

/* The average of a Pods metric; of other types none is read. */
struct view_hpa_average {
	const char *metric;
	int64_t milli; /* -1 = it is no quantity */
};

struct view_hpa {
	struct view view;
	const char *own_spec;    /* of ours the spec, for own_object() to read; NULL of all others */
	const char *changed_by;  /* view_changed_by() */
	const char *target_kind; /* "" = not given, as the next */
	const char *target_name;
	int64_t min_replicas; /* -1 = not given, as the next three */
	int64_t max_replicas;
	int64_t current_replicas;
	int64_t desired_replicas;
	int64_t observed_generation; /* of the status; -1 = not given, which is usual */
	struct view_conditions conditions;
	const struct view_hpa_average *averages;
	uint32_t averages_count;
};

extern const struct view_type view_hpa_type;

/* The average of this metric as the HPA read it last, in thousandths; -1 when it did not. `hpa`: NULL is allowed. */
int64_t view_hpa_average_of(const struct view_hpa *hpa, const char *metric);

static inline const struct view_hpa *view_hpa(const struct view *view)
{
	assert(view == NULL || view->type == &view_hpa_type);
	return (const struct view_hpa *)view;
}

#endif
