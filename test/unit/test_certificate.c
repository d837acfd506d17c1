/* The certificate that a server makes for itself, and whom a server trusts by others' certificates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/memory.h"
#include "net/certificate.h"
#include "net/certificate_parts.h"
#include "net/peer_trust_parts.h"
#include "tls_rig.h"

#define NAME "inference-autoscaler-metrics.inference-system.svc"
#define NOW_MS INT64_C(1795900000000)
#define HOUR_MS 3600000

static X509 *read_pem(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);

	BIO_free(bio);
	assert_non_null(x509);
	return x509;
}

static struct certificate *make(const char *name, int64_t valid_ms)
{
	auto_error err = ERROR_INIT;
	struct certificate *certificate = certificate_make(name, NOW_MS, valid_ms, &err);

	assert_non_null(certificate);
	return certificate;
}

static int compare(const ASN1_TIME *time, int64_t ms)
{
	time_t other = (time_t)(ms / 1000);

	return ASN1_TIME_cmp_time_t(time, other);
}

static void test_what_is_made(void **state)
{
	struct certificate *certificate = make(NAME, 24 * HOUR_MS), *other = make(NAME, HOUR_MS);
	X509 *x509 = read_pem(certificate_pem(certificate)), *second = read_pem(certificate_pem(other));

	(void)state;
	assert_int_equal(X509_get_version(x509), X509_VERSION_3);
	assert_int_equal(EVP_PKEY_get_bits(X509_get0_pubkey(x509)), 256);
	assert_int_equal(EVP_PKEY_get_base_id(X509_get0_pubkey(x509)), EVP_PKEY_EC);
	assert_int_equal(X509_verify(x509, X509_get0_pubkey(x509)), 1);
	assert_int_equal(X509_check_host(x509, NAME, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL), 1);
	assert_int_equal(X509_check_host(x509, "x" NAME, 0, 0, NULL), 0);
	assert_int_equal(X509_get_extended_key_usage(x509), XKU_SSL_SERVER);
	assert_int_equal(X509_get_key_usage(x509), KU_DIGITAL_SIGNATURE);
	assert_int_equal(X509_check_ca(x509), 0);
	assert_int_equal(compare(X509_get0_notBefore(x509), NOW_MS - 300000), 0);
	assert_int_equal(compare(X509_get0_notAfter(x509), NOW_MS + 24 * HOUR_MS), 0);
	assert_int_equal(certificate_until_ms(certificate), NOW_MS + 24 * HOUR_MS);
	assert_int_not_equal(ASN1_INTEGER_cmp(X509_get0_serialNumber(x509), X509_get0_serialNumber(second)), 0);
	X509_free(x509);
	X509_free(second);
	certificate_free(certificate);
	certificate_free(other);
}

/* Longer than a common name can be. */
static void test_long_name(void **state)
{
	char label[64] = "";
	auto_free char *name = NULL;
	struct certificate *certificate;
	X509 *x509;

	(void)state;
	memset(label, 'n', 63);
	name = xasprintf("%s.%s.svc", label, label);
	certificate = make(name, HOUR_MS);
	x509 = read_pem(certificate_pem(certificate));
	assert_int_equal(X509_check_host(x509, name, 0, 0, NULL), 1);
	X509_free(x509);
	certificate_free(certificate);
}

/* Its key, as a file has it. */
static char *key_text(const struct certificate *certificate)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes, *text;
	long len;

	assert_int_equal(PEM_write_bio_PrivateKey(bio, certificate->key, NULL, NULL, 0, NULL, NULL), 1);
	len = BIO_get_mem_data(bio, &bytes);
	text = xstrndup(bytes, (size_t)len);
	BIO_free(bio);
	return text;
}

