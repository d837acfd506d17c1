/*
 * An index by namespace and label: what has one of the labels that a selector asks for is found without a look at the
 * rest. Private to the room.
 *
 * It holds hashes, not texts: what is found under a label is to be compared with the selector by whoever looks.
 */
#ifndef PODS_LABEL_INDEX_H
#define PODS_LABEL_INDEX_H

#include <stdint.h>

#include "base/hash.h"
#include "view/selector.h"

struct label_posting;

/* One place of an owner in the index. */
struct label_link {
	struct label_posting *posting;
	struct label_link *next; /* of the same label, in no order */
	struct label_link *previous;
	void *owner;
};

/* All zeros is empty. */
struct label_index {
	struct hash_table postings; /* struct label_posting */
};

/* Every link was removed. */
void label_index_release(struct label_index *index);
/* The link is in no index; it stays where it is. */
void label_index_add(struct label_index *index, struct label_link *link, uint64_t hash, void *owner);
void label_index_remove(struct label_index *index, struct label_link *link);
/* The first link under the hash; NULL when there is none. */
struct label_link *label_index_first(const struct label_index *index, uint64_t hash);

/* Of a namespace as a whole, and of a label there. */
uint64_t label_hash_namespace(const char *ns);
uint64_t label_hash(uint64_t ns_hash, const char *key, const char *value);

/* One label of which a selector wants one of some values; or all of the namespace, when `key` is NULL. The texts are the
 * selector's. */
struct label_choice {
	uint64_t ns_hash;
	const char *key;
	const char *const *values;
	uint32_t values_count;
};

/* That under which the fewest are found of all that match the selector in the namespace. */
struct label_choice label_index_choose(const struct label_index *index, const char *ns,
	const struct view_selector *selector);
/* The hashes under which they are: one or more. */
uint32_t label_choice_count(const struct label_choice *choice);
uint64_t label_choice_hash(const struct label_choice *choice, uint32_t i);

#endif
