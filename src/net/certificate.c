/* A server's private key and its certificate. */
#include "certificate_parts.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pemerr.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"

#define CLOCKS_DIFFER_S 300 /* who checks it may have a clock that is behind ours */
#define SERIAL_BITS 126
#define KEPT_MAX 8
/* Beside the DNS name, which may be longer than a common name can be. */
#define COMMON_NAME "inference-autoscaler"

/* Making one ---------------------------------------------------------------------------------- */

static bool set_serial(X509 *x509)
{
	BIGNUM *serial = BN_new();
	bool ok = serial != NULL && BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
	          BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x509)) != NULL;

	BN_free(serial);
	return ok;
}

static bool set_names(X509 *x509)
{
	X509_NAME *name = X509_get_subject_name(x509);

	return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)COMMON_NAME, -1, -1, 0) ==
	               1 &&
	       X509_set_issuer_name(x509, name) == 1;
}

static bool set_times(X509 *x509, int64_t from_s, int64_t until_s)
{
	return ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)from_s) != NULL &&
	       ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)until_s) != NULL;
}

static bool add_extension(X509 *x509, int kind, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;
	bool ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, x509, x509, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, kind, value);
	ok = extension != NULL && X509_add_ext(x509, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return ok;
}

/* The key identifiers tell certificates apart that have one name: those of the replicas, in one bundle. */
static bool add_extensions(X509 *x509, const char *dns_name)
{
	auto_free char *alternative = xasprintf("DNS:%s", dns_name);

	return add_extension(x509, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(x509, NID_key_usage, "critical,digitalSignature") &&
	       add_extension(x509, NID_ext_key_usage, "serverAuth") &&
	       add_extension(x509, NID_subject_alt_name, alternative) &&
	       add_extension(x509, NID_subject_key_identifier, "hash") &&
	       add_extension(x509, NID_authority_key_identifier, "keyid:always");
}

/* PEM; NULL when OpenSSL cannot. Heap, caller owns. */
static char *pem_of(X509 *x509)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL, *bytes;

	if (bio != NULL && PEM_write_bio_X509(bio, x509) == 1) {
		long len = BIO_get_mem_data(bio, &bytes);

		text = xstrndup(bytes, (size_t)len);
	}
	BIO_free(bio);
	return text;
}

struct certificate *certificate_make(const char *dns_name, int64_t now_ms, int64_t valid_ms, struct error *err)
{
	struct certificate *certificate = xcalloc(1, sizeof(*certificate));
	int64_t until_s = (now_ms + valid_ms) / 1000;

	certificate->x509 = X509_new();
	certificate->key = EVP_EC_gen("P-256");
	certificate->until_ms = until_s * 1000;
	if (certificate->x509 != NULL && certificate->key != NULL &&
		X509_set_version(certificate->x509, X509_VERSION_3) == 1 && set_serial(certificate->x509) &&
		set_names(certificate->x509) &&
		set_times(certificate->x509, now_ms / 1000 - CLOCKS_DIFFER_S, until_s) &&
		X509_set_pubkey(certificate->x509, certificate->key) == 1 &&
		add_extensions(certificate->x509, dns_name) &&
		X509_sign(certificate->x509, certificate->key, EVP_sha256()) > 0) {
		certificate->pem = pem_of(certificate->x509);
	}
	if (certificate->pem == NULL) {
		const char *why = ERR_reason_error_string(ERR_peek_last_error());

		error_set(err, ERROR_INTERNAL, "cannot make a certificate for '%s': %s", dns_name,
			why != NULL ? why : "OpenSSL does not say why");
		certificate_free(certificate);
		certificate = NULL;
	}
	ERR_clear_error();
	return certificate;
}

struct certificate *certificate_share(const struct certificate *certificate)
{
	struct certificate *other = xcalloc(1, sizeof(*other));

	X509_up_ref(certificate->x509);
	EVP_PKEY_up_ref(certificate->key);
	*other = (struct certificate){.x509 = certificate->x509,
		.key = certificate->key,
		.pem = xstrdup(certificate->pem),
		.until_ms = certificate->until_ms};
	return other;
}

