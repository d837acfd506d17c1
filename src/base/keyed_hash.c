/*
 * SipHash-2-4, a hash with a key that nobody outside knows: names come from tenants, and with another hash they could
 * choose ten thousand that fall into one place. Aumasson and Bernstein, https://www.aumasson.jp/siphash/siphash.pdf
 */
#include "base/hash.h"

#include <string.h>
#include <sys/random.h>

struct sip {
	uint64_t v[4];
};

static uint64_t key[2];

/* Before main(), so before there are threads. Without randomness, early at boot, the program's place in memory has to do. */
__attribute__((constructor)) static void make_key(void)
{
	if (getrandom(key, sizeof(key), GRND_NONBLOCK) != (ssize_t)sizeof(key)) {
		key[0] = (uintptr_t)key;
		key[1] = (uintptr_t)&strlen;
	}
}

void hash_set_key(uint64_t first, uint64_t second)
{
	key[0] = first;
	key[1] = second;
}

static uint64_t rotate(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

static void mix(struct sip *sip, int rounds)
{
	uint64_t *v = sip->v;

	for (int i = 0; i < rounds; i++) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

static void take_word(struct sip *sip, uint64_t word)
{
	sip->v[3] ^= word;
	mix(sip, 2);
	sip->v[0] ^= word;
}

/* Up to 8 bytes, the first one lowest. */
static uint64_t word_of(const unsigned char *bytes, size_t count)
{
	uint64_t word = 0;

	for (size_t i = 0; i < count; i++) {
		word |= (uint64_t)bytes[i] << (8 * i);
	}
	return word;
}

uint64_t hash_bytes(uint64_t before, const void *bytes, size_t count)
{
	const unsigned char *at = bytes;
	size_t left = count;
	struct sip sip = {{key[0] ^ before ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f6d),
		key[0] ^ before ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)}};

	for (; left >= sizeof(uint64_t); left -= sizeof(uint64_t), at += sizeof(uint64_t)) {
		take_word(&sip, word_of(at, sizeof(uint64_t)));
	}
	take_word(&sip, word_of(at, left) | (uint64_t)count << 56);
	sip.v[2] ^= 0xff;
	mix(&sip, 4);
	return sip.v[0] ^ sip.v[1] ^ sip.v[2] ^ sip.v[3];
}

uint64_t hash_text(uint64_t before, const char *text)
{
	return text != NULL ? hash_bytes(before, text, strlen(text)) : hash_bytes(before, "", 0);
}
