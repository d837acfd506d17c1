/* Names: each character counts. */
#include "name_form.h"

#include <stddef.h>
#include <string.h>

#include "api/kinds.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

#define NAME_MAX_LABEL 63
#define NAME_MAX_SUBDOMAIN 253
#define NAME_MAX_SERVICE 55
#define NAME_MAX_PORT 15
#define NAME_MAX_PATH 255
#define NAME_MAX_SERIES 255

static bool is_in(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

/* `len` bytes of `inner`, at least one, and `ends` at both ends. */
static bool is_made_of(const char *text, size_t len, const char *ends, const char *inner)
{
	if (len == 0 || !is_in(text[0], ends) || !is_in(text[len - 1], ends)) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (!is_in(text[i], inner)) {
			return false;
		}
	}
	return true;
}

static bool is_dns_label(const char *text, size_t len)
{
	return is_made_of(text, len, LOWER DIGITS, LOWER DIGITS "-");
}

static bool is_subdomain(const char *text, size_t len)
{
	const char *end = text + len;

	for (;;) {
		const char *dot = memchr(text, '.', (size_t)(end - text));

		if (!is_dns_label(text, (size_t)((dot != NULL ? dot : end) - text))) {
			return false;
		}
		if (dot == NULL) {
			return true;
		}
		text = dot + 1;
	}
}

bool name_is_label(const char *text)
{
	size_t len = strlen(text);

	return len <= NAME_MAX_LABEL && is_dns_label(text, len);
}

bool name_is_subdomain(const char *text)
{
	size_t len = strlen(text);

	return len <= NAME_MAX_SUBDOMAIN && is_subdomain(text, len);
}

bool name_is_service(const char *text)
{
	size_t len = strlen(text);

	return len <= NAME_MAX_SERVICE && is_dns_label(text, len) && is_in(text[0], LOWER);
}

/* "v1", "v1beta2". */
static bool is_version(const char *text)
{
	size_t major = text[0] == 'v' ? strspn(text + 1, DIGITS) : 0;
	const char *stage = text + 1 + major;

	if (major == 0) {
		return false;
	}
	if (*stage == '\0') {
		return true;
	}
	if (strncmp(stage, "alpha", strlen("alpha")) == 0) {
		stage += strlen("alpha");
	} else if (strncmp(stage, "beta", strlen("beta")) == 0) {
		stage += strlen("beta");
	} else {
		return false;
	}
	return *stage != '\0' && stage[strspn(stage, DIGITS)] == '\0';
}

bool name_is_group_version(const char *text)
{
	const char *slash = strchr(text, '/');

	return strlen(text) <= NAME_MAX_SUBDOMAIN && (slash == NULL || is_subdomain(text, (size_t)(slash - text))) &&
	       is_version(slash != NULL ? slash + 1 : text);
}

bool name_is_kind(const char *text)
{
	size_t len = strlen(text);

	return len <= NAME_MAX_LABEL && is_made_of(text, len, UPPER LOWER DIGITS, UPPER LOWER DIGITS) &&
	       is_in(text[0], UPPER);
}

bool name_is_port(const char *text)
{
	size_t len = strlen(text);

	return len <= NAME_MAX_PORT && is_dns_label(text, len) && strstr(text, "--") == NULL &&
	       strpbrk(text, LOWER) != NULL;
}

bool name_is_path(const char *text)
{
	if (text[0] != '/' || strlen(text) > NAME_MAX_PATH || text[strspn(text, "/._~-" UPPER LOWER DIGITS)] != '\0') {
		return false;
	}
	for (const char *at = text; at != NULL && at[1] != '\0'; at = strchr(at + 1, '/')) {
		size_t len = strcspn(at + 1, "/");

		if (len == 0 || (len <= 2 && strspn(at + 1, ".") == len)) {
			return false;
		}
	}
	return true;
}

static bool is_label_name(const char *text)
{
	size_t len = strlen(text);

	return len <= NAME_MAX_LABEL && is_made_of(text, len, UPPER LOWER DIGITS, UPPER LOWER DIGITS "-_.");
}

bool name_is_label_key(const char *text)
{
	const char *slash = strchr(text, '/');
	size_t prefix = slash != NULL ? (size_t)(slash - text) : 0;

	return (slash == NULL || (prefix <= NAME_MAX_SUBDOMAIN && is_subdomain(text, prefix))) &&
	       is_label_name(slash != NULL ? slash + 1 : text);
}

bool name_is_label_value(const char *text)
{
	return text[0] == '\0' || is_label_name(text);
}

bool name_is_own_label(const char *key)
{
	static const char prefix[] = "inference-autoscaler.io/";

	return strcmp(key, LABEL_MANAGED_BY) == 0 || strncmp(key, prefix, strlen(prefix)) == 0;
}

/* What stands behind the letters of the set, of which there is at least one, the first no digit; NULL when there is none. */
static const char *after_word(const char *text, const char *set)
{
	size_t len = strspn(text, set);

	return len > 0 && !is_in(text[0], DIGITS) ? text + len : NULL;
}

/* What a scrape gives each sample of a pod, or a query asks for by itself. */
static bool is_reserved_label(const char *name, size_t len)
{
	static const char *const reserved[] = {"__name__", "namespace", "pod", "unready"};

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		if (strlen(reserved[i]) == len && strncmp(reserved[i], name, len) == 0) {
			return true;
		}
	}
	return false;
}

/* What stands behind name="value"; NULL when there is no such pair. */
static const char *after_pair(const char *text)
{
	const char *name = text;

	text = after_word(text, LOWER UPPER DIGITS "_");
	if (text == NULL || is_reserved_label(name, (size_t)(text - name)) || text[0] != '=' || text[1] != '"') {
		return NULL;
	}
	text += 2;
	text += strspn(text, LOWER UPPER DIGITS "_./:@+-");
	return *text == '"' ? text + 1 : NULL;
}

/* What the platform's own rules and dashboards read, often of any pod: a page is not to have it stored under these names. */
static bool is_reserved_family(const char *text)
{
	static const char *const reserved[] = {"up", "ALERTS", "scrape", "kube", "kubelet", "node", "container",
		"apiserver", "DCGM", "inference_autoscaler"};

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		size_t len = strlen(reserved[i]);

		if (strncmp(reserved[i], text, len) == 0 && strchr("_:{", text[len]) != NULL) {
			return true;
		}
	}
	return false;
}

bool name_is_series(const char *text)
{
	const char *at = strlen(text) <= NAME_MAX_SERIES ? after_word(text, LOWER UPPER DIGITS "_:") : NULL;

	if (at == NULL || is_reserved_family(text)) {
		return false;
	}
	if (*at == '\0') {
		return true;
	}
	if (*at != '{') {
		return false;
	}
	do {
		at = after_pair(at + 1);
	} while (at != NULL && *at == ',');
	return at != NULL && at[0] == '}' && at[1] == '\0';
}
