/* The inside of whom a TLS server trusts. Private to src/net. */
#ifndef NET_PEER_TRUST_PARTS_H
#define NET_PEER_TRUST_PARTS_H

#include <openssl/x509.h>
#include <stdint.h>

#include "net/peer_trust.h"

struct peer_trust {
	X509_STORE *store; /* shared by all copies, never changed */
	char **names;
	size_t names_count;
};

/* Shares the authorities; the caller owns what is returned. */
struct peer_trust *peer_trust_share(const struct peer_trust *trust);

/* NULL = the client is trusted at this time; else why it is not, a text that stays. `trust`, `leaf` and `chain` may be
 * NULL. */
const char *peer_trust_check(const struct peer_trust *trust, X509 *leaf, STACK_OF(X509) * chain, int64_t now_ms);

#endif
