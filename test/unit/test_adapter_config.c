/* Our rules in somebody else's adapter config: exact bytes, and back again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "adapter/adapter_config.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/yaml.h"

/* One rule of ours, and how it reads behind a dash at column 0. */
static const struct adapter_rule ours = {.name = "m", .series_query = "{a='b'}", .metrics_query = "sum(<<.Series>>)"};
static const struct adapter_rule two[] = {
	{.name = "z",
		.series_query = "z",
		.namespace_label = "exported_namespace",
		.pod_label = "exported_pod",
		.metrics_query = "<<.Series>>{<<.LabelMatchers>>}"},
	{.name = "m", .series_query = "{a='b'}", .metrics_query = "sum(<<.Series>>)"},
};

#define FIELDS                                                                                                         \
	"seriesQuery: '{a=''b''}'%n  resources: {overrides: {'namespace': {resource: namespace}, "                     \
	"'pod': {resource: pod}}}%n  name: {matches: '.*', as: 'm'}%n  metricsQuery: "                                 \
	"'sum(<<.Series>>)'"

/*
 * In a row's `after`, «B», «J» and «E» stand for the markers, «R» for our rule in block style and
 * «F» for it in flow style; the text before the sign on its line is the indentation of all lines.
 */
struct row {
	const char *what;
	const char *before;
	const char *after;
};

#define Q "seriesQuery: q"

