/* Whose page it is: an engine's, or a router's. */
#include <string.h>

#include "base/memory.h"
#include "engine/page.h"

static void want_signal(struct page *page, const struct engine_signal *signal)
{
	page_want(page, signal->metrics_query);
	for (size_t s = 0; s < ENGINE_SERIES_MAX && signal->series[s] != NULL; s++) {
		page_want(page, signal->series[s]);
	}
	if (signal->limit_series != NULL) {
		page_want(page, signal->limit_series);
	}
}

void page_want_owners(struct page *page)
{
	for (size_t e = 0; e < engines_count; e++) {
		for (size_t m = 0; m < ENGINE_MARKS_MAX && engines[e].marks[m] != NULL; m++) {
			page_want(page, engines[e].marks[m]);
		}
	}
	for (size_t i = 0; i < routers_count; i++) {
		page_want(page, routers[i].series);
	}
}

static void want_all(struct page *page)
{
	page_want_owners(page);
	for (size_t e = 0; e < engines_count; e++) {
		const struct engine *engine = &engines[e];

		for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engine->signals[i].name != NULL; i++) {
			want_signal(page, &engine->signals[i]);
		}
		if (engine->latency != NULL) {
			page_want_histogram(page, engine->latency);
		}
	}
}

struct page *page_of_engines(const char *text, struct error *err)
{
	/* To take the names out of all queries costs more than to read a page; they are the same for as long as we run. */
	static struct page *unread;
	struct page *page;

	if (unread == NULL) {
		unread = page_new();
		want_all(unread);
	}
	page = page_like(unread);
	if (page_read(page, text, err) < 0) {
		page_free(page);
		return NULL;
	}
	return page;
}

const struct engine *page_engine(const struct page *page)
{
	for (size_t i = 0; i < engines_count; i++) {
		for (size_t m = 0; m < ENGINE_MARKS_MAX && engines[i].marks[m] != NULL; m++) {
			if (page_announces(page, engines[i].marks[m])) {
				return &engines[i];
			}
		}
	}
	return NULL;
}

/* Whether an address, with or without a scheme, is of the pod itself. */
static bool is_loopback(const char *address, size_t len)
{
	static const char *const own[] = {"127.", "localhost", "[::1]"};
	const char *end = address + len;

	for (const char *c = address; c + 3 <= end; c++) {
		if (memcmp(c, "://", 3) == 0) {
			address = c + 3;
			break;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		size_t wanted = strlen(own[i]);

		if ((size_t)(end - address) >= wanted && memcmp(address, own[i], wanted) == 0) {
			return true;
		}
	}
	return false;
}

/* Whether a sample is said to be of a server that is not in this pod. */
static bool tells_of_others(const struct page *page, const struct router *router)
{
	const struct page_sample *sample = NULL;

	while ((sample = page_next_sample(page, router->series, strlen(router->series), sample)) != NULL) {
		const struct page_label *label = page_sample_label(sample, router->label, strlen(router->label));

		if (label != NULL && label->value_len > 0 && !is_loopback(label->value, label->value_len)) {
			return true;
		}
	}
	return false;
}

const struct router *page_router(const struct page *page)
{
	bool engine = page_engine(page) != NULL;

	for (size_t i = 0; i < routers_count; i++) {
		const struct router *router = &routers[i];

		if (router->label != NULL ? tells_of_others(page, router)
					  : !engine && page_announces(page, router->series)) {
			return router;
		}
	}
	return NULL;
}
