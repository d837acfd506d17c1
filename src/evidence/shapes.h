/* The shapes of requests, which evidence names, and of all evidence. Private to src/evidence. */
#ifndef EVIDENCE_SHAPES_H
#define EVIDENCE_SHAPES_H

#include "base/shape.h"

extern const struct shape shape_probe_request, shape_shared_request, shape_evidence;

#endif
