/*
 * Errors are values: a function that can fail takes `struct error *err` last and returns -1
 * (or NULL) after filling it.
 *
 * The kind decides what is done next (retry, back off, give up); the message is written once,
 * where the fact is known, and becomes a condition's text or a line on stderr. Wrapping on the
 * way up gives "outer: inner".
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdint.h>

#include "base/attr.h"

enum error_kind {
	ERROR_NONE = 0,
	ERROR_INVALID,      /* bad input: trying again without a change is no use */
	ERROR_NOT_FOUND,    /* the object or the resource type is not there */
	ERROR_CONFLICT,     /* resourceVersion precondition or ownership conflict */
	ERROR_FORBIDDEN,    /* authenticated but not allowed */
	ERROR_UNAUTHORIZED, /* credentials missing or refused */
	ERROR_EXPIRED,      /* the resourceVersion is too old: list again */
	ERROR_UNAVAILABLE,  /* transport, timeout, 429 or 5xx: try again later */
	ERROR_CANCELLED,    /* the caller or the shutdown took it back */
	ERROR_INTERNAL      /* a broken invariant or a malformed answer */
};

struct error {
	enum error_kind kind;
	int http;               /* HTTP status, 0 when there was none */
	int64_t retry_after_ms; /* from Retry-After; -1 when not given */
	char *message;          /* owned; NULL while kind is ERROR_NONE */
};

#define ERROR_INIT                                                                                                     \
	(struct error)                                                                                                 \
	{                                                                                                              \
		.kind = ERROR_NONE, .http = 0, .retry_after_ms = -1, .message = NULL                                   \
	}

/* Frees the message and clears the error; fine on a cleared one. */
void error_release(struct error *err);
#define auto_error ATTR_CLEANUP(error_release) struct error

/* Sets kind and message, replacing what was there; returns -1 so that a failing line is one
 * return. `err` may be NULL: then the failure is reported by the return value alone. */
int error_set(struct error *err, enum error_kind kind, const char *fmt, ...) ATTR_PRINTF(3, 4);
/* Prepends "outer: " to the message; returns -1. */
int error_wrap(struct error *err, const char *fmt, ...) ATTR_PRINTF(2, 3);
/* Moves `from` into `to`, leaving `from` clear. */
void error_move(struct error *to, struct error *from);
/* Copies; what `to` held is released. */
void error_copy(struct error *to, const struct error *from);
const char *error_kind_name(enum error_kind kind);

#endif
