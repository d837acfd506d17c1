/*
 * The certificates that the replicas announce, as one text of PEM for an APIService's caBundle.
 *
 * Of each entry the certificates are taken that are good now and for our Service's name; all else in it is left out.
 * Private to src/runtime.
 */
#ifndef RUNTIME_CERTIFICATE_BUNDLE_H
#define RUNTIME_CERTIFICATE_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "view/meta.h"

#define BUNDLE_ENTRIES_MAX 16
#define BUNDLE_ENTRY_BYTES_MAX ((size_t)8 << 10)

/* An entry of which nothing is taken, and why. */
typedef void bundle_refused_fn(void *ctx, const char *key, const char *reason);

/* Each certificate once, in the order of the entries' keys. Heap, caller owns; NULL when there is none. `refused` NULL =
 * nobody is told. */
char *certificate_bundle(const struct view_pairs *announced, const char *dns_name, int64_t now_ms,
	bundle_refused_fn *refused, void *ctx);
/* Whether an entry's text has a certificate that is taken; `text` NULL = no. */
bool certificate_entry_counts(const char *text, const char *dns_name, int64_t now_ms);

#endif