static const struct row rows[] = {
	{"a list that is not indented", "rules:\n- " Q "\n", "rules:\n- " Q "\n«B»\n«R»\n«E»\n"},
	{"an indented list", "rules:\n  - " Q "\n", "rules:\n  - " Q "\n  «B»\n  «R»\n  «E»\n"},
	{"a list indented by 7", "rules:\n       - " Q "\n",
		"rules:\n       - " Q "\n       «B»\n       «R»\n       «E»\n"},
	{"several spaces behind the dash", "rules:\n-    " Q "\n     name: {as: x}\n",
		"rules:\n-    " Q "\n     name: {as: x}\n«B»\n«R»\n«E»\n"},
	{"a dash on a line of its own", "rules:\n-\n  " Q "\n", "rules:\n-\n  " Q "\n«B»\n«R»\n«E»\n"},
	{"an indented top", "  rules:\n  - " Q "\n", "  rules:\n  - " Q "\n  «B»\n  «R»\n  «E»\n"},
	{"keys behind the list", "rules:\n- " Q "\nexternalRules:\n- " Q "\nresourceRules: {}\n",
		"rules:\n- " Q "\n«B»\n«R»\n«E»\nexternalRules:\n- " Q "\nresourceRules: {}\n"},
	{"keys before the list", "resourceRules:\n  window: 5m\nrules:\n- " Q "\n",
		"resourceRules:\n  window: 5m\nrules:\n- " Q "\n«B»\n«R»\n«E»\n"},
	{"no final newline", "rules:\n- " Q, "rules:\n- " Q "\n«B»\n«R»\n«E»"},
	{"no final newline, other keys behind", "rules:\n- " Q "\nresourceRules: {}",
		"rules:\n- " Q "\n«B»\n«R»\n«E»\nresourceRules: {}"},
	{"a document behind that is empty", "rules:\n- " Q "\n---\n", "rules:\n- " Q "\n«B»\n«R»\n«E»\n---\n"},
	{"the same, with a comment", "rules: []\n--- # end\n# c\n",
		"rules: [\n  «J»\n  «F»\n  «E»\n  ]\n--- # end\n# c\n"},
	{"empty documents alone", "---\n---\n", "---\n«B»\nrules:\n«R»\n«E»\n---\n"},
	{"spaces instead of a final newline", "rules:\n- " Q "  ", "rules:\n- " Q "  \n«B»\n«R»\n«E»"},
	{"blank lines at the end", "rules:\n- " Q "\n\n\n", "rules:\n- " Q "\n«B»\n«R»\n«E»\n\n\n"},
	{"trailing spaces", "rules:  \n- " Q "   \n", "rules:  \n- " Q "   \n«B»\n«R»\n«E»\n"},
	{"CRLF", "rules:\r\n- " Q "\r\n", "rules:\r\n- " Q "\r\n«B»\r\n«R»\r\n«E»\r\n"},
	{"CRLF without a final one", "rules:\r\n- " Q, "rules:\r\n- " Q "\r\n«B»\r\n«R»\r\n«E»"},
	{"CRLF in a flow list", "rules: []\r\n", "rules: [\r\n  «J»\r\n  «F»\r\n  «E»\r\n  ]\r\n"},
	{"CRLF, and the first line LF", "rules:\n- " Q "\r\n", "rules:\n- " Q "\r\n«B»\n«R»\n«E»\n"},
	{"old CR alone", "rules:\r- " Q "\r", "rules:\r- " Q "\r«B»\n«R»\n«E»\n"},
	{"a comment on the last line", "rules:\n- " Q " # why\n", "rules:\n- " Q " # why\n«B»\n«R»\n«E»\n"},
	{"a deeper comment behind", "rules:\n- " Q "\n  # about it\nexternalRules: []\n",
		"rules:\n- " Q "\n  # about it\n«B»\n«R»\n«E»\nexternalRules: []\n"},
	{"a comment of the next key", "rules:\n- " Q "\n# the next\nexternalRules: []\n",
		"rules:\n- " Q "\n«B»\n«R»\n«E»\n# the next\nexternalRules: []\n"},
	{"a commented-out rule in an indented list", "rules:\n  - " Q "\n\n  # - " Q "\n  #   name: x\n",
		"rules:\n  - " Q "\n\n  # - " Q "\n  #   name: x\n  «B»\n  «R»\n  «E»\n"},
	{"a deeper comment without a newline", "rules:\n- " Q "\n  # c", "rules:\n- " Q "\n  # c\n«B»\n«R»\n«E»"},
	{"a deeper comment behind blank lines, then a key", "rules:\n  - " Q "\n\n# next\n  # deep\nexternalRules:\n",
		"rules:\n  - " Q "\n  «B»\n  «R»\n  «E»\n\n# next\n  # deep\nexternalRules:\n"},
	{"comments everywhere", "# top\nrules: # r\n# one\n- " Q " # two\n# three\n",
		"# top\nrules: # r\n# one\n- " Q " # two\n«B»\n«R»\n«E»\n# three\n"},
	{"an empty flow list", "rules: []\n", "rules: [\n  «J»\n  «F»\n  «E»\n  ]\n"},
	{"an empty flow list, spaced, no newline", "rules: [ ] # c", "rules: [ \n  «J»\n  «F»\n  «E»\n  ] # c"},
	{"a flow list", "rules: [{" Q "}]\nexternalRules: []\n",
		"rules: [{" Q "}\n  «J»\n  , «F»\n  «E»\n  ]\nexternalRules: []\n"},
	{"a flow list with a comma at its end", "rules: [{" Q "}, ]\n",
		"rules: [{" Q "}, \n  «J»\n  «F»\n  «E»\n  ]\n"},
	{"a flow list over lines", "rules: [\n  {" Q "},\n  {" Q "}\n]\n",
		"rules: [\n  {" Q "},\n  {" Q "}\n  «B»\n  , «F»\n  «E»\n]\n"},
	{"a flow list over lines, with commas and comments", "rules: [\n  {" Q "}, # a, b\n  # c,\n  ]\n",
		"rules: [\n  {" Q "}, # a, b\n  # c,\n  «B»\n  «F»\n  «E»\n  ]\n"},
	{"a comma only in a comment", "rules: [\n  {" Q "} # a, b\n]\n",
		"rules: [\n  {" Q "} # a, b\n  «B»\n  , «F»\n  «E»\n]\n"},
	{"JSON", "{\"rules\": [{\"seriesQuery\": \"q\"}], \"externalRules\": []}",
		"{\"rules\": [{\"seriesQuery\": \"q\"}\n  «J»\n  , «F»\n  «E»\n  ], \"externalRules\": "
		"[]}"},
	{"an empty flow mapping", "{}\n", "{\n  «J»\n  rules: [\n  «F»\n  ],\n  «E»\n  }\n"},
	{"a flow mapping without rules", "{externalRules: []}",
		"{\n  «J»\n  rules: [\n  «F»\n  ],\n  «E»\n  externalRules: []}"},
	{"a flow mapping over lines", "{ \n  externalRules: []\n}\n",
		"{ \n  «B»\n  rules: [\n  «F»\n  ],\n  «E»\n  externalRules: []\n}\n"},
	{"a null", "rules:\n", "rules:\n«B»\n«R»\n«E»\n"},
	{"a null without a newline", "rules:", "rules:\n«B»\n«R»\n«E»"},
	{"a null, a comment, another key", "rules: # none yet\nexternalRules:\n",
		"rules: # none yet\n«B»\n«R»\n«E»\nexternalRules:\n"},
	{"a null and commented-out rules", "rules:\n  # - " Q "\nexternalRules:\n",
		"rules:\n  # - " Q "\n«B»\n«R»\n«E»\nexternalRules:\n"},
	{"a written null", "rules: ~\n", "rules: \n«J»\n«R»\n«E» | ~\n"},
	{"a written null, a comment, another key", "rules: null # c\nexternalRules:\n",
		"rules: \n«J»\n«R»\n«E» | null # c\nexternalRules:\n"},
	{"a written null without a newline", "rules:   NULL", "rules:   \n«J»\n«R»\n«E» | NULL"},
	{"an anchored null", "rules: &a ~\r\n", "rules: \r\n«J»\r\n«R»\r\n«E» | &a ~\r\n"},
	{"no rules", "externalRules:\n- " Q "\n", "externalRules:\n- " Q "\n«B»\nrules:\n«R»\n«E»\n"},
	{"no rules, no newline", "resourceRules: {}", "resourceRules: {}\n«B»\nrules:\n«R»\n«E»"},
	{"no rules, an indented top", " resourceRules:\n  window: 5m\n# c\n",
		" resourceRules:\n  window: 5m\n «B»\n rules:\n «R»\n «E»\n# c\n"},
	{"nothing", "", "«B»\nrules:\n«R»\n«E»\n"},
	{"a newline", "\n", "\n«B»\nrules:\n«R»\n«E»\n"},
	{"spaces", "  ", "  \n«B»\nrules:\n«R»\n«E»"},
	{"a comment", "# c\n", "# c\n«B»\nrules:\n«R»\n«E»\n"},
	{"a comment without a newline", "# c", "# c\n«B»\nrules:\n«R»\n«E»"},
	{"document markers", "---\nrules:\n- " Q "\n...\n", "---\nrules:\n- " Q "\n«B»\n«R»\n«E»\n...\n"},
	{"a document marker alone", "---\n", "---\n«B»\nrules:\n«R»\n«E»\n"},
	{"a document marker without a newline", "---", "---\n«B»\nrules:\n«R»\n«E»"},
	{"both document markers", "--- # c\n...\n", "--- # c\n«B»\nrules:\n«R»\n«E»\n...\n"},
	{"a directive", "%YAML 1.1\n---\nrules: []\n", "%YAML 1.1\n---\nrules: [\n  «J»\n  «F»\n  «E»\n  ]\n"},
	{"a block scalar at the end", "rules:\n- seriesQuery: |\n    a\n    # b\n  # c\n",
		"rules:\n- seriesQuery: |\n    a\n    # b\n  # c\n«B»\n«R»\n«E»\n"},
	{"a block scalar that keeps its newlines", "rules:\n- seriesQuery: |+\n    a\n\n\n",
		"rules:\n- seriesQuery: |+\n    a\n\n\n«B»\n«R»\n«E»\n"},
	{"a folded scalar, then a key", "rules:\n  - seriesQuery: >-\n      a\n\n      b\n\nexternalRules:\n",
		"rules:\n  - seriesQuery: >-\n      a\n\n      b\n\n  «B»\n  «R»\n  "
		"«E»\nexternalRules:\n"},
	{"a block scalar that a newline would change", "rules:\n# c\n- seriesQuery: |\n    a",
		"rules:\n«B»\n«R»\n«E»\n# c\n- seriesQuery: |\n    a"},
	{"a stripped block scalar without a newline", "rules:\n- seriesQuery: |-\n    a",
		"rules:\n- seriesQuery: |-\n    a\n«B»\n«R»\n«E»"},
	{"no rules, and a block scalar that a newline would change", "# c\nexternalRules:\n- seriesQuery: |\n    a",
		"# c\n«B»\nrules:\n«R»\n«E»\nexternalRules:\n- seriesQuery: |\n    a"},
	{"a plain scalar over lines", "rules:\n- seriesQuery: a\n    b\n    c\n",
		"rules:\n- seriesQuery: a\n    b\n    c\n«B»\n«R»\n«E»\n"},
	{"a quoted scalar over lines", "rules:\n- seriesQuery: \"a\n\n  # b\"\n",
		"rules:\n- seriesQuery: \"a\n\n  # b\"\n«B»\n«R»\n«E»\n"},
	{"an empty value at the end", "rules:\n- " Q "\n  name:\n", "rules:\n- " Q "\n  name:\n«B»\n«R»\n«E»\n"},
	{"a flow value at the end", "rules:\n- " Q "\n  name: {as: x,\n    matches: y}  # c\n",
		"rules:\n- " Q "\n  name: {as: x,\n    matches: y}  # c\n«B»\n«R»\n«E»\n"},
	{"anchors and aliases", "rules:\n- " Q "\n  resources: &r {template: t}\n- " Q "\n  resources: *r\n",
		"rules:\n- " Q "\n  resources: &r {template: t}\n- " Q "\n  resources: *r\n«B»\n«R»\n«E»\n"},
	{"an anchored list", "rules: &a\n  - " Q "\n", "rules: &a\n  - " Q "\n  «B»\n  «R»\n  «E»\n"},
	{"a merged rule", "rules:\n- &a\n  " Q "\n- <<: *a\n  name: {as: x}\n",
		"rules:\n- &a\n  " Q "\n- <<: *a\n  name: {as: x}\n«B»\n«R»\n«E»\n"},
	{"quoted keys", "\"rules\":\n- \"seriesQuery\": 'q'\n", "\"rules\":\n- \"seriesQuery\": 'q'\n«B»\n«R»\n«E»\n"},
	{"an explicit key", "? rules\n: - " Q "\n  - " Q "\n", "? rules\n: - " Q "\n  - " Q "\n  «B»\n  «R»\n  «E»\n"},
	{"tabs where YAML has them", "rules:\t# c\n- seriesQuery:\tq\t\n",
		"rules:\t# c\n- seriesQuery:\tq\t\n«B»\n«R»\n«E»\n"},
	{"letters of several bytes",
		"# \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\nrules:\n- seriesQuery: \xc3\xa4 # \xe2\x82\xac\n",
		"# \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\nrules:\n- seriesQuery: \xc3\xa4 # "
		"\xe2\x82\xac\n«B»\n«R»\n«E»\n"},
	{"a byte order mark", "\xef\xbb\xbfrules: []\n", "\xef\xbb\xbfrules: [\n  «J»\n  «F»\n  «E»\n  ]\n"},
	{"a byte order mark and several keys", "\xef\xbb\xbfrules:\n- " Q "\nexternalRules:\n",
		"\xef\xbb\xbfrules:\n- " Q "\n«B»\n«R»\n«E»\nexternalRules:\n"},
	{"Unicode line breaks", "rules:\n- " Q " # \xe2\x80\xa8# BEGIN\xc2\x85",
		"rules:\n- " Q " # \xe2\x80\xa8«B»\n«R»\n«E»\n# BEGIN\xc2\x85"},
	{"our markers as somebody's text",
		"rules:\n- seriesQuery: |\n    # BEGIN inference-autoscaler\n    # END "
		"inference-autoscaler\n",
		"rules:\n- seriesQuery: |\n    # BEGIN inference-autoscaler\n    # END "
		"inference-autoscaler\n«B»\n«R»\n«E»\n"},
	{"somebody's marker", "rules:\n# BEGIN inference-autoscaler-x\n- " Q "\n",
		"rules:\n# BEGIN inference-autoscaler-x\n- " Q "\n«B»\n«R»\n«E»\n"},
};

