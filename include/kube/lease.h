/*
 * Leader election on a coordination.k8s.io/v1 Lease, by client-go's rules
 * (tools/leaderelection): 15 s lease, 10 s renew deadline, 2 s between renewals, unless told otherwise; expiry is checked from
 * the local time at which the record was last seen to change, with the record's own duration. A
 * candidate looks each half second and in the moment of expiry: after a release it leads within a
 * second, after a crash within the lease's duration of the last renewal it saw. Whoever lost it goes
 * on as a candidate.
 *
 * Nothing fences a write that is under way when leadership is lost: what the leader writes must be
 * right when written twice. Give the lease an HTTP client of its own: its renewals share the API
 * server's priority level with every other service account's requests
 * (https://kubernetes.io/docs/concepts/cluster-administration/flow-control/), and must not wait
 * behind our own lists too.
 */
#ifndef KUBE_LEASE_H
#define KUBE_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "kube/client.h"

struct kube_lease;

struct kube_lease_times {
	int64_t duration_ms; /* it holds for so long unless renewed; in whole seconds */
	int64_t deadline_ms; /* a renewal is tried for so long, then leadership is lost */
	int64_t retry_ms;    /* between two renewals */
};

struct kube_lease_hooks {
	void (*started)(void *ctx); /* we lead now */
	void (*stopped)(void *ctx); /* we lead no more: stop every write before anything else */
	void *ctx;
};

/* `identity` must be unique among the replicas. Strings are copied. */
struct kube_lease *kube_lease_new(struct kube_client *client, const char *ns, const char *name, const char *identity,
	const struct kube_lease_hooks *hooks);
/* Whether a deadline is in time for others to take over, and long enough for a renewal that comes late; -1 and
 * ERROR_INVALID naming the remedy. */
int kube_lease_check_times(const struct kube_lease_times *times, struct error *err);
/* Of times that were checked; before it starts. */
void kube_lease_set_times(struct kube_lease *lease, const struct kube_lease_times *times);
void kube_lease_start(struct kube_lease *lease);
/* By the clock: false as soon as the last renewal is too old, also when the loop stood still and
 * stopped() could not be called yet. For kube_client_guard(). */
bool kube_lease_held(const struct kube_lease *lease);
/* When held: stopped() from inside this call, then the Lease is released (holder "", duration 1; tried
 * for 5 s at most). Then closed(ctx) from the loop; freed after it. */
void kube_lease_close(struct kube_lease *lease, void (*closed)(void *ctx), void *ctx);

#endif
