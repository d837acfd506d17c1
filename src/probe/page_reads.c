/* Reading several pods' pages at once. */
#include "page_reads.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "engine/page.h"
#include "kube/resource.h"
#include "reading.h"

#define OTHERS_MAX 3 /* a fault of one pod alone is rare, and each page has a price */
#define TIMEOUT_MS 2000

struct read {
	struct page_reads *reads;
	struct page_fetch *fetch;
	char *pod;
};

struct page_reads {
	json_t *request;
	json_t *page;
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
	json_decref(reads->request);
	json_decref(reads->page);
	free_indirect(&reads);
}

static void on_page(void *ctx, const struct http_response *response)
{
	struct read *read = ctx;
	struct page_reads *reads = read->reads;

	auto_page *page = NULL;

	read->fetch = NULL;
	if (response->error == NULL && response->status == 200) {
		page = page_of_engines(response->body, NULL);
	}
	if (page != NULL) {
		json_object_set_new(json_object_get(reads->page, "values"), read->pod,
			reading_page_values(page, json_object_get(reads->request, "signals")));
	}
	if (--reads->waiting == 0) {
		reads->done(reads->ctx);
		reads_free(reads);
	}
}

static void start(struct page_reads *reads, struct page_fetches *fetches, const json_t *pod)
{
	auto_free char *authority = reading_pod_authority(pod, json_path_string(reads->request, "scheme", "http"));
	auto_free char *url = xasprintf("%s:%lld%s", authority, (long long)json_path_int(reads->page, "port", 0),
		json_path_string(reads->page, "path", ""));
	struct read *read = &reads->read[reads->count++];

	*read = (struct read){.reads = reads, .pod = xstrdup(kube_object_name(pod))};
	reads->waiting++;
	read->fetch = page_fetch_start(fetches, &(struct page_fetch_order){.url = url,
							.timeout_ms = TIMEOUT_MS,
							.connect_timeout_ms = TIMEOUT_MS,
							.max_body = PAGE_MAX_BYTES,
							.done = on_page,
							.ctx = read});
}

struct page_reads *page_reads_start(const struct page_reads_order *order)
{
	struct page_reads *reads = xcalloc(1, sizeof(*reads));
	const char *first = json_path_string(order->page, "pod", "");
	size_t i;
	json_t *pod;

	*reads = (struct page_reads){.request = json_incref(order->request),
		.page = json_incref(order->page),
		.done = order->done,
		.ctx = order->ctx};
	json_array_foreach(json_object_get(order->pods, "items"), i, pod) {
		const char *name = kube_object_name(pod);

		if (reads->count < OTHERS_MAX && strcmp(name, first) != 0 &&
			json_object_get(order->counted, name) != NULL) {
			start(reads, order->fetches, pod);
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
