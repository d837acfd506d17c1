/* How the operator gets at Prometheus. */
#include "probe/access.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "kube/key_pair.h"
#include "reconcile/prometheus.h"

#define FILE_AGE_MS 10000
#define PEM_MARKER "-----BEGIN "
#define ANYTHING "" /* a password may hold blanks: a marker that is in every text */

struct access {
	struct access_options options;
	char *base; /* of options.url, as questions name it; NULL = not set */
	struct kept_file ca;
	struct key_pair pair;
	struct kept_file token;
	struct kept_file password;
	char *seen; /* all texts together as last looked at: tells whether one changed */
	unsigned generation;
	char *authorization;  /* the header's line; NULL = none */
	const char **headers; /* `authorization`, the user's, NULL */
	struct http_tls tls;
};

/* What can be said of the options without looking into a file. */

static int check_url(const char *url, struct error *err)
{
	const char *authority = url != NULL ? strstr(url, "://") : NULL;

	if (url == NULL) {
		return 0;
	}
	if (authority == NULL || (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) ||
		authority[3] == '\0' || authority[3] == '/') {
		return error_set(err, ERROR_INVALID, "--prometheus-url must be like https://HOST:PORT/PATH, not '%s'",
			url);
	}
	if (memchr(authority + 3, '@', strcspn(authority + 3, "/")) != NULL) {
		return error_set(err, ERROR_INVALID,
			"--prometheus-url holds a user or a password, which everybody who lists processes can read: give "
			"--prometheus-username and --prometheus-password-file instead");
	}
	if (strpbrk(url, "?# ") != NULL) {
		return error_set(err, ERROR_INVALID,
			"--prometheus-url '%s' goes on after its path: leave out what follows it, '/api/v1/…' is added",
			url);
	}
	return 0;
}

static int check_header(const char *line, struct error *err)
{
	static const char *const ours[] = {"Authorization", "Proxy-Authorization", "Cookie", "Host", "Content-Length",
		"Transfer-Encoding"};
	size_t name = strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

	if (name == 0 || line[name] != ':' || line[name + 1 + strspn(line + name + 1, " ")] == '\0') {
		return error_set(err, ERROR_INVALID, "--prometheus-header must be like 'Name: value', not '%s'", line);
	}
	for (size_t i = 0; line[i] != '\0'; i++) {
		if (iscntrl((unsigned char)line[i])) {
			return error_set(err, ERROR_INVALID,
				"--prometheus-header '%.*s' holds a control character: take it out", (int)name, line);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		if (strlen(ours[i]) == name && strncasecmp(line, ours[i], name) == 0) {
			return error_set(err, ERROR_INVALID,
				"--prometheus-header cannot set '%s': a secret is given by --prometheus-token-file or "
				"--prometheus-password-file",
				ours[i]);
		}
	}
	return 0;
}

static int check_together(const struct access_options *o, struct error *err)
{
	const struct {
		const char *one, *one_name, *other, *other_name;
	} pairs[] = {
		{o->client_cert_file, "client-tls-cert-file", o->client_key_file, "client-tls-key-file"},
		{o->username, "username", o->password_file, "password-file"},
	};
	const char *sent = o->token_file != NULL  ? "token-file"
	                   : o->username != NULL  ? "username"
	                   : o->headers_count > 0 ? "header"
	                                          : NULL;

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		bool one = pairs[i].one != NULL;

		if (one != (pairs[i].other != NULL)) {
			return error_set(err, ERROR_INVALID, "--prometheus-%s needs --prometheus-%s: give both",
				one ? pairs[i].one_name : pairs[i].other_name,
				one ? pairs[i].other_name : pairs[i].one_name);
		}
	}
	if (o->token_file != NULL && o->username != NULL) {
		return error_set(err, ERROR_INVALID,
			"--prometheus-token-file and --prometheus-username exclude each other: give one of them");
	}
	if (o->username != NULL && strchr(o->username, ':') != NULL) {
		return error_set(err, ERROR_INVALID,
			"--prometheus-username '%s' holds a ':', which basic auth cannot send: choose another name",
			o->username);
	}
	if (o->insecure && o->ca_file != NULL) {
		return error_set(err, ERROR_INVALID,
			"--prometheus-insecure-skip-verify and --prometheus-ca-file exclude each other: leave out the first");
	}
	if (sent != NULL && o->url == NULL) {
		return error_set(err, ERROR_INVALID,
			"--prometheus-%s needs --prometheus-url: it is sent only to an address that you set", sent);
	}
	return 0;
}

static int check_options(const struct access_options *o, struct error *err)
{
	for (size_t i = 0; i < o->headers_count; i++) {
		if (check_header(o->headers[i], err) < 0) {
			return -1;
		}
	}
	return check_url(o->url, err) < 0 ? -1 : check_together(o, err);
}

static void warn(const struct access_options *o)
{
	bool plain = o->url != NULL && strncmp(o->url, "http://", 7) == 0;

	if (o->insecure) {
		log_event(LOG_WARN,
			"anybody may pass for Prometheus: give --prometheus-ca-file instead of "
			"--prometheus-insecure-skip-verify",
			NULL);
	}
	if (plain && (o->token_file != NULL || o->username != NULL)) {
		log_event(LOG_WARN, "credentials go to Prometheus unencrypted: give --prometheus-url with https", "url",
			o->url, NULL);
	}
}

/* The files. */

