/*
 * How the operator gets at Prometheus: what it trusts, who it says it is, and which headers it sends.
 *
 * All secrets are in files, which somebody else may replace at any time (a projected ServiceAccount
 * token, a mounted Secret): they are read again when they are older than ten seconds, and at once
 * after a refusal; one that cannot be read again keeps what it held. Nothing that is secret, and no
 * header of the user's, goes anywhere else than to the URL that was set: an address that is found in
 * a Prometheus resource is named by whoever may write one. A client certificate is no secret, and its
 * key is sent to nobody.
 */
#ifndef PROBE_ACCESS_H
#define PROBE_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "net/http_client.h"

/* As on the command line; NULL = not given. All is borrowed and outlives every use. */
struct access_options {
	const char *url;
	const char *ca_file;
	const char *client_cert_file;
	const char *client_key_file;
	const char *server_name;
	bool insecure;
	const char *token_file;
	const char *username;
	const char *password_file;
	const char *const *headers; /* "Name: value" */
	size_t headers_count;
};

struct access;

/* Reads every file once. NULL and ERROR_INVALID, which names the option and what to do, when they cannot
 * be used or do not go together; logs what is allowed but not wise. */
struct access *access_new(const struct access_options *options, struct error *err);
/* NULL is allowed. */
void access_free(struct access *access);

/* Sets the request's headers and TLS for a question to this base URL; borrowed until the next call. */
void access_apply(struct access *access, const char *base, struct http_request *request);
/* Goes up each time that a file held something new. */
unsigned access_generation(const struct access *access);
/* Who was asked as `generation` refused us: reads all files again. True when another try is worth it,
 * because they have changed. */
bool access_renew(struct access *access, unsigned generation);

/* For words about a refusal: what was set. */
const struct access_options *access_options(const struct access *access);
/* Whether the base URL is the one that was set. */
bool access_is_set(const struct access *access, const char *base);

#endif
