/* What the API server is sent to find out about a caller. */
#include "review_body.h"

#include <string.h>

#include "api/kinds.h"
#include "base/json.h"

bool review_can_be_token(const char *text)
{
	for (const char *c = text; *c != '\0'; c++) {
		if (*c <= ' ' || *c > '~') {
			return false;
		}
	}
	return text[0] != '\0';
}

json_t *review_of_token(const char *token)
{
	return json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "authentication.k8s.io/v1", "kind", "TokenReview", "spec",
		"token", token);
}

json_t *review_attributes(const struct review_question *question)
{
	const struct kube_resource *resource = &kinds[KIND_AUTOSCALER].resource;

	if (question->path != NULL) {
		return json_pack("{s:{s:s, s:s}}", "nonResourceAttributes", "path", question->path, "verb", "get");
	}
	return json_pack("{s:{s:s, s:s, s:s, s:s}}", "resourceAttributes", "verb", "get", "group", resource->group,
		"resource", resource->plural, "namespace", question->ns);
}

/* The user's fields are those that the answer to the TokenReview has, but for the name of the first. */
json_t *review_of_access(const char *user_text, const json_t *attributes)
{
	auto_json *user = json_parse(user_text, strlen(user_text), NULL);
	json_t *spec = json_deep_copy(attributes);
	json_t *name = json_object_get(user, "username");

	json_object_set(spec, "user", name);
	json_object_del(user, "username");
	json_object_update_missing(spec, user);
	return json_pack("{s:s, s:s, s:o}", "apiVersion", "authorization.k8s.io/v1", "kind", "SubjectAccessReview",
		"spec", spec);
}
