/*
 * A client certificate and its private key: they are replaced together or not at all.
 *
 * Whoever renews them writes two files, and between the two writes they do not belong together: no
 * connection could be made with what is there then.
 */
#ifndef KUBE_KEY_PAIR_H
#define KUBE_KEY_PAIR_H

#include "base/error.h"
#include "kube/kept_file.h"

/* -1 unless both are PEM, the key is not encrypted, and it is the certificate's. The message is the
 * bare reason. */
int key_pair_check(const char *cert, const char *key, struct error *err);

/* -1 unless the text holds a PEM certificate, and no broken one. The message is the bare reason. */
int key_pair_check_ca(const char *text, struct error *err);

struct key_pair {
	struct kept_file cert;
	struct kept_file key;
};

/* Reads both again when one is not fresh (kept_file_is_fresh()); what does not belong together, or cannot
 * be read, leaves both as they were. */
void key_pair_refresh(struct key_pair *pair, int64_t max_age_ms);
void key_pair_release(struct key_pair *pair);

#endif
