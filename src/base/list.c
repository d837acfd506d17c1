/* Joining and leaving a list. */
#include "base/list.h"

#include <stddef.h>

void list_append(struct list *list, struct list_item *item)
{
	*item = (struct list_item){.in = list, .previous = list->last};
	if (list->first == NULL) {
		list->first = item;
	} else {
		list->last->next = item;
	}
	list->last = item;
}

void list_leave(struct list_item *item)
{
	struct list *list = item->in;

	if (list == NULL) {
		return;
	}
	if (item->previous != NULL) {
		item->previous->next = item->next;
	} else {
		list->first = item->next;
	}
	if (item->next != NULL) {
		item->next->previous = item->previous;
	} else {
		list->last = item->previous;
	}
	item->in = NULL;
}
