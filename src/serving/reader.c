/* Who asks for which page, and what is kept of it. */
#include "reader.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "page_pull.h"
#include "pods/pod_address.h"
#include "pods/pod_counts.h"

/* So long figures are kept after they were last asked for: four of the HPA's periods. */
#define KEPT_MS 60000
#define SWEEP_MS 5000

struct reader_page {
	struct reader *reader;
	char *key;
	struct list_item used; /* in the order in which they were last asked for */
	int64_t asked_ms;      /* monotonic, as the next two; -1 = never */
	int64_t tried_ms;      /* when the last read ended */
	int64_t read_ms;       /* when the figures were read */
	int64_t wall_ms;       /* the same by the wall */
	struct figures figures;
	char *failure; /* of the last read */
	struct page_pull *pull;
	struct list asks; /* who wait for it */
	unsigned holders; /* asks that have not left */
};

struct reader {
	struct page_pulls pulls;
	struct map pages;
	struct list used;
	uv_timer_t sweep;
	struct reader_counts counts;
	bool loopback;
	int open;
	void (*closed)(void *ctx);
	void *ctx;
};

static void page_forget(struct reader_page *page)
{
	struct reader *reader = page->reader;

	list_leave(&page->used);
	map_remove(&reader->pages, page->key);
	figures_release(&page->figures);
	free_indirect(&page->failure);
	free_indirect(&page->key);
	free_indirect(&page);
}

static struct reader_page *page_of(struct list_item *used)
{
	return container_of(used, struct reader_page, used);
}

void reader_forget(struct reader *reader, int64_t now_ms)
{
	while (reader->used.first != NULL) {
		struct reader_page *page = page_of(reader->used.first);

		if (page->holders > 0 || page->pull != NULL || now_ms - page->asked_ms < KEPT_MS) {
			break; /* those behind it were asked for later */
		}
		page_forget(page);
	}
}

static void on_sweep(uv_timer_t *timer)
{
	reader_forget(timer->data, clock_monotonic_ms());
}

struct reader *reader_new(uv_loop_t *loop, struct http_client *http, bool loopback)
{
	struct reader *reader = xcalloc(1, sizeof(*reader));

	reader->loopback = loopback;
	page_pulls_init(&reader->pulls, loop, http);
	map_init(&reader->pages, NULL);
	uv_timer_init(loop, &reader->sweep);
	reader->sweep.data = reader;
	uv_timer_start(&reader->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
	return reader;
}

void reader_set_patience(struct reader *reader, int64_t ms)
{
	reader->pulls.timeout_ms = ms;
}

static void on_part_closed(struct reader *reader)
{
	if (--reader->open == 0) {
		void (*closed)(void *ctx) = reader->closed;
		void *ctx = reader->ctx;

		map_release(&reader->pages);
		free_indirect(&reader);
		closed(ctx);
	}
}

static void on_pulls_closed(void *ctx)
{
	on_part_closed(ctx);
}

static void on_sweep_closed(uv_handle_t *handle)
{
	on_part_closed(handle->data);
}

void reader_close(struct reader *reader, void (*closed)(void *ctx), void *ctx)
{
	reader->closed = closed;
	reader->ctx = ctx;
	reader->open = 2;
	while (reader->used.first != NULL) {
		struct reader_page *page = page_of(reader->used.first);

		assert(page->holders == 0);
		if (page->pull != NULL) {
			page_pull_cancel(page->pull);
		}
		page_forget(page);
	}
	page_pulls_close(&reader->pulls, on_pulls_closed, reader);
	uv_close((uv_handle_t *)&reader->sweep, on_sweep_closed);
}

static void keep_answer(struct reader_page *page, struct figures *figures, const struct error *err)
{
	page->tried_ms = clock_monotonic_ms();
	free_indirect(&page->failure);
	if (figures == NULL) {
		page->reader->counts.failed++;
		page->failure = text_quote(err->message);
		return;
	}
	page->reader->counts.read++;
	figures_release(&page->figures);
	page->figures = *figures;
	*figures = (struct figures){.items = NULL};
	page->read_ms = page->tried_ms;
	page->wall_ms = clock_wall_ms();
}

static void on_pulled(void *ctx, struct figures *figures, const struct error *err)
{
	struct reader_page *page = ctx;

	page->pull = NULL;
	keep_answer(page, figures, err);
	page->holders++; /* the last one's done may leave */
	while (page->asks.first != NULL) {
		struct reader_ask *ask = container_of(page->asks.first, struct reader_ask, place);

		list_leave(&ask->place);
		ask->done(ask);
	}
	page->holders--;
}

/* What is the same for all who ask for the same: the pod with the containers that it runs, the place, the questions. */
static char *key_of(const struct reader_order *order, const char *url)
{
	const struct object_meta *meta = &order->pod->view.meta;

	return xasprintf("%s/%s %lld %s %s", meta->ns, meta->name, (long long)order->pod->started_ms, url,
		questions_name(order->questions));
}

static struct reader_page *find(struct reader *reader, char *key_take)
{
	struct reader_page *page = map_get(&reader->pages, key_take);

