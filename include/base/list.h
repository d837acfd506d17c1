/*
 * A list that an item leaves from wherever it is.
 *
 * Items are embedded in the caller's structs, which they lead back to by container_of().
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

struct list_item {
	struct list *in; /* NULL = in none */
	struct list_item *next;
	struct list_item *previous;
};

struct list {
	struct list_item *first;
	struct list_item *last;
};

/* The item is in no list. */
void list_append(struct list *list, struct list_item *item);
/* Nothing when it is in none. */
void list_leave(struct list_item *item);

#endif
