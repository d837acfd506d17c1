/* Any text as a quantity, a time and a duration: what is accepted reads back from its own form. */
#include <stdint.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/quantity.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_free char *text = len ? xstrndup((const char *)data, len) : xstrdup("");
	int64_t milli = quantity_parse_milli(text);
	int64_t wall_ms = clock_parse_rfc3339(text);

	if (milli < -1 || wall_ms < -1 || clock_parse_duration(text) < -1) {
		abort();
	}
	if (milli >= 0) {
		auto_free char *canonical = quantity_format_milli(milli);

		if (quantity_parse_milli(canonical) != milli) {
			abort();
		}
	}
	if (wall_ms >= 0) {
		auto_free char *micro = clock_rfc3339_micro(wall_ms);

		if (clock_parse_rfc3339(micro) != wall_ms) {
			abort();
		}
	}
	return 0;
}
