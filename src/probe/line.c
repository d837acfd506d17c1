/* Joining and leaving a line. */
#include "line.h"

#include <stddef.h>

void line_join(struct line *line, struct line_item *item)
{
	if (item->waiting) {
		return;
	}
	*item = (struct line_item){.waiting = true};
	if (line->first == NULL) {
		line->first = item;
	} else {
		line->last->next = item;
	}
	line->last = item;
}

void line_leave(struct line *line, struct line_item *item)
{
	struct line_item *before = line->first;

	if (!item->waiting) {
		return;
	}
	item->waiting = false;
	if (before == item) {
		line->first = item->next;
		return;
	}
	while (before->next != item) {
		before = before->next;
	}
	before->next = item->next;
	if (line->last == item) {
		line->last = before;
	}
}
