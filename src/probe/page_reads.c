/* Reading several pods' pages at once. */
#include "page_reads.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "kube/resource.h"
#include "page_search.h"
#include "reading.h"

#define OTHERS_MAX 3 /* a fault of one pod alone is rare, and each page has a price */
#define TIMEOUT_MS 2000

struct read {
	struct page_reads *reads;
	struct http_transfer *transfer;
	char *pod;
};

struct page_reads {
	json_t *wish;
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
	json_decref(reads->wish);
	json_decref(reads->page);
	free_indirect(&reads);
}

static void on_page(void *ctx, const struct http_response *response)
{
	struct read *read = ctx;
	struct page_reads *reads = read->reads;

	read->transfer = NULL;
	if (response->error == NULL && response->status == 200) {
		json_object_set_new(json_object_get(reads->page, "values"), read->pod,
			reading_page_values(response->body, json_object_get(reads->wish, "signals")));
	}
	if (--reads->waiting == 0) {
		reads->done(reads->ctx);
		reads_free(reads);
	}
}

static void start(struct page_reads *reads, struct http_client *http, const json_t *pod)
{
	auto_free char *authority = reading_pod_authority(pod, json_path_string(reads->wish, "scheme", "http"));
	auto_free char *url = xasprintf("%s:%lld%s", authority, (long long)json_path_int(reads->page, "port", 0),
		json_path_string(reads->page, "path", ""));
	/* A pod's certificate names no address (page_search.c). */
	static const struct http_tls unverified = {.insecure = 1};
	struct read *read = &reads->read[reads->count++];
	const struct http_request request = {.method = "GET",
		.url = url,
		.tls = &unverified,
		.timeout_ms = TIMEOUT_MS,
		.connect_timeout_ms = TIMEOUT_MS,
		.max_body = PAGE_MAX_BYTES,
		.proxy = "",
		.done = on_page,
		.ctx = read};

	*read = (struct read){.reads = reads, .pod = xstrdup(kube_object_name(pod))};
	reads->waiting++;
	read->transfer = http_client_start(http, &request);
}

struct page_reads *page_reads_start(const struct page_reads_order *order)
{
	struct page_reads *reads = xcalloc(1, sizeof(*reads));
	const char *first = json_path_string(order->page, "pod", "");
	size_t i;
	json_t *pod;

	*reads = (struct page_reads){.wish = json_incref(order->wish),
		.page = json_incref(order->page),
		.done = order->done,
		.ctx = order->ctx};
	json_array_foreach(json_object_get(order->pods, "items"), i, pod) {
		const char *name = kube_object_name(pod);

		if (reads->count < OTHERS_MAX && strcmp(name, first) != 0 &&
			json_object_get(order->ready, name) != NULL) {
			start(reads, order->http, pod);
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
		if (reads->read[i].transfer != NULL) {
			http_transfer_cancel(reads->read[i].transfer);
		}
	}
}
