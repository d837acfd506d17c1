/* What each peer has cost. */
#include "peers.h"

#include <string.h>

#include "base/memory.h"

static struct peer_debt *find(const struct peers *peers, const unsigned char *peer)
{
	for (size_t i = 0; i < peers->count; i++) {
		if (memcmp(peers->debts[i].peer, peer, PEER_BYTES) == 0) {
			return &peers->debts[i];
		}
	}
	return NULL;
}

static struct peer_debt *oldest(const struct peers *peers)
{
	struct peer_debt *oldest = &peers->debts[0];

	for (size_t i = 1; i < peers->count; i++) {
		if (peers->debts[i].until_ms < oldest->until_ms) {
			oldest = &peers->debts[i];
		}
	}
	return oldest;
}

static struct peer_debt *add_debt(struct peers *peers, const unsigned char *peer)
{
	struct peer_debt *debt;

	if (peers->count == PEERS_MAX) {
		debt = oldest(peers);
	} else {
		peers->debts = xgrow(peers->debts, &peers->cap, peers->count + 1, sizeof(*peers->debts));
		debt = &peers->debts[peers->count++];
	}
	memcpy(debt->peer, peer, PEER_BYTES);
	debt->until_ms = 0;
	return debt;
}

bool peers_charge(struct peers *peers, const unsigned char *peer, int64_t now_ms)
{
	struct peer_debt *debt = find(peers, peer);
	int64_t from_ms = debt != NULL && debt->until_ms > now_ms ? debt->until_ms : now_ms;

	if (from_ms - now_ms > (PEERS_BURST - 1) * PEERS_EACH_MS) {
		return false;
	}
	if (debt == NULL) {
		debt = add_debt(peers, peer);
	}
	debt->until_ms = from_ms + PEERS_EACH_MS;
	return true;
}

void peers_refund(struct peers *peers, const unsigned char *peer)
{
	struct peer_debt *debt = find(peers, peer);

	if (debt != NULL) {
		debt->until_ms -= PEERS_EACH_MS;
	}
}

void peers_release(struct peers *peers)
{
	free_indirect(&peers->debts);
	peers->count = 0;
	peers->cap = 0;
}
