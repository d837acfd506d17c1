/* Joining and leaving the line for a slot. */
#include "slots.h"

static void unlink_item(struct slots *slots, struct slots_item *item)
{
	if (item->previous != NULL) {
		item->previous->next = item->next;
	} else {
		slots->first = item->next;
	}
	if (item->next != NULL) {
		item->next->previous = item->previous;
	} else {
		slots->last = item->previous;
	}
	item->waiting = false;
}

static void begin_some(struct slots *slots)
{
	while (slots->first != NULL && slots->free > 0) {
		struct slots_item *item = slots->first;

		unlink_item(slots, item);
		item->begun = true;
		slots->free--;
		slots->begin(item);
	}
}

void slots_join(struct slots *slots, struct slots_item *item)
{
	*item = (struct slots_item){.waiting = true, .previous = slots->last};
	if (slots->first == NULL) {
		slots->first = item;
	} else {
		slots->last->next = item;
	}
	slots->last = item;
	begin_some(slots);
}

void slots_leave(struct slots *slots, struct slots_item *item)
{
	if (item->waiting) {
		unlink_item(slots, item);
	}
	if (item->begun) {
		item->begun = false;
		slots->free++;
		begin_some(slots);
	}
}

bool slots_idle(const struct slots *slots)
{
	return slots->first == NULL;
}
