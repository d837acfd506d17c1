/*
 * The form of spec.engine.signals, which describes the figures of an engine of type Custom.
 */
#ifndef API_ENGINE_SIGNALS_H
#define API_ENGINE_SIGNALS_H

#include <jansson.h>
#include <stdbool.h>

/* Whether it is a list of 1 to 4 figures, each once. */
bool engine_signals_are(const json_t *list);

#endif
