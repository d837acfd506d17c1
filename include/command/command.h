/*
 * The verbs of the command line: one file each, ending in one const row of which the help, the
 * manual and the completion are made.
 *
 * Exit codes: 0 done, 1 failed, 2 wrong usage or, for a verb that only asks, no connection.
 */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

#include "command/options.h"

#define EXIT_USAGE 2
#define EXAMPLES_MAX 4

struct command_table;

struct command_example {
	const char *says; /* what it is good for */
	const char *args; /* the line after the program's name */
};

struct command {
	const char *name;
	const char *summary;  /* half a line */
	const char *argument; /* what may stand beside the options: "[NAME]", or alternatives "a|b"; NULL = nothing */
	const char *about;    /* paragraphs, separated by an empty line */
	struct command_example examples[EXAMPLES_MAX];
	const struct option_row *rows;
	size_t rows_count;
	/* The exit code; what went wrong is in `err`, which the caller prints. `verbs`: for those that describe them. */
	int (*run)(const struct options *options, const struct command_table *verbs, struct error *err);
};

struct command_table {
	const struct command *const *rows; /* in the order of their names */
	size_t count;
};

extern const struct command command_cleanup;
extern const struct command command_completion;
extern const struct command command_explain;
extern const struct command command_man;
extern const struct command command_render;
extern const struct command command_rules;
extern const struct command command_run;
extern const struct command command_version;

/* All of them. */
extern const struct command_table commands;

/* NULL when there is none. */
const struct command *command_by_name(const char *name);

#endif
