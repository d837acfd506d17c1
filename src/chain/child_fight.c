/* Telling a fight over a child from an edit. */
#include "chain/child_fight.h"

#include <stddef.h>

#include "base/hash.h"

#define AGAIN_MS (10 * 60 * 1000)
#define WAIT_MS (10 * 60 * 1000)
#define WAIT_MAX_MS (60 * 60 * 1000)

uint64_t child_fight_mark(const char *applied)
{
	return hash_text(HASH_START, applied) | 1;
}

void child_fight_plan(struct child_fight *fight, uint64_t mark)
{
	fight->planned = mark;
}

static void begin_wait(struct child_fight *fight, int64_t now_ms)
{
	int64_t longer = fight->wait_ms * 2 < WAIT_MAX_MS ? fight->wait_ms * 2 : WAIT_MAX_MS;

	fight->wait_ms = fight->wait_ms > 0 ? longer : WAIT_MS;
	fight->until_ms = now_ms + fight->wait_ms;
}

/* Whether what is mended now was mended a while ago, or has just been left for its time. */
static bool is_again(const struct child_fight *fight, int64_t now_ms)
{
	return fight->wanted == fight->planned && now_ms - fight->mended_ms <= fight->wait_ms + AGAIN_MS;
}

void child_fight_settle(struct child_fight *fight, bool written, int64_t now_ms)
{
	if (fight->planned != 0 && written) {
		if (is_again(fight, now_ms)) {
			begin_wait(fight, now_ms);
		} else {
			fight->wait_ms = 0;
			fight->until_ms = 0;
		}
		fight->wanted = fight->planned;
		fight->mended_ms = now_ms;
	}
	fight->planned = 0;
}

int64_t child_fight_rest_ms(const struct child_fight *fight, uint64_t mark, int64_t now_ms)
{
	int64_t left_ms = fight != NULL && fight->wanted == mark ? fight->until_ms - now_ms : 0;

	/* A clock that was set back makes no wait longer. */
	return left_ms > 0 && left_ms <= fight->wait_ms ? left_ms : 0;
}
