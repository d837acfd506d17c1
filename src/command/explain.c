/* `explain`: the chain of a live InferenceAutoscaler, link by link. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/kinds.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "command/command.h"
#include "command/session.h"
#include "own_values.h"
#include "report/diagnosis.h"

static bool wants_colour(void)
{
	const char *no_colour = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && (no_colour == NULL || no_colour[0] == '\0') &&
	       (term == NULL || strcmp(term, "dumb") != 0);
}

/* The autoscalers asked for; new reference to an array, NULL and `err`. */
static json_t *read_autoscalers(struct session *session, const struct options *o, struct error *err)
{
	const struct kube_resource *resource = &kinds[KIND_AUTOSCALER].resource;
	const char *ns = o->ns != NULL ? o->ns : session_namespace(session);
	const char *slash = o->argument != NULL ? strchr(o->argument, '/') : NULL;
	auto_free char *given_ns = slash != NULL ? xstrndup(o->argument, (size_t)(slash - o->argument)) : NULL;
	json_t *object;

	if (o->argument == NULL) {
		return session_list(session, resource, o->all_namespaces ? NULL : ns, NULL, err);
	}
	object = session_get(session, resource, slash != NULL ? given_ns : ns, slash != NULL ? slash + 1 : o->argument,
		err);
	return object != NULL ? json_pack("[o]", object) : NULL;
}

static json_t *diagnose(const json_t *objects, bool *works)
{
	json_t *all = json_array();
	size_t i;
	json_t *object;

	*works = json_array_size(objects) > 0;
	json_array_foreach((json_t *)objects, i, object) {
		auto_view *view = view_decode(KIND_AUTOSCALER, object);
		json_t *diagnosis = diagnosis_make(view_autoscaler(view));

		*works = *works && json_path_bool(diagnosis, "works", false);
		json_array_append_new(all, diagnosis);
	}
	return all;
}

/* What cannot be read is a warning. `objects` and `all` are of the same autoscalers. */
static void add_values(struct session *session, const json_t *objects, json_t *all)
{
	struct own_values *own = own_values_new(session);
	size_t i;
	json_t *diagnosis;

	json_array_foreach(all, i, diagnosis) {
		auto_view *view = view_decode(KIND_AUTOSCALER, json_array_get(objects, i));

		json_object_set_new(diagnosis, "values",
			own_values_read(own, view_autoscaler(view), json_object_get(diagnosis, "warnings")));
	}
	own_values_free(own);
}

static void print_all(const struct options *o, const json_t *all)
{
	auto_strbuf lines = STRBUF_INIT;
	bool colour = wants_colour();
	size_t i;
	json_t *diagnosis;

	if (o->output != NULL && strcmp(o->output, "json") == 0) {
		auto_json *list = json_pack("{s:O}", "items", all);
		auto_free char *text = json_text(o->argument != NULL ? json_array_get(all, 0) : list);

		printf("%s\n", text);
		return;
	}
	json_array_foreach((json_t *)all, i, diagnosis) {
		strbuf_addstr(&lines, i > 0 ? "\n" : "");
		diagnosis_text(&lines, diagnosis, colour, clock_wall_ms());
	}
	fputs(lines.buf, stdout);
}

static int explain(struct session *session, const struct options *o, struct error *err)
{
	auto_json *objects = read_autoscalers(session, o, err);
	auto_json *all = NULL;
	bool works;

	if (objects == NULL) {
		return err->kind == ERROR_NOT_FOUND ? EXIT_FAILURE : EXIT_USAGE;
	}
	all = diagnose(objects, &works);
	if (o->values) {
		add_values(session, objects, all);
	}
	if (json_array_size(all) == 0) {
		error_set(err, ERROR_NOT_FOUND, "there is no InferenceAutoscaler in %s%s",
			o->all_namespaces ? "any namespace" : "namespace ",
			o->all_namespaces ? ""
			: o->ns != NULL   ? o->ns
					  : session_namespace(session));
	}
	print_all(o, all);
	return works ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run(const struct options *options, const struct command_table *verbs, struct error *err)
{
	const char *slash = options->argument != NULL ? strchr(options->argument, '/') : NULL;
	struct session *session;
	int code;

	(void)verbs;
	if (options->argument != NULL && options->all_namespaces) {
		error_set(err, ERROR_INVALID, "--all-namespaces takes no name");
		return EXIT_USAGE;
	}
	if (slash != NULL && (slash == options->argument || slash[1] == '\0' || options->ns != NULL)) {
		error_set(err, ERROR_INVALID, "write NAMESPACE/NAME, or NAME with --namespace, not '%s'",
			options->argument);
		return EXIT_USAGE;
	}
	session = session_open(options, err);
	if (session == NULL) {
		return EXIT_USAGE;
	}
	code = explain(session, options, err);
	session_close(session);
	return code;
}

static const struct option_row rows[] = {
	OPTION("namespace", 'n', "NAMESPACE", OPTION_STRING, ns, "where to look, if not in the context's namespace"),
	OPTION("all-namespaces", 'A', NULL, OPTION_BOOL, all_namespaces, "look in all namespaces"),
	OPTION("values", 0, NULL, OPTION_BOOL, values,
		"also each signal's value at every hop, read with your own rights: pods/proxy, services/proxy of Prometheus, the metrics API"),
	OPTION("output", 'o', "tree|json", OPTION_STRING, output, "how to print (tree)"),
	OPTIONS_CONNECTION,
	OPTION("timeout", 0, "DURATION", OPTION_STRING, timeout, "how long all of it may take"),
};

const struct command command_explain = {
	.name = "explain",
	.summary = "show which link of a chain is broken, and what to do",
	.argument = "[[NAMESPACE/]NAME]",
	.about =
		"Shows the chain of an InferenceAutoscaler, of all in a namespace, or of all: each link with ✓ (works), ✗ (is "
		"broken) or ? (not known), then what is broken and what to do.\n\n"
		"Exit code 0: Ready, and of today's spec. 1: not so, or not found. 2: wrong usage, or no answer.",
	.examples = {{"why does gemma not scale?", "explain gemma -n vllm-example"},
		{"what does each hop of the chain say?", "explain gemma -n vllm-example --values"},
		{"all of them", "explain -A"}, {"for a script", "explain vllm-example/gemma -o json"}},
	.rows = rows,
	.rows_count = ARRAY_LEN(rows),
	.run = run,
};
