/* A replica's word on its reads. */
#include "read_claim.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"

#define READS "reads="
#define UNTIL " until="
#define DIGITS_MAX 9
#define TIME_LEN 20 /* of "2026-01-31T08:00:00Z" */
/* Fewer than so many more or less are chance. */
#define FEW 3

int64_t read_claim_round(int64_t reads)
{
	int64_t step = 1;

	while (reads / step >= 32) {
		step *= 2;
	}
	return (reads + step - 1) / step * step;
}

char *read_claim_text(const struct read_claim *claim)
{
	auto_free char *until = clock_rfc3339(claim->until_ms);

	return xasprintf(READS "%lld" UNTIL "%s\n", (long long)claim->reads, until);
}

/* Digits up to the first that is none; -1 when there is none, or there are too many. */
static int64_t read_digits(const char **at)
{
	int64_t number = 0;
	int count = 0;

	for (; **at >= '0' && **at <= '9'; ++*at, count++) {
		if (count == DIGITS_MAX) {
			return -1;
		}
		number = number * 10 + (**at - '0');
	}
	return count > 0 ? number : -1;
}

struct read_claim read_claim_of(const char *entry)
{
	static const struct read_claim none = READ_CLAIM_NONE;
	struct read_claim claim = READ_CLAIM_NONE;
	char time[TIME_LEN + 1];
	const char *at = entry;

	if (entry == NULL || !text_begins(at, READS)) {
		return none;
	}
	at += strlen(READS);
	claim.reads = read_digits(&at);
	if (claim.reads < 0 || !text_begins(at, UNTIL)) {
		return none;
	}
	at += strlen(UNTIL);
	if (strnlen(at, TIME_LEN + 1) <= TIME_LEN || at[TIME_LEN] != '\n') {
		return none;
	}
	memcpy(time, at, TIME_LEN);
	time[TIME_LEN] = '\0';
	claim.until_ms = clock_parse_rfc3339(time);
	return claim.until_ms > 0 ? claim : none;
}

/* None is no chance: the controller stands still then, or asks others, and a few that are still said would be a long period. */
static bool is_far_below(int64_t reads, int64_t said)
{
	return reads * 5 <= said * 4 && (reads == 0 ? said > 0 : said - reads >= FEW);
}

bool read_claim_renew(struct read_claim *claim, int64_t counted, bool doubt, int64_t renew_ms, int64_t now_ms)
{
	int64_t reads = read_claim_round(counted < READ_CLAIM_MAX / 2 ? counted : READ_CLAIM_MAX / 2);

	if (counted < 0) {
		return false;
	}
	if (claim->reads >= 0 && reads <= claim->reads && !is_far_below(reads, claim->reads) &&
		!(doubt && now_ms - claim->until_ms >= renew_ms)) {
		return false;
	}
	*claim = (struct read_claim){.reads = reads, .until_ms = now_ms};
	return true;
}
