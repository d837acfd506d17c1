/* Answers of reviews, kept for a while. */
#include "review_cache.h"

#include <string.h>

#include "base/memory.h"
#include "reviews.h"

/* With all places taken it is 2 MiB. A ServiceAccount's is 400 characters. */
#define USER_MAX 4096

struct review_key review_key(struct review_key before, const char *text)
{
	return (struct review_key){hash_text(before.high, text), hash_text(before.low + 1, text)};
}

struct review_key review_access_key(struct review_key token_key, const struct review_question *question)
{
	struct review_key kind = review_key(token_key, question->path != NULL ? "path" : "namespace");

	return review_key(kind, question->path != NULL ? question->path : question->ns);
}

bool review_key_equal(struct review_key a, struct review_key b)
{
	return a.high == b.high && a.low == b.low;
}

static struct kept_answer *find(const struct review_cache *cache, struct review_key key)
{
	for (struct hash_item *item = hash_table_find(&cache->table, key.high); item != NULL;
		item = hash_item_next(item)) {
		struct kept_answer *kept = container_of(item, struct kept_answer, item);

		if (kept->low == key.low) {
			return kept;
		}
	}
	return NULL;
}

const struct kept_answer *review_cache_find(const struct review_cache *cache, struct review_key key, int64_t now_ms)
{
	const struct kept_answer *kept = find(cache, key);

	return kept != NULL && now_ms < kept->until_ms ? kept : NULL;
}

/* Without the list. */
static void forget(struct review_cache *cache, struct kept_answer *kept)
{
	hash_table_remove(&cache->table, &kept->item);
	free_indirect(&kept->user);
	free_indirect(&kept);
}

static void forget_oldest(struct review_cache *cache)
{
	struct kept_answer *oldest = cache->oldest;

	cache->oldest = oldest->newer;
	cache->newest = cache->oldest != NULL ? cache->newest : NULL;
	forget(cache, oldest);
}

static void keep(struct review_cache *cache, struct kept_answer *kept, struct review_key key)
{
	hash_table_add(&cache->table, &kept->item, key.high);
	if (cache->newest != NULL) {
		cache->newest->newer = kept;
	} else {
		cache->oldest = kept;
	}
	cache->newest = kept;
}

void review_cache_put(struct review_cache *cache, struct review_key key, bool yes, const char *user, int64_t now_ms)
{
	struct kept_answer *kept = find(cache, key);

	if (user != NULL && strlen(user) > USER_MAX) {
		return;
	}
	if (kept == NULL) {
		if (cache->table.count == REVIEWS_KEPT) {
			forget_oldest(cache);
		}
		kept = xcalloc(1, sizeof(*kept));
		kept->low = key.low;
		keep(cache, kept, key);
	}
	free_indirect(&kept->user);
	kept->user = xstrdup(user);
	kept->yes = yes;
	kept->until_ms = now_ms + (yes ? REVIEWS_ALLOWED_MS : REVIEWS_REFUSED_MS);
}

void review_cache_drop_old(struct review_cache *cache, int64_t now_ms)
{
	struct kept_answer **place = &cache->oldest;

	cache->newest = NULL;
	while (*place != NULL) {
		struct kept_answer *kept = *place;

		if (now_ms < kept->until_ms) {
			cache->newest = kept;
			place = &kept->newer;
		} else {
			*place = kept->newer;
			forget(cache, kept);
		}
	}
}

void review_cache_release(struct review_cache *cache)
{
	while (cache->oldest != NULL) {
		forget_oldest(cache);
	}
	hash_table_release(&cache->table);
}
