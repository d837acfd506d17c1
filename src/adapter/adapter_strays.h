/*
 * Rules of ours without the markers around them: a tool that reads YAML and writes it anew leaves out all comments.
 *
 * Private to src/adapter.
 */
#ifndef ADAPTER_ADAPTER_STRAYS_H
#define ADAPTER_ADAPTER_STRAYS_H

#include <jansson.h>
#include <stdbool.h>

#include "adapter_layout.h"

/* The text without the lines of such rules, where they are items of a list behind dashes; `doc` is what it means. Heap,
 * NULL when there are none, or when a line is not theirs alone. */
char *strays_cut(const struct layout *layout, const char *text, const json_t *doc);
/* Whether what is left means the same but for them. */
bool strays_are_cut(const json_t *before, const json_t *after);

#endif