void certificate_free(struct certificate *certificate)
{
	if (certificate != NULL) {
		X509_free(certificate->x509);
		EVP_PKEY_free(certificate->key);
		free(certificate->pem);
		free(certificate);
	}
}

const char *certificate_pem(const struct certificate *certificate)
{
	return certificate->pem;
}

int64_t certificate_until_ms(const struct certificate *certificate)
{
	return certificate->until_ms;
}

/* Those of others ----------------------------------------------------------------------------- */

/* Without this one OpenSSL asks the terminal for a password. */
static int no_password(char *buf, int size, int writing, void *ctx)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)ctx;
	return 0;
}

X509 *certificate_next(BIO *text, bool *broken)
{
	X509 *x509 = PEM_read_bio_X509(text, NULL, no_password, NULL);

	*broken = x509 == NULL && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE;
	ERR_clear_error();
	return x509;
}

int64_t certificate_end_ms(const X509 *x509)
{
	int days = 0, seconds = 0;
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	bool known = epoch != NULL && ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(x509)) == 1;

	ASN1_TIME_free(epoch);
	ERR_clear_error();
	return known ? ((int64_t)days * 86400 + seconds) * 1000 : 0;
}

static bool is_good_at(const X509 *x509, int64_t now_ms)
{
	time_t now = (time_t)(now_ms / 1000);

	return X509_cmp_time(X509_get0_notBefore(x509), &now) < 0 && X509_cmp_time(X509_get0_notAfter(x509), &now) > 0;
}

static bool is_for(X509 *x509, const char *dns_name)
{
	return X509_check_host(x509, dns_name, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) == 1;
}

/* Why it cannot be served; NULL = it can. */
static const char *unfit(const struct certificate *certificate, const char *dns_name, int64_t now_ms)
{
	if (certificate->x509 == NULL) {
		return "the certificate is not PEM";
	}
	if (certificate->key == NULL) {
		return "the key is not PEM, or it is encrypted";
	}
	if (X509_check_private_key(certificate->x509, certificate->key) != 1) {
		return "the key is not the certificate's";
	}
	if (!is_good_at(certificate->x509, now_ms)) {
		return "the certificate is not good now";
	}
	return is_for(certificate->x509, dns_name) ? NULL : "the certificate is for other names";
}

struct certificate *certificate_read(const char *pem, const char *key, const char *dns_name, int64_t now_ms,
	struct error *err)
{
	struct certificate *certificate = xcalloc(1, sizeof(*certificate));
	BIO *pem_bio = BIO_new_mem_buf(pem, -1), *key_bio = BIO_new_mem_buf(key, -1);
	const char *why;
	bool broken;

	certificate->x509 = pem_bio != NULL ? certificate_next(pem_bio, &broken) : NULL;
	certificate->key = key_bio != NULL ? PEM_read_bio_PrivateKey(key_bio, NULL, no_password, NULL) : NULL;
	BIO_free(pem_bio);
	BIO_free(key_bio);
	why = unfit(certificate, dns_name, now_ms);
	if (why == NULL) {
		certificate->pem = pem_of(certificate->x509);
		certificate->until_ms = certificate_end_ms(certificate->x509);
		why = certificate->pem == NULL ? "OpenSSL cannot write it" : NULL;
	}
	ERR_clear_error();
	if (why != NULL) {
		error_set(err, ERROR_INVALID, "%s", why);
		certificate_free(certificate);
		return NULL;
	}
	return certificate;
}

char *certificate_keep_valid(const char *text, const char *dns_name, int64_t now_ms)
{
	BIO *bio = BIO_new_mem_buf(text, -1);
	auto_strbuf kept = STRBUF_INIT;
	size_t count = 0;
	bool broken = false;
	X509 *x509;

	while (bio != NULL && count < KEPT_MAX && ((x509 = certificate_next(bio, &broken)) != NULL || broken)) {
		auto_free char *pem = NULL;

		if (x509 != NULL && is_good_at(x509, now_ms) && is_for(x509, dns_name)) {
			pem = pem_of(x509);
		}
		if (pem != NULL && strstr(kept.buf, pem) == NULL) {
			strbuf_addstr(&kept, pem);
			count++;
		}
		X509_free(x509);
	}
	BIO_free(bio);
	ERR_clear_error();
	return strbuf_take(&kept);
}
