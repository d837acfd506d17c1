/*
 * A metav1.LabelSelector, decoded.
 */
#ifndef VIEW_SELECTOR_H
#define VIEW_SELECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "view/meta.h"

enum selector_operator {
	SELECTOR_UNKNOWN, /* matches nothing */
	SELECTOR_IN,
	SELECTOR_NOT_IN,
	SELECTOR_EXISTS,
	SELECTOR_DOES_NOT_EXIST,
	/* Only in the form of text; one value, an integer. */
	SELECTOR_GREATER,
	SELECTOR_LESS
};

struct view_requirement {
	const char *key; /* "" = not given */
	const char *const *values;
	uint32_t values_count;
	enum selector_operator op;
};

struct view_selector {
	struct view_pairs match_labels;
	const struct view_requirement *expressions;
	uint32_t expressions_count;
	bool given; /* false = absent or null */
	bool valid; /* given, and an object */
};

/* A selector without requirements matches all; an operator that is not known matches nothing. */
bool view_selector_matches(const struct view_selector *selector, const struct view_pairs *labels, bool if_not_given);
/* Whether all that the selector requires of this key allows the value; NULL = an object without the label. */
bool view_selector_allows(const struct view_selector *selector, const char *key, const char *value);
/* As kube_selector_text() of kube/resource.h writes it. Heap, the caller frees. */
char *view_selector_text(const struct view_selector *selector);

/* From the form of text that the API has for it in queries and in the status of a scale, "a=b,c!=d,e in (f,g),!h", as
 * the API server reads it; all of it becomes expressions. NULL and ERROR_INVALID, which names the place, when it is
 * none. One heap block, which the caller frees. */
struct view_selector *view_selector_parse(const char *text, struct error *err);
/* The same for long: a block for keep_free(), of *bytes. */
struct view_selector *view_selector_keep(const char *text, size_t *bytes);

#endif
