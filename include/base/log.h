/*
 * Structured log lines on stderr: a constant message and key/value pairs, as text or JSON.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/attr.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

void log_configure(enum log_level level, enum log_format format);
/* -1 when the name is unknown. */
int log_level_from_name(const char *name);
int log_format_from_name(const char *name);

/* Key/value pairs of strings, ended by NULL:
 * log_event(LOG_INFO, "watch started", "kind", kind, NULL); a NULL value is printed as "", one of others' words
 * is cut at 2 KiB. In JSON a key that is taken ("time", "level", "message") has a '_' behind it. */
void log_event(enum log_level level, const char *message, ...) ATTR_SENTINEL;

#endif
