/*
 * What objects are found by beside their names: those that scale by their target, and children that no owner reference
 * leads to by what they are labelled with.
 */
#ifndef VIEW_INDEX_H
#define VIEW_INDEX_H

#include <stdbool.h>

#include "view/view.h"

/* Of an InferenceAutoscaler, an HPA and a ScaledObject the namespace and name of what it scales; of a Service, a
 * ServiceMonitor and a PrometheusRule those of its autoscaler where its labels name them both, or "" and SHARED_GPU where
 * autoscalers share it. False = nothing. Borrowed. */
bool view_index(const struct view *view, const char **ns, const char **name);

#endif
