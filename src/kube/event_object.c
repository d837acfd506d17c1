/* The JSON of an Event. */
#include "event_object.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

#define NOTE_MAX 1024 /* bytes: the API server refuses a longer one */

const struct kube_resource event_resource = {"events.k8s.io", "v1", "events", "Event", true};

const char *event_namespace(const json_t *regarding)
{
	const char *ns = kube_object_namespace(regarding);

	return ns[0] != '\0' ? ns : "default";
}

char *event_text(const struct event_origin *origin, const json_t *regarding, const struct kube_event *event)
{
	auto_free char *api_version = kube_api_version(&event_resource);
	auto_free char *time = clock_rfc3339_micro(origin->wall_ms);
	auto_free char *note = text_fit(event->note, NOTE_MAX);
	const char *ns = kube_object_namespace(regarding);
	auto_json *object =
		json_pack("{s:s, s:s, s:{s:s, s:s}, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s*, s:s, s:s}}",
			"apiVersion", api_version, "kind", event_resource.kind, "metadata", "name", origin->name,
			"namespace", origin->ns, "eventTime", time, "reportingController", origin->controller,
			"reportingInstance", origin->instance, "type", event->warning ? "Warning" : "Normal", "reason",
			event->reason, "action", event->action, "note", note, "regarding", "apiVersion",
			json_path_string(regarding, "apiVersion", ""), "kind", json_path_string(regarding, "kind", ""),
			"namespace", ns[0] != '\0' ? ns : NULL, "name", kube_object_name(regarding), "uid",
			kube_object_uid(regarding));

	return json_text(object);
}

json_t *event_count_patch(int64_t count, int64_t wall_ms)
{
	auto_free char *last = clock_rfc3339_micro(wall_ms);

	return json_pack("{s:{s:I, s:s}}", "series", "count", (json_int_t)count, "lastObservedTime", last);
}
