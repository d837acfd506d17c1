/* When a page that was read stands. */
#include "page_trust.h"

#include "base/text.h"
#include "hop.h"

static bool is_good(const struct page_seen *page)
{
	return page->seen_ms > 0 && page->failure.text == NULL && !page->unconfirmed;
}

static bool is_young(const struct page_trust *trust, int64_t lasts_ms)
{
	int64_t age_ms = trust->now_ms - trust->last->page.seen_ms;

	/* Below zero the clock was set. */
	return age_ms >= 0 && age_ms < timing_of_key(lasts_ms, trust->request->ns, trust->request->name);
}

/* Whether all that count, and nobody else, had a fresh sample. */
static bool all_are_sampled(const struct series_seen *series, const struct counted_pods *counted)
{
	for (size_t i = 0; i < counted->count; i++) {
		if (hop_sample(series, counted->items[i].name) == NULL) {
			return false;
		}
	}
	return series->failure.text == NULL && series->missing.count == 0 && series->unconfirmed.count == 0 &&
	       series->pods == (int64_t)counted->count && series->samples.count == counted->count;
}

bool page_is_doubted(const struct evidence *seen, const struct counted_pods *counted)
{
	const struct probe_request *request = seen->asked;

	if (seen->pods.unready.count > 0 || seen->scrape.seen_ms == 0 || seen->scrape.failure.text != NULL ||
		seen->scrape.up == 0 || seen->scrape.down > 0) {
		return true;
	}
	for (size_t i = 0; i < request->signals.count; i++) {
		const struct signal_seen *signal = evidence_find_signal(seen, request->signals.items[i].metric);

		if (request->signals.items[i].page && (signal == NULL || signal->mismatches.page.count > 0 ||
							      !all_are_sampled(&signal->series, counted))) {
			return true;
		}
	}
	return false;
}

/* Whether each signal of a page was on it; one without is to be seen as soon as it is there. */
static bool has_all_series(const struct page_seen *page, const struct probe_request *request)
{
	for (size_t i = 0; i < request->signals.count; i++) {
		const struct signal_request *signal = &request->signals.items[i];

		if (signal->page && !texts_share(&signal->series, &page->series)) {
			return false;
		}
	}
	return request->signals.count > 0;
}

bool page_is_trusted(const struct page_trust *trust)
{
	const struct evidence *last = trust->last;

	if (trust->calm == TIMING_UNREST || last == NULL || last->asked != trust->request || !is_good(&last->page) ||
		!text_equal(last->page.pod, trust->pod) || !has_all_series(&last->page, trust->request)) {
		return false;
	}
	return trust->calm == TIMING_WAITS ? is_young(trust, PAGE_OF_WAITING_MS)
	                                   : is_young(trust, PAGE_TRUSTED_MS) && !page_is_doubted(last, trust->counted);
}
