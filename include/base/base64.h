/* Base64 (RFC 4648, standard alphabet): what kubeconfig's *-data fields and basic auth use. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include <stddef.h>

#include "base/strbuf.h"

/* Appends the decoded bytes; -1 when the text is not base64. White space is skipped. */
int base64_decode(const char *text, struct strbuf *out);
void base64_encode(const char *data, size_t len, struct strbuf *out);

#endif