static const char *skip_prefix(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) ? NULL : s + n;
}

/* Spells a row's `after` out. */
static char *spell(const char *s)
{
	static const struct {
		const char *sign;
		const char *text;
	} signs[] = {
		{"«B»", "# BEGIN inference-autoscaler: managed rules, do not edit"},
		{"«J»", "# BEGIN inference-autoscaler: managed rules, do not edit (joined)"},
		{"«E»", "# END inference-autoscaler"},
		{"«R»", "- " FIELDS},
		{"«F»", "{" FIELDS "}"},
	};
	const char *newline = strstr(s, "»\r\n") != NULL ? "\r\n" : "\n";
	struct strbuf out = STRBUF_INIT;

	while (*s) {
		const char *next = NULL;
		size_t i = 0;

		while (i < ARRAY_LEN(signs) && (next = skip_prefix(s, signs[i].sign)) == NULL) {
			i++;
		}
		if (next == NULL) {
			strbuf_addch(&out, *s++);
			continue;
		}
		/* the indentation of the sign's line */
		size_t indent = 0;

		while (indent < out.len && out.buf[out.len - indent - 1] == ' ') {
			indent++;
		}
		for (const char *t = signs[i].text; *t; t++) {
			if (strncmp(t, "%n", 2)) {
				strbuf_addch(&out, *t);
			} else if (*signs[i].text == '{') {
				strbuf_addstr(&out, ",");
				t += 2; /* one of the two spaces stays */
			} else {
				strbuf_addf(&out, "%s%*s", newline, (int)indent, "");
				t++;
			}
		}
		s = next;
	}
	return strbuf_take(&out);
}

