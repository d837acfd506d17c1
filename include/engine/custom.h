/*
 * An engine of somebody's own: the signals that spec.engine.signals describes, in the form of a preset.
 *
 * The adapter reads its rules only at start, so it cannot be given one for each engine that somebody describes. It has one for
 * each figure, which knows no series: it finds samples by their tag, a label that our ServiceMonitor puts on those which the
 * spec describes. The label tells the figure; its value what becomes of a pod's samples, and, behind a '.', which description
 * it is of:
 *
 *   depth{queue="high"}  →  depth{queue="high",inference_autoscaler_waiting="sum.3fbe7e95"}
 *
 * So after an edit of the spec, while Prometheus has samples of before and of after it, nothing is counted twice.
 *
 * What a series is written as was checked (api/name_form.h): nothing in it can end a selector, a string or a template.
 */
#ifndef ENGINE_CUSTOM_H
#define ENGINE_CUSTOM_H

#include <jansson.h>

#include "base/attr.h"
#include "engine/presets.h"

/* spec.engine.type of such an engine. */
#define CUSTOM_ENGINE "Custom"
/* What all their metrics begin with. */
#define CUSTOM_METRIC "custom_"
/* What the labels of all tags begin with. */
#define CUSTOM_TAGS "inference_autoscaler_"

/* The adapter's rules for them: an engine that has all signals, without series and with tags of no value. */
extern const struct engine custom_rules;

struct custom_engine;

/* By spec.engine.type and spec.engine.signals; NULL when the type is another. Heap, the caller frees it. */
struct custom_engine *custom_engine_new(const char *type, const json_t *signals);
const struct engine *custom_engine(const struct custom_engine *custom);
/* NULL is allowed. */
void custom_engine_free(struct custom_engine *custom);
void custom_engine_free_indirect(struct custom_engine **custom);
#define auto_custom_engine ATTR_CLEANUP(custom_engine_free_indirect) struct custom_engine

/* The matcher label="value" of the samples that Prometheus has of a signal. Heap, NULL when it has no tag. */
char *custom_tag_matcher(const struct engine_signal *signal);
/* What gives a sample the signal's tag: one metric relabeling, as a ServiceMonitor writes it. New reference, NULL when it
 * has no tag. */
json_t *custom_tag_relabeling(const struct engine_signal *signal);
/* The same as one line of a Prometheus' metric_relabel_configs. Heap, NULL likewise. */
char *custom_tag_config(const struct engine_signal *signal);

#endif
