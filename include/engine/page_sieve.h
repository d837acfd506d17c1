/*
 * A page that is read while it arrives: only the lines of the series that are looked for are kept.
 *
 * A page has hundreds of lines, of which a signal needs a few. So many pages can be under way at once, and what each costs
 * is spread over the pieces in which it comes.
 */
#ifndef ENGINE_PAGE_SIEVE_H
#define ENGINE_PAGE_SIEVE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "engine/page.h"

struct page_sieve;

/* `wanted` looks for series and is never read; borrowed. Never NULL. */
struct page_sieve *page_sieve_new(struct page *wanted);
/* NULL is allowed. */
void page_sieve_free(struct page_sieve *sieve);
/* The next piece, of any length. False when the page has come to more than PAGE_MAX_BYTES: then it is refused. */
bool page_sieve_add(struct page_sieve *sieve, const char *data, size_t len);
/* The bytes that are kept now. */
size_t page_sieve_kept(const struct page_sieve *sieve);
/* After the last piece: the page, which borrows its text from the sieve, as page_read() of the whole text would give it. NULL
 * when it is refused. */
struct page *page_sieve_read(struct page_sieve *sieve, struct error *err);

#endif
