/*
 * How often each peer was refused, for a token that was nobody's or a namespace that is not its own: each costs the API
 * server a review, and nothing kept helps against what is new each time.
 *
 * A peer may be wrong PEERS_BURST times at once, and then once in PEERS_EACH_MS. Of so many peers it is remembered; one more
 * takes the place of the one that has been right for longest.
 */
#ifndef RUNTIME_PEERS_H
#define RUNTIME_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEERS_MAX 256
#define PEERS_BURST 20
#define PEERS_EACH_MS 1000
#define PEER_BYTES 16

struct peer_debt {
	unsigned char peer[PEER_BYTES];
	int64_t until_ms; /* when all is forgiven */
};

/* All zeros is empty. Times are monotonic. */
struct peers {
	struct peer_debt *debts; /* owned */
	size_t count;
	size_t cap;
};

/* Counts a review as if it were to be a refusal; false, and nothing counted, when it is one too many. */
bool peers_charge(struct peers *peers, const unsigned char *peer, int64_t now_ms);
/* It was none. */
void peers_refund(struct peers *peers, const unsigned char *peer);
void peers_release(struct peers *peers);

#endif
