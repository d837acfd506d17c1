/*
 * An engine of somebody's own: the signals that spec.engine.signals describes, in the form of a preset.
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
/* What all their metrics begin with. Behind it are 16 digits that stand for series, sum or maximum, and unit, so that two
 * figures are never one metric. */
#define CUSTOM_METRIC "custom_"

struct custom_engine;

/* By spec.engine.type and spec.engine.signals; NULL when the type is another. Heap, the caller frees it. */
struct custom_engine *custom_engine_new(const char *type, const json_t *signals);
const struct engine *custom_engine(const struct custom_engine *custom);
/* NULL is allowed. */
void custom_engine_free(struct custom_engine *custom);
void custom_engine_free_indirect(struct custom_engine **custom);
#define auto_custom_engine ATTR_CLEANUP(custom_engine_free_indirect) struct custom_engine

#endif
