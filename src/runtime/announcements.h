/*
 * The certificates that the replicas serve the custom metrics API with, announced to each other in one ConfigMap: of each
 * replica an entry, by its identity, with the PEM of its certificates, and before it what else it has to say. The key of
 * none is ever in it.
 *
 * Each replica keeps its own entry, by a field manager of its own. All read all of them; the leader has them written into
 * the caBundle of the APIServices, and takes away the entries of replicas that are gone. Private to src/runtime.
 */
#ifndef RUNTIME_ANNOUNCEMENTS_H
#define RUNTIME_ANNOUNCEMENTS_H

#include <stdbool.h>

#include "kube/client.h"
#include "view/meta.h"

struct announcements;

struct announcements_hooks {
	/* The bundle is another, or it is known now that there is none. */
	void (*changed)(void *ctx);
	/* Whether this replica leads: only then are entries of others taken away. */
	bool (*leads)(void *ctx);
	/* Whether the replica of this identity is proven to be gone. */
	bool (*gone)(void *ctx, const char *identity);
	void *ctx;
};

/* Strings are copied, the clients borrowed. */
struct announcements_options {
	struct kube_client *client;
	struct kube_client *writer; /* for the own entry; nothing guards it, since a replica that waits for the Lease
	                             * announces too */
	const char *ns;
	const char *name; /* of the ConfigMap */
	const char *identity;
	const char *dns_name; /* what the certificates are for */
};

/* Nothing is sent before start. */
struct announcements *announcements_new(const struct announcements_options *options,
	const struct announcements_hooks *hooks);
void announcements_start(struct announcements *announcements);
/* closed(ctx) from the loop; freed after it. */
void announcements_close(struct announcements *announcements, void (*closed)(void *ctx), void *ctx);

/* What this replica announces from now on, in place of what it did: PEM of one or two certificates; copied. */
void announcements_set(struct announcements *announcements, const char *pem);
/* What it says beside, one line; copied. It is announced once there is a certificate. */
void announcements_set_note(struct announcements *announcements, const char *line);
/* The entries of all, by identity, as anybody may have written them; borrowed until the loop goes on. */
const struct view_pairs *announcements_entries(const struct announcements *announcements);
/* All that are announced and good now, PEM; borrowed until the loop goes on. NULL while there is none. */
const char *announcements_bundle(const struct announcements *announcements);

#endif
