/*
 * What a Lease says of its holder, and when we saw it say something new. Private to src/kube.
 *
 * Whether a holder still lives is checked by our own clock alone, from the moment at which we saw its
 * record change, and with the duration that the record itself names: clocks of two machines differ,
 * and so may durations of two versions (client-go#448, fabric8#7249).
 */
#ifndef KUBE_LEASE_RECORD_H
#define KUBE_LEASE_RECORD_H

#include <jansson.h>
#include <stdint.h>

struct lease_record {
	json_t *object;     /* the Lease as last seen; NULL = never, or not there */
	int64_t changed_ms; /* monotonic time at which its record was last seen to change */
};

void lease_record_release(struct lease_record *record);
/* The Lease is there, and like this. */
void lease_record_observe(struct lease_record *record, json_t *object);
/* The Lease is not there. */
void lease_record_forget(struct lease_record *record);
/* Borrowed; "" when nobody holds it. */
const char *lease_record_holder(const struct lease_record *record);
/* When the holder has to be taken for dead; 0 when there is none. `duration_ms` is for a record that
 * names none. */
int64_t lease_record_expires_ms(const struct lease_record *record, int64_t duration_ms);
/* The Lease with `identity` as holder, "" to let it go (leaving everything that others wrote into it), or a new one
 * called ns/name. New reference. */
json_t *lease_record_claim(const struct lease_record *record, const char *ns, const char *name, const char *identity,
	int64_t duration_ms);

#endif
