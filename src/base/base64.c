/* Base64 (RFC 4648, standard alphabet). */
#include "base/base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_decode(const char *text, struct strbuf *out)
{
	uint32_t bits = 0;
	unsigned int digits = 0, padding = 0;

	for (const char *p = text; *p; p++) {
		const char *found;

		if (strchr(" \t\r\n", *p) != NULL) {
			continue;
		}
		if (*p == '=') {
			padding++;
			continue;
		}
		found = strchr(alphabet, *p);
		if (found == NULL || padding > 0) {
			return -1;
		}
		bits = bits << 6 | (uint32_t)(found - alphabet);
		if (++digits % 4 == 0) {
			char bytes[] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits};

			strbuf_add(out, bytes, sizeof(bytes));
			bits = 0;
		}
	}
	if ((digits + padding) % 4 != 0 || padding > 2 || digits % 4 == 1) {
		return -1;
	}
	if (digits % 4 == 2) {
		strbuf_addch(out, (char)(bits >> 4));
	}
	if (digits % 4 == 3) {
		strbuf_addch(out, (char)(bits >> 10));
		strbuf_addch(out, (char)(bits >> 2));
	}
	return 0;
}

void base64_encode(const char *data, size_t len, struct strbuf *out)
{
	for (size_t i = 0; i < len; i += 3) {
		size_t have = len - i < 3 ? len - i : 3;
		uint32_t bits = 0;

		for (size_t j = 0; j < 3; j++) {
			bits = bits << 8 | (j < have ? (unsigned char)data[i + j] : 0u);
		}
		for (size_t j = 0; j < 4; j++) {
			strbuf_addch(out, j <= have ? alphabet[bits >> (18 - 6 * j) & 63] : '=');
		}
	}
}
