/* Making answers. */
#include "answer.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/quantity.h"
#include "base/text.h"
#include "request.h"

/* What an HPA's condition and event pass on has room for it. */
#define MESSAGE_MAX 1024

const struct answer_object answer_pod = {"v1", "Pod"};
const struct answer_object answer_autoscaler = {"inference-autoscaler.io/v1alpha1", "InferenceAutoscaler"};

/* The words in which the versions differ. */
static void name_metric(json_t *item, const char *version, const char *metric)
{
	if (strcmp(version, "v1beta1") == 0) {
		json_object_set_new(item, "metricName", json_string(metric));
		json_object_set_new(item, "window", json_integer(0));
		json_object_set_new(item, "selector", json_null());
	} else {
		json_object_set_new(item, "metric", json_pack("{s:s, s:n}", "name", metric, "selector"));
		json_object_set_new(item, "windowSeconds", json_integer(0));
	}
}

char *answer_values(const char *version, const char *metric, const struct answer_object *object, const char *ns,
	const struct answer_value *values, size_t count)
{
	auto_free char *group_version = xasprintf(SERVING_GROUP "/%s", version);
	json_t *items = json_array();
	auto_json *list = json_pack("{s:s, s:s, s:{}, s:o}", "kind", "MetricValueList", "apiVersion", group_version,
		"metadata", "items", items);

	for (size_t i = 0; i < count; i++) {
		auto_free char *quantity = quantity_format_milli(values[i].milli);
		auto_free char *time = clock_rfc3339(values[i].read_ms);
		json_t *item = json_pack("{s:{s:s, s:s, s:s, s:s}, s:s, s:s}", "describedObject", "kind", object->kind,
			"apiVersion", object->api_version, "namespace", ns, "name", values[i].name, "timestamp", time,
			"value", quantity);

		name_metric(item, version, metric);
		json_array_append_new(items, item);
	}
	return json_text(list);
}

static const struct {
	enum error_kind kind;
	int status;
	const char *reason;
} failures[] = {
	{ERROR_INVALID, 400, "BadRequest"},
	{ERROR_NOT_FOUND, 404, "NotFound"},
	{ERROR_UNAVAILABLE, 503, "ServiceUnavailable"},
	{ERROR_INTERNAL, 500, "InternalError"},
};

char *answer_failure(const struct error *err, int *status)
{
	auto_free char *message = text_fit(err->message != NULL ? err->message : "", MESSAGE_MAX);
	auto_json *document = NULL;
	size_t i = 0;

	while (i + 1 < ARRAY_LEN(failures) && failures[i].kind != err->kind) {
		i++;
	}
	*status = failures[i].status;
	document = json_pack("{s:s, s:s, s:{}, s:s, s:s, s:s, s:i}", "kind", "Status", "apiVersion", "v1", "metadata",
		"status", "Failure", "message", message, "reason", failures[i].reason, "code", failures[i].status);
	return json_text(document);
}
