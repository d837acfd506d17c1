/*
 * The line "# OUR RULES" of a configuration in a world or a plan stands for all of our rules: what they say is shown once,
 * by 'inference-autoscaler rules', and a change of it does not go through all plans. In a world "# OUR RULES WITHOUT MARKERS"
 * stands for them as a tool writes them that knows no comments.
 */
#ifndef TEST_GOLDEN_RULES_H
#define TEST_GOLDEN_RULES_H

#include <jansson.h>

/* In place. */
void golden_rules_unfold(json_t *document);
/* A copy; new reference. */
json_t *golden_rules_folded(const json_t *document);

#endif
