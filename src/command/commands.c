/* The table of verbs. */
#include <string.h>

#include "base/memory.h"
#include "command/command.h"

const char command_purpose[] =
	"scales LLM servers on Kubernetes by their own load, and keeps the chain working that this takes";

const struct command *const commands[] = {
	&command_cleanup,
	&command_completion,
	&command_explain,
	&command_man,
	&command_render,
	&command_run,
	&command_version,
};
const size_t commands_count = ARRAY_LEN(commands);

const struct command *command_by_name(const char *name)
{
	for (size_t i = 0; i < commands_count; i++) {
		if (strcmp(commands[i]->name, name) == 0) {
			return commands[i];
		}
	}
	return NULL;
}
