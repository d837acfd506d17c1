/*
 * A server's private key and its certificate, which it signed itself: made in memory, and the key never leaves it. Or
 * both as somebody else has issued them.
 *
 * Who is to believe the certificate is given it as a root (an APIService's caBundle). One that was made is no authority:
 * nothing else that the key signs is believed.
 */
#ifndef NET_CERTIFICATE_H
#define NET_CERTIFICATE_H

#include <stdint.h>

#include "base/error.h"

struct certificate;

/* Of a new key (EC P-256), for servers of this DNS name, good from five minutes before now until `valid_ms` after it.
 * NULL and `err` when OpenSSL cannot (it has no randomness). The caller owns it. */
struct certificate *certificate_make(const char *dns_name, int64_t now_ms, int64_t valid_ms, struct error *err);
/* One that somebody else has issued, of both texts in PEM; of several certificates the first. NULL and `err` unless the
 * key is its, and it is good now, for servers of this DNS name. The message is the bare reason. The caller owns it. */
struct certificate *certificate_read(const char *pem, const char *key, const char *dns_name, int64_t now_ms,
	struct error *err);
/* Whoever presents it has a reference of its own. NULL is allowed. */
void certificate_free(struct certificate *certificate);

/* The public part as one PEM block, as certificate_keep_valid() writes it too: borrowed. */
const char *certificate_pem(const struct certificate *certificate);
/* When it is good no more, in milliseconds since the epoch. */
int64_t certificate_until_ms(const struct certificate *certificate);

/*
 * Of any text, the PEM certificates that are good at this time and for servers of this DNS name, each written anew and
 * once, in the order of the text: so whether a bundle has certificate_pem() is a question to strstr(). Whatever else is
 * in the text is left out. At most eight. Heap, never NULL, caller owns.
 */
char *certificate_keep_valid(const char *text, const char *dns_name, int64_t now_ms);

#endif
