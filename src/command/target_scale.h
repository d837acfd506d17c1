/*
 * The pods of a target, by its scale subresource.
 *
 * Private to src/command.
 */
#ifndef COMMAND_TARGET_SCALE_H
#define COMMAND_TARGET_SCALE_H

#include "command/session.h"

/* The selector of its pods as text, "a=b,c=d"; heap. NULL and `err` when it cannot be read. */
char *target_scale_selector(struct session *session, const char *ns, const char *api_version, const char *kind,
	const char *name, struct error *err);

#endif
