/* Any bytes as an adapter config: what is taken can be given back, and never differs a second time.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "adapter/adapter_config.h"
#include "base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *got, const char *want)
{
	if (got == NULL || strcmp(got, want)) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct adapter_rule rules[] = {
		{.name = "m", .series_query = "{a='b'}", .metrics_query = "sum(<<.Series>>)"},
		{.name = "n", .series_query = "{a=\"b\"}", .metrics_query = "<<.Series>>"},
	};
	auto_free char *text = xstrndup((const char *)data, size);
	auto_error err = ERROR_INIT;
	auto_free char *base = adapter_config_splice(text, NULL, 0, NULL, &err);
	auto_free char *with = adapter_config_splice(text, rules, ARRAY_LEN(rules), NULL, &err);

	if (with == NULL) {
		return 0;
	}
	/* what could be put in can be taken out, and was taken out before */
	auto_free char *without = adapter_config_splice(with, NULL, 0, NULL, &err);
	auto_free char *again = adapter_config_splice(with, rules, ARRAY_LEN(rules), NULL, &err);

	if (base == NULL) {
		abort();
	}
	check(without, base);
	check(again, with);
	return 0;
}
