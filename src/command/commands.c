/* The table of verbs. */
#include <string.h>

#include "base/memory.h"
#include "command/command.h"

static const struct command *const rows[] = {
	&command_cleanup,
	&command_completion,
	&command_explain,
	&command_man,
	&command_render,
	&command_rules,
	&command_run,
	&command_version,
};
const struct command_table commands = {.rows = rows, .count = ARRAY_LEN(rows)};

const struct command *command_by_name(const char *name)
{
	for (size_t i = 0; i < commands.count; i++) {
		if (strcmp(rows[i]->name, name) == 0) {
			return rows[i];
		}
	}
	return NULL;
}
