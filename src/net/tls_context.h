/* How our server speaks TLS: what is the same for all of its connections. Private to src/net. */
#ifndef NET_TLS_CONTEXT_H
#define NET_TLS_CONTEXT_H

#include <openssl/ssl.h>

#include "net/certificate.h"

struct tls_context;

/* NULL when OpenSSL cannot: then its queue of errors says why. Handshakes are refused until there is a certificate. */
struct tls_context *tls_context_new(void);
void tls_context_free(struct tls_context *context);
/* For handshakes from now on; takes a reference. */
void tls_context_present(struct tls_context *context, const struct certificate *certificate);
/* The server's side of a new connection, without its BIO. The caller owns it; the context may go before it. */
SSL *tls_context_connection(struct tls_context *context);

#endif
