/* Error values: set where the fact is known, wrapped on the way up. */
#include "base/error.h"

#include <stdlib.h>

#include "base/memory.h"

void error_release(struct error *err)
{
	if (err == NULL) {
		return;
	}
	free(err->message);
	*err = ERROR_INIT;
}

int error_set(struct error *err, enum error_kind kind, const char *fmt, ...)
{
	va_list args;

	if (err == NULL) {
		return -1;
	}

	va_start(args, fmt);
	/* formatted before the old message goes: it may be one of the arguments */
	char *message = xvasprintf(fmt, args);
	va_end(args);

	error_release(err);
	err->kind = kind;
	err->message = message;
	return -1;
}

int error_wrap(struct error *err, const char *fmt, ...)
{
	va_list args;

	if (err == NULL) {
		return -1;
	}

	va_start(args, fmt);
	char *outer = xvasprintf(fmt, args);
	va_end(args);

	if (err->kind == ERROR_NONE) {
		err->kind = ERROR_INTERNAL; /* somebody failed without saying why */
	}
	if (err->message != NULL) {
		char *inner = err->message;

		err->message = xasprintf("%s: %s", outer, inner);
		free(inner);
		free(outer);
	} else {
		err->message = outer;
	}
	return -1;
}

void error_move(struct error *to, struct error *from)
{
	if (to == from) {
		return;
	}
	if (to == NULL) {
		error_release(from);
		return;
	}
	error_release(to);
	*to = *from;
	*from = ERROR_INIT;
}

void error_copy(struct error *to, const struct error *from)
{
	if (to == NULL || to == from) {
		return;
	}
	error_release(to);
	*to = *from;
	to->message = xstrdup(from->message);
}

const char *error_kind_name(enum error_kind kind)
{
	static const char *const names[] = {
		[ERROR_NONE] = "None",
		[ERROR_INVALID] = "Invalid",
		[ERROR_NOT_FOUND] = "NotFound",
		[ERROR_CONFLICT] = "Conflict",
		[ERROR_FORBIDDEN] = "Forbidden",
		[ERROR_UNAUTHORIZED] = "Unauthorized",
		[ERROR_EXPIRED] = "Expired",
		[ERROR_UNAVAILABLE] = "Unavailable",
		[ERROR_CANCELLED] = "Cancelled",
		[ERROR_INTERNAL] = "Internal",
	};

	return (size_t)kind < ARRAY_LEN(names) ? names[kind] : "Unknown";
}
