/* Reading command-line options by a table. */
#include "command/options.h"

#include <string.h>

#include "base/memory.h"
#include "command/nearest.h"

const struct options options_default = {
	.timeout = "60s",
	.listen = "127.0.0.1:8080",
	.metrics_api_listen = "127.0.0.1:6443",
	.metrics_certificate_validity = "24h",
	.hpa_period_after = "15m",
	.lease_name = "inference-autoscaler",
	.lease_duration = "15s",
	.lease_renew_deadline = "10s",
	.lease_retry_period = "2s",
	.log_level = "info",
	.log_format = "text",
	.settings = SETTINGS_DEFAULT,
};

static const struct option_row *find(const struct option_row *rows, size_t count, const char *arg, size_t len)
{
	for (size_t i = 0; i < count; i++) {
		if (len > 2 && strlen(rows[i].name) == len - 2 && strncmp(arg, "--", 2) == 0 &&
			strncmp(arg + 2, rows[i].name, len - 2) == 0) {
			return &rows[i];
		}
		if (rows[i].letter != 0 && len >= 2 && arg[0] == '-' && arg[1] == rows[i].letter) {
			return &rows[i];
		}
	}
	return NULL;
}

static int unknown(const struct option_row *rows, size_t count, const char *arg, size_t len, struct error *err)
{
	auto_free char *word = xstrndup(arg, len);
	const char *best = NULL;

	for (size_t i = 0; i < count && strncmp(word, "--", 2) == 0; i++) {
		nearest_consider(word + 2, rows[i].name, &best);
	}
	if (best != NULL) {
		return error_set(err, ERROR_INVALID, "unknown option '%s': did you mean '--%s'?", word, best);
	}
	return error_set(err, ERROR_INVALID, "unknown option '%s': see --help", word);
}

bool option_alternative(const char *alternatives, const char *text)
{
	size_t len = strlen(text);

	for (const char *at = alternatives; at != NULL; at = strchr(at, '|'), at += at != NULL ? 1 : 0) {
		if (strncmp(at, text, len) == 0 && (at[len] == '|' || at[len] == '\0')) {
			return true;
		}
	}
	return false;
}

static void *place(struct options *options, const struct option_row *row)
{
	return (char *)options + row->offset;
}

static int store(const struct option_row *row, const char *value, struct options *options, struct error *err)
{
	struct option_list *list;

	switch (row->type) {
	case OPTION_STRING:
		if (strchr(row->value, '|') != NULL && !option_alternative(row->value, value)) {
			return error_set(err, ERROR_INVALID, "--%s must be one of %s, not '%s'", row->name, row->value,
				value);
		}
		*(const char **)place(options, row) = value;
		return 0;
	case OPTION_LIST:
		list = place(options, row);
		if (list->count == OPTION_VALUES_MAX) {
			return error_set(err, ERROR_INVALID, "--%s may be given %d times at most", row->name,
				OPTION_VALUES_MAX);
		}
		list->values[list->count++] = value;
		return 0;
	case OPTION_BOOL:
		if (!option_alternative("true|false", value)) {
			return error_set(err, ERROR_INVALID, "--%s must be true or false, not '%s'", row->name, value);
		}
		*(bool *)place(options, row) = strcmp(value, "true") == 0;
		return 0;
	case OPTION_SERVICE:
		if (metrics_service_read(value, place(options, row), err) < 0) {
			return error_wrap(err, "--%s", row->name);
		}
		return 0;
	}
	return 0;
}

static int take_argument(const char *argument, const char *given, struct options *options, struct error *err)
{
	if (argument == NULL || options->argument != NULL) {
		return error_set(err, ERROR_INVALID, "unexpected argument '%s': see --help", given);
	}
	options->argument = given;
	return 0;
}

/* The value that stands with the option in one word, or NULL: "--name=VALUE", "-n=VALUE", "-nVALUE". */
static const char *attached(const char *arg, const struct option_row *row)
{
	const char *equals = strchr(arg, '=');
	bool is_short = row->letter != 0 && arg[1] == row->letter;

	if (is_short && arg[2] != '\0') {
		return arg + (arg[2] == '=' ? 3 : 2);
	}
	return equals != NULL ? equals + 1 : NULL;
}

int options_parse(const struct option_row *rows, size_t count, const char *argument, int argc, char **argv,
	struct options *options, bool *help, struct error *err)
{
	*options = options_default;
	*help = false;
	for (int i = 1; i < argc; i++) {
		size_t len = strcspn(argv[i], "=");
		const struct option_row *row = find(rows, count, argv[i], len);
		const char *value = row != NULL ? attached(argv[i], row) : NULL;

		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			*help = true;
			return 0;
		}
		if (row == NULL && argv[i][0] != '-') {
			if (take_argument(argument, argv[i], options, err) < 0) {
				return -1;
			}
			continue;
		}
		if (row == NULL) {
			return unknown(rows, count, argv[i], len, err);
		}
		if (value == NULL && row->type == OPTION_BOOL) {
			value = "true";
		} else if (value == NULL) {
			if (i + 1 == argc) {
				return error_set(err, ERROR_INVALID, "--%s needs a value: --%s %s", row->name,
					row->name, row->value);
			}
			value = argv[++i];
		}
		if (store(row, value, options, err) < 0) {
			return -1;
		}
	}
	return 0;
}

const char *option_default(const struct option_row *row)
{
	return row->type == OPTION_STRING ? *(const char *const *)((const char *)&options_default + row->offset) : NULL;
}
