/*
 * Leader election on a coordination.k8s.io/v1 Lease, by client-go's rules
 * (tools/leaderelection): 15 s lease, 10 s renew deadline, 2 s retry; expiry is judged from the
 * local time at which the record was last seen to change, with the record's own duration. Whoever lost
 * it goes on as a candidate. Give the lease an HTTP client of its own, so that renewals never wait
 * behind lists.
 */
#ifndef KUBE_LEASE_H
#define KUBE_LEASE_H

#include <stdbool.h>

#include "kube/client.h"

struct kube_lease;

struct kube_lease_hooks {
	void (*started)(void *ctx); /* we lead now */
	void (*stopped)(void *ctx); /* we lead no more: stop every write before anything else */
	void *ctx;
};

/* `identity` must be unique among the replicas. Strings are copied. */
struct kube_lease *kube_lease_new(struct kube_client *client, const char *ns, const char *name, const char *identity,
	const struct kube_lease_hooks *hooks);
void kube_lease_start(struct kube_lease *lease);
bool kube_lease_held(const struct kube_lease *lease);
/* When held: stopped() from inside this call, then the Lease is released (holder "", duration 1; tried
 * for 5 s at most). Then closed(ctx) from the loop; freed after it. */
void kube_lease_close(struct kube_lease *lease, void (*closed)(void *ctx), void *ctx);

#endif
