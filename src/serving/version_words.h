/*
 * The words in which the versions of the custom metrics API differ. Private to src/serving.
 */
#ifndef SERVING_VERSION_WORDS_H
#define SERVING_VERSION_WORDS_H

#include <jansson.h>

/* Puts a MetricValueList of one version into the words of another; any other document stays as it is. */
void version_words_convert(json_t *document, const char *version);

#endif
