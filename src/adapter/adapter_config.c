/*
 * Our block of rules in somebody else's prometheus-adapter configuration: cut out and put in.
 */
#include "adapter/adapter_config.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "adapter_layout.h"
#include "adapter_place.h"
#include "adapter_strays.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/yaml.h"

/* A checked text: the foreign part alone, what it means and how it is laid out. */
struct config {
	struct block block;   /* ours, in the text as it was given */
	char *base;           /* the text without it */
	json_t *doc;          /* an object */
	struct layout layout; /* of the base */
};

static void config_release(struct config *c)
{
	free(c->base);
	json_decref(c->doc);
	layout_release(&c->layout);
}
#define auto_config ATTR_CLEANUP(config_release) struct config

/* Whether nothing follows the first document: a last line "---" begins one that is empty. */
static bool is_one_document(const json_t *documents)
{
	for (size_t i = 1; i < json_array_size(documents); i++) {
		if (!json_is_null(json_array_get(documents, i))) {
			return false;
		}
	}
	return true;
}

/* The one document, as an object; an empty text is an object without keys. New reference. */
static json_t *parse(const char *text, struct error *err)
{
	auto_json *documents = yaml_parse_all(text, strlen(text), err);
	json_t *doc = json_array_get(documents, 0);

	if (documents == NULL) {
		return NULL;
	}
	if (!is_one_document(documents)) {
		error_set(err, ERROR_INVALID,
			"more than one YAML document, of which the adapter reads the first: keep "
			"one");
		return NULL;
	}
	if (doc == NULL || json_is_null(doc)) {
		return json_object();
	}
	if (!json_is_object(doc)) {
		error_set(err, ERROR_INVALID, "the top is not a mapping: write 'rules:' there and a list below it");
		return NULL;
	}
	return json_incref(doc);
}

/* Splits a text into our block and the rest; the base is left NULL on failure. */
static int split(const char *text, struct block *block, char **base, struct error *err)
{
	auto_layout layout;
	auto_strbuf rest = STRBUF_INIT;

	if (layout_read(&layout, text, err) || layout_block(&layout, text, block, err)) {
		return -1;
	}
	strbuf_add(&rest, text, block->begin);
	strbuf_addstr(&rest, text + block->end);
	*base = strbuf_take(&rest);
	return 0;
}

/* Reads the base's layout, and takes out of it what is ours without a marker. */
static int read_base(struct config *c, struct error *err)
{
	auto_free char *rest = NULL;
	auto_json *doc = NULL;

	if (layout_read(&c->layout, c->base, err)) {
		return -1;
	}
	rest = strays_cut(&c->layout, c->base, c->doc);
	doc = rest != NULL ? parse(rest, NULL) : NULL;
	if (doc == NULL || !strays_are_cut(c->doc, doc)) {
		return 0;
	}
	layout_release(&c->layout);
	free(c->base);
	json_decref(c->doc);
	c->base = rest;
	c->doc = json_incref(doc);
	rest = NULL;
	return layout_read(&c->layout, c->base, err);
}

static int config_read(struct config *c, const char *text, struct error *err)
{
	auto_json *whole = parse(text, err);

	if (whole == NULL || split(text, &c->block, &c->base, err)) {
		return -1;
	}
	if (c->block.begin == c->block.end) {
		c->doc = json_incref(whole);
	} else {
		c->doc = parse(c->base, err);
	}
	if (c->doc == NULL) {
		return error_wrap(err, "not a config any more without our rules (a rule below our "
				       "'rules:' needs a key of its own)");
	}
	return read_base(c, err);
}

/* The line, in the text as it was given, of an offset in the base. */
static size_t line_of(const struct config *c, const char *text, size_t at)
{
	return layout_line(text, at < c->block.begin ? at : at + c->block.end - c->block.begin);
}

