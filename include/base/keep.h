/*
 * Memory for what is kept for long, apart from what comes and goes.
 *
 * In a heap that both share, what stays lies scattered over the room that was needed once, and holds half of it: a page
 * goes back to the system only when nothing is left on it. Here blocks of one size lie side by side. For the thread that
 * uses it first, which is the loop's.
 */
#ifndef BASE_KEEP_H
#define BASE_KEEP_H

#include <stddef.h>

/* All zero; never NULL. */
void *keep_new(size_t size);
/* The size is that which it was made with. NULL is allowed. */
void keep_free(void *block, size_t size);
/* A copy; NULL stays NULL. */
char *keep_text(const char *text);
/* Of keep_text(), whose length it still has. NULL is allowed. */
void keep_text_free(char *text);
/* What all blocks take, with what is lost between them; and what was taken of the heap for it. */
size_t keep_bytes(void);
size_t keep_reserved_bytes(void);

#endif
