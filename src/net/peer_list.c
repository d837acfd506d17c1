/* Who is connected to a server, and which connection makes room for another. */
#include "peer_list.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static void read_peer(struct peer_entry *entry, int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof(address);

	if (getpeername(fd, (struct sockaddr *)&address, &len) < 0) {
		return;
	}
	if (address.ss_family == AF_INET6) {
		memcpy(entry->peer, &((struct sockaddr_in6 *)&address)->sin6_addr, 16);
	} else if (address.ss_family == AF_INET) {
		memcpy(entry->peer, &((struct sockaddr_in *)&address)->sin_addr, 4);
	}
}

void peer_list_add(struct peer_list *list, struct peer_entry *entry, int fd)
{
	read_peer(entry, fd);
	entry->prev = NULL;
	entry->next = list->first;
	if (entry->next != NULL) {
		entry->next->prev = entry;
	}
	list->first = entry;
	list->count++;
}

void peer_list_remove(struct peer_list *list, struct peer_entry *entry)
{
	if (entry->prev != NULL) {
		entry->prev->next = entry->next;
	} else {
		list->first = entry->next;
	}
	if (entry->next != NULL) {
		entry->next->prev = entry->prev;
	}
	list->count--;
}

static size_t count_of_peer(const struct peer_list *list, const unsigned char *peer)
{
	size_t count = 0;

	for (const struct peer_entry *e = list->first; e != NULL; e = e->next) {
		count += memcmp(e->peer, peer, sizeof(e->peer)) == 0;
	}
	return count;
}

struct peer_entry *peer_list_to_drop(const struct peer_list *list)
{
	struct peer_entry *found = NULL;
	size_t most = 0;

	for (struct peer_entry *e = list->first; e != NULL; e = e->next) {
		size_t count = count_of_peer(list, e->peer);

		if (found != NULL && e->proven != found->proven) {
			if (e->proven) {
				continue;
			}
			most = 0;
		}
		/* Of those that moved in the same millisecond the oldest: the list begins with the newest. */
		if (count > most || (count == most && e->moved_ms <= found->moved_ms)) {
			found = e;
			most = count;
		}
	}
	return found;
}
