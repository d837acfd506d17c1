/*
 * What a plain (unquoted) YAML scalar reads as: shared by the reader, which makes the value, and
 * by the writer, which quotes the strings that would read as something else.
 */
#ifndef BASE_YAML_SCALAR_H
#define BASE_YAML_SCALAR_H

#include <stddef.h>

enum yaml_kind {
	YAML_KIND_STRING,
	YAML_KIND_NULL,
	YAML_KIND_BOOL,
	YAML_KIND_INT,
	YAML_KIND_FLOAT,
	YAML_KIND_INF_NAN /* .inf, .nan: JSON has no such number */
};

/* By the core schema of YAML 1.2, section 10.3.2. */
enum yaml_kind yaml_scalar_kind(const char *text, size_t len);

#endif
