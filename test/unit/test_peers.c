/* How many tokens that are nobody's one peer may show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/peers.h"

static void name_peer(unsigned char *peer, unsigned number)
{
	memset(peer, 0, PEER_BYTES);
	memcpy(peer, &number, sizeof(number));
}

static int taken_of(struct peers *peers, const unsigned char *peer, int tries, int64_t now_ms)
{
	int taken = 0;

	for (int i = 0; i < tries; i++) {
		taken += peers_charge(peers, peer, now_ms) ? 1 : 0;
	}
	return taken;
}

static void a_burst_and_then_one_a_second(void **state)
{
	struct peers peers = {.debts = NULL};
	unsigned char one[PEER_BYTES];
	unsigned char other[PEER_BYTES];

	(void)state;
	name_peer(one, 1);
	name_peer(other, 2);
	assert_int_equal(taken_of(&peers, one, 1000, 5000), PEERS_BURST);
	assert_int_equal(taken_of(&peers, one, 1000, 5999), 0);
	assert_int_equal(taken_of(&peers, one, 1000, 6000), 1);
	assert_int_equal(taken_of(&peers, other, 3, 6000), 3);
	assert_int_equal(taken_of(&peers, one, 1000, 6000 + PEERS_BURST * PEERS_EACH_MS), PEERS_BURST);
	peers_release(&peers);
}

static void who_is_somebody_pays_nothing(void **state)
{
	struct peers peers = {.debts = NULL};
	unsigned char one[PEER_BYTES];

	(void)state;
	name_peer(one, 1);
	for (int i = 0; i < 1000; i++) {
		assert_true(peers_charge(&peers, one, 5000));
		peers_refund(&peers, one);
	}
	peers_release(&peers);
}

static void ten_thousand_peers_take_bounded_room(void **state)
{
	struct peers peers = {.debts = NULL};
	unsigned char first[PEER_BYTES];

	(void)state;
	name_peer(first, 0);
	assert_int_equal(taken_of(&peers, first, PEERS_BURST, 5000), PEERS_BURST);
	for (unsigned i = 1; i < 10000; i++) {
		unsigned char peer[PEER_BYTES];

		name_peer(peer, i);
		assert_true(peers_charge(&peers, peer, 5000));
		assert_true(peers.count <= PEERS_MAX);
	}
	/* Who owes most is remembered longest. */
	assert_false(peers_charge(&peers, first, 5000));
	peers_release(&peers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_and_then_one_a_second),
		cmocka_unit_test(who_is_somebody_pays_nothing),
		cmocka_unit_test(ten_thousand_peers_take_bounded_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
