/* Asking the operators' pods. */
#include "operators.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"

#define SELECTOR "labelSelector=app.kubernetes.io%2Fname%3Dinference-autoscaler"
#define USUAL_PORT 8080

/* Of the port that the chart names http. */
static json_int_t port_of(const json_t *pod)
{
	const json_t *container = json_array_get(json_path(pod, "spec.containers"), 0);
	size_t i;
	json_t *port;

	json_array_foreach(json_object_get(container, "ports"), i, port) {
		if (strcmp(json_path_string(port, "name", ""), "http") == 0) {
			return json_path_int(port, "containerPort", USUAL_PORT);
		}
	}
	return USUAL_PORT;
}

json_t *operators_explain(struct session *session, struct error *err)
{
	static const struct kube_resource pods = {"", "v1", "pods", "Pod", true};
	auto_json *list = session_list(session, &pods, NULL, SELECTOR, err);
	auto_json *items = json_array();
	bool answered = false;
	size_t i;
	json_t *pod;

	json_array_foreach(list, i, pod) {
		auto_free char *path = xasprintf("/api/v1/namespaces/%s/pods/%s:%lld/proxy/explain",
			kube_object_namespace(pod), kube_object_name(pod), (long long)port_of(pod));
		auto_json *answer = NULL;

		if (strcmp(json_path_string(pod, "status.phase", ""), "Running") != 0) {
			continue;
		}
		error_release(err);
		answer = session_read(session, path, err);
		if (answer != NULL) {
			json_array_extend(items, json_object_get(answer, "items"));
			answered = true;
		}
	}
	if (answered) {
		error_release(err);
		return json_incref(items);
	}
	if (err->kind == ERROR_NONE) {
		error_set(err, ERROR_NOT_FOUND,
			"no pod with the label app.kubernetes.io/name=inference-autoscaler runs");
	}
	return NULL;
}
