/* Adding up what the replicas say. */
#include "read_claims.h"

#include "base/memory.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "certificate_bundle.h"
#include "read_claim.h"

/* So far the clocks of two nodes may be apart. */
#define SKEW_MS 60000

static void add(struct read_claims *claims, const struct read_claim *claim)
{
	claims->reads = claims->reads >= 0 && claim->reads >= 0 ? claims->reads + claim->reads : -1;
	claims->oldest_ms = claim->until_ms < claims->oldest_ms ? claim->until_ms : claims->oldest_ms;
	claims->newest_ms = claim->until_ms > claims->newest_ms ? claim->until_ms : claims->newest_ms;
}

struct read_claims read_claims_add_up(const struct view_pairs *entries, const char *own, int64_t reads,
	read_claims_live_fn *live, void *ctx)
{
	struct read_claims claims = {.reads = reads, .oldest_ms = INT64_MAX, .newest_ms = INT64_MIN};
	auto_strbuf who = STRBUF_INIT;

	strbuf_addstr(&who, own);
	if (entries->count > BUNDLE_ENTRIES_MAX) {
		claims.reads = -1; /* not all of them are read */
	}
	for (uint32_t i = 0; i < entries->count && i < BUNDLE_ENTRIES_MAX; i++) {
		const struct view_pair *entry = &entries->items[i];

		if (!text_equal(entry->key, own) && live(ctx, entry)) {
			struct read_claim claim = read_claim_of(entry->value);

			add(&claims, &claim);
			strbuf_addf(&who, " %s", entry->key);
		}
	}
	claims.who = strbuf_take(&who);
	return claims;
}

bool read_claims_fresh(const struct read_claims *claims, int64_t age_ms, int64_t now_ms)
{
	return claims->oldest_ms >= now_ms - age_ms - SKEW_MS &&
	       (claims->newest_ms == INT64_MIN || claims->newest_ms <= now_ms + SKEW_MS);
}
