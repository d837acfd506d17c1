/*
 * Clients of a TLS server on the test's loop, and authorities that vouch for them, made on the spot.
 *
 * Whatever a client waits for, the loop turns meanwhile; after EVENT_LOOP_DEADLINE_MS it waits no more.
 */
#ifndef TEST_TLS_RIG_H
#define TEST_TLS_RIG_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/strbuf.h"
#include "event_loop.h"

/* A key and the certificate of it. */
struct tls_identity {
	X509 *x509;
	EVP_PKEY *key;
	char *pem; /* the certificate */
};

/* An authority that signed itself. */
struct tls_identity tls_authority(const char *common_name);
/* Vouched for by an authority, good from an hour ago until in so many seconds. `usage` as "clientAuth"; NULL = says nothing of it. */
struct tls_identity tls_identity(const struct tls_identity *authority, const char *common_name, long valid_s,
	const char *usage);
void tls_identity_release(struct tls_identity *identity);

struct tls_client_options {
	const struct tls_identity *identity; /* NULL = comes without a certificate */
	const char *believes;                /* PEM; NULL = any certificate of the server's */
	const char *server_name;             /* that the server's certificate must be for; NULL = any */
	const char *protocol;                /* offered by ALPN; NULL = none */
	int version;                         /* of TLS; 0 = the newest */
	const char *groups;                  /* offered; NULL = OpenSSL's */
};

struct tls_client {
	struct event_loop *loop;
	int fd;
	SSL *ssl;
	struct strbuf got; /* and not yet given out by tls_client_reply() */
	bool ended;        /* the server has closed, or broken off */
	bool in_order;     /* it has said so by TLS before */
};

/* A TCP connection to 127.0.0.1, and nothing of TLS yet. */
struct tls_client tls_client_connect(struct event_loop *loop, int port, const struct tls_client_options *options);
bool tls_client_handshake(struct tls_client *client);
/* Both; fails the test when there is no connection. */
struct tls_client tls_client_open(struct event_loop *loop, int port, const struct tls_client_options *options);
void tls_client_send(struct tls_client *client, const char *bytes, size_t len);
/* A GET; the reply is waited for. */
int tls_client_get(struct tls_client *client, const char *target, struct strbuf *body);
/* The status of the next whole reply, and its body where wanted (NULL: not); 0 = the connection ended before. */
int tls_client_reply(struct tls_client *client, struct strbuf *body);
/* The same of the answer to HEAD. */
int tls_client_reply_of_head(struct tls_client *client);
/* Waits until the server has ended the connection. */
bool tls_client_wait_end(struct tls_client *client);
/* One try to read; true when something came, or the end. */
bool tls_client_poll(struct tls_client *client);
void tls_client_close(struct tls_client *client);

#endif
