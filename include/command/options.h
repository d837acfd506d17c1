/*
 * Command-line options as a table: one row each, read and printed from the same place.
 *
 * "--name VALUE" and "--name=VALUE" are both read; a boolean is "--name" or "--name=true|false".
 */
#ifndef COMMAND_OPTIONS_H
#define COMMAND_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

#define OPTION_VALUES_MAX 64

/* The values of an option that may be given several times. */
struct option_list {
	const char *values[OPTION_VALUES_MAX];
	size_t count;
};

enum option_type { OPTION_STRING, OPTION_BOOL, OPTION_LIST };

struct option_row {
	const char *name;   /* without dashes */
	char letter;        /* the short form; 0 = none */
	const char *value;  /* what the help calls the value */
	enum option_type type;
	void *target; /* const char **, bool * or struct option_list * */
	const char *help;
};

/* Reads argv[1…]; anything that is not an option is an error. --help sets *help. */
int options_parse(const struct option_row *rows, size_t count, int argc, char **argv, bool *help, struct error *err);
void options_print(const struct option_row *rows, size_t count, FILE *out);

#endif
