/*
 * What one replica says of the reads that it was asked for: at most so many within five minutes, up to this moment.
 *
 * It is a bound and not a count, so that nothing need be said while reads only wander between the replicas: it is raised at
 * once, and lowered when they were far fewer for a while. It stands in the first line of the replica's entry among the
 * announced certificates, "reads=120 until=2026-01-31T08:00:00Z". Private to src/runtime.
 */
#ifndef RUNTIME_READ_CLAIM_H
#define RUNTIME_READ_CLAIM_H

#include <stdbool.h>
#include <stdint.h>

#define READ_CLAIM_MAX INT64_C(999999999)

struct read_claim {
	int64_t reads;    /* -1 = nothing is said */
	int64_t until_ms; /* wall, in whole seconds */
};

#define READ_CLAIM_NONE                                                                                                \
	{                                                                                                              \
		.reads = -1, .until_ms = 0                                                                             \
	}

/* Up to the next of the steps, of a twentieth about, by which reads are told. */
int64_t read_claim_round(int64_t reads);
/* Heap; with the end of the line. */
char *read_claim_text(const struct read_claim *claim);
/* Of an entry, which may be anybody's text or NULL; READ_CLAIM_NONE when it does not begin with such a line. */
struct read_claim read_claim_of(const char *entry);
/* Says anew what is said, now that so many were counted (-1 = not for long enough); false when it may stay as it is. In
 * doubt it is said anew when it is older than `renew_ms`, since it is what others go by. */
bool read_claim_renew(struct read_claim *claim, int64_t counted, bool doubt, int64_t renew_ms, int64_t now_ms);

#endif
