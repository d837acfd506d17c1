/* Joining and leaving the line for a slot. */
#include "slots.h"

#include "base/clock.h"
#include "base/memory.h"

static struct slots_item *item_at(struct list_item *place)
{
	return container_of(place, struct slots_item, place);
}

static void begin_some(struct slots *slots)
{
	while (slots->waiting.first != NULL && slots->free > 0) {
		struct slots_item *item = item_at(slots->waiting.first);

		list_leave(&item->place);
		item->begun_ms = clock_monotonic_ms();
		list_append(&slots->begun, &item->place);
		slots->free--;
		slots->begin(item);
	}
}

void slots_join(struct slots *slots, struct slots_item *item)
{
	list_append(&slots->waiting, &item->place);
	begin_some(slots);
}

bool slots_waits(const struct slots *slots, const struct slots_item *item)
{
	return item->place.in == &slots->waiting;
}

void slots_leave(struct slots *slots, struct slots_item *item)
{
	bool had_slot = item->place.in == &slots->begun;

	list_leave(&item->place);
	if (had_slot) {
		slots->free++;
		begin_some(slots);
	}
}

void slots_pass_on(struct slots *slots, int64_t longer_than_ms)
{
	int64_t now_ms = clock_monotonic_ms();

	while (slots->begun.first != NULL && now_ms - item_at(slots->begun.first)->begun_ms > longer_than_ms) {
		list_leave(slots->begun.first);
		slots->free++;
	}
	begin_some(slots);
}

bool slots_idle(const struct slots *slots)
{
	return slots->waiting.first == NULL;
}
