/*
 * YAML to jansson and back, by libyaml: one document, YAML 1.2 core scalars, no anchors' cycles.
 */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include <jansson.h>
#include <stddef.h>

#include "base/error.h"

/* What the aliases of one text may add to it, in memory. */
#define YAML_ALIAS_BYTES (1024 * 1024)

/* Parses the first document; errors are ERROR_INVALID with line and column. New reference.
 * An empty document gives JSON null. Depth is bounded (64), and so is what aliases
 * add: some, but no "billion laughs". Refused, because JSON could not hold what is meant: duplicate keys, integers of more than
 * 64 bits, infinities, and tags other than !!str, !!seq and !!map. */
json_t *yaml_parse(const char *text, size_t len, struct error *err);
/* All documents of a stream, as a JSON array. */
json_t *yaml_parse_all(const char *text, size_t len, struct error *err);
/* Block-style YAML with keys in insertion order, strings quoted where they would read as something
 * else, to a reader of YAML 1.1 too; heap, caller owns. */
char *yaml_text(const json_t *value);

#endif
