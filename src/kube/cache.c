/* Decoded objects in sorted arrays. */
#include "kube/cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kube/resource.h"

/* Where something stands: first by its index, which is empty in the order of names. */
struct place {
	const char *index_ns;
	const char *index_name;
	const char *ns;
	const char *name;
};

/* Sorted by their places. */
struct order {
	const void **items;
	size_t count;
	size_t cap;
	bool by_index;
};

struct kube_cache {
	struct kube_cache_form form;
	struct order by_name;  /* one reference each */
	struct order by_index; /* of those that have one; borrowed */
};

struct kube_cache *kube_cache_new(const struct kube_cache_form *form)
{
	struct kube_cache *cache = xcalloc(1, sizeof(*cache));

	cache->form = *form;
	cache->by_index.by_index = true;
	return cache;
}

void kube_cache_free(struct kube_cache *cache)
{
	if (cache == NULL) {
		return;
	}
	for (size_t i = 0; i < cache->by_name.count; i++) {
		cache->form.unref(cache->by_name.items[i]);
	}
	free(cache->by_name.items);
	free(cache->by_index.items);
	free(cache);
}

size_t kube_cache_count(const struct kube_cache *cache)
{
	return cache->by_name.count;
}

/* As strcmp() of the keys "ns/name". */
static int compare_keys(const char *ns, const char *name, const char *other_ns, const char *other_name)
{
	if (strcmp(ns, other_ns) == 0) {
		return strcmp(name, other_name);
	}
	while (*ns == *other_ns) {
		ns++;
		other_ns++;
	}
	return (*ns != '\0' ? (unsigned char)*ns : '/') - (*other_ns != '\0' ? (unsigned char)*other_ns : '/');
}

static int compare(const struct place *a, const struct place *b)
{
	int by_index = compare_keys(a->index_ns, a->index_name, b->index_ns, b->index_name);

	return by_index != 0 ? by_index : compare_keys(a->ns, a->name, b->ns, b->name);
}

static struct place place_of(const struct kube_cache *cache, const struct order *order, const void *decoded)
{
	struct kube_names names = cache->form.names(decoded);
	struct place place = {"", "", names.ns, names.name};

	if (order->by_index) {
		(void)cache->form.index(decoded, &place.index_ns, &place.index_name);
	}
	return place;
}