/* Takes the one of ours that is exposed under this name out; false when there is none. */
static bool leave_out(const struct adapter_rule **rules, size_t *n, const char *name)
{
	for (size_t i = 0; name != NULL && i < *n; i++) {
		if (!strcmp(rules[i]->name, name)) {
			memmove(&rules[i], &rules[i + 1], (--*n - i) * sizeof(rules[0]));
			return true;
		}
	}
	return false;
}

/* Whether the adapter would start with the foreign rules, and keep ours apart from them: what it would not is left out. */
static int check_rules(const struct config *c, const char *text, const struct adapter_rule **ours, size_t *n,
	json_t *left_out, struct error *err)
{
	json_t *rules = json_object_get(c->doc, "rules");
	json_t *rule;
	size_t i;

	if (c->layout.shape == LAYOUT_OTHER) {
		return error_set(err, ERROR_INVALID, "line %zu: 'rules' is not a list: write one there",
			line_of(c, text, c->layout.rules_begin));
	}
	json_array_foreach(rules, i, rule) {
		auto_free char *name = adapter_rule_exposes(rule);

		if (adapter_rule_check_json(rule, err)) {
			return error_wrap(err, "line %zu: rule", line_of(c, text, c->layout.items[i]));
		}
		if (leave_out(ours, n, name)) {
			auto_free char *why =
				xasprintf("line %zu: a rule exposes '%s', as ours does, and the adapter would silently "
					  "drop one: remove it or change its name.as",
					line_of(c, text, c->layout.items[i]), name);

			if (left_out == NULL) {
				return error_set(err, ERROR_CONFLICT, "%s", why);
			}
			json_object_set_new(left_out, name, json_string(why));
		}
	}
	return 0;
}

/* The rest of the config, as the adapter's strict decoder sees it. */
static int check_keys(const json_t *doc, struct error *err)
{
	json_t *external = json_object_get(doc, "externalRules");
	json_t *value;
	const char *key;
	size_t i;

	json_object_foreach((json_t *)doc, key, value) {
		if (strcmp(key, "rules") && strcmp(key, "externalRules") && strcmp(key, "resourceRules")) {
			return error_set(err, ERROR_INVALID,
				"unknown key '%s' at the top, at which the adapter refuses to "
				"start: correct or remove it",
				key);
		}
	}
	if (external != NULL && !json_is_null(external) && !json_is_array(external)) {
		return error_set(err, ERROR_INVALID, "'externalRules' is not a list: make it one");
	}
	json_array_foreach(external, i, value) {
		if (adapter_rule_check_json(value, err)) {
			return error_wrap(err, "externalRules[%zu]", i);
		}
	}
	return 0;
}

/* The config as it should read with our rules in it. New reference. */
static json_t *wanted(const struct config *c, const struct place *p, const struct adapter_rule *const *rules, size_t n)
{
	json_t *doc = json_deep_copy(c->doc);
	json_t *list = json_array();
	json_t *foreign = json_object_get(doc, "rules");

	if (!p->front && foreign != NULL) {
		json_array_extend(list, foreign);
	}
	for (size_t i = 0; i < n; i++) {
		json_array_append_new(list, adapter_rule_json(rules[i]));
	}
	if (p->front && foreign != NULL) {
		json_array_extend(list, foreign);
	}
	json_object_set_new(doc, "rules", list);
	return doc;
}

/* Puts the rules in and reads the result again. NULL when it is not what was wanted. */
static char *insert_checked(const struct config *c, bool front, const struct adapter_rule *const *rules, size_t n,
	struct error *err)
{
	struct place place;
	struct block block;

	if (place_find(&place, &c->layout, c->base, front, err)) {
		return NULL;
	}

	auto_free char *text = place_insert(&place, c->base, rules, n);
	auto_free char *base = NULL;
	auto_json *want = wanted(c, &place, rules, n);
	auto_json *got = parse(text, err);

