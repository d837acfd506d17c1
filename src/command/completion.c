/* `completion`: what a shell needs to complete verbs, options and their alternatives. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "command/command.h"

/* "a|b" as "a b". */
static void print_alternatives(const char *alternatives)
{
	for (; *alternatives != '\0'; alternatives++) {
		putchar(*alternatives == '|' ? ' ' : *alternatives);
	}
}

static bool has_alternatives(const char *value)
{
	return value != NULL && strchr(value, '|') != NULL;
}

/* bash */

static void bash_value(const struct command *command, const struct option_row *row)
{
	if (row->type == OPTION_BOOL) {
		return;
	}
	printf("\t%s,--%s", command->name, row->name);
	if (row->letter != 0) {
		printf("|%s,-%c", command->name, row->letter);
	}
	if (has_alternatives(row->value)) {
		printf(") words='");
		print_alternatives(row->value);
		printf("' ;;\n");
	} else if (strcmp(row->value, "FILE") == 0) {
		printf(") compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\"); return ;;\n");
	} else {
		printf(") return ;;\n");
	}
}

static void bash(const struct command_table *verbs)
{
	printf("# Made by 'inference-autoscaler completion bash'.\n"
	       "_inference_autoscaler()\n{\n"
	       "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]} words=\n"
	       "\tCOMPREPLY=()\n"
	       "\t# bash makes three words of '--option=value'\n"
	       "\tif [[ $cur == '=' ]]; then\n\t\tcur=\n"
	       "\telif [[ $prev == '=' ]]; then\n\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}\n\tfi\n");
	printf("\tif ((COMP_CWORD == 1)); then\n\t\twords='");
	for (size_t i = 0; i < verbs->count; i++) {
		printf("%s ", verbs->rows[i]->name);
	}
	printf("help --help'\n\telse case $verb,$prev in\n");
	for (size_t i = 0; i < verbs->count; i++) {
		for (size_t r = 0; r < verbs->rows[i]->rows_count; r++) {
			bash_value(verbs->rows[i], &verbs->rows[i]->rows[r]);
		}
	}
	printf("\t*) case $verb in\n");
	for (size_t i = 0; i < verbs->count; i++) {
		printf("\t\t%s) words='", verbs->rows[i]->name);
		if (has_alternatives(verbs->rows[i]->argument)) {
			print_alternatives(verbs->rows[i]->argument);
			putchar(' ');
		}
		for (size_t r = 0; r < verbs->rows[i]->rows_count; r++) {
			printf("--%s ", verbs->rows[i]->rows[r].name);
		}
		printf("--help' ;;\n");
	}
	printf("\t\tesac ;;\n\tesac fi\n"
	       "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n}\n"
	       "complete -F _inference_autoscaler inference-autoscaler kubectl-inference_autoscaler\n");
}

/* In single quotes, as zsh (`colon`: inside a specification, where ':' and brackets mean something) and fish read it. */
static void print_quoted(const char *text, bool zsh)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'') {
			printf(zsh ? "'\\''" : "\\'");
		} else if (zsh && strchr(":[]", *text) != NULL) {
			printf("\\%c", *text);
		} else if (*text == '\\') {
			printf("\\\\");
		} else {
			putchar(*text);
		}
	}
}

static void zsh_option(const struct option_row *row)
{
	const char *repeat = row->type == OPTION_LIST ? "*" : "";

	if (row->letter != 0) {
		printf("\t\t%s{-%c,--%s}'", row->type == OPTION_LIST ? "\\*" : "", row->letter, row->name);
	} else {
		printf("\t\t'%s--%s", repeat, row->name);
	}
	printf("[");
	print_quoted(row->help, true);
	printf("]");
	if (row->type != OPTION_BOOL) {
		printf(":value:");
		if (has_alternatives(row->value)) {
			printf("(");
			print_alternatives(row->value);
			printf(")");
		} else if (strcmp(row->value, "FILE") == 0) {
			printf("_files");
		}
	}
	printf("' \\\n");
}

