/*
 * A digest of a JSON value: to see whether it is the same without keeping it.
 *
 * FNV-1a of 128 bits over the compact text with sorted keys. It shows whether something changed; against somebody who looks for
 * two values of one digest it is no protection.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct digest {
	uint64_t high;
	uint64_t low;
};

/* Of nothing that was digested. */
#define DIGEST_NONE ((struct digest){0, 0})

struct digest digest_bytes(const void *bytes, size_t count);
/* The order of an object's keys does not count; NULL is digested as null. */
struct digest digest_json(const json_t *value);
bool digest_equal(const struct digest *a, const struct digest *b);

#endif
