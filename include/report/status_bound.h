/*
 * How long each string of the status may be: one that is longer has the API server refuse the whole status.
 */
#ifndef REPORT_STATUS_BOUND_H
#define REPORT_STATUS_BOUND_H

#include <jansson.h>
#include <stddef.h>

struct status_bound {
	const char *path; /* in the CRD's status, without its lists' indices */
	size_t max;       /* its maxLength there, in characters; here they are bytes, which are never fewer */
};

extern const struct status_bound status_bounds[];
extern const size_t status_bounds_count;

/* The text as the string at this path, cut to its bound and made valid UTF-8. New reference; NULL for NULL. */
json_t *status_string(const char *path, const char *text);

#endif
