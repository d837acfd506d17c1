/* Asking the operators' pods. */
#include "operators.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"

#define SELECTOR "labelSelector=app.kubernetes.io%2Fname%3Dinference-autoscaler"
#define USUAL_PORT 8080

struct operators {
	struct session *session;
	char **paths; /* of the proxy to each */
	size_t count;
	size_t knows; /* the one that had the last autoscaler: it leads, and has the next one too */
};

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

struct operators *operators_find(struct session *session, struct error *err)
{
	static const struct kube_resource pods = {"", "v1", "pods", "Pod", true};
	auto_json *list = session_list(session, &pods, NULL, SELECTOR, err);
	struct operators *operators;
	size_t i;
	json_t *pod;

	if (list == NULL) {
		return NULL;
	}
	operators = xcalloc(1, sizeof(*operators));
	operators->session = session;
	operators->paths = xcalloc(json_array_size(list) + 1, sizeof(*operators->paths));
	json_array_foreach(list, i, pod) {
		if (strcmp(json_path_string(pod, "status.phase", ""), "Running") == 0) {
			operators->paths[operators->count++] = xasprintf("/api/v1/namespaces/%s/pods/%s:%lld/proxy",
				kube_object_namespace(pod), kube_object_name(pod), (long long)port_of(pod));
		}
	}
	if (operators->count == 0) {
		error_set(err, ERROR_NOT_FOUND,
			"no pod with the label app.kubernetes.io/name=inference-autoscaler runs");
		operators_free(operators);
		return NULL;
	}
	return operators;
}

void operators_free(struct operators *operators)
{
	if (operators == NULL) {
		return;
	}
	for (size_t i = 0; i < operators->count; i++) {
		free_indirect(&operators->paths[i]);
	}
	free_indirect(&operators->paths);
	free_indirect(&operators);
}

json_t *operators_explain(struct operators *operators, const char *ns, const char *name, struct error *err)
{
	bool unknown = false;

	for (size_t i = 0; i < operators->count; i++) {
		size_t turn = (operators->knows + i) % operators->count;
		auto_free char *path = xasprintf("%s/explain/%s/%s", operators->paths[turn], ns, name);
		json_t *answer;

		error_release(err);
		answer = session_read(operators->session, path, err);
		if (answer != NULL) {
			operators->knows = turn;
			return answer;
		}
		unknown = unknown || err->kind == ERROR_NOT_FOUND;
	}
	if (unknown) {
		error_set(err, ERROR_NOT_FOUND, "no operator that answers has this autoscaler");
	}
	return NULL;
}
