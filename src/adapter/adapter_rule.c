/*
 * One rule of prometheus-adapter: checked, rendered, and read.
 */
#include "adapter/adapter_rule.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "engine/custom.h"

/* What is left to the reader of a value in the adapter's Go structs: a string takes any scalar. */
enum shape { SCALAR, LIST, OBJECT, MAP };

struct field {
	const char *name;
	enum shape shape;
	const struct field *inner; /* of an object, of a list's items, of a map's values */
};

static const struct field group_resource_fields[] = {
	{"group", SCALAR, NULL},
	{"resource", SCALAR, NULL},
	{NULL, SCALAR, NULL},
};

static const struct field resources_fields[] = {
	{"template", SCALAR, NULL},
	{"overrides", MAP, group_resource_fields},
	{"namespaced", SCALAR, NULL},
	{NULL, SCALAR, NULL},
};

static const struct field filter_fields[] = {
	{"is", SCALAR, NULL},
	{"isNot", SCALAR, NULL},
	{NULL, SCALAR, NULL},
};

static const struct field name_fields[] = {
	{"matches", SCALAR, NULL},
	{"as", SCALAR, NULL},
	{NULL, SCALAR, NULL},
};

static const struct field rule_fields[] = {
	{"seriesQuery", SCALAR, NULL}, /* the one that must be there */
	{"seriesFilters", LIST, filter_fields},
	{"resources", OBJECT, resources_fields},
	{"name", OBJECT, name_fields},
	{"metricsQuery", SCALAR, NULL},
	{NULL, SCALAR, NULL},
};

/* The adapter's decoder merges the fields of what this key's alias names; we do not look there. */
#define MERGE_KEY "<<"

static const char digits[] = "0123456789";
static const char name_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

/* A Prometheus label name, which is also what a name of ours may look like. */
static bool is_name(const char *s)
{
	return *s && strchr(digits, *s) == NULL && s[strspn(s, name_chars)] == '\0';
}

/* One line of printable ASCII: our rules come from a table, and nothing else is needed there. */
static bool is_one_line(const char *s)
{
	for (; *s; s++) {
		if (*s < ' ' || *s > '~') {
			return false;
		}
	}
	return true;
}

/* The template actions we use; any other text between << and >> may be fatal to the adapter. */
static bool is_template(const char *s)
{
	static const char *const actions[] = {"<<.Series>>", "<<.LabelMatchers>>", "<<.GroupBy>>"};

	while ((s = strstr(s, "<<")) != NULL) {
		size_t i = 0;

		while (i < ARRAY_LEN(actions) && strncmp(s, actions[i], strlen(actions[i]))) {
			i++;
		}
		if (i == ARRAY_LEN(actions)) {
			return false;
		}
		s += strlen(actions[i]);
	}
	return true;
}

static const char *namespace_label(const struct adapter_rule *rule)
{
	return rule->namespace_label != NULL ? rule->namespace_label : "namespace";
}

static const char *pod_label(const struct adapter_rule *rule)
{
	return rule->pod_label != NULL ? rule->pod_label : "pod";
}

struct adapter_rule adapter_rule_of(const struct engine_signal *signal)
{
	return (struct adapter_rule){.name = signal->metric,
		.series_query = signal->series_query,
		.metrics_query = signal->metrics_query};
}

int adapter_rule_check(const struct adapter_rule *rule, struct error *err)
{
	if (rule->name == NULL || !is_name(rule->name)) {
		return error_set(err, ERROR_INVALID, "adapter rule has the name '%s': use letters, digits and '_'",
			rule->name != NULL ? rule->name : "");
	}
	if (!is_name(namespace_label(rule)) || !is_name(pod_label(rule)) ||
		!strcmp(namespace_label(rule), pod_label(rule))) {
		return error_set(err, ERROR_INVALID,
			"adapter rule '%s' has the labels '%s' and '%s': name two label names", rule->name,
			namespace_label(rule), pod_label(rule));
	}
	if (rule->series_query == NULL || !*rule->series_query || !is_one_line(rule->series_query)) {
		return error_set(err, ERROR_INVALID,
			"adapter rule '%s' has no good seriesQuery: write one line of ASCII", rule->name);
	}
	if (rule->metrics_query == NULL || !*rule->metrics_query || !is_one_line(rule->metrics_query)) {
		return error_set(err, ERROR_INVALID,
			"adapter rule '%s' has no good metricsQuery: write one line of ASCII", rule->name);
	}
	if (!is_template(rule->metrics_query)) {
		return error_set(err, ERROR_INVALID,
			"adapter rule '%s' has an unknown template action in metricsQuery: use "
			"<<.Series>>, <<.LabelMatchers>> and <<.GroupBy>>",
			rule->name);
	}
	return 0;
}

