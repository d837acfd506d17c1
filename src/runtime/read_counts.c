/* Counting by rounds. */
#include "read_counts.h"

void read_counts_add(struct read_counts *counts)
{
	counts->now += counts->now < UINT32_MAX;
}

void read_counts_end_round(struct read_counts *counts)
{
	counts->rounds[counts->ended % READ_COUNTS_KEPT] = counts->now;
	counts->ended++;
	counts->now = 0;
}

int64_t read_counts_most(const struct read_counts *counts)
{
	size_t begin = counts->ended > READ_COUNTS_KEPT ? counts->ended - READ_COUNTS_KEPT : 0;
	int64_t most = -1;

	for (; begin + READ_COUNTS_WINDOW <= counts->ended; begin++) {
		int64_t sum = 0;

		for (size_t i = begin; i < begin + READ_COUNTS_WINDOW; i++) {
			sum += counts->rounds[i % READ_COUNTS_KEPT];
		}
		most = sum > most ? sum : most;
	}
	return most;
}
