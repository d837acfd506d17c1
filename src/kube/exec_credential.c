/* What an exec plugin prints. */
#include "exec_credential.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/yaml.h"
#include "kube/key_pair.h"

void exec_credential_release(struct exec_credential *credential)
{
	free(credential->token);
	free(credential->cert);
	free(credential->key);
	*credential = EXEC_CREDENTIAL_INIT;
}

/* Most plugins print JSON, some YAML. JSON is tried first: libyaml knows not all of its escapes. */
static json_t *decode(const char *text, size_t len, struct error *err)
{
	json_t *decoded = json_parse(text, len, NULL);

	if (decoded == NULL) {
		decoded = yaml_parse(text, len, NULL);
	}
	if (decoded != NULL && json_is_object(decoded)) {
		return decoded;
	}
	json_decref(decoded);
	error_set(err, ERROR_INVALID, len == 0 ? "it printed nothing" : "it printed neither JSON nor YAML");
	return NULL;
}

/* *value is NULL when the field is absent or empty. */
static int text_field(const json_t *status, const char *field, const char **value, struct error *err)
{
	const json_t *found = json_object_get(status, field);

	*value = NULL;
	if (found == NULL || json_is_null(found)) {
		return 0;
	}
	if (!json_is_string(found) || strlen(json_string_value(found)) != json_string_length(found)) {
		return error_set(err, ERROR_INVALID, "'status.%s' is not a text", field);
	}
	if (json_string_length(found) > 0) {
		*value = json_string_value(found);
	}
	return 0;
}

static int take_status(struct exec_credential *credential, const json_t *status, struct error *err)
{
	const char *token, *cert, *key, *expires;

	if (text_field(status, "token", &token, err) < 0 ||
		text_field(status, "clientCertificateData", &cert, err) < 0 ||
		text_field(status, "clientKeyData", &key, err) < 0 ||
		text_field(status, "expirationTimestamp", &expires, err) < 0) {
		return -1;
	}
	if ((cert == NULL) != (key == NULL)) {
		return error_set(err, ERROR_INVALID, "it has a client %s without its %s",
			cert != NULL ? "certificate" : "key", cert != NULL ? "key" : "certificate");
	}
	if (token == NULL && cert == NULL) {
		return error_set(err, ERROR_INVALID,
			"it has neither 'status.token' nor 'status.clientCertificateData'");
	}
	for (const char *p = token; p != NULL && *p; p++) {
		if (!isgraph((unsigned char)*p)) {
			return error_set(err, ERROR_INVALID,
				"'status.token' is not one line of "
				"printable characters");
		}
	}
	if (cert != NULL && key_pair_check(cert, key, err) < 0) {
		return -1;
	}
	credential->expires_ms = expires != NULL ? clock_parse_rfc3339(expires) : -1;
	if (expires != NULL && credential->expires_ms < 0) {
		return error_set(err, ERROR_INVALID, "'status.expirationTimestamp' '%s' is not an RFC 3339 time",
			expires);
	}
	credential->token = xstrdup(token);
	credential->cert = xstrdup(cert);
	credential->key = xstrdup(key);
	return 0;
}

int exec_credential_parse(struct exec_credential *credential, const char *text, size_t len, const char *api_version,
	struct error *err)
{
	auto_json *object = decode(text, len, err);
	const char *kind = json_path_string(object, "kind", "");
	const char *version = json_path_string(object, "apiVersion", "");

	if (object == NULL) {
		return -1;
	}
	if (strcmp(kind, "ExecCredential") != 0) {
		return error_set(err, ERROR_INVALID, "its 'kind' is '%s', not 'ExecCredential'", kind);
	}
	if (strcmp(version, api_version) != 0) {
		return error_set(err, ERROR_INVALID, "its 'apiVersion' is '%s', but the kubeconfig asks for '%s'",
			version, api_version);
	}
	if (!json_is_object(json_object_get(object, "status"))) {
		return error_set(err, ERROR_INVALID, "it has no 'status'");
	}
	return take_status(credential, json_object_get(object, "status"), err);
}
