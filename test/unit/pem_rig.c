/* Client certificates made on the spot. */
#include "pem_rig.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "base/memory.h"

static char *text_of(BIO *bio)
{
	char *data = NULL;
	long len = BIO_get_mem_data(bio, &data);
	char *text = xstrndup(data, (size_t)len);

	BIO_free(bio);
	return text;
}

void pem_pair(const char *common_name, char **cert, char **key)
{
	EVP_PKEY *pair = EVP_EC_gen("P-256");
	X509 *x509 = X509_new();
	X509_NAME *name = X509_get_subject_name(x509);
	BIO *cert_bio = BIO_new(BIO_s_mem()), *key_bio = BIO_new(BIO_s_mem());

	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common_name, -1, -1, 0);
	X509_set_issuer_name(x509, name);
	X509_gmtime_adj(X509_getm_notBefore(x509), 0);
	X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
	X509_set_pubkey(x509, pair);
	if (!X509_sign(x509, pair, EVP_sha256()) || !PEM_write_bio_X509(cert_bio, x509) ||
		!PEM_write_bio_PrivateKey(key_bio, pair, NULL, NULL, 0, NULL, NULL)) {
		abort();
	}
	X509_free(x509);
	EVP_PKEY_free(pair);
	*cert = text_of(cert_bio);
	*key = text_of(key_bio);
}
