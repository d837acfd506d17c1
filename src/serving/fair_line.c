/* Whose turn it is. */
#include "fair_line.h"

#include <assert.h>

#include "base/memory.h"

struct fair_tenant {
	struct list_item turn; /* in the line's turns, while it may begin one */
	struct list waiting;
	size_t begun;
	char *ns;
};

void fair_line_init(struct fair_line *line, size_t most, size_t share, void (*begin)(struct fair_item *item))
{
	*line = (struct fair_line){.most = most, .share = share, .begin = begin};
	map_init(&line->tenants, NULL);
}

void fair_line_release(struct fair_line *line)
{
	assert(map_count(&line->tenants) == 0 && line->begun == 0);
	map_release(&line->tenants);
}

static struct fair_tenant *tenant_of(struct fair_line *line, const char *ns)
{
	struct fair_tenant *tenant = map_get(&line->tenants, ns);

	if (tenant == NULL) {
		tenant = xcalloc(1, sizeof(*tenant));
		tenant->ns = xstrdup(ns);
		map_put(&line->tenants, ns, tenant);
	}
	return tenant;
}

/* Puts the tenant at the end of those whose turn comes, if it may begin one; or forgets it. */
static void settle(struct fair_line *line, struct fair_tenant *tenant)
{
	bool may = tenant->waiting.first != NULL && tenant->begun < line->share;

	if (may && tenant->turn.in == NULL) {
		list_append(&line->turns, &tenant->turn);
	} else if (!may) {
		list_leave(&tenant->turn);
	}
	if (tenant->waiting.first == NULL && tenant->begun == 0) {
		map_remove(&line->tenants, tenant->ns);
		free_indirect(&tenant->ns);
		free_indirect(&tenant);
	}
}

static void begin_one(struct fair_line *line)
{
	struct fair_tenant *tenant = container_of(line->turns.first, struct fair_tenant, turn);
	struct fair_item *item = container_of(tenant->waiting.first, struct fair_item, place);

	list_leave(&tenant->turn);
	list_leave(&item->place);
	tenant->begun++;
	line->begun++;
	settle(line, tenant);
	line->begin(item);
}

/* Not from within itself: one that begins may end at once. */
static void begin_some(struct fair_line *line)
{
	if (line->beginning) {
		return;
	}
	line->beginning = true;
	while (line->turns.first != NULL && line->begun < line->most) {
		begin_one(line);
	}
	line->beginning = false;
}

void fair_line_join(struct fair_line *line, struct fair_item *item, const char *ns)
{
	item->tenant = tenant_of(line, ns);
	list_append(&item->tenant->waiting, &item->place);
	settle(line, item->tenant);
	begin_some(line);
}

void fair_line_leave(struct fair_line *line, struct fair_item *item)
{
	struct fair_tenant *tenant = item->tenant;

	if (tenant == NULL) {
		return;
	}
	if (fair_item_waits(item)) {
		list_leave(&item->place);
	} else {
		tenant->begun--;
		line->begun--;
	}
	item->tenant = NULL;
	settle(line, tenant);
	begin_some(line);
}

bool fair_item_waits(const struct fair_item *item)
{
	return item->tenant != NULL && item->place.in != NULL;
}
