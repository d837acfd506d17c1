/*
 * Somebody who changes a child of ours back each time it was mended, as a delivery tool does that has another one in git.
 *
 *   the first two times              it is mended at once: it may be a hand's edit
 *   again, within ten minutes        it is left for ten minutes, then mended once more; if that is changed back too, for
 *                                    twice as long, and for an hour at most
 *
 * It is about one desired object: another spec begins anew. The memory is the operator's; one that starts begins anew too.
 */
#ifndef CHAIN_CHILD_FIGHT_H
#define CHAIN_CHILD_FIGHT_H

#include <stdbool.h>
#include <stdint.h>

struct child_fight {
	uint64_t wanted;   /* what was written last, as child_fight_mark(); 0 = nothing */
	uint64_t planned;  /* what is being written; 0 = nothing */
	int64_t mended_ms; /* wall: when it was written last */
	int64_t wait_ms;   /* how long the last wait is, or was; 0 = none */
	int64_t until_ms;  /* wall: it is not written before; 0 = at once */
};

/* Of the text that stands for a desired object; never 0. */
uint64_t child_fight_mark(const char *applied);
/* A mend is about to be written. */
void child_fight_plan(struct child_fight *fight, uint64_t mark);
/* What was planned is written, or could not be. */
void child_fight_settle(struct child_fight *fight, bool written, int64_t now_ms);
/* For how many ms the child is still not to be mended; 0 = it may be. NULL is allowed. */
int64_t child_fight_rest_ms(const struct child_fight *fight, uint64_t mark, int64_t now_ms);

#endif