static void check_equal(const char *what, const char *got, const char *want, struct error *err)
{
	if (got == NULL) {
		fail_msg("%s: %s", what, err->message != NULL ? err->message : "no message");
	}
	if (strcmp(got, want)) {
		fail_msg("%s:\n--- got\n%s\n--- want\n%s\n---", what, got, want);
	}
}

/* Whether `spliced` has ours besides the foreign rules, in one run, and else means what `text`
 * means. */
static bool means(const char *text, const char *spliced, const struct adapter_rule *rules, size_t n)
{
	size_t mark = strncmp(text, "\xef\xbb\xbf", 3) ? 0 : 3;
	auto_json *before = yaml_parse(text + mark, strlen(text + mark), NULL);
	auto_json *after = yaml_parse(spliced + mark, strlen(spliced + mark), NULL);
	const json_t *foreign = json_object_get(before, "rules");
	const json_t *all = json_object_get(after, "rules");
	size_t have = json_array_size(foreign);
	size_t at = 0;

	if (json_array_size(all) != have + n) {
		return false;
	}
	while (at < have && json_equal(json_array_get(foreign, at), json_array_get(all, at))) {
		at++;
	}
	for (size_t i = 0; i < n; i++) {
		const json_t *rule = json_array_get(all, at + i);

		if (strcmp(json_path_string(rule, "name.as", ""), rules[i].name) ||
			strcmp(json_path_string(rule, "name.matches", ""), ".*") ||
			strcmp(json_path_string(rule, "seriesQuery", ""), rules[i].series_query) ||
			strcmp(json_path_string(rule, "metricsQuery", ""), rules[i].metrics_query) ||
			json_object_size(json_path(rule, "resources.overrides")) != 2) {
			return false;
		}
	}
	for (size_t i = at; i < have; i++) {
		if (!json_equal(json_array_get(foreign, i), json_array_get(all, i + n))) {
			return false;
		}
	}
	json_object_del(after, "rules");
	json_object_del(before, "rules");
	return json_is_null(before) ? json_object_size(after) == 0 : json_equal(before, after);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *row = &rows[i];
		auto_error err = ERROR_INIT;
		auto_free char *want = spell(row->after);
		auto_free char *got = adapter_config_splice(row->before, &ours, 1, NULL, &err);

		check_equal(row->what, got, want, &err);
		if (!means(row->before, got, &ours, 1)) {
			fail_msg("%s: reads as something else:\n%s", row->what, got);
		}

		auto_free char *again = adapter_config_splice(got, &ours, 1, NULL, &err);
		check_equal(row->what, again, got, &err);

		auto_free char *none = adapter_config_splice(row->before, NULL, 0, NULL, &err);
		check_equal(row->what, none, row->before, &err);

		auto_free char *removed = adapter_config_splice(got, NULL, 0, NULL, &err);
		check_equal(row->what, removed, row->before, &err);

		/* other rules of ours, and back */
		auto_free char *more = adapter_config_splice(got, two, ARRAY_LEN(two), NULL, &err);
		auto_free char *fewer = adapter_config_splice(more != NULL ? more : "", &ours, 1, NULL, &err);
		check_equal(row->what, fewer, got, &err);
	}
}

static void test_order_and_labels(void **state)
{
	auto_error err = ERROR_INIT;
	auto_free char *text = adapter_config_splice("", two, ARRAY_LEN(two), NULL, &err);

	(void)state;
	check_equal("two", text,
		"# BEGIN inference-autoscaler: managed rules, do not edit\n"
		"rules:\n"
		"- seriesQuery: '{a=''b''}'\n"
		"  resources: {overrides: {'namespace': {resource: namespace}, 'pod': {resource: "
		"pod}}}\n"
		"  name: {matches: '.*', as: 'm'}\n"
		"  metricsQuery: 'sum(<<.Series>>)'\n"
		"- seriesQuery: 'z'\n"
		"  resources: {overrides: {'exported_namespace': {resource: namespace}, "
		"'exported_pod': {resource: pod}}}\n"
		"  name: {matches: '.*', as: 'z'}\n"
		"  metricsQuery: '<<.Series>>{<<.LabelMatchers>>}'\n"
		"# END inference-autoscaler\n",
		&err);
}