	if (got == NULL || split(text, &block, &base, err)) {
		error_wrap(err, "our rules do not fit in (write 'rules' as a list behind dashes)");
		return NULL;
	}
	if (!json_equal(got, want) || strcmp(base, c->base)) {
		error_set(err, ERROR_INVALID,
			"our rules do not fit in without changing another value: write 'rules' "
			"as a "
			"list behind dashes, and end the text with a newline");
		return NULL;
	}

	char *result = text;

	text = NULL;
	return result;
}

static int by_name(const void *a, const void *b)
{
	const struct adapter_rule *const *left = a;
	const struct adapter_rule *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

/* Checks our rules and points to them in the order of their names. */
static int sort_rules(const struct adapter_rule **sorted, const struct adapter_rule *rules, size_t n, struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		if (adapter_rule_check(&rules[i], err)) {
			return -1;
		}
		sorted[i] = &rules[i];
	}
	qsort(sorted, n, sizeof(sorted[0]), by_name);
	for (size_t i = 1; i < n; i++) {
		if (!strcmp(sorted[i - 1]->name, sorted[i]->name)) {
			return error_set(err, ERROR_INVALID, "adapter rule '%s' is there twice", sorted[i]->name);
		}
	}
	return 0;
}

static char *splice(const char *text, const struct adapter_rule **rules, size_t n, json_t *left_out, struct error *err)
{
	auto_config config = {0};
	auto_error first = ERROR_INIT;
	char *result;

	if (config_read(&config, text, err)) {
		return NULL;
	}
	if (n == 0) {
		return xstrdup(config.base);
	}
	if (check_keys(config.doc, err) || check_rules(&config, text, rules, &n, left_out, err)) {
		return NULL;
	}
	if (n == 0) {
		return xstrdup(config.base);
	}
	result = insert_checked(&config, false, rules, n, &first);
	if (result == NULL) {
		result = insert_checked(&config, true, rules, n, NULL);
	}
	if (result == NULL) {
		error_move(err, &first);
	}
	return result;
}

char *adapter_config_splice(const char *text, const struct adapter_rule *rules, size_t n, json_t *left_out,
	struct error *err)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	bool marked = !strncmp(text, byte_order_mark, strlen(byte_order_mark));
	auto_free const struct adapter_rule **sorted = xcalloc(n + 1, sizeof(struct adapter_rule *));
	auto_free char *result = NULL;

	if (sort_rules(sorted, rules, n, err)) {
		return NULL;
	}
	/* the mark would count as a column */
	result = splice(text + (marked ? strlen(byte_order_mark) : 0), sorted, n, left_out, err);
	if (result == NULL) {
		error_wrap(err, "adapter config");
		return NULL;
	}
	return xasprintf("%s%s", marked ? byte_order_mark : "", result);
}

/* Splits the rules into those of others, which come first, and ours. False when one of others comes after one of ours:
 * the last rule wins. */
static bool split_rules(const json_t *doc, json_t *theirs, json_t *ours)
{
	size_t i;
	json_t *rule;

	json_array_foreach(json_object_get(doc, "rules"), i, rule) {
		bool is_ours = adapter_rule_is_ours(rule);

		if (!is_ours && json_object_size(ours) > 0) {
			return false;
		}
		if (is_ours) {
			json_object_set(ours, json_path_string(rule, "name.as", ""), rule);
		} else {
			json_array_append(theirs, rule);
		}
	}
	return true;
}

bool adapter_config_reads_alike(const char *text, const char *other)
{
	auto_json *doc = parse(text, NULL);
	auto_json *other_doc = parse(other, NULL);
	auto_json *theirs = json_array();
	auto_json *other_theirs = json_array();
	auto_json *ours = json_object();
	auto_json *other_ours = json_object();

	if (doc == NULL || other_doc == NULL || !split_rules(doc, theirs, ours) ||
		!split_rules(other_doc, other_theirs, other_ours)) {
		return false;
	}
	json_object_del(doc, "rules");
	json_object_del(other_doc, "rules");
	return json_equal(doc, other_doc) && json_equal(theirs, other_theirs) && json_equal(ours, other_ours);
}
