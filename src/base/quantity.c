/* Kubernetes quantities, read exactly: as a row of decimal digits and a decimal point. */
#include "base/quantity.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* 1024^6 has 19 digits: that is how much a binary suffix can lengthen the row. */
#define HEADROOM 19
/* Beyond this an exponent makes any number too large, or one thousandth. */
#define EXPONENT_LIMIT 100000

struct decimal {
	unsigned char *digits; /* most significant first */
	size_t count;
	long point; /* digits before the decimal point; below 0 or above count are zeros */
};

static const struct {
	const char *text;
	long exponent;  /* of ten */
	unsigned kibis; /* of 1024 */
} suffixes[] = {
	{"", 0, 0},
	{"n", -9, 0},
	{"u", -6, 0},
	{"m", -3, 0},
	{"k", 3, 0},
	{"M", 6, 0},
	{"G", 9, 0},
	{"T", 12, 0},
	{"P", 15, 0},
	{"E", 18, 0},
	{"Ki", 0, 1},
	{"Mi", 0, 2},
	{"Gi", 0, 3},
	{"Ti", 0, 4},
	{"Pi", 0, 5},
	{"Ei", 0, 6},
};

static void multiply_by_1024(struct decimal *d)
{
	unsigned carry = 0;

	for (size_t i = d->count; i-- > 0;) {
		unsigned product = d->digits[i] * 1024U + carry;

		d->digits[i] = (unsigned char)(product % 10);
		carry = product / 10;
	}
}

/* "e3", "E-2": the rest of the text must be it. */
static bool parse_exponent(const char *text, long *exponent)
{
	bool negative = text[1] == '-';
	const char *p = text + 1 + (text[1] == '-' || text[1] == '+');

	*exponent = 0;
	if (!*p) {
		return false;
	}
	for (; *p >= '0' && *p <= '9'; p++) {
		if (*exponent < EXPONENT_LIMIT) {
			*exponent = *exponent * 10 + (*p - '0');
		}
	}
	if (negative) {
		*exponent = -*exponent;
	}
	return !*p;
}

static bool apply_suffix(struct decimal *d, const char *text)
{
	long exponent;

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		if (strcmp(text, suffixes[i].text) != 0) {
			continue;
		}
		d->point += suffixes[i].exponent;
		for (unsigned k = 0; k < suffixes[i].kibis; k++) {
			multiply_by_1024(d);
		}
		return true;
	}
	if ((*text != 'e' && *text != 'E') || !parse_exponent(text, &exponent)) {
		return false;
	}
	d->point += exponent;
	return true;
}

/* The number rounded up to an integer, or -1 when it needs more than 63 bits. */
static int64_t ceiling(const struct decimal *d)
{
	int64_t value = 0;
	bool fraction = false;
	size_t first = 0; /* the first digit that counts */

	while (first < d->count && !d->digits[first]) {
		first++;
	}
	if (first == d->count) {
		return 0;
	}
	for (long i = (long)first; i < d->point; i++) {
		int digit = (size_t)i < d->count ? d->digits[i] : 0;

		if (value > (INT64_MAX - digit) / 10) {
			return -1;
		}
		value = value * 10 + digit;
	}
	for (size_t i = d->point > 0 ? (size_t)d->point : 0; i < d->count; i++) {
		fraction = fraction || d->digits[i];
	}
	if (fraction && value == INT64_MAX) {
		return -1;
	}
	return value + fraction;
}

int64_t quantity_parse_milli(const char *text)
{
	bool negative = *text == '-';
	bool point = false;
	auto_free unsigned char *digits = xcalloc(HEADROOM + strlen(text), 1);
	struct decimal d = {.digits = digits, .count = HEADROOM, .point = HEADROOM};

	if (*text == '+' || *text == '-') {
		text++;
	}
	for (; (*text >= '0' && *text <= '9') || (*text == '.' && !point); text++) {
		if (*text == '.') {
			point = true;
			continue;
		}
		digits[d.count++] = (unsigned char)(*text - '0');
		d.point += !point;
	}
	if (d.count == HEADROOM || !apply_suffix(&d, text)) {
		return -1;
	}
	d.point += 3; /* thousandths */

	int64_t milli = ceiling(&d);

	return negative && milli != 0 ? -1 : milli;
}

char *quantity_format_milli(int64_t milli)
{
	static const char *const steps[] = {"m", "", "k", "M", "G", "T", "P"};
	size_t step = 0;

	if (milli == 0) {
		return xstrdup("0");
	}
	/* the API server writes 1000 as "1k": any other form would look like a change */
	while (milli % 1000 == 0 && step + 1 < ARRAY_LEN(steps)) {
		milli /= 1000;
		step++;
	}
	return xasprintf("%lld%s", (long long)milli, steps[step]);
}

char *quantity_plain_milli(int64_t milli)
{
	char *text = xasprintf("%s%lld.%03lld", milli < 0 ? "-" : "", llabs(milli) / 1000, llabs(milli) % 1000);
	size_t len = strlen(text);

	while (text[len - 1] == '0') {
		text[--len] = '\0';
	}
	if (text[len - 1] == '.') {
		text[len - 1] = '\0';
	}
	return text;
}
