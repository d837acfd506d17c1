/* Flags among the words of a command line. */
#include "base/words.h"

#include <string.h>

/* What follows the flag's name in the word; NULL when the word is another. */
static const char *after_name(const char *word, const char *flag)
{
	for (; *flag != '\0'; word++, flag++) {
		if (*word != *flag && !(*word == '_' && *flag == '-')) {
			return NULL;
		}
	}
	return word;
}

const char *words_flag(const json_t *words, const char *flag)
{
	const char *value = NULL;
	size_t i;
	json_t *word;

	json_array_foreach((json_t *)words, i, word) {
		const char *rest = json_is_string(word) ? after_name(json_string_value(word), flag) : NULL;

		if (rest != NULL && *rest == '=') {
			value = rest + 1;
		} else if (rest != NULL && *rest == '\0') {
			value = json_string_value(json_array_get(words, i + 1));
		}
	}
	return value;
}
