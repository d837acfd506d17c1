/*
 * One request of a client of the TLS server: what of it the handler may ask for. Private to src/net.
 */
#ifndef NET_TLS_EXCHANGE_H
#define NET_TLS_EXCHANGE_H

#include <stdbool.h>

#include "net/request_head.h"
#include "net/tls_server.h"

#define EXCHANGE_MAGIC 0x746c7378U

struct tls_connection;

/* Belongs to its connection while that is there, and always to whoever replies. */
struct tls_exchange {
	unsigned magic;
	struct tls_connection *connection; /* NULL once it is gone */
	char *target;
	char *user; /* NULL = it is not said */
	bool only_head;
	void (*gone)(void *ctx);
	void *gone_ctx;
};

/* Copies what it keeps of the head. */
struct tls_exchange *tls_exchange_new(struct tls_connection *connection, const struct request_head *head);
void tls_exchange_free(struct tls_exchange *exchange);

#endif
