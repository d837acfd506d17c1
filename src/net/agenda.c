/* Waking for the first item of an agenda. */
#include "net/agenda.h"

#include <stddef.h>

#include "base/memory.h"

static const struct agenda_item *item_at(const struct heap_item *place)
{
	return container_of(place, struct agenda_item, place);
}

static bool is_before(const struct heap_item *a, const struct heap_item *b)
{
	return item_at(a)->due_ms < item_at(b)->due_ms;
}

static struct agenda_item *first(const struct agenda *agenda)
{
	struct heap_item *place = heap_first(&agenda->items);

	return place != NULL ? container_of(place, struct agenda_item, place) : NULL;
}

static void on_timer(uv_timer_t *timer);

static void rearm(struct agenda *agenda, uint64_t least_ms)
{
	const struct agenda_item *next = first(agenda);
	uint64_t now = uv_now(agenda->timer.loop);
	uint64_t wait_ms = next != NULL && next->due_ms > now ? next->due_ms - now : 0;

	if (next != NULL) {
		uv_timer_start(&agenda->timer, on_timer, wait_ms > least_ms ? wait_ms : least_ms, 0);
	}
}

/* What is set anew meanwhile, to be due at once, is for the next turn: else this one may never end. */
static void on_timer(uv_timer_t *timer)
{
	struct agenda *agenda = timer->data;
	uint64_t now = uv_now(timer->loop);

	for (size_t left = agenda->items.count; left > 0; left--) {
		struct agenda_item *item = first(agenda);

		if (item == NULL || item->due_ms > now) {
			break;
		}
		heap_remove(&agenda->items, &item->place);
		agenda->due(item);
	}
	/* libuv would run a timer without a delay in this turn. */
	rearm(agenda, 1);
}

void agenda_init(struct agenda *agenda, uv_loop_t *loop, void (*due)(struct agenda_item *item))
{
	*agenda = (struct agenda){.due = due};
	heap_init(&agenda->items, is_before);
	uv_timer_init(loop, &agenda->timer);
	agenda->timer.data = agenda;
}

void agenda_close(struct agenda *agenda, uv_close_cb closed)
{
	heap_release(&agenda->items);
	uv_close((uv_handle_t *)&agenda->timer, closed);
}

void agenda_set(struct agenda *agenda, struct agenda_item *item, uint64_t wait_ms)
{
	heap_remove(&agenda->items, &item->place);
	item->due_ms = uv_now(agenda->timer.loop) + wait_ms;
	heap_add(&agenda->items, &item->place);
	if (first(agenda) == item) {
		rearm(agenda, 0);
	}
}

void agenda_remove(struct agenda *agenda, struct agenda_item *item)
{
	heap_remove(&agenda->items, &item->place);
}

uint64_t agenda_due_in(const struct agenda *agenda, const struct agenda_item *item)
{
	uint64_t now = uv_now(agenda->timer.loop);

	return item->place.place != 0 && item->due_ms > now ? item->due_ms - now : 0;
}
