/* The wish of one signal in its former shape, and the evidence it led to: until nobody makes such. */
#ifndef PROBE_FORMER_H
#define PROBE_FORMER_H

#include <jansson.h>

/* Today's wish for a former one {…, port, path, metric, series}; others as they are. New reference. */
json_t *former_wish(json_t *wish);
/* The former evidence when the wish was a former one; else as it is. */
json_t *former_evidence_take(json_t *evidence_take);

#endif
