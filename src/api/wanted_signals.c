/* The figures that spec.requests asks for. */
#include "wanted_signals.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/quantity.h"

#define PERCENT_MAX_MILLI 100000

static const char *const names[AUTOSCALER_SIGNALS_MAX] = {"Running", "Waiting", "InFlight", "KVCache"};

/* As one of the above; "" when it is none. */
static const char *name_of(const json_t *value)
{
	const char *text = json_is_string(value) ? json_string_value(value) : "";

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i], text) == 0) {
			return names[i];
		}
	}
	return "";
}

static int decode_target(struct autoscaler *a, size_t index, const json_t *target, struct error *err)
{
	struct wanted_signal *signal = &a->signals[index];
	auto_free char *field = autoscaler_signal_field(a, index, "target");
	auto_free char *text = json_is_string(target) ? xstrdup(json_string_value(target)) : json_text(target);
	int64_t milli = quantity_parse_milli(text);

	if (milli <= 0) {
		return error_set(err, ERROR_INVALID,
			"%s must be a quantity above zero such as 4 or \"2500m\", not '%s'", field, text);
	}
	if (strcmp(signal->name, "KVCache") == 0 && milli > PERCENT_MAX_MILLI) {
		return error_set(err, ERROR_INVALID,
			"%s is a percentage with signal KVCache: write a number up to 100, such as 80", field);
	}
	signal->target_milli = milli;
	return 0;
}

/* NULL when it is absent, or null. */
static const json_t *given(const json_t *object, const char *member)
{
	const json_t *value = json_object_get(object, member);

	return json_is_null(value) ? NULL : value;
}

static int add(struct autoscaler *a, const char *name, const json_t *target, struct error *err)
{
	a->signals[a->signals_count++] = (struct wanted_signal){.name = name, .target_milli = -1};
	return target != NULL ? decode_target(a, a->signals_count - 1, target, err) : 0;
}

int wanted_signals_decode(const json_t *object, struct autoscaler *a, struct error *err)
{
	const json_t *requests = json_path(object, "spec.requests");
	const json_t *signal = given(requests, "signal");
	const json_t *target = given(requests, "target");
	const json_t *list = given(requests, "signals");

	a->signals_listed = list != NULL;
	if (list != NULL && (signal != NULL || target != NULL)) {
		return error_set(err, ERROR_INVALID,
			"spec.requests has signals beside signal or target: write the list alone, or signal and target "
			"alone, which stand for a list of one");
	}
	if (list == NULL) {
		return add(a, signal != NULL ? name_of(signal) : names[0], target, err);
	}
	for (size_t i = 0; i < json_array_size(list) && i < AUTOSCALER_SIGNALS_MAX; i++) {
		const json_t *item = json_array_get(list, i);

		if (add(a, name_of(given(item, "signal")), given(item, "target"), err) < 0) {
			return -1;
		}
	}
	return 0;
}

char *autoscaler_signal_field(const struct autoscaler *a, size_t index, const char *member)
{
	return a->signals_listed ? xasprintf("spec.requests.signals[%zu].%s", index, member)
	                         : xasprintf("spec.requests.%s", member);
}
