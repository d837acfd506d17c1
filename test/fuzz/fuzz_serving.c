/* Any text as the target of a request, and as a page that comes in pieces: a target that is accepted names things that can
 * be names, and a page says in pieces what it says as a whole. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/page_sieve.h"
#include "engine/presets.h"
#include "engine/query.h"
#include "serving/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void try_target(const char *text)
{
	auto_metrics_request request = {.kind = REQUEST_DISCOVERY};
	auto_error err = ERROR_INIT;

	if (metrics_request_parse(text, &request, &err) < 0) {
		if (err.kind != ERROR_INVALID && err.kind != ERROR_NOT_FOUND) {
			abort();
		}
		return;
	}
	if ((request.kind == REQUEST_PODS_METRIC || request.kind == REQUEST_OBJECT_METRIC) &&
		(request.ns == NULL || strpbrk(request.ns, "/%.") != NULL || strchr(request.metric, '/') != NULL)) {
		abort();
	}
}

static void try_pieces(const uint8_t *data, size_t len, size_t piece)
{
	const char *query = engines[0].signals[0].metrics_query;
	auto_free char *text = len > 0 ? xstrndup((const char *)data, len) : xstrdup("");
	auto_page *wanted = page_new();
	auto_page *whole = NULL;
	auto_page *pieced = NULL;
	struct page_sieve *sieve;
	double one = 0;
	double other = 0;

	page_want(wanted, query);
	sieve = page_sieve_new(wanted);
	for (size_t at = 0; at < len; at += piece) {
		page_sieve_add(sieve, (const char *)data + at, len - at < piece ? len - at : piece);
	}
	whole = page_like(wanted);
	if (page_read(whole, text, NULL) == 0) {
		pieced = page_sieve_read(sieve, NULL);
		if (pieced == NULL || query_on_page(query, whole, &one) != query_on_page(query, pieced, &other) ||
			memcmp(&one, &other, sizeof(one)) != 0) {
			abort();
		}
	}
	page_sieve_free(sieve);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_free char *text = len > 0 ? xstrndup((const char *)data, len) : xstrdup("");

	try_target(text);
	try_pieces(data, len, len > 0 ? 1 + data[0] % 64 : 1);
	return 0;
}
