/* The targets that the spec leaves to us. */
#include "reconcile/default_target.h"

#include <string.h>

#include "base/quantity.h"
#include "base/text.h"
#include "chain/limit.h"

/* As it was read last of this engine; NULL when it was not. */
static const struct page_seen *page_of(const struct facts *facts)
{
	const struct page_seen *page = facts->evidence != NULL ? &facts->evidence->page : NULL;
	const struct engine *engine = facts->workload.engine;

	return page != NULL && page->seen_ms > 0 && page->failure.text == NULL && engine != NULL &&
	                       text_equal(page->engine, engine->type)
	               ? page
	               : NULL;
}

/* What the status says of it, in thousandths; -1 when it says nothing. */
static int64_t reported_milli(const struct facts *facts, const char *metric)
{
	const struct view_status *status = &facts->object->status;

	for (uint32_t i = 0; i < status->signals_count; i++) {
		if (strcmp(status->signals[i].metric, metric) == 0) {
			return quantity_parse_milli(status->signals[i].target);
		}
	}
	return -1;
}

static int64_t most_of(const struct facts *facts, const struct workload_signal *signal)
{
	struct limit limit;
	enum limit_found found = limit_find(facts, signal, page_of(facts), &limit);
	int64_t most = found == LIMIT_FOUND
	                       ? limit_reachable_milli(limit.most, limit_tolerance_milli(facts->workload.spec))
	               : found == LIMIT_UNSEEN ? reported_milli(facts, signal->signal->metric)
	                                       : -1;

	return most > 0 ? most : INT64_MAX;
}

void default_targets(struct facts *facts)
{
	struct workload *w = &facts->workload;

	for (size_t i = 0; i < w->signals_count; i++) {
		int64_t most = w->signals[i].by_default ? most_of(facts, &w->signals[i]) : INT64_MAX;

		w->signals[i].target_milli = most < w->signals[i].target_milli ? most : w->signals[i].target_milli;
	}
}