json_t *adapter_rule_json(const struct adapter_rule *rule)
{
	return json_pack("{s:s, s:{s:{s:{s:s}, s:{s:s}}}, s:{s:s, s:s}, s:s}", "seriesQuery", rule->series_query,
		"resources", "overrides", namespace_label(rule), "resource", "namespace", pod_label(rule), "resource",
		"pod", "name", "matches", ".*", "as", rule->name, "metricsQuery", rule->metrics_query);
}

/* 'it''s': in a single-quoted scalar on one line nothing but the quote has a meaning. */
static void add_quoted(struct strbuf *out, const char *s)
{
	strbuf_addch(out, '\'');
	for (; *s; s++) {
		if (*s == '\'') {
			strbuf_addch(out, '\'');
		}
		strbuf_addch(out, *s);
	}
	strbuf_addch(out, '\'');
}

/* The four fields of a rule, each led by `between`, but for the first. */
static void add_fields(struct strbuf *out, const struct adapter_rule *rule, const char *between)
{
	strbuf_addstr(out, "seriesQuery: ");
	add_quoted(out, rule->series_query);
	strbuf_addf(out, "%sresources: {overrides: {'%s': {resource: namespace}, '%s': {resource: pod}}}", between,
		namespace_label(rule), pod_label(rule));
	strbuf_addf(out, "%sname: {matches: '.*', as: '%s'}", between, rule->name);
	strbuf_addf(out, "%smetricsQuery: ", between);
	add_quoted(out, rule->metrics_query);
}

void adapter_rule_block(struct strbuf *out, const struct adapter_rule *rule, size_t column, const char *newline)
{
	auto_free char *between = xasprintf("%s%*s", newline, (int)column + 2, "");

	strbuf_addf(out, "%*s- ", (int)column, "");
	add_fields(out, rule, between);
	strbuf_addstr(out, newline);
}

void adapter_rule_flow(struct strbuf *out, const struct adapter_rule *rule)
{
	strbuf_addch(out, '{');
	add_fields(out, rule, ", ");
	strbuf_addch(out, '}');
}

static int check_object(const json_t *value, const struct field *fields, struct error *err);

/* A null stands for an absent field everywhere, as in the adapter's decoder. */
static int check_field(const json_t *value, const struct field *field, struct error *err)
{
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_null(value)) {
		return 0;
	}
	switch (field->shape) {
	case SCALAR:
		if (json_is_object(value) || json_is_array(value)) {
			return error_set(err, ERROR_INVALID, "'%s' is not a string", field->name);
		}
		return 0;
	case OBJECT:
		return check_object(value, field->inner, err) ? error_wrap(err, "%s", field->name) : 0;
	case LIST:
		if (!json_is_array(value)) {
			return error_set(err, ERROR_INVALID, "'%s' is not a list", field->name);
		}
		json_array_foreach(value, i, item) {
			if (check_object(item, field->inner, err)) {
				return error_wrap(err, "%s[%zu]", field->name, i);
			}
		}
		return 0;
	case MAP:
		if (!json_is_object(value)) {
			return error_set(err, ERROR_INVALID, "'%s' is not a mapping", field->name);
		}
		json_object_foreach((json_t *)value, key, item) {
			if (check_object(item, field->inner, err)) {
				return error_wrap(err, "%s.%s", field->name, key);
			}
		}
		return 0;
	}
	return 0;
}

