/* Printing the help. */
#include "command/help.h"

#include "base/memory.h"

const char help_purpose[] =
	"scales LLM servers on Kubernetes by their own load, and keeps the chain working that this takes";

void help_program(const char *program, const struct command_table *verbs, FILE *out)
{
	fprintf(out, "%s %s.\n\nUsage: %s VERB [options]\n\nVerbs:\n", program, help_purpose, program);
	for (size_t i = 0; i < verbs->count; i++) {
		fprintf(out, "  %-12s %s\n", verbs->rows[i]->name, verbs->rows[i]->summary);
	}
	fprintf(out, "\nExamples:\n");
	for (size_t i = 0; i < verbs->count; i++) {
		const struct command_example *example = &verbs->rows[i]->examples[0];

		fprintf(out, "  # %s\n  %s %s\n", example->says, program, example->args);
	}
	fprintf(out, "\n'%s VERB --help' tells more.\n", program);
}

char *help_option(const struct option_row *row)
{
	char letter[] = {'-', row->letter, ',', ' ', '\0'};

	return xasprintf("%s--%s%s%s", row->letter != 0 ? letter : "", row->name, row->type != OPTION_BOOL ? " " : "",
		row->type != OPTION_BOOL ? row->value : "");
}

void help_command(const struct command *command, const char *program, FILE *out)
{
	fprintf(out, "Usage: %s %s%s%s [options]\n\n%s\n\nOptions:\n", program, command->name,
		command->argument != NULL ? " " : "", command->argument != NULL ? command->argument : "",
		command->about);
	for (size_t i = 0; i < command->rows_count; i++) {
		const struct option_row *row = &command->rows[i];
		auto_free char *left = help_option(row);
		const char *usual = option_default(row);

		fprintf(out, "  %s%-38s %s%s%s%s\n", row->letter != 0 ? "" : "    ", left, row->help,
			usual != NULL ? " (" : "", usual != NULL ? usual : "", usual != NULL ? ")" : "");
	}
	fprintf(out, "  %-38s %s\n\nExamples:\n", "-h, --help", "show this help");
	for (size_t i = 0; i < EXAMPLES_MAX && command->examples[i].says != NULL; i++) {
		fprintf(out, "  # %s\n  %s %s\n", command->examples[i].says, program, command->examples[i].args);
	}
}