/* Somebody edits around our block: the edits stay and our block is rendered anew. */
static void test_foreign_edits_survive(void **state)
{
	static const struct row edits[] = {
		{"a rule below ours", "rules:\n- " Q "\n«B»\n- old: x\n«E»\n- seriesQuery: new # n\n",
			"rules:\n- " Q "\n- seriesQuery: new # n\n«B»\n«R»\n«E»\n"},
		{"ours alone left", "rules:\n«B»\n- old: x\n«E»\nexternalRules:\n",
			"rules:\n«B»\n«R»\n«E»\nexternalRules:\n"},
		{"a newline added", "rules:\n- " Q "\n«B»\n- old: x\n«E»\n", "rules:\n- " Q "\n«B»\n«R»\n«E»\n"},
		{"a newline dropped", "rules:\n- " Q "\n«B»\n- old: x\n«E»", "rules:\n- " Q "\n«B»\n«R»\n«E»"},
		{"a key of their own below ours", "resourceRules: {}\n«B»\nrules:\n- old: x\n«E»\nexternalRules: []\n",
			"resourceRules: {}\nexternalRules: []\n«B»\nrules:\n«R»\n«E»\n"},
		{"everything indented by hand", "rules:\n  - " Q "\n    «B»\n  - old: x\n   «E»   \n",
			"rules:\n  - " Q "\n  «B»\n  «R»\n  «E»\n"},
		{"the kept null changed", "rules: \n«J»\n- old: x\n«E» | null # new\n",
			"rules: \n«J»\n«R»\n«E» | null # new\n"},
		{"a foreign flow item behind ours", "rules: [\n  «J»\n  {old: x}\n  «E»\n  , {" Q "}]\n", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		auto_error err = ERROR_INIT;
		auto_free char *before = spell(edits[i].before);
		auto_free char *got = adapter_config_splice(before, &ours, 1, NULL, &err);

		if (edits[i].after == NULL) {
			/* nothing could be taken out without breaking what they wrote */
			assert_null(got);
			assert_int_equal(err.kind, ERROR_INVALID);
			continue;
		}
		auto_free char *want = spell(edits[i].after);
		check_equal(edits[i].what, got, want, &err);
	}
}

struct refusal {
	const char *before;
	enum error_kind kind;
	const char *message; /* a part of it */
};

static void test_refusals(void **state)
{
	static const struct refusal refusals[] = {
		{"rules: [", ERROR_INVALID, "adapter config: cannot parse YAML at line 2"},
		{"rules:\n\t- a: b\n", ERROR_INVALID, "cannot parse YAML at line 2"},
		{"rules:\n- " Q "\n - b\n", ERROR_INVALID, "cannot parse YAML at line"},
		{"rules: []\nrules: []\n", ERROR_INVALID, "line 2"},
		{"rules: \xff\n", ERROR_INVALID, "cannot parse YAML at byte 7"},
		{"\xff\xfe"
		 "r",
			ERROR_INVALID, "cannot parse YAML"},
		{"rules: []\n---\nrules: []\n", ERROR_INVALID, "more than one YAML document"},
		{"rules: []\n---\n---\nrules: []\n", ERROR_INVALID, "more than one YAML document"},
		{"- " Q "\n", ERROR_INVALID, "the top is not a mapping"},
		{"just text\n", ERROR_INVALID, "the top is not a mapping"},
		{"null\n", ERROR_INVALID, "do not fit in"},
		{"\nrules: text\n", ERROR_INVALID, "line 2: 'rules' is not a list"},
		{"rules: {a: b}\n", ERROR_INVALID, "line 1: 'rules' is not a list"},
		{"rules:\n  a: b\n", ERROR_INVALID, "line 2: 'rules' is not a list"},
		{"externalRules: &a []\nrules: *a\n", ERROR_INVALID, "line 2: 'rules' is not a list"},
		{"{rules: null}\n", ERROR_INVALID, "write 'rules: []'"},
		{"{rules: }\n", ERROR_INVALID, "write 'rules: []'"},
		{"rules: &a\n- " Q "\nexternalRules: *a\n", ERROR_INVALID, "without changing another value"},
		{"Rules: []\n", ERROR_INVALID, "unknown key 'Rules'"},
		{"<<: {rules: []}\n", ERROR_INVALID, "unknown key '<<'"},
		{"rules:\n- " Q "\n\n- seriesquery: q\n", ERROR_INVALID, "line 4: rule: unknown key 'seriesquery'"},
		{"rules:\n- " Q "\n  name: {As: x}\n", ERROR_INVALID, "line 2: rule: name: unknown key 'As'"},
		{"rules:\n- " Q "\n  name: x\n", ERROR_INVALID, "line 2: rule: name: not a mapping"},
		{"rules:\n- seriesQuery: [q]\n", ERROR_INVALID, "line 2: rule: 'seriesQuery' is not a string"},
		{"rules:\n- name: {as: x}\n", ERROR_INVALID, "line 2: rule: no seriesQuery"},
		{"rules:\n-\n", ERROR_INVALID, "line 2: rule: no seriesQuery"},
		{"rules:\n- " Q "\n- text\n", ERROR_INVALID, "line 3: rule: not a mapping"},
		{"rules:\n- " Q "\n  seriesFilters: {is: x}\n", ERROR_INVALID, "'seriesFilters' is not a list"},
		{"rules:\n- " Q "\n  seriesFilters: [{is: x, isNot: y}]\n", ERROR_INVALID,
			"seriesFilters[0] needs exactly one"},
		{"rules:\n- " Q "\n  seriesFilters: [{is: x}, {}]\n", ERROR_INVALID,
			"seriesFilters[1] needs exactly one"},
		{"rules:\n- " Q "\n  resources: {overrides: {pod: {kind: pod}}}\n", ERROR_INVALID,
			"resources: overrides.pod: unknown key 'kind'"},
		{"rules:\n- " Q "\n  resources: {overrides: [pod]}\n", ERROR_INVALID, "'overrides' is not a mapping"},
		{"externalRules: {}\n", ERROR_INVALID, "'externalRules' is not a list"},
		{"externalRules:\n- seriesQuery: ''\n", ERROR_INVALID, "externalRules[0]: no seriesQuery"},
		{"rules:\n- " Q "\n- " Q "\n  name: {as: m}\n", ERROR_CONFLICT, "line 3: a rule exposes 'm'"},
		{"rules:\n- seriesQuery: 'm{a=\"b\"}'\n", ERROR_CONFLICT, "line 2: a rule exposes 'm'"},
		{"rules: [{seriesQuery: '{x=\"\",__name__=\"m\"}', name: {as: $0}}]\n", ERROR_CONFLICT,
			"line 1: a rule exposes 'm'"},
		/* line numbers are those of the text as it was given, with our block in it */
		{"rules:\n«B»\n«R»\n«E»\n- seriesQuery: m\n", ERROR_CONFLICT, "line 8: a rule exposes 'm'"},
		{"rules:\n- " Q "\n«B»\n- " Q "\n", ERROR_INVALID, "line 3: the marker of our rules"},
		{"rules:\n- " Q "\n- " Q "\n«E»\n", ERROR_INVALID, "line 4: the marker of our rules"},
		{"rules:\n- " Q "\n«E»\n«B»\n", ERROR_INVALID, "line 3: the marker of our rules"},
		{"rules:\n«B»\n«E»\n«B»\n«E»\n", ERROR_INVALID, "line 3: the marker of our rules"},
		{"rules:\n«B»\n«B»\n", ERROR_INVALID, "line 3: the marker of our rules"},
		{"rules:\n«B» now\n«E»\n", ERROR_INVALID, "line 2: the marker of our rules"},
		{"rules:\n# BEGIN inference-autoscaler\n«E»\n", ERROR_INVALID, "line 2: the marker of our rules"},
		{"rules:\n«B»\n«E» now\n", ERROR_INVALID, "line 3: the marker of our rules"},
		{"rules:\n«B»\n«E» | now\n", ERROR_INVALID, "line 3: the marker of our rules"},
		{"rules:\n«J»\n«E» |\n", ERROR_INVALID, "line 3: the marker of our rules"},
		{"«B»\nrules:\n«R»\n«E»\n- " Q "\n", ERROR_INVALID, "the top is not a mapping"},
		{"resourceRules: {}\n«B»\nrules:\n«R»\n«E»\n- " Q "\n", ERROR_INVALID, "needs a key of its own"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		const struct refusal *r = &refusals[i];
		auto_error err = ERROR_INIT;
		auto_free char *before = spell(r->before);
		auto_free char *got = adapter_config_splice(before, &ours, 1, NULL, &err);

		if (got != NULL) {
			fail_msg("'%s' was taken", before);
		}
		if (err.kind != r->kind || err.message == NULL || strstr(err.message, r->message) == NULL ||
			strncmp(err.message, "adapter config: ", 16)) {
			fail_msg("'%s': %s: %s", before, error_kind_name(err.kind), err.message);
		}
	}
}

/* What does not concern our names, or is not certain, is left alone. */
static void test_no_false_clash(void **state)
{
	static const char *const fine[] = {
		"rules:\n- seriesQuery: m\n  name: {as: other}\n",
		"rules:\n- seriesQuery: m\n  name: {as: \"${0}_x\"}\n",
		"rules:\n- seriesQuery: m\n  name: {matches: \"^(.)(.*)$\", as: \"$1\"}\n",
		"rules:\n- seriesQuery: '{__name__=~\"m\"}'\n",
		"rules:\n- seriesQuery: '{__name__!=\"m\"}'\n",
		"rules:\n- seriesQuery: mm\n",
		"externalRules:\n- seriesQuery: q\n  name: {as: m}\n",
		"rules:\n- seriesQuery: 5\n  name: {as: 5}\n  resources: {namespaced: false}\n",
		"rules:\n- seriesQuery: q\n  seriesFilters:\n  resources: {overrides: }\n  name: ~\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
		auto_error err = ERROR_INIT;
		auto_free char *got = adapter_config_splice(fine[i], &ours, 1, NULL, &err);

		if (got == NULL) {
			fail_msg("'%s': %s", fine[i], err.message);
		}
	}
}

#define VLLM_QUERY "'{__name__=~\"^vllm:num_requests_running$\",namespace!=\"\",pod!=\"\"}'"
#define OVERRIDES "resources: {overrides: {namespace: {resource: namespace}, pod: {resource: pod}}}"

/* As yq or kubectl leave our rules: without comments, in block style, of an earlier version even. */
static const struct {
	const char *before;
	const char *base; /* what is left of it without us; NULL = nothing of it is ours */
} stripped[] = {
	{"rules:\n- " Q "\n- seriesQuery: " VLLM_QUERY
	 "\n  resources:\n    overrides:\n      namespace:\n        resource: "
	 "namespace\n      pod:\n        resource: pod\n  name:\n    matches: .*\n    as: vllm_num_requests_running\n"
	 "  metricsQuery: sum(vllm:num_requests_running{<<.LabelMatchers>>} >= 0)\n    by (<<.GroupBy>>)\n",
		"rules:\n- " Q "\n"},
	/* between others, which keep their comments */
	{"rules:\n- " Q "\n- seriesQuery: " VLLM_QUERY "\n  " OVERRIDES
	 "\n  name: {matches: .*, as: vllm_num_requests_running}\n"
	 "  metricsQuery: x\n# theirs\n- " Q "\n",
		"rules:\n- " Q "\n# theirs\n- " Q "\n"},
	/* alone, in an indented list */
	{"rules:\n  - seriesQuery: " VLLM_QUERY "\n    " OVERRIDES
	 "\n    name: {matches: .*, as: vllm_num_requests_running}\n"
	 "    metricsQuery: x\nexternalRules: []\n",
		"rules:\nexternalRules: []\n"},
	/* of another metric, another form, with a field more */
	{"rules:\n- seriesQuery: " VLLM_QUERY "\n  " OVERRIDES
	 "\n  name: {matches: .*, as: my_requests}\n  metricsQuery: x\n",
		NULL},
	{"rules:\n- seriesQuery: vllm:num_requests_running\n  " OVERRIDES
	 "\n  name: {matches: .*, as: vllm_num_requests_running}\n  metricsQuery: x\n",
		NULL},
	{"rules:\n- seriesQuery: " VLLM_QUERY "\n  seriesFilters: []\n  " OVERRIDES
	 "\n  name: {matches: .*, as: vllm_num_requests_running}\n  metricsQuery: x\n",
		NULL},
	/* not on lines of its own */
	{"rules: [{seriesQuery: " VLLM_QUERY ", " OVERRIDES
	 ", name: {matches: .*, as: vllm_num_requests_running}, metricsQuery: x}]\n",
		NULL},
};

static void test_our_rules_are_known_without_their_markers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(stripped); i++) {
		const char *base = stripped[i].base != NULL ? stripped[i].base : stripped[i].before;
		auto_error err = ERROR_INIT;
		auto_free char *want = adapter_config_splice(base, &ours, 1, NULL, &err);
		auto_free char *got = adapter_config_splice(stripped[i].before, &ours, 1, NULL, &err);
		auto_free char *removed = adapter_config_splice(stripped[i].before, NULL, 0, NULL, &err);

		assert_non_null(want);
		check_equal("stripped", got, want, &err);
		check_equal("stripped, removed", removed, base, &err);
	}
}