static int check_object(const json_t *value, const struct field *fields, struct error *err)
{
	const char *key;
	json_t *item;

	if (json_is_null(value)) {
		return 0;
	}
	if (!json_is_object(value)) {
		return error_set(err, ERROR_INVALID, "not a mapping");
	}
	json_object_foreach((json_t *)value, key, item) {
		const struct field *field = fields;

		if (!strcmp(key, MERGE_KEY)) {
			continue;
		}
		while (field->name != NULL && strcmp(field->name, key)) {
			field++;
		}
		if (field->name == NULL) {
			return error_set(err, ERROR_INVALID,
				"unknown key '%s', at which the adapter refuses to start: "
				"correct or remove it",
				key);
		}
		if (check_field(item, field, err)) {
			return -1;
		}
	}
	return 0;
}

/* Whether the adapter finds a string there that is not empty. */
static bool is_set(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return value != NULL && !json_is_null(value) && !(json_is_string(value) && !*json_string_value(value));
}

int adapter_rule_check_json(const json_t *rule, struct error *err)
{
	json_t *filters = json_object_get(rule, "seriesFilters");
	json_t *filter;
	size_t i;

	if (check_object(rule, rule_fields, err)) {
		return -1;
	}
	if (json_object_get(rule, MERGE_KEY) != NULL) {
		return 0;
	}
	if (!is_set(rule, "seriesQuery")) {
		return error_set(err, ERROR_INVALID,
			"no seriesQuery, so that the adapter cannot list any metrics: write one "
			"or remove the rule");
	}
	json_array_foreach(filters, i, filter) {
		if (is_set(filter, "is") == is_set(filter, "isNot")) {
			return error_set(err, ERROR_INVALID,
				"seriesFilters[%zu] needs exactly one of 'is' and 'isNot', or the "
				"adapter refuses to start",
				i);
		}
	}
	return 0;
}

/* The one series name a selector asks for: up{…} or {__name__="up",…}; NULL when it is a pattern.
 */
static char *selected_name(const char *selector)
{
	static const char label[] = "__name__=\"";
	const char *s = selector + strspn(selector, " ");
	size_t len = strcspn(s, "{ ");

	if (len == 0) {
		s = strstr(s, label);
		if (s == NULL) {
			return NULL;
		}
		s += strlen(label);
		len = strcspn(s, "\"\\");
	}
	return len ? xstrndup(s, len) : NULL;
}

char *adapter_rule_exposes(const json_t *rule)
{
	const char *as = json_path_string(rule, "name.as", "");
	const char *matches = json_path_string(rule, "name.matches", "");

	if (*as && strchr(as, '$') == NULL) {
		return xstrdup(as);
	}
	/* Without captures the name is what `matches` matched: the series name, if that is all. */
	if (*as && strcmp(as, "$0") && strcmp(as, "${0}")) {
		return NULL;
	}
	if (*matches && strcmp(matches, ".*") && strcmp(matches, "^.*$")) {
		return NULL;
	}
	return selected_name(json_path_string(rule, "seriesQuery", ""));
}

static bool begins_and_ends(const char *text, const char *begin, const char *end)
{
	size_t len = strlen(text);

	return len >= strlen(begin) + strlen(end) && strncmp(text, begin, strlen(begin)) == 0 &&
	       strcmp(text + len - strlen(end), end) == 0;
}

/* A discovery of ours: by names, or by a tag. */
static bool is_our_discovery(const char *query)
{
	static const char *const begins[] = {"{__name__=~\"^", "{" CUSTOM_TAGS};

	for (size_t i = 0; i < ARRAY_LEN(begins); i++) {
		if (begins_and_ends(query, begins[i], ",namespace!=\"\",pod!=\"\"}")) {
			return true;
		}
	}
	return false;
}

bool adapter_rule_is_ours(const json_t *rule)
{
	const char *as = json_path_string(rule, "name.as", "");
	const struct engine_signal *signal = engine_signal_by_metric(as);
	auto_json *wanted = NULL;

	if (signal == NULL || !is_our_discovery(json_path_string(rule, "seriesQuery", ""))) {
		return false;
	}
	/* All but the queries, which an earlier version of ours wrote otherwise. */
	wanted = adapter_rule_json(&(struct adapter_rule){.name = as,
		.series_query = json_path_string(rule, "seriesQuery", ""),
		.metrics_query = json_path_string(rule, "metricsQuery", "")});
	return json_equal(rule, wanted);
}
