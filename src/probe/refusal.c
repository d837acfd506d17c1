/* Why Prometheus gave no answer, in words. */
#include "refusal.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

#define QUOTE_MAX 200         /* of a refusal's own words */
#define READ_MAX (64u * 1024) /* of a refusal, which is read on the loop; Prometheus' own are a line */

#define ASKS_CERTIFICATE                                                                                               \
	"it wants a client certificate that it trusts; give --prometheus-client-tls-cert-file and "                    \
	"--prometheus-client-tls-key-file (chart: prometheus.tls.clientSecret)"
#define ADDRESS_OPTION "--prometheus-url (chart: prometheus.url)"

static struct refusal refusal(enum cause cause, char *message_take)
{
	return (struct refusal){.cause = cause, .message = message_take};
}

/* The first line of what was said, in brackets' form ": …"; heap. Not of a page for people. */
static char *first_line_of(const struct http_response *response)
{
	auto_free char *line = xstrndup(response->body, strcspn(response->body, "\r\n"));
	auto_free char *words = text_fit(line, QUOTE_MAX);

	if (line[0] == '\0' || line[0] == '<' || line[0] == '{') {
		return xstrdup("");
	}
	return xasprintf(": %s", words);
}

/* Who we said we are; heap, NULL = nobody. */
static char *identity(const struct access *access, const char *base)
{
	const struct access_options *o = access_options(access);

	if (!access_is_set(access, base)) {
		return NULL;
	}
	if (o->token_file != NULL) {
		return xasprintf("the token of --prometheus-token-file '%s'", o->token_file);
	}
	if (o->username != NULL) {
		return xasprintf("user '%s' with the password of --prometheus-password-file '%s'", o->username,
			o->password_file);
	}
	if (o->client_cert_file != NULL) {
		return xasprintf("the certificate of --prometheus-client-tls-cert-file '%s'", o->client_cert_file);
	}
	return NULL;
}

static char *unauthorized(const struct access *access, const char *base, const struct http_response *response)
{
	auto_free char *who = identity(access, base);
	auto_free char *words = first_line_of(response);

	if (who == NULL) {
		return xasprintf(
			"Prometheus at '%s' answers only to those it knows (HTTP %d%s): give %s--prometheus-token-file, "
			"or --prometheus-username and --prometheus-password-file (chart: prometheus.auth)",
			base, response->status, words, access_is_set(access, base) ? "" : ADDRESS_OPTION " and ");
	}
	if (response->status == 401) {
		return xasprintf(
			"Prometheus at '%s' refuses %s (HTTP 401%s): correct what the file holds, or name another "
			"(chart: prometheus.auth)",
			base, who, words);
	}
	return xasprintf(
		"Prometheus at '%s' does not let %s ask (HTTP 403%s): give it the right to query, on OpenShift by the "
		"ClusterRole 'cluster-monitoring-view'",
		base, who, words);
}

/* Remedies of TLS failures, by a piece of OpenSSL's or libcurl's words. */
static const struct {
	const char *words;
	const char *remedy;         /* when no CA was given, or it does not matter */
	const char *remedy_with_ca; /* NULL = the same */
} tls_remedies[] = {
	{"issuer certificate", "give the CA that signed it by --prometheus-ca-file (chart: prometheus.tls)",
		"the CA of --prometheus-ca-file has not signed it: give the one that has (chart: prometheus.tls)"},
	{"self-signed certificate", "give the CA that signed it by --prometheus-ca-file (chart: prometheus.tls)",
		"the CA of --prometheus-ca-file has not signed it: give the one that has (chart: prometheus.tls)"},
	{"signature failure",
		"the CA of --prometheus-ca-file has not signed it: give the one that has (chart: prometheus.tls)",
		NULL},
	{"subject name",
		"give a name that it is for by --prometheus-tls-server-name (chart: prometheus.tls.serverName)", NULL},
	{"does not match",
		"give a name that it is for by --prometheus-tls-server-name (chart: prometheus.tls.serverName)", NULL},
	{"expired", "renew Prometheus' certificate", NULL},
	{"not yet valid", "see whose clock is wrong", NULL},
	{"wrong version number", "it speaks no TLS: give " ADDRESS_OPTION " with http", NULL},
	{"alert", ASKS_CERTIFICATE, NULL},
};