/* A config that the adapter would refuse can still be rid of our rules. */
static void test_removal_checks_nothing(void **state)
{
	auto_error err = ERROR_INIT;
	auto_free char *with = spell("rules:\n«B»\n«R»\n«E»\n- bad: x\nBad:\n");
	auto_free char *got = adapter_config_splice(with, NULL, 0, NULL, &err);

	(void)state;
	check_equal("removal", got, "rules:\n- bad: x\nBad:\n", &err);
}

static void test_our_rules_are_checked(void **state)
{
	static const struct {
		struct adapter_rule rule;
		const char *message;
	} bad[] = {
		{{.name = "", .series_query = "q", .metrics_query = "q"}, "has the name ''"},
		{{.name = NULL, .series_query = "q", .metrics_query = "q"}, "has the name ''"},
		{{.name = "1m", .series_query = "q", .metrics_query = "q"}, "has the name '1m'"},
		{{.name = "$1", .series_query = "q", .metrics_query = "q"}, "has the name '$1'"},
		{{.name = "a:b", .series_query = "q", .metrics_query = "q"}, "has the name 'a:b'"},
		{{.name = "m", .series_query = "", .metrics_query = "q"}, "no good seriesQuery"},
		{{.name = "m", .series_query = "a\nb", .metrics_query = "q"}, "no good seriesQuery"},
		{{.name = "m", .series_query = "\xc3\xa4", .metrics_query = "q"}, "no good seriesQuery"},
		{{.name = "m", .series_query = "q", .metrics_query = NULL}, "no good metricsQuery"},
		{{.name = "m", .series_query = "q", .metrics_query = "a\tb"}, "no good metricsQuery"},
		{{.name = "m", .series_query = "q", .metrics_query = "<<.Serie>>"}, "template action"},
		{{.name = "m", .series_query = "q", .metrics_query = "<<"}, "template action"},
		{{.name = "m", .series_query = "q", .pod_label = "namespace", .metrics_query = "q"},
			"labels 'namespace' and 'namespace'"},
		{{.name = "m", .series_query = "q", .pod_label = "a-b", .metrics_query = "q"}, "'a-b'"},
	};
	static const struct adapter_rule twice[] = {
		{.name = "m", .series_query = "q", .metrics_query = "q"},
		{.name = "m", .series_query = "r", .metrics_query = "r"},
	};
	auto_error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_free char *got = adapter_config_splice("", &bad[i].rule, 1, NULL, &err);

		assert_null(got);
		assert_int_equal(err.kind, ERROR_INVALID);
		if (strstr(err.message, bad[i].message) == NULL) {
			fail_msg("want '%s', got '%s'", bad[i].message, err.message);
		}
	}
	auto_free char *got = adapter_config_splice("", twice, 2, NULL, &err);
	assert_null(got);
	assert_string_equal(err.message, "adapter rule 'm' is there twice");
}

