/* A client certificate and its private key. */
#include "kube/key_pair.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pemerr.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

/* Without this one OpenSSL asks the terminal for a password. */
static int no_password(char *buf, int size, int writing, void *ctx)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)ctx;
	return 0;
}

static BIO *bio_of(const char *text)
{
	BIO *bio = BIO_new_mem_buf(text, (int)strlen(text));

	if (bio == NULL) {
		abort(); /* out of memory */
	}
	return bio;
}

int key_pair_check(const char *cert, const char *key, struct error *err)
{
	BIO *cert_bio = bio_of(cert), *key_bio = bio_of(key);
	X509 *x509 = PEM_read_bio_X509(cert_bio, NULL, no_password, NULL);
	EVP_PKEY *private_key = PEM_read_bio_PrivateKey(key_bio, NULL, no_password, NULL);
	int rc = 0;

	if (x509 == NULL) {
		rc = error_set(err, ERROR_INVALID, "the client certificate is not PEM");
	} else if (private_key == NULL) {
		rc = error_set(err, ERROR_INVALID, "the client key is not PEM, or it is encrypted");
	} else if (X509_check_private_key(x509, private_key) != 1) {
		rc = error_set(err, ERROR_INVALID, "the client key is not the certificate's");
	}
	EVP_PKEY_free(private_key);
	X509_free(x509);
	BIO_free(key_bio);
	BIO_free(cert_bio);
	ERR_clear_error();
	return rc;
}

int key_pair_check_ca(const char *text, struct error *err)
{
	BIO *bio = bio_of(text);
	X509 *x509;
	size_t found = 0;
	bool ended;

	while ((x509 = PEM_read_bio_X509(bio, NULL, no_password, NULL)) != NULL) {
		X509_free(x509);
		found++;
	}
	ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
	BIO_free(bio);
	ERR_clear_error();
	if (found == 0 || !ended) {
		return error_set(err, ERROR_INVALID, "it holds %s PEM certificate",
			found == 0 && ended ? "no" : "a broken");
	}
	return 0;
}

/* What the file holds now, or the text of one that never changes. */
static int read_half(const struct kept_file *file, struct strbuf *text, struct error *err)
{
	if (file->path != NULL) {
		return kept_file_read(file, text, err);
	}
	strbuf_addstr(text, file->text);
	return 0;
}

static void take_half(struct kept_file *file, struct strbuf *text)
{
	free(file->text);
	file->text = strbuf_take(text);
}

static void mark(struct kept_file *file, bool failing)
{
	file->read_ms = clock_monotonic_ms();
	file->failing = failing;
}

void key_pair_refresh(struct key_pair *pair, int64_t max_age_ms)
{
	auto_strbuf cert = STRBUF_INIT;
	auto_strbuf key = STRBUF_INIT;
	auto_error why = ERROR_INIT;

	if (kept_file_is_fresh(&pair->cert, max_age_ms) && kept_file_is_fresh(&pair->key, max_age_ms)) {
		return;
	}
	if (read_half(&pair->cert, &cert, &why) == 0 && read_half(&pair->key, &key, &why) == 0 &&
		key_pair_check(cert.buf, key.buf, &why) == 0) {
		take_half(&pair->cert, &cert);
		take_half(&pair->key, &key);
	} else if (!pair->cert.failing) {
		log_event(LOG_WARN, "client certificate cannot be read again, keeping the one it was", "file",
			pair->cert.path != NULL ? pair->cert.path : pair->key.path, "error", why.message, NULL);
	}
	mark(&pair->cert, why.kind != ERROR_NONE);
	mark(&pair->key, why.kind != ERROR_NONE);
}

void key_pair_release(struct key_pair *pair)
{
	kept_file_release(&pair->cert);
	kept_file_release(&pair->key);
}
