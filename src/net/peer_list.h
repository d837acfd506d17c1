/*
 * Who is connected to a server, and which connection makes room for another.
 *
 * Entries are embedded in the server's connections, which they lead back to by container_of().
 */
#ifndef NET_PEER_LIST_H
#define NET_PEER_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peer_entry {
	unsigned char peer[16]; /* its address; of IPv4 the first four bytes */
	uint64_t moved_ms;      /* loop time of when it moved something last */
	bool proven;            /* who it is: it goes after those who have not */
	struct peer_entry *prev, *next;
};

/* All zero at first. */
struct peer_list {
	struct peer_entry *first; /* the newest */
	size_t count;
};

/* The entry is zero but for moved_ms; its address is read from the socket. */
void peer_list_add(struct peer_list *list, struct peer_entry *entry, int fd);
void peer_list_remove(struct peer_list *list, struct peer_entry *entry);
/*
 * The one that has moved nothing for longest, among those of the peer that has most: so a peer that holds many takes
 * them from itself. NULL when there is none.
 */
struct peer_entry *peer_list_to_drop(const struct peer_list *list);

#endif
