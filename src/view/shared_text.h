/*
 * Texts that many objects have word for word, such as what each status says of the adapter: kept once for all views,
 * as long as one of them has it. Private to the room.
 */
#ifndef VIEW_SHARED_TEXT_H
#define VIEW_SHARED_TEXT_H

#include <stddef.h>

/* It is in one more object: from the eighth or so on its copies are shared, however many others come in between. The text
 * that stands for them; NULL when they are not shared. */
const char *shared_text_note(const char *text);
/* The same text with one more reference, without noting anything. */
const char *shared_text_ref(const char *text);
/* Gives back one reference to what shared_text_ref() returned; nothing when it is any other text, or NULL. */
void shared_text_unref(const char *text);
/* How many texts are shared now. */
size_t shared_text_count(void);

#endif