/* Nothing in a string can end the quoting. */
static void test_quoting(void **state)
{
	static const char *const hard[] = {
		"'",
		"''",
		"' # x",
		"'}, x: {",
		"\\'",
		"\"\\n\"",
		"a: b",
		"- a",
		"# END inference-autoscaler",
		"%x",
		"@`!&*|>",
		" leading and trailing ",
		"{{ .Values.x }}",
		"~",
		"null",
	};
	static const char *const into[] = {"rules: []", "rules:\n", "{}", ""};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(hard); i++) {
		for (size_t k = 0; k < ARRAY_LEN(into); k++) {
			struct adapter_rule rule = {.name = "m", .series_query = hard[i], .metrics_query = hard[i]};
			auto_error err = ERROR_INIT;
			auto_free char *got = adapter_config_splice(into[k], &rule, 1, NULL, &err);

			if (got == NULL || !means(into[k], got, &rule, 1)) {
				fail_msg("'%s' into '%s': %s", hard[i], into[k], got != NULL ? got : err.message);
			}
		}
	}
}

/* Random configs: each choice below is one way people write them. */
static uint64_t seed;

static size_t pick(size_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (size_t)((seed >> 20) % n);
}

#define PICK(list) (list)[pick(ARRAY_LEN(list))]

static void comments(struct strbuf *out, size_t depth)
{
	for (size_t n = pick(3); n > 0; n--) {
		switch (pick(3)) {
		case 0:
			strbuf_addstr(out, "\n");
			break;
		case 1:
			strbuf_addf(out, "%*s\n", (int)pick(5), "");
			break;
		default:
			strbuf_addf(out, "%*s# %s\n", (int)pick(depth + 4), "",
				pick(2) ? "- seriesQuery: x" : "a, b] }: \"");
		}
	}
}

static const char *trail(void)
{
	static const char *const trails[] = {"\n", "\n", "\n", "  \n", " # c\n", "\t# t\n"};

	return PICK(trails);
}

static void scalar(struct strbuf *out, size_t depth)
{
	static const char *const inline_scalars[] = {"q", "'it''s'", "\"a \\\" b\"", "sum(x) by (y)", "a\xc3\xa4", "5",
		"'# no'"};
	static const char *const heads[] = {"|", "|-", "|+", ">", ">-", ">+"};

	if (pick(3)) {
		strbuf_addf(out, " %s%s", PICK(inline_scalars), trail());
		return;
	}
	strbuf_addf(out, " %s%s", PICK(heads), trail());
	for (size_t lines = 1 + pick(3); lines > 0; lines--) {
		strbuf_addf(out, "%s%*s%s\n", pick(4) ? "" : "\n", (int)depth + 1, "",
			pick(3) ? "text: [" : "# END inference-autoscaler");
	}
	if (pick(4) == 0) {
		strbuf_addstr(out, "\n\n");
	}
}

