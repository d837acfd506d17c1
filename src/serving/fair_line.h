/*
 * So many at once, and the others in line, namespace by namespace: one after the other, and none more than its share.
 *
 * Whoever has a thousand pods that do not answer waits for them himself. Items are embedded in the caller's structs, which
 * they lead back to by container_of(). Private to src/serving.
 */
#ifndef SERVING_FAIR_LINE_H
#define SERVING_FAIR_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "base/map.h"

struct fair_tenant;

struct fair_item {
	struct list_item place;     /* in its namespace's line; in none once it has begun */
	struct fair_tenant *tenant; /* NULL = it is in no line */
};

struct fair_line {
	size_t most;  /* that have begun */
	size_t share; /* of them, those of one namespace */
	void (*begin)(struct fair_item *item);
	size_t begun;
	struct map tenants; /* by namespace; those that have none are not kept */
	struct list turns;  /* of the tenants that may begin one, in the order of their turns */
	bool beginning;
};

void fair_line_init(struct fair_line *line, size_t most, size_t share, void (*begin)(struct fair_item *item));
/* All items have left. */
void fair_line_release(struct fair_line *line);
/* A new item. It may begin before this returns. */
void fair_line_join(struct fair_line *line, struct fair_item *item, const char *ns);
/* One that waits goes, or one that began is done; nothing when it is in no line. Others may begin before this returns. */
void fair_line_leave(struct fair_line *line, struct fair_item *item);
/* Whether it is in line, and has not begun. */
bool fair_item_waits(const struct fair_item *item);

#endif
