/*
 * Answers of reviews, kept for a while, in a bounded number: of what was asked there is a hash alone.
 */
#ifndef RUNTIME_REVIEW_CACHE_H
#define RUNTIME_REVIEW_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"

/* Of two hashes whose keys nobody outside knows: nobody can look for another token that has the same. */
struct review_key {
	uint64_t high;
	uint64_t low;
};

struct review_question;

struct kept_answer {
	struct hash_item item;
	uint64_t low; /* the rest of its key */
	int64_t until_ms;
	bool yes;
	char *user; /* of a token: who it is, as JSON; NULL = nobody, or no token's */
	struct kept_answer *newer;
};

/* All zeros is empty. Times are monotonic. */
struct review_cache {
	struct hash_table table;
	struct kept_answer *oldest;
	struct kept_answer *newest;
};

/* Of `before` and the text. */
struct review_key review_key(struct review_key before, const char *text);
/* Of what somebody with this token asks to do; a namespace is no path, whatever it is called. */
struct review_key review_access_key(struct review_key token_key, const struct review_question *question);
bool review_key_equal(struct review_key a, struct review_key b);

/* Borrowed until the next call; NULL = none that still holds. */
const struct kept_answer *review_cache_find(const struct review_cache *cache, struct review_key key, int64_t now_ms);
/* The oldest makes room. A user too long to be kept is not, nor is the answer. `user` is copied; NULL is allowed. */
void review_cache_put(struct review_cache *cache, struct review_key key, bool yes, const char *user, int64_t now_ms);
/* What does not hold any more goes. */
void review_cache_drop_old(struct review_cache *cache, int64_t now_ms);
void review_cache_release(struct review_cache *cache);

#endif
