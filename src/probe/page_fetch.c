/* Fetching pods' pages, a few at once. */
#include "page_fetch.h"

#include <assert.h>

#include "base/clock.h"
#include "base/memory.h"

struct page_fetches {
	struct http_client *http;
	unsigned under_way;
	struct page_fetch *first_waiting; /* in order */
	struct page_fetch **waiting_end;
};

struct page_fetch {
	struct page_fetches *fetches;
	struct page_fetch_order order;
	char *url;
	struct http_transfer *transfer; /* NULL while it waits */
	bool counted;                   /* among those under way */
	int64_t begun_ms;
	struct page_fetch *next_waiting;
};

static void on_done(void *ctx, const struct http_response *response);

static void begin(struct page_fetch *fetch)
{
	/* A pod's certificate names no address: as Prometheus is told by our ServiceMonitor, it is not
	 * verified. */
	static const struct http_tls unverified = {.insecure = 1};
	/* As Prometheus asks, but only for the format in which every client library writes a name as it is. */
	static const char *const headers[] = {"Accept: text/plain;version=0.0.4,*/*;q=0.1", NULL};
	const struct http_request request = {.method = "GET",
		.url = fetch->url,
		.headers = headers,
		.tls = &unverified,
		.timeout_ms = fetch->order.timeout_ms,
		.connect_timeout_ms = fetch->order.connect_timeout_ms,
		.max_body = fetch->order.max_body,
		.proxy = "",
		.once = true,
		.done = on_done,
		.ctx = fetch};

	fetch->begun_ms = clock_monotonic_ms();
	fetch->transfer = http_client_start(fetch->fetches->http, &request);
}

static void begin_next(struct page_fetches *fetches)
{
	while (fetches->first_waiting != NULL && fetches->under_way < PAGE_FETCHES_MAX) {
		struct page_fetch *fetch = fetches->first_waiting;

		fetches->first_waiting = fetch->next_waiting;
		if (fetches->first_waiting == NULL) {
			fetches->waiting_end = &fetches->first_waiting;
		}
		fetches->under_way++;
		fetch->counted = true;
		begin(fetch);
	}
}

static void on_done(void *ctx, const struct http_response *response)
{
	struct page_fetch *fetch = ctx;
	struct page_fetches *fetches = fetch->fetches;
	const struct page_fetch_order order = fetch->order;

	if (order.spent_ms != NULL) {
		*order.spent_ms += clock_monotonic_ms() - fetch->begun_ms;
	}
	fetches->under_way -= fetch->counted ? 1 : 0;
	free_indirect(&fetch->url);
	free_indirect(&fetch);
	/* First the line, since the last one's done may end all of this. */
	begin_next(fetches);
	order.done(order.ctx, response);
}

struct page_fetches *page_fetches_new(struct http_client *http)
{
	struct page_fetches *fetches = xcalloc(1, sizeof(*fetches));

	fetches->http = http;
	fetches->waiting_end = &fetches->first_waiting;
	return fetches;
}

void page_fetches_free(struct page_fetches *fetches)
{
	assert(fetches->under_way == 0 && fetches->first_waiting == NULL);
	free_indirect(&fetches);
}

struct page_fetch *page_fetch_start(struct page_fetches *fetches, const struct page_fetch_order *order)
{
	struct page_fetch *fetch = xcalloc(1, sizeof(*fetch));

	*fetch = (struct page_fetch){.fetches = fetches, .order = *order, .url = xstrdup(order->url)};
	*fetches->waiting_end = fetch;
	fetches->waiting_end = &fetch->next_waiting;
	begin_next(fetches);
	return fetch;
}

static void leave_line(struct page_fetch *fetch)
{
	struct page_fetches *fetches = fetch->fetches;
	struct page_fetch **at = &fetches->first_waiting;

	while (*at != fetch) {
		at = &(*at)->next_waiting;
	}
	*at = fetch->next_waiting;
	if (*at == NULL) {
		fetches->waiting_end = at;
	}
}

void page_fetch_cancel(struct page_fetch *fetch)
{
	if (fetch->transfer == NULL) {
		/* One that is cancelled before the loop turns is never sent, so it needs no place. */
		leave_line(fetch);
		begin(fetch);
	}
	http_transfer_cancel(fetch->transfer);
}
