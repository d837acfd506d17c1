/* The core schema of YAML 1.2: which plain scalars are not strings. */
#include "yaml_scalar.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"

static const struct {
	const char *text;
	enum yaml_kind kind;
} words[] = {
	{"", YAML_KIND_NULL},
	{"~", YAML_KIND_NULL},
	{"null", YAML_KIND_NULL},
	{"Null", YAML_KIND_NULL},
	{"NULL", YAML_KIND_NULL},
	{"true", YAML_KIND_BOOL},
	{"True", YAML_KIND_BOOL},
	{"TRUE", YAML_KIND_BOOL},
	{"false", YAML_KIND_BOOL},
	{"False", YAML_KIND_BOOL},
	{"FALSE", YAML_KIND_BOOL},
	{".nan", YAML_KIND_INF_NAN},
	{".NaN", YAML_KIND_INF_NAN},
	{".NAN", YAML_KIND_INF_NAN},
	{".inf", YAML_KIND_INF_NAN},
	{".Inf", YAML_KIND_INF_NAN},
	{".INF", YAML_KIND_INF_NAN},
};

static bool is_infinity(const char *text)
{
	return !strcmp(text, ".inf") || !strcmp(text, ".Inf") || !strcmp(text, ".INF");
}

static bool all_of(const char *text, const char *set)
{
	return *text && !text[strspn(text, set)];
}

/* [0-9]+ ( \. [0-9]* )? or \. [0-9]+, then ( [eE] [-+]? [0-9]+ )? */
static bool is_float(const char *p)
{
	static const char digits[] = "0123456789";
	size_t whole = strspn(p, digits);
	size_t fraction = 0;

	p += whole;
	if (*p == '.') {
		fraction = strspn(++p, digits);
		p += fraction;
	}
	if (!whole && !fraction) {
		return false;
	}
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '-' || *p == '+';
		return all_of(p, digits);
	}
	return !*p;
}

enum yaml_kind yaml_scalar_kind(const char *text, size_t len)
{
	const char *magnitude = text + (*text == '-' || *text == '+');

	if (strlen(text) != len) {
		return YAML_KIND_STRING; /* holds a NUL */
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!strcmp(text, words[i].text)) {
			return words[i].kind;
		}
	}
	if (is_infinity(magnitude)) {
		return YAML_KIND_INF_NAN;
	}
	if (all_of(magnitude, "0123456789")) {
		return YAML_KIND_INT;
	}
	if (!strncmp(text, "0o", 2) && all_of(text + 2, "01234567")) {
		return YAML_KIND_INT;
	}
	if (!strncmp(text, "0x", 2) && all_of(text + 2, "0123456789abcdefABCDEF")) {
		return YAML_KIND_INT;
	}
	return is_float(magnitude) ? YAML_KIND_FLOAT : YAML_KIND_STRING;
}
