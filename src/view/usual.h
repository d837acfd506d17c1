/*
 * Texts that stand in most objects: kept once in the program instead of in each view. Private to the room.
 */
#ifndef VIEW_USUAL_H
#define VIEW_USUAL_H

#include <stddef.h>

extern const char *const usual_texts[];
extern const size_t usual_texts_count;

/* The same text as a static one; NULL when it is none of them. */
const char *usual_text(const char *text);

#endif
