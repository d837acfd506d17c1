/* The table of the lengths that the CRD gives the strings of the status. */
#include "report/status_bound.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* As in crds/inferenceautoscalers.yaml; a test compares them. What is not here has a format or an enum there. */
const struct status_bound status_bounds[] = {
	{"selector", 4096},
	{"engine.type", 63},
	{"engine.version", 128},
	{"engine.path", 255},
	{"signals.name", 63},
	{"signals.metric", 253},
	{"signals.target", 63},
	{"children.kind", 63},
	{"children.namespace", 63},
	{"children.name", 253},
	{"advice.reason", 63},
	{"advice.message", 4096},
	{"conditions.type", 316},
	{"conditions.reason", 1024},
	{"conditions.message", 32768},
};

const size_t status_bounds_count = ARRAY_LEN(status_bounds);

static size_t max_of(const char *path)
{
	size_t i = 0;

	while (i < status_bounds_count && strcmp(status_bounds[i].path, path) != 0) {
		i++;
	}
	assert(i < status_bounds_count);
	return status_bounds[i].max;
}

json_t *status_string(const char *path, const char *text)
{
	auto_free char *fit = text != NULL ? text_fit(text, max_of(path)) : NULL;

	return fit != NULL ? json_string(fit) : NULL;
}