	if (page != NULL) {
		free_indirect(&key_take);
		list_leave(&page->used);
	} else {
		page = xcalloc(1, sizeof(*page));
		*page = (struct reader_page){.reader = reader, .key = key_take, .tried_ms = -1, .read_ms = -1};
		map_put(&reader->pages, key_take, page);
	}
	list_append(&reader->used, &page->used);
	page->asked_ms = clock_monotonic_ms();
	return page;
}

static void start(struct reader_page *page, const struct reader_order *order, const char *url)
{
	if (!pod_address_is_read(order->pod->ip, page->reader->loopback)) {
		auto_error err = ERROR_INIT;

		error_set(&err, ERROR_INVALID, "is not read at '%s', which is no address that a pod can have", url);
		keep_answer(page, NULL, &err);
		return;
	}
	page->pull = page_pull_start(&page->reader->pulls, &(struct page_pull_order){.ns = order->pod->view.meta.ns,
								   .url = url,
								   .known = page->read_ms >= 0 && page->failure == NULL,
								   .questions = order->questions,
								   .done = on_pulled,
								   .ctx = page});
}

bool reader_ask(struct reader *reader, const struct reader_order *order, struct reader_ask *ask)
{
	auto_free char *authority = pod_authority(order->pod, order->scheme);
	auto_free char *url = xasprintf("%s:%lld%s", authority, (long long)order->port, order->path);
	struct reader_page *page = find(reader, key_of(order, url));
	bool fresh = page->tried_ms >= 0 && page->asked_ms - page->tried_ms < READER_FRESH_MS;

	ask->page = page;
	page->holders++;
	if (page->pull != NULL || fresh) {
		reader->counts.shared++;
	} else {
		start(page, order, url);
	}
	if (page->pull != NULL) {
		list_append(&page->asks, &ask->place);
	}
	return page->pull != NULL;
}

void reader_leave(struct reader *reader, struct reader_ask *ask)
{
	struct reader_page *page = ask->page;

	(void)reader;
	list_leave(&ask->place);
	ask->page = NULL;
	page->holders--;
	if (page->pull != NULL && page->asks.first == NULL && page_pull_waits(page->pull)) {
		page_pull_cancel(page->pull);
		page->pull = NULL;
	}
}

bool reader_figure(const struct reader_ask *ask, const char *name, int64_t max_age_ms, int64_t *milli, int64_t *read_ms)
{
	const struct reader_page *page = ask->page;

	*read_ms = page->wall_ms;
	return page->read_ms >= 0 && clock_monotonic_ms() - page->read_ms <= max_age_ms &&
	       figures_find(&page->figures, name, milli);
}

const char *reader_failure(const struct reader_ask *ask)
{
	return ask->page->failure;
}

struct reader_counts reader_counts(const struct reader *reader)
{
	struct reader_counts counts = reader->counts;

	counts.bytes = reader->pulls.bytes;
	return counts;
}

size_t reader_pages(const struct reader *reader)
{
	return map_count(&reader->pages);
}
