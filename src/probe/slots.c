/* Joining and leaving the line for a slot. */
#include "slots.h"

#include "base/clock.h"

static void append(struct slots_list *list, struct slots_item *item)
{
	*item = (struct slots_item){.list = list, .previous = list->last, .begun_ms = item->begun_ms};
	if (list->first == NULL) {
		list->first = item;
	} else {
		list->last->next = item;
	}
	list->last = item;
}

static void take_out(struct slots_item *item)
{
	struct slots_list *list = item->list;

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
	item->list = NULL;
}

static void begin_some(struct slots *slots)
{
	while (slots->waiting.first != NULL && slots->free > 0) {
		struct slots_item *item = slots->waiting.first;

		take_out(item);
		item->begun_ms = clock_monotonic_ms();
		append(&slots->begun, item);
		slots->free--;
		slots->begin(item);
	}
}

void slots_join(struct slots *slots, struct slots_item *item)
{
	append(&slots->waiting, item);
	begin_some(slots);
}

bool slots_waits(const struct slots *slots, const struct slots_item *item)
{
	return item->list == &slots->waiting;
}

void slots_leave(struct slots *slots, struct slots_item *item)
{
	bool had_slot = item->list == &slots->begun;

	if (item->list != NULL) {
		take_out(item);
	}
	if (had_slot) {
		slots->free++;
		begin_some(slots);
	}
}

void slots_pass_on(struct slots *slots, int64_t longer_than_ms)
{
	int64_t now_ms = clock_monotonic_ms();

	while (slots->begun.first != NULL && now_ms - slots->begun.first->begun_ms > longer_than_ms) {
		take_out(slots->begun.first);
		slots->free++;
	}
	begin_some(slots);
}

bool slots_idle(const struct slots *slots)
{
	return slots->waiting.first == NULL;
}
