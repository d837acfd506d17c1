/* FNV-1a, 128 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
#include "base/digest.h"

#include <stdio.h>
#include <stdlib.h>

/* The prime is 2^88 + 0x13B. */
#define PRIME_LOW UINT64_C(0x13B)
#define PRIME_SHIFT (88 - 64)

static const struct digest empty = {UINT64_C(0x6c62272e07bb0142), UINT64_C(0x62b821756295c58d)};

/* Each byte, and then times the prime, modulo 2^128; C11 has no integers of 128 bits. */
static struct digest followed_by(struct digest d, const void *bytes, size_t count)
{
	const unsigned char *all = bytes;
	uint64_t high = d.high;
	uint64_t low = d.low;

	for (size_t i = 0; i < count; i++) {
		uint64_t right;
		uint64_t left;

		low ^= all[i];
		right = (low & UINT32_MAX) * PRIME_LOW;
		left = (low >> 32) * PRIME_LOW + (right >> 32);
		high = high * PRIME_LOW + (left >> 32) + (low << PRIME_SHIFT);
		low = (left << 32) | (right & UINT32_MAX);
	}
	return (struct digest){.high = high, .low = low};
}

struct digest digest_bytes(const void *bytes, size_t count)
{
	return followed_by(empty, bytes, count);
}

static int add_written(const char *bytes, size_t count, void *ctx)
{
	struct digest *d = ctx;

	*d = followed_by(*d, bytes, count);
	return 0;
}

struct digest digest_json(const json_t *value)
{
	static const char null[] = "null";
	struct digest d = empty;

	if (value == NULL) {
		return digest_bytes(null, sizeof(null) - 1);
	}
	if (json_dump_callback(value, add_written, &d, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) != 0) {
		/* out of memory, or a tree that contains itself */
		fputs("cannot write JSON: out of memory or a cycle\n", stderr);
		abort();
	}
	return d;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return a->high == b->high && a->low == b->low;
}
