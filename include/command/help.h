/*
 * What --help prints, from the tables.
 */
#ifndef COMMAND_HELP_H
#define COMMAND_HELP_H

#include <stdio.h>

#include "command/command.h"

/* In one sentence, what the program is for. */
extern const char help_purpose[];

/* `program` is how the user calls us: "inference-autoscaler" or "kubectl inference-autoscaler". */
void help_program(const char *program, const struct command_table *verbs, FILE *out);
void help_command(const struct command *command, const char *program, FILE *out);
/* "-o, --output tree|json"; heap, caller owns. */
char *help_option(const struct option_row *row);

#endif
