/* Which clients a TLS server believes. */
#include "peer_trust_parts.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "certificate_parts.h"

#define CHAIN_MAX 8
#define SECURITY_LEVEL 2 /* of OpenSSL: keys of 112 bits and no SHA-1 */

/* Whom ---------------------------------------------------------------------------------------- */

static void set_names(struct peer_trust *trust, const char *const *names, size_t count)
{
	trust->names = xcalloc(count + 1, sizeof(*trust->names));
	trust->names_count = count;
	for (size_t i = 0; i < count; i++) {
		trust->names[i] = xstrdup(names[i]);
	}
}

/* How many there are; -1 when one is broken. */
static int add_authorities(X509_STORE *store, const char *text)
{
	BIO *bio = BIO_new_mem_buf(text, -1);
	bool broken = bio == NULL;
	int count = 0;
	X509 *x509;

	while (!broken && (x509 = certificate_next(bio, &broken)) != NULL) {
		broken = X509_STORE_add_cert(store, x509) != 1;
		X509_free(x509);
		count++;
	}
	BIO_free(bio);
	ERR_clear_error();
	return broken ? -1 : count;
}

struct peer_trust *peer_trust_new(const char *authorities, const char *const *names, size_t names_count,
	struct error *err)
{
	struct peer_trust *trust = xcalloc(1, sizeof(*trust));
	int count;

	trust->store = X509_STORE_new();
	set_names(trust, names, names_count);
	count = trust->store != NULL ? add_authorities(trust->store, authorities) : -1;
	if (count <= 0) {
		error_set(err, ERROR_INVALID, "it holds %s PEM certificate", count == 0 ? "no" : "a broken");
		peer_trust_free(trust);
		return NULL;
	}
	return trust;
}

struct peer_trust *peer_trust_share(const struct peer_trust *trust)
{
	struct peer_trust *other = xcalloc(1, sizeof(*other));

	X509_STORE_up_ref(trust->store);
	other->store = trust->store;
	set_names(other, (const char *const *)trust->names, trust->names_count);
	return other;
}

void peer_trust_free(struct peer_trust *trust)
{
	if (trust == NULL) {
		return;
	}
	for (size_t i = 0; i < trust->names_count; i++) {
		free(trust->names[i]);
	}
	free(trust->names);
	X509_STORE_free(trust->store);
	free(trust);
}

/* A client ------------------------------------------------------------------------------------ */

/* NULL when the chain leads to an authority; else why not. */
static const char *check_chain(const struct peer_trust *trust, X509 *leaf, STACK_OF(X509) * chain, int64_t now_ms)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	const char *why = "out of memory";

	if (ctx != NULL && X509_STORE_CTX_init(ctx, trust->store, leaf, chain) == 1 &&
		X509_STORE_CTX_set_default(ctx, "ssl_client") == 1) {
		X509_STORE_CTX_set_time(ctx, 0, (time_t)(now_ms / 1000));
		X509_STORE_CTX_set_depth(ctx, CHAIN_MAX);
		X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(ctx), SECURITY_LEVEL);
		/* What is among the authorities is trusted, be it a root or not. */
		X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_PARTIAL_CHAIN);
		why = X509_verify_cert(ctx) == 1 ? NULL : X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));
	}
	X509_STORE_CTX_free(ctx);
	ERR_clear_error();
	return why;
}

static bool is_allowed(const struct peer_trust *trust, const unsigned char *name, size_t len)
{
	for (size_t i = 0; i < trust->names_count; i++) {
		if (strlen(trust->names[i]) == len && memcmp(trust->names[i], name, len) == 0) {
			return true;
		}
	}
	return trust->names_count == 0;
}

static const char *check_name(const struct peer_trust *trust, X509 *leaf)
{
	const X509_NAME *subject = X509_get_subject_name(leaf);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	const X509_NAME_ENTRY *entry = at >= 0 ? X509_NAME_get_entry(subject, at) : NULL;
	unsigned char *name = NULL;
	/* Of several, who is meant? */
	bool one = entry != NULL && X509_NAME_get_index_by_NID(subject, NID_commonName, at) < 0;
	int len = one ? ASN1_STRING_to_UTF8(&name, X509_NAME_ENTRY_get_data(entry)) : 0;
	bool allowed = len >= 0 && is_allowed(trust, name, (size_t)len);

	OPENSSL_free(name);
	ERR_clear_error();
	return allowed ? NULL : "the client certificate's common name is not an allowed one";
}

const char *peer_trust_check(const struct peer_trust *trust, X509 *leaf, STACK_OF(X509) * chain, int64_t now_ms)
{
	const char *why;

	if (trust == NULL) {
		return "it is not known yet which clients are to be trusted";
	}
	if (leaf == NULL) {
		return "a client certificate is needed";
	}
	why = check_chain(trust, leaf, chain, now_ms);
	return why != NULL ? why : check_name(trust, leaf);
}