static void zsh(const struct command_table *verbs)
{
	printf("#compdef inference-autoscaler kubectl-inference_autoscaler\n"
	       "# Made by 'inference-autoscaler completion zsh'.\n"
	       "_inference_autoscaler()\n{\n"
	       "\tlocal -a verbs\n"
	       "\tverbs=(\n");
	for (size_t i = 0; i < verbs->count; i++) {
		printf("\t\t'%s:", verbs->rows[i]->name);
		print_quoted(verbs->rows[i]->summary, true);
		printf("'\n");
	}
	printf("\t)\n"
	       "\tif ((CURRENT == 2)); then\n\t\t_describe verb verbs\n\t\treturn\n\tfi\n"
	       "\tlocal verb=$words[2]\n\tshift words\n\t((CURRENT--))\n"
	       "\tcase $verb in\n");
	for (size_t i = 0; i < verbs->count; i++) {
		printf("\t%s) _arguments \\\n", verbs->rows[i]->name);
		for (size_t r = 0; r < verbs->rows[i]->rows_count; r++) {
			zsh_option(&verbs->rows[i]->rows[r]);
		}
		if (has_alternatives(verbs->rows[i]->argument)) {
			printf("\t\t'1:argument:(");
			print_alternatives(verbs->rows[i]->argument);
			printf(")' \\\n");
		}
		printf("\t\t'(-)'{-h,--help}'[show the help]' ;;\n");
	}
	printf("\tesac\n}\n_inference_autoscaler \"$@\"\n");
}

static void fish_option(const struct command *command, const struct option_row *row)
{
	printf("complete -c inference-autoscaler -n '__fish_seen_subcommand_from %s' -l %s", command->name, row->name);
	if (row->letter != 0) {
		printf(" -s %c", row->letter);
	}
	if (has_alternatives(row->value)) {
		printf(" -x -a '");
		print_alternatives(row->value);
		printf("'");
	} else if (row->type != OPTION_BOOL) {
		printf(strcmp(row->value, "FILE") == 0 ? " -r -F" : " -x");
	}
	printf(" -d '");
	print_quoted(row->help, false);
	printf("'\n");
}

static void fish(const struct command_table *verbs)
{
	printf("# Made by 'inference-autoscaler completion fish'.\n"
	       "complete -c inference-autoscaler -f\n"
	       "complete -c kubectl-inference_autoscaler -w inference-autoscaler\n");
	for (size_t i = 0; i < verbs->count; i++) {
		printf("complete -c inference-autoscaler -n __fish_use_subcommand -a %s -d '", verbs->rows[i]->name);
		print_quoted(verbs->rows[i]->summary, false);
		printf("'\n");
		for (size_t r = 0; r < verbs->rows[i]->rows_count; r++) {
			fish_option(verbs->rows[i], &verbs->rows[i]->rows[r]);
		}
		if (has_alternatives(verbs->rows[i]->argument)) {
			printf("complete -c inference-autoscaler -n '__fish_seen_subcommand_from %s' -a '",
				verbs->rows[i]->name);
			print_alternatives(verbs->rows[i]->argument);
			printf("'\n");
		}
	}
}

static const struct shell {
	const char *name;
	void (*print)(const struct command_table *verbs);
} shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

static int run(const struct options *options, const struct command_table *verbs, struct error *err)
{
	for (size_t i = 0; i < ARRAY_LEN(shells) && options->argument != NULL; i++) {
		if (strcmp(shells[i].name, options->argument) == 0) {
			shells[i].print(verbs);
			return EXIT_SUCCESS;
		}
	}
	error_set(err, ERROR_INVALID, "for which shell? name one of bash, zsh, fish");
	return EXIT_USAGE;
}

const struct command command_completion = {
	.name = "completion",
	.summary = "print a shell's completion",
	.argument = "bash|zsh|fish",
	.about = "Prints a script with which the shell completes verbs, options and their values.",
	.examples = {{"in this bash",
			     "completion bash > ~/.local/share/bash-completion/completions/inference-autoscaler"},
		{"in fish", "completion fish > ~/.config/fish/completions/inference-autoscaler.fish"}},
	.run = run,
};
