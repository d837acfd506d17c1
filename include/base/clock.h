/*
 * Time as numbers: milliseconds since the epoch for the wall, milliseconds since an arbitrary
 * start for durations. The pure rooms (api, engine, children, chain, reconcile) never call the
 * clocks; they are given the time.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_wall_ms(void);
int64_t clock_monotonic_ms(void);
/* CPU time of this thread, in nanoseconds since an arbitrary start: on a busy machine, or with a limit of CPU, most of
 * the time that passes may be others'. */
int64_t clock_worked_ns(void);

/* RFC 3339 in UTC with seconds, as Kubernetes' metav1.Time: "2026-01-31T08:00:00Z"; heap, caller
 * owns. */
char *clock_rfc3339(int64_t wall_ms);
/* With microseconds, as metav1.MicroTime. */
char *clock_rfc3339_micro(int64_t wall_ms);
/* Parses either form, to the millisecond; -1 when it is not such a time or before the epoch. */
int64_t clock_parse_rfc3339(const char *text);
/* A Go/Prometheus duration ("15s", "1m30s", "500ms") in milliseconds, rounded up; -1
 * when malformed. */
int64_t clock_parse_duration(const char *text);

#endif
