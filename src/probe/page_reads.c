/* Reading several pods' pages at once. */
#include "page_reads.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/page.h"
#include "pods/pod_counts.h"
#include "reading.h"

#define OTHERS_MAX 3 /* a fault of one pod alone is rare, and each page has a price */
#define TIMEOUT_MS 2000

struct read {
	struct page_reads *reads;
	struct page_fetch *fetch;
	char *pod;
};

struct page_reads {
	const struct probe_request *request;
	struct page_seen *page;
	struct read read[OTHERS_MAX];
	size_t count;
	size_t waiting;
	void (*done)(void *ctx);
	void *ctx;
};

static void reads_free(struct page_reads *reads)
{
	for (size_t i = 0; i < reads->count; i++) {
		free_indirect(&reads->read[i].pod);
	}
	free_indirect(&reads);
}

static int compare_pods(const void *one, const void *other)
{
	return strcmp(((const struct page_values *)one)->pod, ((const struct page_values *)other)->pod);
}

/* In the order of their pods, whichever answered first. */
static void sort_values(struct page_seen *page)
{
	qsort(page->values.items, page->values.count, sizeof(*page->values.items), compare_pods);
}

static void on_page(void *ctx, const struct http_response *response)
{
	struct read *read = ctx;
	struct page_reads *reads = read->reads;

	auto_page *page = NULL;

	read->fetch = NULL;
	if (response->error == NULL && response->status == 200) {
		page = reading_page_for(response->body, reads->request, NULL);
	}
	if (page != NULL) {
		struct page_values *values = shape_add(&shape_page_values, &reads->page->values);

		values->pod = xstrdup(read->pod);
		reading_page_values(page, reads->request, values);
	}
	if (--reads->waiting == 0) {
		sort_values(reads->page);
		reads->done(reads->ctx);
		reads_free(reads);
	}
}

static void start(struct page_reads *reads, struct page_fetches *fetches, const struct view_pod *pod)
{
	const char *scheme = reads->request->scheme;
	auto_free char *authority = pod_authority(pod, scheme != NULL ? scheme : "http");
	auto_free char *url = xasprintf("%s:%lld%s", authority, (long long)reads->page->port, reads->page->path);
	struct read *read = &reads->read[reads->count++];

	*read = (struct read){.reads = reads, .pod = xstrdup(pod->view.meta.name)};
	reads->waiting++;
	read->fetch = page_fetch_start(fetches, &(struct page_fetch_order){.url = url,
							.refused = page_fetches_refuse(fetches, pod),
							.timeout_ms = TIMEOUT_MS,
							.connect_timeout_ms = TIMEOUT_MS,
							.max_body = PAGE_MAX_BYTES,
							.done = on_page,
							.ctx = read});
}

struct page_reads *page_reads_start(const struct page_reads_order *order)
{
	struct page_reads *reads = xcalloc(1, sizeof(*reads));

	*reads = (struct page_reads){.request = order->request,
		.page = order->page,
		.done = order->done,
		.ctx = order->ctx};
	for (size_t i = 0; i < order->pods->count && reads->count < OTHERS_MAX; i++) {
		const char *name = order->pods->pods[i]->view.meta.name;

		if (strcmp(name, order->page->pod) != 0 && counted_pods_find(order->counted, name) != NULL) {
			start(reads, order->fetches, order->pods->pods[i]);
		}
	}
	if (reads->count == 0) {
		reads_free(reads);
		return NULL;
	}
	return reads;
}

void page_reads_cancel(struct page_reads *reads)
{
	for (size_t i = 0; i < reads->count; i++) {
		if (reads->read[i].fetch != NULL) {
			page_fetch_cancel(reads->read[i].fetch);
		}
	}
}
