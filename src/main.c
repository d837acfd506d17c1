/* The command line: finds the verb, reads its options and hands over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "command/help.h"
#include "command/nearest.h"

/* GnuTLS comes along with Debian's libcurl, for protocols that nobody speaks here. This is how a program tells it not to
 * set itself up when it is loaded (GNUTLS_SKIP_GLOBAL_INIT of gnutls/gnutls.h); that takes most of a megabyte. Whoever uses
 * it after all sets it up by gnutls_global_init(), as libcurl does. */
int _gnutls_global_init_skip(void);
int _gnutls_global_init_skip(void)
{
	return 1;
}

/* kubectl finds its plugins by their file's name, in which '_' stands for '-'. */
static const char *program_name(const char *path)
{
	const char *slash = path != NULL ? strrchr(path, '/') : NULL;
	const char *name = slash != NULL ? slash + 1 : path;

	return name != NULL && strcmp(name, "kubectl-inference_autoscaler") == 0 ? "kubectl inference-autoscaler"
	                                                                         : "inference-autoscaler";
}

static int unknown_verb(const char *program, const char *verb)
{
	const char *best = NULL;

	for (size_t i = 0; i < commands.count; i++) {
		nearest_consider(verb, commands.rows[i]->name, &best);
	}
	if (best != NULL) {
		fprintf(stderr, "%s: unknown verb '%s': did you mean '%s'?\n", program, verb, best);
	} else {
		fprintf(stderr, "%s: unknown verb '%s': see --help\n", program, verb);
	}
	return EXIT_USAGE;
}

static int run(const struct command *command, const char *program, int argc, char **argv)
{
	struct options options;
	auto_error err = ERROR_INIT;
	bool help = false;
	int code = EXIT_USAGE;

	if (options_parse(command->rows, command->rows_count, command->argument, argc, argv, &options, &help, &err) ==
		0) {
		if (help) {
			help_command(command, program, stdout);
			return EXIT_SUCCESS;
		}
		code = command->run(&options, &commands, &err);
	}
	if (err.kind != ERROR_NONE) {
		fprintf(stderr, "%s %s: %s\n", program, command->name, err.message);
	}
	return code;
}

int main(int argc, char **argv)
{
	const char *program = program_name(argv[0]);
	const char *verb = argc > 1 ? argv[1] : "";
	const struct command *command = command_by_name(strcmp(verb, "--version") == 0 ? "version" : verb);

	if (argc < 2) {
		help_program(program, &commands, stderr);
		return EXIT_USAGE;
	}
	if (command != NULL) {
		return run(command, program, argc - 1, argv + 1);
	}
	if (strcmp(verb, "--help") != 0 && strcmp(verb, "-h") != 0 && strcmp(verb, "help") != 0) {
		return unknown_verb(program, verb);
	}
	command = argc > 2 ? command_by_name(argv[2]) : NULL;
	if (argc > 2 && command == NULL) {
		return unknown_verb(program, argv[2]);
	}
	if (command != NULL) {
		help_command(command, program, stdout);
	} else {
		help_program(program, &commands, stdout);
	}
	return EXIT_SUCCESS;
}
