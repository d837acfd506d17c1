/* The inside of a server's certificate. Private to src/net. */
#ifndef NET_CERTIFICATE_PARTS_H
#define NET_CERTIFICATE_PARTS_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "net/certificate.h"

struct certificate {
	X509 *x509;
	EVP_PKEY *key;
	char *pem;
	int64_t until_ms;
};

/* Shares key and certificate, which are never changed; the caller owns what is returned. */
struct certificate *certificate_share(const struct certificate *certificate);

/* When it is good no more, in milliseconds since the epoch. */
int64_t certificate_end_ms(const X509 *x509);

/* The next PEM certificate of the text; NULL at its end, or at a broken one: then *broken is true. The caller owns it. */
X509 *certificate_next(BIO *text, bool *broken);

#endif
