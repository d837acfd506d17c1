/*
 * JSON as text: compact, with sorted keys, byte for byte as jansson writes it with JSON_COMPACT, JSON_SORT_KEYS and
 * JSON_ENCODE_ANY, but in less time. Digests are made of this text, and some lie in the cluster.
 */
#ifndef BASE_JSON_WRITE_H
#define BASE_JSON_WRITE_H

#include <jansson.h>

#include "base/strbuf.h"

/* Appends; NULL is written as null. A tree that contains itself never ends. */
void json_write(const json_t *value, struct strbuf *text);

#endif
