/* The API server's metav1.Status and HTTP status codes as errors. */
#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "call.h"

static enum error_kind kind_of_http(int http)
{
	static const struct {
		int http;
		enum error_kind kind;
	} kinds[] = {
		{401, ERROR_UNAUTHORIZED},
		{403, ERROR_FORBIDDEN},
		{404, ERROR_NOT_FOUND},
		{408, ERROR_UNAVAILABLE},
		{409, ERROR_CONFLICT},
		{410, ERROR_EXPIRED},
		{429, ERROR_UNAVAILABLE},
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (kinds[i].http == http) {
			return kinds[i].kind;
		}
	}
	if (http >= 500) {
		return ERROR_UNAVAILABLE;
	}
	return http >= 400 ? ERROR_INVALID : ERROR_INTERNAL;
}

/* Reasons that say more than their code, or come in a watch's ERROR event without one. */
static const struct {
	const char *reason;
	enum error_kind kind;
} reasons[] = {
	{"Expired", ERROR_EXPIRED},
	{"Gone", ERROR_EXPIRED},
	{"Unauthorized", ERROR_UNAUTHORIZED},
	{"Forbidden", ERROR_FORBIDDEN},
	{"NotFound", ERROR_NOT_FOUND},
	{"Conflict", ERROR_CONFLICT},
	{"AlreadyExists", ERROR_CONFLICT},
	{"TooManyRequests", ERROR_UNAVAILABLE},
	{"ServerTimeout", ERROR_UNAVAILABLE},
	{"Timeout", ERROR_UNAVAILABLE},
	{"InternalError", ERROR_UNAVAILABLE},
	{"ServiceUnavailable", ERROR_UNAVAILABLE},
	{"Invalid", ERROR_INVALID},
	{"BadRequest", ERROR_INVALID},
};

/* A resourceVersion the server has not reached yet (after a restore): as with an expired one, list
 * again. */
static bool resource_version_too_large(const json_t *status)
{
	size_t i;
	json_t *cause;

	json_array_foreach(json_path(status, "details.causes"), i, cause) {
		if (strcmp(json_path_string(cause, "reason", ""), "ResourceVersionTooLarge") == 0) {
			return true;
		}
	}
	return false;
}

static enum error_kind kind_of(int http, const json_t *status)
{
	const char *reason = json_path_string(status, "reason", "");

	if (resource_version_too_large(status)) {
		return ERROR_EXPIRED;
	}
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		if (strcmp(reasons[i].reason, reason) == 0) {
			return reasons[i].kind;
		}
	}
	return kind_of_http(http);
}

/* The first line of what a proxy or an old handler said in plain text. */
static char *plain_reason(int http, const char *text)
{
	size_t len = text != NULL ? strcspn(text, "\r\n") : 0;

	if (len == 0 || len > 200 || text[0] == '<') {
		return xasprintf("the server answered HTTP %d", http);
	}
	return xasprintf("%.*s (HTTP %d)", (int)len, text, http);
}

static int64_t seconds_to_ms(int64_t seconds)
{
	return seconds > INT64_MAX / 1000 ? INT64_MAX : seconds * 1000;
}

int64_t kube_retry_after(const char *what, int64_t asked_ms)
{
	auto_free char *asked_s = NULL;

	if (asked_ms <= KUBE_RETRY_AFTER_MAX_MS) {
		return asked_ms;
	}
	asked_s = xasprintf("%lld", (long long)(asked_ms / 1000));
	log_event(LOG_WARN, "a server asks us to wait for longer than a minute, coming again after a minute", "to",
		what, "retry_after_s", asked_s, NULL);
	return KUBE_RETRY_AFTER_MAX_MS;
}

int kube_status_error(struct error *err, const char *what, int http, const json_t *status, const char *text)
{
	const char *message = json_path_string(status, "message", "");
	json_int_t seconds = json_path_int(status, "details.retryAfterSeconds", 0);
	auto_free char *words = message[0] != '\0' ? xstrdup(message) : plain_reason(http, text);
	auto_free char *reason = text_quote(words);

	error_set(err, kind_of(http, status), "cannot %s: %s", what, reason);
	if (err == NULL) {
		return -1;
	}
	err->http = http;
	err->retry_after_ms = seconds > 0 ? kube_retry_after(what, seconds_to_ms(seconds)) : -1;
	return -1;
}