static void test_what_is_given(void **state)
{
	struct certificate *one = make(NAME, HOUR_MS), *other = make(NAME, HOUR_MS),
			   *elsewhere = make("a.b.svc", HOUR_MS);
	auto_free char *key = key_text(one);
	auto_free char *key_of_other = key_text(other);
	auto_free char *key_of_elsewhere = key_text(elsewhere);
	auto_free char *chain = xasprintf("issued by somebody\n%s%s", certificate_pem(one), certificate_pem(elsewhere));
	const struct {
		const char *pem, *key;
		int64_t now_ms;
		const char *why; /* NULL = it is taken */
	} rows[] = {
		{certificate_pem(one), key, NOW_MS, NULL},
		{chain, key, NOW_MS, NULL},
		{"", key, NOW_MS, "the certificate is not PEM"},
		{key, key, NOW_MS, "the certificate is not PEM"},
		{certificate_pem(one), "", NOW_MS, "the key is not PEM, or it is encrypted"},
		{certificate_pem(one), key_of_other, NOW_MS, "the key is not the certificate's"},
		{certificate_pem(one), key, NOW_MS + HOUR_MS, "the certificate is not good now"},
		{certificate_pem(one), key, NOW_MS - HOUR_MS, "the certificate is not good now"},
		{certificate_pem(elsewhere), key_of_elsewhere, NOW_MS, "the certificate is for other names"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_error err = ERROR_INIT;
		struct certificate *read = certificate_read(rows[i].pem, rows[i].key, NAME, rows[i].now_ms, &err);

		if (rows[i].why != NULL) {
			assert_null(read);
			assert_string_equal(err.message, rows[i].why);
			continue;
		}
		assert_non_null(read);
		assert_string_equal(certificate_pem(read), certificate_pem(one));
		assert_int_equal(certificate_until_ms(read), certificate_until_ms(one));
		certificate_free(read);
	}
	certificate_free(one);
	certificate_free(other);
	certificate_free(elsewhere);
}

static void test_what_is_kept(void **state)
{
	struct certificate *first = make(NAME, HOUR_MS), *second = make(NAME, 2 * HOUR_MS),
			   *other = make("a.b.svc", HOUR_MS);
	auto_free char *text =
		xasprintf("some words\n%s\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n%s%s%s"
			  "-----BEGIN CERTIFICATE-----\nMII",
			certificate_pem(second), certificate_pem(other), certificate_pem(first),
			certificate_pem(second));
	auto_free char *both = xasprintf("%s%s", certificate_pem(second), certificate_pem(first));
	const struct {
		int64_t now_ms;
		const char *kept;
	} rows[] = {
		{NOW_MS, both},
		{NOW_MS - 301000, ""},
		{NOW_MS + HOUR_MS - 1000, both},
		{NOW_MS + HOUR_MS, certificate_pem(second)},
		{NOW_MS + 2 * HOUR_MS, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *kept = certificate_keep_valid(text, NAME, rows[i].now_ms);

		assert_string_equal(kept, rows[i].kept);
	}
	certificate_free(first);
	certificate_free(second);
	certificate_free(other);
}

static void test_few_are_kept(void **state)
{
	auto_strbuf text = STRBUF_INIT;
	auto_free char *kept = NULL;
	auto_free char *nothing = certificate_keep_valid("", NAME, NOW_MS);
	size_t count = 0;

	(void)state;
	assert_string_equal(nothing, "");
	for (int i = 0; i < 10; i++) {
		struct certificate *certificate = make(NAME, HOUR_MS);

		strbuf_addstr(&text, certificate_pem(certificate));
		certificate_free(certificate);
	}
	kept = certificate_keep_valid(text.buf, NAME, NOW_MS);
	for (const char *p = kept; (p = strstr(p, "BEGIN")) != NULL; p++) {
		count++;
	}
	assert_int_equal(count, 8);
	assert_memory_equal(kept, text.buf, strlen(kept));
}

/* Whom a server trusts ------------------------------------------------------------------------ */

static void test_no_authority(void **state)
{
	auto_error err = ERROR_INIT;

	(void)state;
	assert_null(peer_trust_new("", NULL, 0, &err));
	assert_string_equal(err.message, "it holds no PEM certificate");
	assert_null(peer_trust_new("-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n", NULL, 0, &err));
	assert_string_equal(err.message, "it holds a broken PEM certificate");
}

static const char *check(const struct tls_identity *authority, const char *const *names, size_t count,
	const struct tls_identity *client, int64_t after_ms)
{
	auto_error err = ERROR_INIT;
	struct peer_trust *trust = peer_trust_new(authority->pem, names, count, &err);
	const char *why = peer_trust_check(trust, client->x509, NULL, (int64_t)time(NULL) * 1000 + after_ms);

	assert_non_null(trust);
	peer_trust_free(trust);
	return why;
}

static void test_names(void **state)
{
	static const char *const names[] = {"front-proxy-client", "aggregator"};
	struct tls_identity authority = tls_authority("ca");
	struct tls_identity second = tls_identity(&authority, "aggregator", HOUR_MS / 1000, NULL);
	struct tls_identity other = tls_identity(&authority, "aggregator2", HOUR_MS / 1000, NULL);

	(void)state;
	assert_null(check(&authority, names, 2, &second, 0));
	assert_non_null(check(&authority, names, 1, &second, 0));
	assert_non_null(check(&authority, names, 2, &other, 0));
	assert_null(check(&authority, names, 0, &other, 0));
	tls_identity_release(&authority);
	tls_identity_release(&second);
	tls_identity_release(&other);
}

static void test_times(void **state)
{
	struct tls_identity authority = tls_authority("ca");
	struct tls_identity client = tls_identity(&authority, "a", 60, NULL);

	(void)state;
	assert_null(check(&authority, NULL, 0, &client, 50000));
	assert_string_equal(check(&authority, NULL, 0, &client, 70000), "certificate has expired");
	assert_string_equal(check(&authority, NULL, 0, &client, -2 * HOUR_MS), "certificate is not yet valid");
	assert_true(certificate_end_ms(client.x509) >= ((int64_t)time(NULL) + 58) * 1000);
	assert_true(certificate_end_ms(client.x509) <= ((int64_t)time(NULL) + 60) * 1000);
	tls_identity_release(&authority);
	tls_identity_release(&client);
}

/* An authority signs another, which signs the client: the client may bring the one between, or the server may know it. */
static void test_chain(void **state)
{
	struct tls_identity root = tls_authority("root"), between = tls_authority("between");
	struct tls_identity client = tls_identity(&between, "a", 3600, "clientAuth");
	STACK_OF(X509) *chain = sk_X509_new_null();
	auto_error err = ERROR_INIT;
	struct peer_trust *trust = peer_trust_new(root.pem, NULL, 0, &err);
	int64_t now_ms = (int64_t)time(NULL) * 1000;
	X509 *vouched = X509_dup(between.x509);

	(void)state;
	X509_set_issuer_name(vouched, X509_get_subject_name(root.x509));
	assert_true(X509_sign(vouched, root.key, EVP_sha256()) > 0);
	sk_X509_push(chain, vouched);
	assert_null(peer_trust_check(trust, client.x509, chain, now_ms));
	assert_non_null(peer_trust_check(trust, client.x509, NULL, now_ms));
	assert_non_null(peer_trust_check(trust, NULL, chain, now_ms));
	assert_non_null(peer_trust_check(NULL, client.x509, chain, now_ms));
	assert_null(check(&between, NULL, 0, &client, 0));
	peer_trust_free(trust);
	sk_X509_pop_free(chain, X509_free);
	tls_identity_release(&root);
	tls_identity_release(&between);
	tls_identity_release(&client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_made),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_what_is_given),
		cmocka_unit_test(test_what_is_kept),
		cmocka_unit_test(test_few_are_kept),
		cmocka_unit_test(test_no_authority),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