static char *untrusted(const struct access *access, const char *base, const char *words)
{
	const char *remedy = "see --prometheus-ca-file and --prometheus-tls-server-name (chart: prometheus.tls)";
	bool with_ca = access_options(access)->ca_file != NULL;

	/* The words behind it are one time these and one time those. */
	if (strstr(words, "after the TLS handshake") != NULL) {
		return xasprintf("Prometheus at '%s' ended the connection after the TLS handshake: " ASKS_CERTIFICATE,
			base);
	}
	for (size_t i = 0; i < ARRAY_LEN(tls_remedies); i++) {
		if (strstr(words, tls_remedies[i].words) != NULL) {
			remedy = with_ca && tls_remedies[i].remedy_with_ca != NULL ? tls_remedies[i].remedy_with_ca
			                                                           : tls_remedies[i].remedy;
			break;
		}
	}
	return xasprintf("Prometheus at '%s' cannot be asked: %s; %s", base, words, remedy);
}

/* Where a redirect leads, without what may be secret: the query. */
static char *redirected(const char *base, const struct http_response *response)
{
	size_t origin = strcspn(base + strlen("https://"), "/") + strlen("https://");
	bool home = strncmp(response->redirect, base, origin) == 0 &&
	            (response->redirect[origin] == '/' || response->redirect[origin] == '\0');
	auto_free char *address = xstrndup(response->redirect, strcspn(response->redirect, "?#"));
	auto_free char *words = text_quote(address);

	return xasprintf(
		"what answers at '%s' is not Prometheus: it redirects to '%s' (HTTP %d), which is not followed; %s",
		base, words, response->status,
		home ? "if Prometheus is under that path, give it in " ADDRESS_OPTION
		     : "is it a login page? give " ADDRESS_OPTION
		       " an address that takes a token, and --prometheus-token-file");
}

static bool is_html(const struct http_response *response)
{
	return strncasecmp(response->content_type, "text/html", strlen("text/html")) == 0;
}

/* What is no answer of Prometheus' API at all; NULL when it may be one. */
static char *stranger(const char *base, const struct http_response *response, const json_t *answer)
{
	if (response->status >= 300 && response->status < 400) {
		return redirected(base, response);
	}
	if (response->status < 500 && is_html(response)) {
		return xasprintf(
			"what answers at '%s' is not Prometheus: it sends a web page (HTTP %d); is it a login page? give " ADDRESS_OPTION
			" the address of Prometheus itself",
			base, response->status);
	}
	if (response->status == 404 && answer == NULL) {
		return xasprintf(
			"what answers at '%s' is not Prometheus: it has no '/api/v1' there (HTTP 404); give " ADDRESS_OPTION
			" with the path that Prometheus is under",
			base);
	}
	return NULL;
}

static char *unasked(const char *base, const struct http_response *response, size_t max_body)
{
	if (response->too_large) {
		return xasprintf(
			"Prometheus at '%s' answers with more than %zu KiB, the most that is read: give one that scrapes fewer "
			"pods by " ADDRESS_OPTION,
			base, max_body / 1024);
	}
	return xasprintf(
		"Prometheus at '%s' cannot be asked: %s; see whether its pods run, and whether a NetworkPolicy "
		"keeps the operator from them, or give another address by " ADDRESS_OPTION,
		base, response->error->message);
}

struct refusal refusal_of(const struct access *access, const char *base, const struct http_response *response,
	size_t max_body)
{
	bool failed = response->error == NULL && response->status != 200;
	auto_json *read = NULL;
	char *message;

	if (response->error != NULL && response->tls_failed) {
		return refusal(CAUSE_TLS, untrusted(access, base, response->error->message));
	}
	if (response->error != NULL) {
		return refusal(CAUSE_NONE, unasked(base, response, max_body));
	}
	if (response->status == 401 || response->status == 403) {
		return refusal(CAUSE_UNAUTHORIZED, unauthorized(access, base, response));
	}
	if (response->status == 400 && strstr(response->body, "HTTP request to an HTTPS server") != NULL) {
		return refusal(CAUSE_TLS,
			xasprintf("Prometheus at '%s' speaks TLS only: give " ADDRESS_OPTION " with https", base));
	}
	read = failed && response->body_len <= READ_MAX ? json_parse(response->body, response->body_len, NULL) : NULL;
	message = stranger(base, response, read);
	if (message != NULL) {
		return refusal(CAUSE_NOT_PROMETHEUS, message);
	}
	if (failed) {
		auto_free char *words = text_quote(json_path_string(read, "error", ""));

		return refusal(CAUSE_NONE, xasprintf("Prometheus at '%s' answered HTTP %d to a query%s%s", base,
						   response->status, words[0] != '\0' ? ": " : "", words));
	}
	return refusal(CAUSE_NONE, NULL);
}

struct refusal refusal_of_body(const char *base, const char *unreadable)
{
	return refusal(CAUSE_NOT_PROMETHEUS,
		xasprintf("what answers at '%s' is not a Prometheus: %s", base,
			unreadable != NULL ? unreadable : "its answer has no status 'success'"));
}
