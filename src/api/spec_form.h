/*
 * The form that a spec must have, as crds/ says it: of a file nobody else checks it, nor of a resource from before a rule.
 */
#ifndef API_SPEC_FORM_H
#define API_SPEC_FORM_H

#include <jansson.h>

#include "base/error.h"

/* -1 and ERROR_INVALID naming the field and the remedy when a field of the InferenceAutoscaler is not of its form. What is
 * absent, or null, is not checked. */
int spec_form_check(const json_t *object, struct error *err);

#endif
