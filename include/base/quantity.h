/*
 * Kubernetes quantities ("4", "2500m", "1k", "0.5"), as integer thousandths.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
 */
#ifndef BASE_QUANTITY_H
#define BASE_QUANTITY_H

#include <stdint.h>

/* Thousandths, or -1 when malformed, negative or too large for 63 bits. Finer than a thousandth
 * rounds up, as the API does. */
int64_t quantity_parse_milli(const char *text);
/* The canonical form of thousandths, the one the API server answers with: "4", "2500m", "1k" for
 * 1000; heap, caller owns. */
char *quantity_format_milli(int64_t milli);
/* As people write it: "4", "2.5", "0.85"; heap, caller owns. */
char *quantity_plain_milli(int64_t milli);

#endif
