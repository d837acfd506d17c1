/* Any bytes as YAML: read or refused, and what was read is written so that it reads back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_error err = ERROR_INIT;
	auto_json *value = yaml_parse((const char *)data, len, &err);

	if (value == NULL) {
		if (err.kind != ERROR_INVALID) {
			abort();
		}
		return 0;
	}

	auto_free char *text = yaml_text(value);
	auto_json *back = yaml_parse(text, strlen(text), &err);

	if (back == NULL || !json_equal(back, value)) {
		abort();
	}
	return 0;
}
