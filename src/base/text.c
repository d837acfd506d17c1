/* Words of others, cut and made valid UTF-8; their hash; and comparing. */
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"

#define ELLIPSIS "…"

/* The bytes after a lead byte, and the range of the first of them: it excludes longer forms of shorter characters,
 * halves of UTF-16 pairs and what is beyond U+10FFFF (RFC 3629, section 4). */
static const struct lead {
	unsigned char first;
	unsigned char last;
	unsigned char more;
	unsigned char low;
	unsigned char high;
} leads[] = {
	{0x00, 0x7F, 0, 0, 0},
	{0xC2, 0xDF, 1, 0x80, 0xBF},
	{0xE0, 0xE0, 2, 0xA0, 0xBF},
	{0xE1, 0xEC, 2, 0x80, 0xBF},
	{0xED, 0xED, 2, 0x80, 0x9F},
	{0xEE, 0xEF, 2, 0x80, 0xBF},
	{0xF0, 0xF0, 3, 0x90, 0xBF},
	{0xF1, 0xF3, 3, 0x80, 0xBF},
	{0xF4, 0xF4, 3, 0x80, 0x8F},
};

static bool follows(const unsigned char *text, const struct lead *lead)
{
	/* The NUL at the end is in no range, so that nothing behind it is read. */
	for (unsigned i = 1; i <= lead->more; i++) {
		unsigned char low = i == 1 ? lead->low : 0x80;
		unsigned char high = i == 1 ? lead->high : 0xBF;

		if (text[i] < low || text[i] > high) {
			return false;
		}
	}
	return true;
}

/* The length of the character that the text begins with; 0 = that is none. */
static size_t character(const unsigned char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(leads); i++) {
		if (text[0] >= leads[i].first && text[0] <= leads[i].last) {
			return follows(text, &leads[i]) ? leads[i].more + 1U : 0;
		}
	}
	return 0;
}

/* Copies whole characters while they fit into `max` bytes; returns how many bytes of the text that were. */
static size_t copy(char *to, const char *text, size_t max)
{
	size_t done = 0;

	while (text[done] != '\0') {
		size_t len = character((const unsigned char *)text + done);
		size_t taken = len ? len : 1;

		if (done + taken > max) {
			break;
		}
		if (len) {
			memcpy(to + done, text + done, len);
		} else {
			to[done] = '?';
		}
		done += taken;
	}
	to[done] = '\0';
	return done;
}

char *text_fit(const char *text, size_t max)
{
	/* One more than fits is enough to know that it does not. */
	size_t len = strnlen(text, max + 1);
	char *fit = xcalloc(1, (len < max ? len : max) + sizeof(ELLIPSIS));

	if (len <= max || max < sizeof(ELLIPSIS) - 1) {
		copy(fit, text, max);
	} else {
		memcpy(fit + copy(fit, text, max - (sizeof(ELLIPSIS) - 1)), ELLIPSIS, sizeof(ELLIPSIS));
	}
	return fit;
}

char *text_quote(const char *text)
{
	return text_fit(text, TEXT_QUOTE_MAX);
}

char *text_hash(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *text; text++) {
		hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	}
	return xasprintf("%016" PRIx64, hash);
}

bool text_equal(const char *one, const char *other)
{
	return one == NULL || other == NULL ? one == other : strcmp(one, other) == 0;
}

bool text_begins(const char *text, const char *words)
{
	while (*words != '\0' && *text == *words) {
		text++;
		words++;
	}
	return *words == '\0';
}
