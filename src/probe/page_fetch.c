/* Fetching pods' pages, a few at once. */
#include "page_fetch.h"

#include <assert.h>

#include "base/clock.h"
#include "base/memory.h"
#include "pods/pod_address.h"
#include "slots.h"

struct page_fetches {
	struct http_client *http;
	bool loopback;
	struct slots slots;
};

struct page_fetch {
	struct slots_item place;
	struct page_fetches *fetches;
	struct page_fetch_order order;
	char *url;
	struct http_transfer *transfer; /* NULL while it waits */
	int64_t begun_ms;
};

static void on_done(void *ctx, const struct http_response *response);

static void fetch_begin(struct page_fetch *fetch)
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
		.refused = fetch->order.refused,
		.once = true,
		.done = on_done,
		.ctx = fetch};

	fetch->begun_ms = clock_monotonic_ms();
	fetch->transfer = http_client_start(fetch->fetches->http, &request);
}

static void begin(struct slots_item *item)
{
	fetch_begin(container_of(item, struct page_fetch, place));
}

static void on_done(void *ctx, const struct http_response *response)
{
	struct page_fetch *fetch = ctx;
	const struct page_fetch_order order = fetch->order;

	if (order.spent_ms != NULL) {
		*order.spent_ms += clock_monotonic_ms() - fetch->begun_ms;
	}
	/* First the line, since the last one's done may end all of this. */
	slots_leave(&fetch->fetches->slots, &fetch->place);
	free_indirect(&fetch->url);
	free_indirect(&fetch);
	order.done(order.ctx, response);
}

struct page_fetches *page_fetches_new(struct http_client *http, bool loopback)
{
	struct page_fetches *fetches = xcalloc(1, sizeof(*fetches));

	*fetches = (struct page_fetches){.http = http,
		.loopback = loopback,
		.slots = {.free = PAGE_FETCHES_MAX, .begin = begin}};
	return fetches;
}

void page_fetches_free(struct page_fetches *fetches)
{
	assert(fetches->slots.free == PAGE_FETCHES_MAX && slots_idle(&fetches->slots));
	free_indirect(&fetches);
}

const char *page_fetches_refuse(const struct page_fetches *fetches, const struct view_pod *pod)
{
	return pod->ip != NULL && pod_address_is_read(pod->ip, fetches->loopback) ? NULL : PAGE_FETCH_NO_ADDRESS;
}

struct page_fetch *page_fetch_start(struct page_fetches *fetches, const struct page_fetch_order *order)
{
	struct page_fetch *fetch = xcalloc(1, sizeof(*fetch));

	*fetch = (struct page_fetch){.fetches = fetches, .order = *order, .url = xstrdup(order->url)};
	slots_join(&fetches->slots, &fetch->place);
	return fetch;
}

void page_fetch_cancel(struct page_fetch *fetch)
{
	if (slots_waits(&fetch->fetches->slots, &fetch->place)) {
		/* One that is cancelled before the loop turns is never sent, so it needs no slot. */
		slots_leave(&fetch->fetches->slots, &fetch->place);
		fetch_begin(fetch);
	}
	http_transfer_cancel(fetch->transfer);
}
