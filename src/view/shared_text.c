/* The texts that are shared, and those that may become so. */
#include "shared_text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/hash.h"
#include "base/keep.h"
#include "base/map.h"

/* A shorter text takes little more than what is kept to share it. */
#define LENGTH_MIN 24
#define OBJECTS_MIN 8
#define CANDIDATES 256

/* Of the texts whose hash leads here, the one that came most: each other one that comes takes one away. */
struct candidate {
	uint64_t hash;
	unsigned seen;
};

struct shared {
	const char *text; /* the map's */
	size_t references;
};

static struct candidate candidates[CANDIDATES];
static struct map shared; /* text → struct shared */

static void shared_free(void *value)
{
	keep_free(value, sizeof(struct shared));
}

static const struct shared *share(const char *text)
{
	struct shared *one = keep_new(sizeof(*one));

	if (map_count(&shared) == 0) {
		map_init(&shared, shared_free);
	}
	one->text = map_put(&shared, text, one);
	return one;
}

/* Whether it came so often that it is worth sharing. */
static bool is_common(const char *text)
{
	uint64_t hash = hash_text(HASH_START, text);
	struct candidate *candidate = &candidates[hash % CANDIDATES];

	if (candidate->seen == 0) {
		*candidate = (struct candidate){.hash = hash};
	}
	if (candidate->hash != hash) {
		candidate->seen--;
		return false;
	}
	return ++candidate->seen >= OBJECTS_MIN;
}

const char *shared_text_note(const char *text)
{
	const struct shared *one = map_get(&shared, text);

	if (one == NULL && strlen(text) >= LENGTH_MIN && is_common(text)) {
		one = share(text);
	}
	return one != NULL ? one->text : NULL;
}

const char *shared_text_ref(const char *text)
{
	struct shared *one = map_get(&shared, text);

	if (one == NULL) {
		return NULL;
	}
	one->references++;
	return one->text;
}

void shared_text_unref(const char *text)
{
	struct shared *one = text != NULL ? map_get(&shared, text) : NULL;

	if (one == NULL || one->text != text || --one->references > 0) {
		return;
	}
	(void)map_remove(&shared, text);
	if (map_count(&shared) == 0) {
		map_release(&shared);
	}
}

size_t shared_text_count(void)
{
	return map_count(&shared);
}
