/* Names, keys and request paths of Kubernetes objects, and label selectors; pure. */
#include "kube/resource.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"

char *kube_api_version(const struct kube_resource *resource)
{
	if (resource->group[0] == '\0') {
		return xstrdup(resource->version);
	}
	return xasprintf("%s/%s", resource->group, resource->version);
}

static void add_segment(struct strbuf *path, const char *segment)
{
	strbuf_addch(path, '/');
	strbuf_add_urlencoded(path, segment);
}

char *kube_resource_path(const struct kube_resource *resource, const char *ns, const char *name)
{
	auto_strbuf path = STRBUF_INIT;

	if (resource->group[0] == '\0') {
		strbuf_addstr(&path, "/api");
	} else {
		strbuf_addstr(&path, "/apis");
		add_segment(&path, resource->group);
	}
	add_segment(&path, resource->version);
	if (resource->namespaced && ns != NULL && ns[0] != '\0') {
		strbuf_addstr(&path, "/namespaces");
		add_segment(&path, ns);
	}
	add_segment(&path, resource->plural);
	if (name != NULL) {
		add_segment(&path, name);
	}
	return strbuf_take(&path);
}

char *kube_key(const char *ns, const char *name)
{
	if (ns == NULL || ns[0] == '\0') {
		return xstrdup(name);
	}
	return xasprintf("%s/%s", ns, name);
}

char *kube_object_key(const json_t *object)
{
	return kube_key(kube_object_namespace(object), kube_object_name(object));
}

const char *kube_object_name(const json_t *object)
{
	return json_path_string(object, "metadata.name", "");
}

const char *kube_object_namespace(const json_t *object)
{
	return json_path_string(object, "metadata.namespace", "");
}

const char *kube_object_uid(const json_t *object)
{
	return json_path_string(object, "metadata.uid", "");
}

const char *kube_object_resource_version(const json_t *object)
{
	return json_path_string(object, "metadata.resourceVersion", "");
}

const char *kube_object_label(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(json_path(object, "metadata.labels"), key));
}

const char *kube_object_annotation(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(json_path(object, "metadata.annotations"), key));
}

static bool value_among(const char *value, const json_t *values)
{
	size_t i;
	json_t *item;

	json_array_foreach(values, i, item) {
		const char *text = json_string_value(item);

		if (text != NULL && strcmp(text, value) == 0) {
			return true;
		}
	}
	return false;
}

static bool op_in(const char *value, const json_t *values)
{
	return value != NULL && value_among(value, values);
}

/* As the API defines it, a missing key satisfies NotIn. */
static bool op_not_in(const char *value, const json_t *values)
{
	return value == NULL || !value_among(value, values);
}

static bool op_exists(const char *value, const json_t *values)
{
	(void)values;
	return value != NULL;
}

static bool op_does_not_exist(const char *value, const json_t *values)
{
	(void)values;
	return value == NULL;
}

static const struct selector_op {
	const char *name;
	bool (*matches)(const char *value, const json_t *values);
	const char *before_key; /* how the query form writes it */
	const char *after_key;  /* followed by the values in parentheses; NULL = no values */
} selector_ops[] = {
	{"In", op_in, "", " in "},
	{"NotIn", op_not_in, "", " notin "},
	{"Exists", op_exists, "", NULL},
	{"DoesNotExist", op_does_not_exist, "!", NULL},
};

static const struct selector_op *find_op(const json_t *requirement)
{
	const char *name = json_path_string(requirement, "operator", "");

	for (size_t i = 0; i < ARRAY_LEN(selector_ops); i++) {
		if (strcmp(selector_ops[i].name, name) == 0) {
			return &selector_ops[i];
		}
	}
	return NULL;
}

bool kube_selector_matches(const json_t *selector, const json_t *labels, bool if_null)
{
	const char *key;
	json_t *want, *requirement;
	size_t i;

	if (selector == NULL || json_is_null(selector)) {
		return if_null;
	}
	if (!json_is_object(selector)) {
		return false;
	}
	json_object_foreach(json_object_get(selector, "matchLabels"), key, want) {
		const char *value = json_string_value(json_object_get(labels, key));

		if (value == NULL || !json_is_string(want) || strcmp(value, json_string_value(want)) != 0) {
			return false;
		}
	}
	json_array_foreach(json_object_get(selector, "matchExpressions"), i, requirement) {
		const struct selector_op *op = find_op(requirement);
		const char *label = json_path_string(requirement, "key", "");

		if (op == NULL || !op->matches(json_string_value(json_object_get(labels, label)),
					  json_object_get(requirement, "values"))) {
			return false;
		}
	}
	return true;
}

bool kube_selector_allows(const json_t *selector, const char *key, const char *value)
{
	const json_t *want = json_object_get(json_object_get(selector, "matchLabels"), key);
	json_t *requirement;
	size_t i;

	if (want != NULL && (value == NULL || !json_is_string(want) || strcmp(value, json_string_value(want)) != 0)) {
		return false;
	}
	json_array_foreach(json_object_get(selector, "matchExpressions"), i, requirement) {
		const char *about = json_string_value(json_object_get(requirement, "key"));
		const struct selector_op *op;

		if (about == NULL || strcmp(about, key) != 0) {
			continue;
		}
		op = find_op(requirement);
		if (op == NULL || !op->matches(value, json_object_get(requirement, "values"))) {
			return false;
		}
	}
	return true;
}

static void add_comma(struct strbuf *text)
{
	if (text->len > 0) {
		strbuf_addch(text, ',');
	}
}

static void add_requirement(struct strbuf *text, const json_t *requirement)
{
	const struct selector_op *op = find_op(requirement);
	const char *key = json_path_string(requirement, "key", "");
	size_t i;
	json_t *value;

	add_comma(text);
	if (op == NULL) {
		/* Nothing matches an operator we do not know: two requirements no object can meet.
		 */
		strbuf_addf(text, "%s,!%s", key, key);
		return;
	}
	strbuf_addf(text, "%s%s", op->before_key, key);
	if (op->after_key == NULL) {
		return;
	}
	strbuf_addf(text, "%s(", op->after_key);
	json_array_foreach(json_object_get(requirement, "values"), i, value) {
		if (i > 0) {
			strbuf_addch(text, ',');
		}
		strbuf_addstr(text, json_is_string(value) ? json_string_value(value) : "");
	}
	strbuf_addch(text, ')');
}

char *kube_selector_text(const json_t *selector)
{
	auto_strbuf text = STRBUF_INIT;
	const char *key;
	json_t *value, *requirement;
	size_t i;

	json_object_foreach(json_object_get(selector, "matchLabels"), key, value) {
		add_comma(&text);
		strbuf_addf(&text, "%s=%s", key, json_is_string(value) ? json_string_value(value) : "");
	}
	json_array_foreach(json_object_get(selector, "matchExpressions"), i, requirement) {
		add_requirement(&text, requirement);
	}
	return strbuf_take(&text);
}
