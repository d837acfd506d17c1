/*
 * What a page said, as far as it was asked: names and values. Kept for each pod that is read, so it is small.
 *
 * Private to src/serving.
 */
#ifndef SERVING_FIGURES_H
#define SERVING_FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A page that says more says the rest to nobody. A node has up to 16 GPUs of up to 7 instances. */
#define FIGURES_MAX 256

struct figure {
	char *name; /* a metric, or the "namespace/name" of a pod */
	int64_t milli;
};

/* All zeros is empty. */
struct figures {
	struct figure *items;
	size_t count;
	size_t cap;
};

void figures_add(struct figures *figures, const char *name, int64_t milli);
/* False when it has none of this name. */
bool figures_find(const struct figures *figures, const char *name, int64_t *milli);
void figures_release(struct figures *figures);

#endif
