/*
 * Texts shorter by the phrases that stand in most of them: the specs of our own children, as compact JSON with sorted keys,
 * are the same but for a few words. Private to the room.
 */
#ifndef VIEW_PHRASES_H
#define VIEW_PHRASES_H

/* Each phrase of the table becomes one byte. Heap; NULL of NULL, and of a text that holds such bytes, which no JSON does. */
char *phrases_shrink(const char *text);
/* The text again. Heap. */
char *phrases_grow(const char *shrunk);

#endif
