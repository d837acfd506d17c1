/* From a page's address to its figures. */
#include "page_pull.h"

#include "base/memory.h"
#include "base/text.h"
#include "engine/page_sieve.h"
#include "reader.h"

/* Of a page that is refused nobody reads more than the status. */
#define REFUSAL_MAX_BYTES 1024

struct page_pull {
	struct fair_item place;
	struct list_item answer;
	struct page_pulls *pulls;
	struct fair_line *line;
	char *url;
	struct questions *questions;
	struct page_sieve *sieve;
	struct http_transfer *transfer; /* NULL = it is not fetched */
	size_t beyond;
	bool too_large;
	bool crowded;
	void (*done)(void *ctx, struct figures *figures, const struct error *err); /* NULL = cancelled */
	void *ctx;
};

static void answer(struct list_item *item);
static void begin(struct fair_item *item);

void page_pulls_init(struct page_pulls *pulls, uv_loop_t *loop, struct http_client *http)
{
	*pulls = (struct page_pulls){.http = http, .timeout_ms = READER_TIMEOUT_MS};
	fair_line_init(&pulls->known, READER_KNOWN_MAX, READER_KNOWN_SHARE, begin);
	fair_line_init(&pulls->others, READER_OTHERS_MAX, READER_OTHERS_SHARE, begin);
	line_init(&pulls->answers, loop, answer);
}

static void on_line_closed(uv_handle_t *handle)
{
	struct page_pulls *pulls = container_of(handle, struct page_pulls, answers.turn);

	fair_line_release(&pulls->known);
	fair_line_release(&pulls->others);
	pulls->closed(pulls->ctx);
}

static void close_if_empty(struct page_pulls *pulls)
{
	if (pulls->closing && pulls->open == 0) {
		pulls->closing = false;
		line_close(&pulls->answers, on_line_closed);
	}
}

void page_pulls_close(struct page_pulls *pulls, void (*closed)(void *ctx), void *ctx)
{
	pulls->closed = closed;
	pulls->ctx = ctx;
	pulls->closing = true;
	close_if_empty(pulls);
}

/* Its place goes to the next one, and whoever waits gets the figures, or the error. */
static void end(struct page_pull *pull, struct figures *figures, const struct error *err)
{
	struct page_pulls *pulls = pull->pulls;

	pulls->beyond -= pull->beyond;
	fair_line_leave(pull->line, &pull->place);
	if (pull->done != NULL) {
		pull->done(pull->ctx, figures, err);
	}
	page_sieve_free(pull->sieve);
	questions_unref(pull->questions);
	free_indirect(&pull->url);
	free_indirect(&pull);
	pulls->open--;
	close_if_empty(pulls);
}

/* Less than nothing ends the transfer. */
static int on_data(void *ctx, const char *data, size_t len)
{
	struct page_pull *pull = ctx;
	struct page_pulls *pulls = pull->pulls;
	size_t kept;

	pulls->bytes += len;
	pull->too_large = !page_sieve_add(pull->sieve, data, len);
	kept = page_sieve_kept(pull->sieve);
	pulls->beyond -= pull->beyond;
	pull->beyond = kept > READER_KEPT_MAX ? kept - READER_KEPT_MAX : 0;
	pulls->beyond += pull->beyond;
	pull->crowded = pull->beyond > 0 && pulls->beyond > READER_KEPT_BEYOND_MAX;
	return pull->too_large || pull->crowded ? -1 : 0;
}

static int failure_of(const struct page_pull *pull, const struct http_response *response, struct error *err)
{
	if (pull->too_large) {
		return error_set(err, ERROR_INVALID,
			"at '%s' is larger than %u KiB, the most that is read: let the engine report it with fewer labels",
			pull->url, PAGE_MAX_BYTES / 1024);
	}
	if (pull->crowded) {
		return error_set(err, ERROR_UNAVAILABLE, "at '%s' has too many samples to be read beside others",
			pull->url);
	}
	if (response->status != 0 && response->status != 200) {
		return error_set(err, ERROR_UNAVAILABLE, "at '%s' is refused with the status %d", pull->url,
			response->status);
	}
	return response->error == NULL ? 0
	                               : error_set(err, ERROR_UNAVAILABLE, "at '%s' cannot be read: %s", pull->url,
						 response->error->message);
}

static void on_done(void *ctx, const struct http_response *response)
{
	struct page_pull *pull = ctx;
	auto_error err = ERROR_INIT;

	pull->transfer = NULL;
	if (pull->done == NULL || failure_of(pull, response, &err) < 0) {
		end(pull, NULL, &err);
	} else {
		line_join(&pull->pulls->answers, &pull->answer);
	}
}

/* Of the line of pages that came: one after the other, as there is time in a turn of the loop. */
static void answer(struct list_item *item)
{
	struct page_pull *pull = container_of(item, struct page_pull, answer);
	struct figures figures = {.items = NULL};
	auto_error err = ERROR_INIT;
	auto_page *page = page_sieve_read(pull->sieve, &err);

	if (page == NULL || questions_answer(pull->questions, page, &figures, &err) < 0) {
		error_wrap(&err, "at '%s'", pull->url);
		end(pull, NULL, &err);
	} else {
		end(pull, &figures, NULL);
	}
	figures_release(&figures);
}

static void begin(struct fair_item *item)
{
	/* As the probe asks (probe/page_fetch.c): a pod's certificate names no address, and only in this format every client
	 * library writes a name as it is. */
	static const struct http_tls unverified = {.insecure = 1};
	static const char *const headers[] = {"Accept: text/plain;version=0.0.4,*/*;q=0.1", NULL};
	struct page_pull *pull = container_of(item, struct page_pull, place);
	const struct http_request request = {.method = "GET",
		.url = pull->url,
		.headers = headers,
		.tls = &unverified,
		.timeout_ms = pull->pulls->timeout_ms,
		.connect_timeout_ms = pull->pulls->timeout_ms,
		.max_body = REFUSAL_MAX_BYTES,
		.proxy = "",
		.once = true,
		.on_data = on_data,
		.done = on_done,
		.ctx = pull};

	pull->sieve = page_sieve_new(questions_page(pull->questions));
	pull->transfer = http_client_start(pull->pulls->http, &request);
}

struct page_pull *page_pull_start(struct page_pulls *pulls, const struct page_pull_order *order)
{
	struct page_pull *pull = xcalloc(1, sizeof(*pull));

	*pull = (struct page_pull){.pulls = pulls,
		.line = order->known ? &pulls->known : &pulls->others,
		.url = xstrdup(order->url),
		.questions = questions_ref(order->questions),
		.done = order->done,
		.ctx = order->ctx};
	pulls->open++;
	fair_line_join(pull->line, &pull->place, order->ns);
	return pull;
}

bool page_pull_waits(const struct page_pull *pull)
{
	return fair_item_waits(&pull->place);
}

void page_pull_cancel(struct page_pull *pull)
{
	pull->done = NULL;
	if (pull->transfer != NULL) {
		http_transfer_cancel(pull->transfer);
	} else {
		list_leave(&pull->answer);
		end(pull, NULL, NULL);
	}
}
