/*
 * What somebody meant who mistyped a word.
 */
#ifndef COMMAND_NEAREST_H
#define COMMAND_NEAREST_H

#include <stddef.h>

/* How many letters must be put in, left out, replaced or swapped with their neighbour. */
size_t nearest_distance(const char *a, const char *b);
/* Keeps the better of two candidates; *best starts as NULL. One too far from `word` to have been meant is not taken. */
void nearest_consider(const char *word, const char *candidate, const char **best);

#endif
