/*
 * The figures that spec.requests asks for, in either of its forms: signal and target, or a list of both.
 */
#ifndef API_WANTED_SIGNALS_H
#define API_WANTED_SIGNALS_H

#include <jansson.h>

#include "api/autoscaler.h"

/* Fills the autoscaler's signals from the InferenceAutoscaler; -1 and ERROR_INVALID naming the field and the remedy. What
 * spec_form_check() refuses is left out, or has the name "". */
int wanted_signals_decode(const json_t *object, struct autoscaler *autoscaler, struct error *err);

#endif
