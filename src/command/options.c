/* Reading and printing command-line options by a table. */
#include "command/options.h"

#include <string.h>

#include "base/memory.h"

static const struct option_row *find(const struct option_row *rows, size_t count, const char *arg, size_t len)
{
	for (size_t i = 0; i < count; i++) {
		if (len > 2 && strlen(rows[i].name) == len - 2 && strncmp(arg, "--", 2) == 0 &&
			strncmp(arg + 2, rows[i].name, len - 2) == 0) {
			return &rows[i];
		}
		if (rows[i].letter != 0 && len == 2 && arg[0] == '-' && arg[1] == rows[i].letter) {
			return &rows[i];
		}
	}
	return NULL;
}

static int store(const struct option_row *row, const char *value, struct error *err)
{
	switch (row->type) {
	case OPTION_STRING:
		*(const char **)row->target = value;
		return 0;
	case OPTION_LIST: {
		struct option_list *list = row->target;

		if (list->count == OPTION_VALUES_MAX) {
			return error_set(err, ERROR_INVALID, "--%s may be given %d times at most", row->name, OPTION_VALUES_MAX);
		}
		list->values[list->count++] = value;
		return 0;
	}
	case OPTION_BOOL:
		if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0) {
			return error_set(err, ERROR_INVALID, "--%s must be true or false, not '%s'", row->name, value);
		}
		*(bool *)row->target = strcmp(value, "true") == 0;
		return 0;
	}
	return 0;
}

int options_parse(const struct option_row *rows, size_t count, int argc, char **argv, bool *help, struct error *err)
{
	*help = false;
	for (int i = 1; i < argc; i++) {
		const char *equals = strchr(argv[i], '=');
		size_t len = equals != NULL ? (size_t)(equals - argv[i]) : strlen(argv[i]);
		const struct option_row *row = find(rows, count, argv[i], len);
		const char *value = equals != NULL ? equals + 1 : NULL;

		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			*help = true;
			return 0;
		}
		if (row == NULL) {
			return error_set(err, ERROR_INVALID, "unknown option '%.*s': see --help", (int)len, argv[i]);
		}
		if (value == NULL && row->type == OPTION_BOOL) {
			value = "true";
		} else if (value == NULL) {
			if (i + 1 == argc) {
				return error_set(err, ERROR_INVALID, "--%s needs a value: --%s %s", row->name, row->name,
					row->value);
			}
			value = argv[++i];
		}
		if (store(row, value, err) < 0) {
			return -1;
		}
	}
	return 0;
}

void options_print(const struct option_row *rows, size_t count, FILE *out)
{
	for (size_t i = 0; i < count; i++) {
		auto_free char *left = xasprintf("%c%c%s--%s%s%s", rows[i].letter != 0 ? '-' : ' ',
			rows[i].letter != 0 ? rows[i].letter : ' ', rows[i].letter != 0 ? ", " : "  ", rows[i].name,
			rows[i].type != OPTION_BOOL ? " " : "", rows[i].type != OPTION_BOOL ? rows[i].value : "");

		fprintf(out, "  %-34s %s\n", left, rows[i].help);
	}
	fprintf(out, "  %-34s %s\n", "-h, --help", "show this help");
}
