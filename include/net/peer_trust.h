/*
 * Which clients a TLS server believes: those with a certificate by one of these authorities, and by one of these names.
 * It never changes once it was made.
 */
#ifndef NET_PEER_TRUST_H
#define NET_PEER_TRUST_H

#include <stddef.h>

#include "base/error.h"

struct peer_trust;

/*
 * `authorities` is a text with one or several PEM certificates; a client's certificate must be for clients where it says
 * what it is for. `names` are the common names that are allowed; none = any, as with requestheader-allowed-names.
 * NULL and `err` when the text has no certificate, or a broken one. The caller owns it; all is copied.
 */
struct peer_trust *peer_trust_new(const char *authorities, const char *const *names, size_t names_count,
	struct error *err);
/* A server that trusts by it has a reference of its own. NULL is allowed. */
void peer_trust_free(struct peer_trust *trust);

#endif
