/*
 * The verbs of the command line: one file each, ending in one const row.
 *
 * Exit codes: 0 done, 1 failed, 2 wrong usage.
 */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

#define EXIT_USAGE 2

struct command {
	const char *name;
	const char *summary;
	/* argv[0] is the verb's name. */
	int (*main)(int argc, char **argv);
};

extern const struct command command_render;
extern const struct command command_run;
extern const struct command command_version;

#endif
