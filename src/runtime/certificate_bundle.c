/* Announced certificates, as the text of a caBundle. */
#include "certificate_bundle.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"

/* Two while one follows the other; what is behind these is not read. */
#define CERTIFICATES_MAX 4

#define OVER "it is over"
#define NOT_OURS "it is not for the name of the metrics Service"
#define NO_CERTIFICATE "it is no certificate in PEM"

static void free_x509(X509 **certificate)
{
	X509_free(*certificate);
}

static void free_bio(BIO **bio)
{
	BIO_free(*bio);
}

#define auto_x509 ATTR_CLEANUP(free_x509) X509
#define auto_bio ATTR_CLEANUP(free_bio) BIO

/* Why this certificate is of no use; NULL when it is. */
static const char *refuse(X509 *certificate, const char *dns_name, int64_t now_ms)
{
	time_t now = (time_t)(now_ms / 1000);

	if (X509_check_host(certificate, dns_name, 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) != 1) {
		return NOT_OURS;
	}
	return X509_cmp_time(X509_get0_notAfter(certificate), &now) > 0 ? NULL : OVER;
}

/* As every writer of PEM writes it, without the words that may stand around it. */
static void write_certificate(X509 *certificate, struct strbuf *text)
{
	auto_bio *out = BIO_new(BIO_s_mem());
	char *written;
	long len;

	if (PEM_write_bio_X509(out, certificate) == 1) {
		len = BIO_get_mem_data(out, &written);
		strbuf_add(text, written, (size_t)len);
	}
}

/* Adds what is of use of the entry. Why something is not: the last reason, NULL = all is. */
static const char *add_entry(const char *pem, const char *dns_name, int64_t now_ms, struct strbuf *text)
{
	auto_bio *in = BIO_new_mem_buf(pem, -1);
	const char *reason = NO_CERTIFICATE;

	for (int i = 0; i < CERTIFICATES_MAX; i++) {
		auto_x509 *certificate = PEM_read_bio_X509(in, NULL, NULL, NULL);

		if (certificate == NULL) {
			break;
		}
		reason = refuse(certificate, dns_name, now_ms);
		if (reason == NULL) {
			write_certificate(certificate, text);
		}
	}
	ERR_clear_error();
	return reason;
}

char *certificate_bundle(const struct view_pairs *announced, const char *dns_name, int64_t now_ms,
	bundle_refused_fn *refused, void *ctx)
{
	auto_strbuf text = STRBUF_INIT;

	for (uint32_t i = 0; i < announced->count; i++) {
		const struct view_pair *entry = &announced->items[i];
		const char *reason;

		if (i >= BUNDLE_ENTRIES_MAX) {
			reason = "there are more entries than are read";
		} else if (entry->value == NULL) {
			reason = NO_CERTIFICATE;
		} else if (strlen(entry->value) > BUNDLE_ENTRY_BYTES_MAX) {
			reason = "it is longer than an entry may be";
		} else {
			reason = add_entry(entry->value, dns_name, now_ms, &text);
		}
		if (reason != NULL && refused != NULL) {
			refused(ctx, entry->key, reason);
		}
	}
	return text.len > 0 ? strbuf_detach(&text) : NULL;
}

bool certificate_bundle_has(const char *bundle, const char *pem)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----";
	const char *at = bundle != NULL && pem != NULL ? strstr(pem, begin) : NULL;

	if (at == NULL) {
		return false;
	}
	while (at != NULL) {
		const char *next = strstr(at + 1, begin);
		auto_free char *one = next != NULL ? xstrndup(at, (size_t)(next - at)) : xstrdup(at);

		if (strstr(bundle, one) == NULL) {
			return false;
		}
		at = next;
	}
	return true;
}

bool certificate_is_alive(const char *pem, const char *dns_name, int64_t now_ms)
{
	auto_strbuf text = STRBUF_INIT;

	if (pem != NULL && strlen(pem) <= BUNDLE_ENTRY_BYTES_MAX) {
		add_entry(pem, dns_name, now_ms, &text);
	}
	return text.len > 0;
}