static int load_file(const char *option, struct kept_file *file, struct error *err)
{
	auto_strbuf text = STRBUF_INIT;
	auto_error why = ERROR_INIT;

	if (file->path == NULL) {
		return 0;
	}
	if (kept_file_read(file, &text, &why) == 0) {
		if (strcmp(option, "ca-file") == 0) {
			key_pair_check_ca(text.buf, &why);
		} else if (text.buf[strspn(text.buf, "\r\n")] == '\0') {
			error_set(&why, ERROR_INVALID, "it is empty");
		}
	}
	if (why.kind != ERROR_NONE) {
		return error_set(err, ERROR_INVALID,
			"--prometheus-%s '%s' cannot be used: %s; put it there, or correct the path", option,
			file->path, why.message);
	}
	return kept_file_refresh(file, 0, err);
}

static int load_files(struct access *access, struct error *err)
{
	auto_error why = ERROR_INIT;

	if (load_file("ca-file", &access->ca, err) < 0 ||
		load_file("client-tls-cert-file", &access->pair.cert, err) < 0 ||
		load_file("client-tls-key-file", &access->pair.key, err) < 0 ||
		load_file("token-file", &access->token, err) < 0 ||
		load_file("password-file", &access->password, err) < 0) {
		return -1;
	}
	if (access->pair.cert.path != NULL && key_pair_check(access->pair.cert.text, access->pair.key.text, &why) < 0) {
		return error_set(err, ERROR_INVALID,
			"--prometheus-client-tls-cert-file '%s' and --prometheus-client-tls-key-file '%s' cannot be used: %s",
			access->pair.cert.path, access->pair.key.path, why.message);
	}
	return 0;
}

/* "Authorization: …", or NULL; heap. */
static char *make_authorization(const struct access *access)
{
	auto_strbuf plain = STRBUF_INIT;
	auto_strbuf coded = STRBUF_INIT;

	if (access->token.text != NULL) {
		return xasprintf("Authorization: Bearer %s", access->token.text);
	}
	if (access->password.text == NULL) {
		return NULL;
	}
	/* The line's end is an editor's, not the password's. */
	strbuf_addf(&plain, "%s:%.*s", access->options.username, (int)strcspn(access->password.text, "\r\n"),
		access->password.text);
	base64_encode(plain.buf, plain.len, &coded);
	return xasprintf("Authorization: Basic %s", coded.buf);
}

static const char *text_of(const struct kept_file *file)
{
	return file->text != NULL ? file->text : "";
}

/* Reads what is older than this, and makes of it what requests take. */
static void refresh(struct access *access, int64_t max_age_ms)
{
	char *seen;

	/* Each held a good text once, so that it keeps one whatever happens. */
	kept_file_refresh(&access->ca, max_age_ms, NULL);
	kept_file_refresh(&access->token, max_age_ms, NULL);
	kept_file_refresh(&access->password, max_age_ms, NULL);
	key_pair_refresh(&access->pair, max_age_ms);
	access->tls = (struct http_tls){.ca_data = access->ca.text,
		.cert_data = access->pair.cert.text,
		.key_data = access->pair.key.text,
		.server_name = access->options.server_name,
		.insecure = access->options.insecure};
	seen = xasprintf("%s\n%s\n%s\n%s\n%s", text_of(&access->ca), text_of(&access->token),
		text_of(&access->password), text_of(&access->pair.cert), text_of(&access->pair.key));
	if (access->seen != NULL && strcmp(access->seen, seen) == 0) {
		free_indirect(&seen);
		return;
	}
	free_indirect(&access->seen);
	access->seen = seen;
	access->generation++;
	free_indirect(&access->authorization);
	access->authorization = make_authorization(access);
	access->headers[0] = access->authorization;
}

/* Life. */

static struct kept_file file_of(const char *path, const char *marker)
{
	return (struct kept_file){.path = xstrdup(path), .marker = marker};
}

struct access *access_new(const struct access_options *o, struct error *err)
{
	struct access *access;

	if (check_options(o, err) < 0) {
		return NULL;
	}
	access = xcalloc(1, sizeof(*access));
	*access = (struct access){.options = *o,
		.base = o->url != NULL ? prometheus_base(o->url) : NULL,
		.ca = file_of(o->ca_file, PEM_MARKER),
		.pair = {.cert = file_of(o->client_cert_file, PEM_MARKER),
			.key = file_of(o->client_key_file, PEM_MARKER)},
		.token = file_of(o->token_file, NULL),
		.password = file_of(o->password_file, ANYTHING),
		.headers = xcalloc(o->headers_count + 2, sizeof(*access->headers))};
	for (size_t i = 0; i < o->headers_count; i++) {
		access->headers[i + 1] = o->headers[i];
	}
	if (load_files(access, err) < 0) {
		access_free(access);
		return NULL;
	}
	refresh(access, FILE_AGE_MS);
	warn(o);
	return access;
}

void access_free(struct access *access)
{
	if (access == NULL) {
		return;
	}
	kept_file_release(&access->ca);
	key_pair_release(&access->pair);
	kept_file_release(&access->token);
	kept_file_release(&access->password);
	free_indirect(&access->base);
	free_indirect(&access->seen);
	free_indirect(&access->authorization);
	free_indirect(&access->headers);
	free_indirect(&access);
}

/* Use. */

bool access_is_set(const struct access *access, const char *base)
{
	return access->base != NULL && strcmp(access->base, base) == 0;
}

void access_apply(struct access *access, const char *base, struct http_request *request)
{
	refresh(access, FILE_AGE_MS);
	if (strncmp(base, "https://", 8) == 0) {
		request->tls = &access->tls;
	}
	if (access_is_set(access, base)) {
		request->headers =
			(const char *const *)(access->authorization != NULL ? access->headers : access->headers + 1);
	}
}

unsigned access_generation(const struct access *access)
{
	return access->generation;
}

bool access_renew(struct access *access, unsigned generation)
{
	refresh(access, 0);
	return access->generation != generation;
}

const struct access_options *access_options(const struct access *access)
{
	return &access->options;
}
