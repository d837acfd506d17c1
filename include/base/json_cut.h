/*
 * Cutting out of JSON text what nobody reads, before it is parsed: to parse a value costs much more than to pass over it.
 */
#ifndef BASE_JSON_CUT_H
#define BASE_JSON_CUT_H

#include <stddef.h>

#include <jansson.h>

#include "base/error.h"
#include "base/strbuf.h"

/* Appends the text with an empty one in the place of each object and array, at any depth, that is the value of one of these
 * keys (NULL ends them). What is no JSON comes out as no JSON; so does text that ends inside such a value. */
void json_cut(const char *text, size_t len, const char *const *keys, struct strbuf *rest);
/* As json_parse() of what json_cut() leaves; `keys` NULL = all of it. */
json_t *json_parse_read(const char *text, size_t len, const char *const *keys, struct error *err);

#endif
