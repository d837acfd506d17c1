/* The command line: finds the verb and hands over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "command/command.h"

static const struct command *const commands[] = {&command_render, &command_run, &command_version};

static void usage(FILE *out)
{
	fprintf(out,
		"inference-autoscaler scales LLM servers on Kubernetes by their own load, and owns the chain it takes.\n\n"
		"Usage: inference-autoscaler VERB [options]\n\nVerbs:\n");
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	}
	fprintf(out, "\nExamples:\n"
		     "  inference-autoscaler run --kubeconfig ~/.kube/config\n"
		     "  inference-autoscaler render -f autoscaler.yaml -f deployment.yaml\n\n"
		     "'inference-autoscaler VERB --help' tells more.\n");
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
		usage(stdout);
		return EXIT_SUCCESS;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(commands[i]->name, argv[1]) == 0) {
			return commands[i]->main(argc - 1, argv + 1);
		}
	}
	fprintf(stderr, "inference-autoscaler: unknown verb '%s': see --help\n", argv[1]);
	return EXIT_USAGE;
}
