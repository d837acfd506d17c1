/* A YAML file of the tree, for unit tests. */
#ifndef UNIT_YAML_FILE_H
#define UNIT_YAML_FILE_H

#include <stdio.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/yaml.h"

/* The document at this path below test/; new reference, the test fails when it cannot be read. */
static inline json_t *yaml_file(const char *name)
{
	auto_free char *path = xasprintf(TEST_DIR "/%s", name);
	auto_strbuf text = STRBUF_INIT;
	char chunk[8192];
	size_t got;
	FILE *file = fopen(path, "r");
	json_t *document;

	assert_non_null(file);
	while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0) {
		strbuf_add(&text, chunk, got);
	}
	fclose(file);
	document = yaml_parse(text.buf, text.len, NULL);
	assert_non_null(document);
	return document;
}

#endif