static void flow_rule(struct strbuf *out)
{
	static const char *const rules[] = {"{seriesQuery: q}", "{seriesQuery: 'q', name: {as: x}}",
		"{ \"seriesQuery\": \"a,]}\", }"};

	strbuf_addstr(out, PICK(rules));
}

static void block_rule(struct strbuf *out, size_t column)
{
	size_t depth = column + 2;
	static const char *const more[] = {"name: {as: other, matches: '^(.*)$'}",
		"resources: {template: \"<<.Resource>>\"}", "name:", "seriesFilters: []"};

	if (pick(6) == 0) {
		strbuf_addf(out, "%*s- ", (int)column, "");
		flow_rule(out);
		strbuf_addstr(out, trail());
		return;
	}
	strbuf_addf(out, "%*s- ", (int)column, "");
	if (pick(2)) {
		strbuf_addstr(out, PICK(more));
		strbuf_addf(out, "%s%*s", trail(), (int)depth, "");
	}
	strbuf_addstr(out, "seriesQuery:");
	scalar(out, depth);
	if (pick(2)) {
		comments(out, depth);
		strbuf_addf(out, "%*smetricsQuery:", (int)depth, "");
		scalar(out, depth);
	}
}

static void rules_value(struct strbuf *out, size_t column)
{
	static const char *const nulls[] = {" ~", " null", "", "", " &a"};
	size_t n = pick(4);
	size_t indent;

	switch (pick(8)) {
	case 0:
		strbuf_addf(out, "%s%s", PICK(nulls), trail());
		return;
	case 1:
	case 2:
		strbuf_addf(out, "%*s[", (int)pick(3) + 1, "");
		for (size_t i = 0; i < n; i++) {
			if (pick(2)) {
				strbuf_addf(out, "%s%*s", trail(), (int)column + 1, "");
			}
			flow_rule(out);
			if (i + 1 < n || pick(2)) {
				strbuf_addstr(out, ",");
			}
		}
		if (pick(2)) {
			strbuf_addf(out, "%s%*s", trail(), (int)column + 1, "");
		}
		strbuf_addf(out, "]%s", trail());
		return;
	default:
		indent = column + pick(5);
		strbuf_addstr(out, trail());
		for (size_t i = 0; i < n + 1; i++) {
			comments(out, indent);
			block_rule(out, indent);
		}
	}
}

static void random_config(struct strbuf *out)
{
	static const char *const others[] = {"externalRules:", "resourceRules:"};
	static const char *const starts[] = {"", "", "", "---\n", "--- # c\n", "%YAML 1.1\n---\n"};
	static const char *const ends[] = {"", "", "", "...\n", "... # c\n"};
	size_t column = pick(5) ? 0 : pick(4);
	size_t rules = pick(4);

	strbuf_addstr(out, PICK(starts));
	for (size_t i = 0, other = 0; i < 4 && (i <= rules || other < 2); i++) {
		comments(out, column);
		if (i == rules) {
			strbuf_addf(out, "%*srules:", (int)column, "");
			rules_value(out, column);
		} else if (other < 2 && pick(2)) {
			strbuf_addf(out, "%*s%s", (int)column, "", others[other]);
			if (other == 0) {
				rules_value(out, column);
			} else {
				strbuf_addf(out, " {window: 5m}%s", trail());
			}
			other++;
		}
	}
	comments(out, column);
	strbuf_addstr(out, PICK(ends));
	if (pick(4) == 0) {
		while (out->len && strchr(" \n", out->buf[out->len - 1]) != NULL) {
			out->buf[--out->len] = '\0';
		}
	}
}

static char *with_crlf(const char *s)
{
	struct strbuf out = STRBUF_INIT;

	for (; *s; s++) {
		strbuf_addstr(&out, *s == '\n' ? "\r\n" : (char[]){*s, '\0'});
	}
	return strbuf_take(&out);
}

#ifdef __SANITIZE_ADDRESS__
#define RANDOM_CONFIGS 2000 /* each takes ten times as long there */
#else
#define RANDOM_CONFIGS 10000
#endif

static void test_random(void **state)
{
	const struct adapter_rule sorted[] = {two[1], two[0]};
	size_t taken = 0;

	(void)state;
	seed = 88172645463325252u;
	for (size_t i = 0; i < RANDOM_CONFIGS; i++) {
		auto_error err = ERROR_INIT;
		auto_strbuf lf = STRBUF_INIT;

		random_config(&lf);
		auto_free char *text = pick(5) ? xstrdup(lf.buf) : with_crlf(lf.buf);
		auto_free char *with = adapter_config_splice(text, two, 2, NULL, &err);

		if (with == NULL) {
			assert_int_equal(err.kind, ERROR_INVALID);
			continue;
		}
		taken++;
		if (!means(text, with, sorted, 2)) {
			fail_msg("config %zu reads as something else:\n%s\n---\n%s", i, text, with);
		}

		auto_free char *without = adapter_config_splice(with, NULL, 0, NULL, &err);

		check_equal("without", without, text, &err);
		if (pick(4)) {
			continue;
		}

		auto_free char *again = adapter_config_splice(with, two, 2, NULL, &err);

		check_equal("again", again, with, &err);
	}
	/* nearly all that the generator writes is good: what is refused was not tested */
	print_message("%zu of %d configs taken\n", taken, RANDOM_CONFIGS);
	assert_true(taken > RANDOM_CONFIGS * 99 / 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_order_and_labels),
		cmocka_unit_test(test_foreign_edits_survive),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_no_false_clash),
		cmocka_unit_test(test_our_rules_are_known_without_their_markers),
		cmocka_unit_test(test_removal_checks_nothing),
		cmocka_unit_test(test_our_rules_are_checked),
		cmocka_unit_test(test_quoting),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
