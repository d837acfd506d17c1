/* How our server speaks TLS: what is the same for all of its connections. */
#include "tls_context.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/memory.h"
#include "certificate_parts.h"

/* Fast ones with forward secrecy. The groups of OpenSSL's default list are left out that take many milliseconds, which
 * a client could choose to keep the loop from working. */
#define CIPHERS_OF_TLS_1_2 "ECDHE+AESGCM:ECDHE+CHACHA20"
#define GROUPS "X25519:P-256:P-384"
#define CLIENT_CHAIN_MAX 32768 /* bytes of a client's certificates */

struct tls_context {
	SSL_CTX *ctx;
	struct certificate *certificate; /* NULL = none yet */
};

/* A client's certificate is asked for, and any is taken: it is checked with each request (net/peer_trust.h), by the trust
 * of that time. */
static int accept_any(X509_STORE_CTX *chain, void *arg)
{
	(void)chain;
	(void)arg;
	return 1;
}

static int choose_certificate(SSL *ssl, void *arg)
{
	const struct tls_context *context = arg;

	return context->certificate != NULL &&
	       SSL_use_cert_and_key(ssl, context->certificate->x509, context->certificate->key, NULL, 1) == 1;
}

static int choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *len, const unsigned char *offered,
	unsigned offered_len, void *arg)
{
	static const unsigned char own[] = "\x08http/1.1";

	(void)ssl;
	(void)arg;
	/* It points into `own` or into what is offered; OpenSSL's type knows no const here. */
	return SSL_select_next_proto((unsigned char **)(uintptr_t)chosen, len, own, sizeof(own) - 1, offered,
		       offered_len) == OPENSSL_NPN_NEGOTIATED
	               ? SSL_TLSEXT_ERR_OK
	               : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* No session is taken up again: it would carry the client's certificate of then. */
static void forget_sessions(SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx, 0);
}

static bool set_up(struct tls_context *context)
{
	SSL_CTX *ctx = context->ctx;

	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
		SSL_CTX_set_cipher_list(ctx, CIPHERS_OF_TLS_1_2) != 1 || SSL_CTX_set1_groups_list(ctx, GROUPS) != 1) {
		return false;
	}
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	forget_sessions(ctx);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, accept_any, NULL);
	SSL_CTX_set_max_cert_list(ctx, CLIENT_CHAIN_MAX);
	SSL_CTX_set_cert_cb(ctx, choose_certificate, context);
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	return true;
}

struct tls_context *tls_context_new(void)
{
	struct tls_context *context = xcalloc(1, sizeof(*context));

	context->ctx = SSL_CTX_new(TLS_server_method());
	if (context->ctx == NULL || !set_up(context)) {
		tls_context_free(context);
		return NULL;
	}
	return context;
}

void tls_context_free(struct tls_context *context)
{
	SSL_CTX_free(context->ctx);
	certificate_free(context->certificate);
	free(context);
}

void tls_context_present(struct tls_context *context, const struct certificate *certificate)
{
	struct certificate *before = context->certificate;

	context->certificate = certificate_share(certificate);
	certificate_free(before);
}

SSL *tls_context_connection(struct tls_context *context)
{
	SSL *ssl = SSL_new(context->ctx);

	if (ssl == NULL) {
		abort(); /* out of memory */
	}
	SSL_set_accept_state(ssl);
	return ssl;
}
