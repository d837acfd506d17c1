/* Requests: their tables of fields, and who keeps them. */
#include "evidence/request.h"

#include <string.h>

#include "base/keep.h"
#include "fields.h"
#include "shapes.h"

static const struct field place_fields[] = {
	INT("port", page_place, port, 0),
	TEXT("path", page_place, path),
};
static const struct shape place_shape = SHAPE(page_place, place_fields);

static const struct field signal_fields[] = {
	TEXT("name", signal_request, name),
	TEXT("metric", signal_request, metric),
	BOOL("page", signal_request, page),
	TEXT("query", signal_request, query),
	TEXT("tag", signal_request, tag),
	TEXTS("series", signal_request, series),
};
static const struct shape signal_shape = SHAPE(signal_request, signal_fields);

static const struct field target_fields[] = {
	TEXT("apiVersion", target_ref, api_version),
	TEXT("kind", target_ref, kind),
	TEXT("name", target_ref, name),
};
static const struct shape target_shape = SHAPE(target_ref, target_fields);

static const struct field request_fields[] = {
	TEXT("namespace", probe_request, ns),
	TEXT("name", probe_request, name),
	PART("target", probe_request, target, target_shape),
	TEXT("selector", probe_request, selector),
	LIST("pages", probe_request, pages, place_shape),
	TEXT("scheme", probe_request, scheme),
	TEXT("engine", probe_request, engine),
	BOOL("direct", probe_request, direct),
	TEXT("prometheus", probe_request, prometheus),
	TEXT("service", probe_request, service),
	TEXT("pool", probe_request, pool),
	INT("intervalMs", probe_request, interval_ms, 0),
	TEXT("trusted", probe_request, trusted),
	LIST("signals", probe_request, signals, signal_shape),
};
const struct shape shape_probe_request = SHAPE(probe_request, request_fields);

static const struct field exporters_fields[] = {
	TEXT("targets", exporters_request, targets),
	TEXTS("jobs", exporters_request, jobs),
	TEXT("pool", exporters_request, pool),
};
static const struct shape exporters_shape = SHAPE(exporters_request, exporters_fields);

static const struct field shared_fields[] = {
	TEXT("prometheus", shared_request, prometheus),
	INT("intervalMs", shared_request, interval_ms, 0),
	TEXTS("dcgm", shared_request, dcgm),
	PART("believed", shared_request, believed, exporters_shape),
	PART("own", shared_request, own, exporters_shape),
	TEXT("record", shared_request, record),
	TEXT("rule", shared_request, rule),
};
const struct shape shape_shared_request = SHAPE(shared_request, shared_fields);

static void *request_new(const struct shape *shape)
{
	void *request = xcalloc(1, shape->size);

	shape_clear(shape, request);
	return request;
}

static void request_free(const struct shape *shape, void *request)
{
	shape_release(shape, request);
	free_indirect(&request);
}

static bool requests_equal(const struct shape *shape, const void *one, const void *other)
{
	return one == other || (one != NULL && other != NULL && shape_equal(shape, one, other));
}

struct probe_request *probe_request_new(void)
{
	struct probe_request *request = request_new(&shape_probe_request);

	request->references = 1;
	return request;
}

struct probe_request *probe_request_ref(const struct probe_request *request)
{
	struct probe_request *own = (struct probe_request *)(uintptr_t)request;

	own->references++;
	return own;
}

struct probe_request *probe_request_pack(const struct probe_request *request)
{
	size_t bytes;
	struct probe_request *packed = shape_pack(&shape_probe_request, request, NULL, NULL, &bytes);

	packed->references = 1;
	packed->packed = bytes;
	return packed;
}

void probe_request_unref(struct probe_request *request)
{
	if (request == NULL || --request->references > 0) {
		return;
	}
	if (request->packed > 0) {
		keep_free(request, request->packed);
	} else {
		request_free(&shape_probe_request, request);
	}
}

bool probe_request_equal(const struct probe_request *one, const struct probe_request *other)
{
	return requests_equal(&shape_probe_request, one, other);
}

json_t *probe_request_encode(const struct probe_request *request)
{
	return shape_encode(&shape_probe_request, request);
}

struct shared_request *shared_request_new(void)
{
	struct shared_request *request = request_new(&shape_shared_request);

	request->references = 1;
	return request;
}

struct shared_request *shared_request_ref(const struct shared_request *request)
{
	struct shared_request *own = (struct shared_request *)(uintptr_t)request;

	own->references++;
	return own;
}

void shared_request_unref(struct shared_request *request)
{
	if (request != NULL && --request->references == 0) {
		request_free(&shape_shared_request, request);
	}
}

bool shared_request_equal(const struct shared_request *one, const struct shared_request *other)
{
	return requests_equal(&shape_shared_request, one, other);
}

json_t *shared_request_encode(const struct shared_request *request)
{
	return shape_encode(&shape_shared_request, request);
}

void page_places_add(struct page_places *places, int64_t port, const char *path)
{
	struct page_place *place = shape_add(&place_shape, places);

	place->port = port;
	place->path = xstrdup(path);
}

void page_places_release(struct page_places *places)
{
	shape_empty(&place_shape, places);
}

bool page_places_equal(const struct page_places *one, const struct page_places *other)
{
	for (size_t i = 0; one->count == other->count && i < one->count; i++) {
		if (!page_place_equal(&one->items[i], &other->items[i])) {
			return false;
		}
	}
	return one->count == other->count;
}

bool page_place_equal(const struct page_place *one, const struct page_place *other)
{
	return shape_equal(&place_shape, one, other);
}

bool target_ref_equal(const struct target_ref *one, const struct target_ref *other)
{
	return shape_equal(&target_shape, one, other);
}

void probe_request_add_page(struct probe_request *request, int64_t port, const char *path)
{
	page_places_add(&request->pages, port, path);
}

struct signal_request *probe_request_add_signal(struct probe_request *request, const char *name, const char *metric,
	bool page)
{
	struct signal_request *signal = shape_add(&signal_shape, &request->signals);

	signal->name = xstrdup(name);
	signal->metric = xstrdup(metric);
	signal->page = page;
	return signal;
}

const struct signal_request *probe_request_signal(const struct probe_request *request, const char *metric)
{
	for (size_t i = 0; i < request->signals.count; i++) {
		if (strcmp(request->signals.items[i].metric, metric) == 0) {
			return &request->signals.items[i];
		}
	}
	return NULL;
}

bool signal_request_equal(const struct signal_request *one, const struct signal_request *other)
{
	return shape_equal(&signal_shape, one, other);
}
