/*
 * SHA-256 (FIPS 180-4): a name for a text that nobody can make another text for.
 */
#ifndef BASE_SHA256_H
#define BASE_SHA256_H

#include <stddef.h>

/* The first `digits` (even, at most 64) hexadecimal digits of it. Heap, caller owns. */
char *sha256_text(const char *text, size_t digits);

#endif
