/*
 * A command line as Kubernetes keeps it: a JSON array of words.
 */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include <jansson.h>

/*
 * The value of "--name=value" or "--name value", of the last one as programs take it; borrowed, NULL
 * when there is none. In the words '_' is taken for '-', as some programs do; `flag` has dashes. A
 * script in one word ("sh", "-c", "…") is not looked into.
 */
const char *words_flag(const json_t *words, const char *flag);

#endif
