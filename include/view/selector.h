/*
 * A metav1.LabelSelector, decoded.
 */
#ifndef VIEW_SELECTOR_H
#define VIEW_SELECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "view/meta.h"

enum selector_operator {
	SELECTOR_UNKNOWN, /* matches nothing */
	SELECTOR_IN,
	SELECTOR_NOT_IN,
	SELECTOR_EXISTS,
	SELECTOR_DOES_NOT_EXIST
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

/* The three are the same as those of kube/resource.h. */
bool view_selector_matches(const struct view_selector *selector, const struct view_pairs *labels, bool if_not_given);
bool view_selector_allows(const struct view_selector *selector, const char *key, const char *value);
char *view_selector_text(const struct view_selector *selector);

#endif
