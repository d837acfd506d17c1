/* How engines write samples: numbers and labels in the Prometheus text format. */
#ifndef STANDIN_TEXT_H
#define STANDIN_TEXT_H

#include <stdint.h>

#include "base/strbuf.h"

/* As Python writes a float: "8.0", "0.25". */
void text_add_float(struct strbuf *page, double value);
/* As C++, Rust and Go do: "8", "0.25". */
void text_add_number(struct strbuf *page, double value);
/* name="value" with what has to be escaped, after a comma unless it is the first. */
void text_add_label(struct strbuf *page, const char *name, const char *value);
/* Adds the whole page with a timestamp, in milliseconds, behind each of its samples. */
void text_add_stamped(struct strbuf *to, const char *page, int64_t at_ms);

#endif
