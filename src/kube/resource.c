/* Names, keys and request paths of Kubernetes objects, and label selectors as text; pure. */
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

/* How the query form writes a requirement of matchExpressions. */
static const struct selector_op {
	const char *name;
	const char *before_key;
	const char *after_key; /* followed by the values in parentheses; NULL = no values */
} selector_ops[] = {
	{"In", "", " in "},
	{"NotIn", "", " notin "},
	{"Exists", "", NULL},
	{"DoesNotExist", "!", NULL},
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
		/* Nothing matches an operator that we do not know: two requirements that no object can meet. */
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