/* The first that does not stand before the place; `count` when all do. */
static size_t find(const struct kube_cache *cache, const struct order *order, const struct place *place)
{
	size_t low = 0;
	size_t high = order->count;

	/* Most come in order. */
	if (high > 0) {
		struct place last = place_of(cache, order, order->items[high - 1]);

		low = compare(&last, place) < 0 ? high : 0;
	}
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct place there = place_of(cache, order, order->items[middle]);

		if (compare(&there, place) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static void insert(struct order *order, size_t at, const void *decoded)
{
	order->items = xgrow(order->items, &order->cap, order->count + 1, sizeof(*order->items));
	memmove(&order->items[at + 1], &order->items[at], (order->count - at) * sizeof(*order->items));
	order->items[at] = decoded;
	order->count++;
}

static void erase(struct order *order, size_t at)
{
	order->count--;
	memmove(&order->items[at], &order->items[at + 1], (order->count - at) * sizeof(*order->items));
}

/* True when there is one of this name; *at is where it is, or belongs. */
static bool find_name(const struct kube_cache *cache, const char *ns, const char *name, size_t *at)
{
	const struct place place = {"", "", ns != NULL ? ns : "", name};
	struct place there;

	*at = find(cache, &cache->by_name, &place);
	if (*at == cache->by_name.count) {
		return false;
	}
	there = place_of(cache, &cache->by_name, cache->by_name.items[*at]);
	return compare(&there, &place) == 0;
}

const void *kube_cache_get(const struct kube_cache *cache, const char *ns, const char *name)
{
	size_t at;

	return find_name(cache, ns, name, &at) ? cache->by_name.items[at] : NULL;
}

/* The same by its key. */
static bool find_key(const struct kube_cache *cache, const char *key, size_t *at)
{
	const char *slash = strchr(key, '/');
	auto_free char *ns = slash != NULL ? xstrndup(key, (size_t)(slash - key)) : NULL;

	return find_name(cache, ns, slash != NULL ? slash + 1 : key, at);
}

const void *kube_cache_get_key(const struct kube_cache *cache, const char *key)
{
	size_t at;

	return find_key(cache, key, &at) ? cache->by_name.items[at] : NULL;
}

const void *kube_cache_after(const struct kube_cache *cache, const char *key)
{
	size_t at = 0;

	if (key != NULL && find_key(cache, key, &at)) {
		at++;
	}
	return at < cache->by_name.count ? cache->by_name.items[at] : NULL;
}

static const void **copy(const struct order *order, size_t from, size_t count)
{
	const void **items = xcalloc(count, sizeof(*items));

	if (count > 0) {
		memcpy(items, &order->items[from], count * sizeof(*items));
	}
	return items;
}

const void **kube_cache_list(const struct kube_cache *cache, const char *ns, size_t *count)
{
	const struct order *order = &cache->by_name;
	const struct place first = {"", "", ns, ""};
	size_t from;
	size_t to;

	if (ns == NULL) {
		*count = order->count;
		return copy(order, 0, order->count);
	}
	from = find(cache, order, &first);
	for (to = from; to < order->count && strcmp(cache->form.names(order->items[to]).ns, ns) == 0; to++) {
	}
	*count = to - from;
	return copy(order, from, *count);
}

const void **kube_cache_list_by(const struct kube_cache *cache, const char *value, size_t *count)
{
	const struct order *order = &cache->by_index;
	const char *slash = strchr(value, '/');
	auto_free char *ns = xstrndup(value, slash != NULL ? (size_t)(slash - value) : 0);
	const struct place first = {ns, slash != NULL ? slash + 1 : value, "", ""};
	size_t from = find(cache, order, &first);
	size_t to = from;

	for (; to < order->count; to++) {
		struct place there = place_of(cache, order, order->items[to]);

		if (compare_keys(there.index_ns, there.index_name, first.index_ns, first.index_name) != 0) {
			break;
		}
	}
	*count = to - from;
	return copy(order, from, *count);
}

static bool has_index(const struct kube_cache *cache, const void *decoded)
{
	const char *ns;
	const char *name;

	return cache->form.index != NULL && cache->form.index(decoded, &ns, &name);
}

static void index_add(struct kube_cache *cache, const void *decoded)
{
	if (has_index(cache, decoded)) {
		struct place place = place_of(cache, &cache->by_index, decoded);

		insert(&cache->by_index, find(cache, &cache->by_index, &place), decoded);
	}
}

static void index_remove(struct kube_cache *cache, const void *decoded)
{
	if (has_index(cache, decoded)) {
		struct place place = place_of(cache, &cache->by_index, decoded);

		erase(&cache->by_index, find(cache, &cache->by_index, &place));
	}
}

static bool is_version(const struct kube_cache *cache, const void *decoded, const char *resource_version)
{
	return resource_version[0] != '\0' &&
	       strcmp(cache->form.names(decoded).resource_version, resource_version) == 0;
}

/* Takes the reference. Returns what was there, as one. */
static const void *place_at(struct kube_cache *cache, size_t at, bool there, const void *decoded_take)
{
	const void *before = there ? cache->by_name.items[at] : NULL;

	if (there) {
		index_remove(cache, before);
		cache->by_name.items[at] = decoded_take;
	} else {
		insert(&cache->by_name, at, decoded_take);
	}
	index_add(cache, decoded_take);
	return before;
}

bool kube_cache_put(struct kube_cache *cache, const json_t *object, const struct kube_cache *known, const void **before)
{
	const struct kube_cache_form *form = &cache->form;
	const char *ns = kube_object_namespace(object);
	const char *name = kube_object_name(object);
	const char *version = kube_object_resource_version(object);
	const void *same = known != NULL ? kube_cache_get(known, ns, name) : NULL;
	size_t at;
	bool there = find_name(cache, ns, name, &at);

	*before = NULL;
	/* An object without a name cannot be found again; the server never sends one. */
	if (name[0] == '\0' || (there && is_version(cache, cache->by_name.items[at], version))) {
		return false;
	}
	same = same != NULL && is_version(cache, same, version) ? form->ref(same) : form->decode(form->type, object);
	*before = place_at(cache, at, there, same);
	return true;
}

const void *kube_cache_place(struct kube_cache *cache, const void *decoded_take)
{
	const struct kube_names names = cache->form.names(decoded_take);
	size_t at;
	bool there = find_name(cache, names.ns, names.name, &at);

	return place_at(cache, at, there, decoded_take);
}

struct kube_difference *kube_cache_differences(const struct kube_cache *before, const struct kube_cache *now,
	size_t *count)
{
	const struct order *olds = &before->by_name;
	const struct order *news = &now->by_name;
	struct kube_difference *all = xcalloc(olds->count + news->count, sizeof(*all));
	size_t o = 0;
	size_t n = 0;

	*count = 0;
	while (o < olds->count || n < news->count) {
		const void *old = o < olds->count ? olds->items[o] : NULL;
		const void *new = n < news->count ? news->items[n] : NULL;
		int order = old == NULL ? 1 : new == NULL ? -1 : 0;

		if (old != new &&order == 0) {
			struct place at = place_of(before, olds, old);
			struct place other = place_of(now, news, new);

			order = compare(&at, &other);
		}
		if (old != new) {
			all[(*count)++] = (struct kube_difference){order <= 0 ? old : NULL, order >= 0 ? new : NULL};
		}
		o += order <= 0;
		n += order >= 0;
	}
	return all;
}

void kube_cache_swap(struct kube_cache *a, struct kube_cache *b)
{
	struct kube_cache other = *a;

	*a = *b;
	*b = other;
}

const void *kube_cache_take(struct kube_cache *cache, const char *ns, const char *name)
{
	const void *before = NULL;
	size_t at;

	if (find_name(cache, ns, name, &at)) {
		before = cache->by_name.items[at];
		index_remove(cache, before);
		erase(&cache->by_name, at);
	}
	return before;
}
