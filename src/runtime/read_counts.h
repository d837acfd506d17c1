/*
 * How often something was read, by the minute, and the most of it that was read within five minutes lately.
 *
 * Private to src/runtime.
 */
#ifndef RUNTIME_READ_COUNTS_H
#define RUNTIME_READ_COUNTS_H

#include <stddef.h>
#include <stdint.h>

/* A round is a minute, unless somebody is in a hurry. */
#define READ_COUNTS_WINDOW 5 /* rounds */
#define READ_COUNTS_KEPT 15  /* rounds that are remembered */

/* All zeros is the beginning of the first round. */
struct read_counts {
	uint32_t now; /* of the round that is under way */
	uint32_t rounds[READ_COUNTS_KEPT];
	size_t ended; /* rounds, of which the last ones are kept */
};

void read_counts_add(struct read_counts *counts);
void read_counts_end_round(struct read_counts *counts);
/* The most reads of any READ_COUNTS_WINDOW whole rounds, one after the other, that are remembered; -1 while so many have
 * not been. */
int64_t read_counts_most(const struct read_counts *counts);

#endif
