/* `man`: the manual page, from the same tables as the help. */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "command/command.h"
#include "command/help.h"

/* Text in troff: a backslash and a dash are written as such, and no line begins with a request. */
static void print_text(const char *text)
{
	bool line_start = true;

	for (; *text != '\0'; text++) {
		if (line_start && (*text == '.' || *text == '\'')) {
			printf("\\&");
		}
		if (*text == '\\') {
			printf("\\e");
		} else if (*text == '-') {
			printf("\\-");
		} else if (text[0] == '\n' && text[1] == '\n') {
			printf("\n.PP");
		} else {
			putchar(*text);
		}
		line_start = *text == '\n';
	}
}

static void print_line(const char *before, const char *text, const char *after)
{
	printf("%s", before);
	print_text(text);
	printf("%s\n", after);
}

static void print_options(const struct command *command)
{
	for (size_t i = 0; i < command->rows_count; i++) {
		auto_free char *left = help_option(&command->rows[i]);
		const char *usual = option_default(&command->rows[i]);

		printf(".TP\n");
		print_line("\\fB", left, "\\fR");
		print_text(command->rows[i].help);
		if (usual != NULL) {
			printf(" (");
			print_text(usual);
			printf(")");
		}
		printf("\n");
	}
}

static void print_command(const struct command *command)
{
	print_line(".SS ", command->name, "");
	print_line("\\fBinference\\-autoscaler ", command->name, "\\fR");
	if (command->argument != NULL) {
		print_line("", command->argument, "");
	}
	printf(command->rows_count > 0 ? "[options]\n.PP\n" : ".PP\n");
	print_line("", command->about, "");
	print_options(command);
}

static int run(const struct options *options, const struct command_table *verbs, struct error *err)
{
	(void)options;
	(void)err;
	printf(".\\\" Made by 'inference-autoscaler man'.\n"
	       ".TH INFERENCE\\-AUTOSCALER 1 \"\" \"inference\\-autoscaler %s\" \"User Commands\"\n"
	       ".SH NAME\n"
	       "inference\\-autoscaler \\- ",
		INFERENCE_AUTOSCALER_VERSION);
	print_text(help_purpose);
	printf("\n.SH SYNOPSIS\n.B inference\\-autoscaler\nVERB [options]\n.br\n"
	       ".B kubectl inference\\-autoscaler\nVERB [options]\n.SH VERBS\n");
	for (size_t i = 0; i < verbs->count; i++) {
		print_command(verbs->rows[i]);
	}
	printf(".SH EXIT STATUS\n0 done, 1 failed (\\fBexplain\\fR: not ready), 2 wrong usage or no connection\n"
	       ".SH EXAMPLES\n");
	for (size_t i = 0; i < verbs->count; i++) {
		for (size_t e = 0; e < EXAMPLES_MAX && verbs->rows[i]->examples[e].says != NULL; e++) {
			printf(".TP\n");
			print_line("\\fBinference\\-autoscaler ", verbs->rows[i]->examples[e].args, "\\fR");
			print_line("", verbs->rows[i]->examples[e].says, "");
		}
	}
	return EXIT_SUCCESS;
}

const struct command command_man = {
	.name = "man",
	.summary = "print the manual page",
	.about = "Prints this program's manual page in troff.",
	.examples = {{"read the manual", "man | man -l -"}},
	.run = run,
};
