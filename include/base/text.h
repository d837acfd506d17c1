/*
 * Words of others, made fit to be kept and shown: valid UTF-8, and no longer than there is room; their hash; and
 * whether two are the same.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* What a message quotes of another's words. An Event's note holds 1024 bytes: beside this much, our own words and the
 * remedy behind it have room. */
#define TEXT_QUOTE_MAX 512

/*
 * At most `max` bytes of the text, cut between two characters and with "…" where something is missing; each byte
 * that is not UTF-8 becomes '?'. What is fit already is copied as it is. Heap, caller owns.
 *
 * How much is missing is not reported: it may be another number at each probe, and a status may not move for that.
 */
char *text_fit(const char *text, size_t max);

/* The same with TEXT_QUOTE_MAX. */
char *text_quote(const char *text);

/* 16 hexadecimal digits (FNV-1a) that change with the text: a revision that is the same for the same text. Heap,
 * caller owns. */
char *text_hash(const char *text);

/* Whether the text begins with these words. It is read up to the first difference only, so it need not be ended. */
bool text_begins(const char *text, const char *words);

/* NULL is allowed, and equals NULL alone. */
bool text_equal(const char *one, const char *other);

#endif
