/* Which pods count. */
#include "pods/pod_counts.h"

#include <string.h>

#include "base/memory.h"

/* Whether it has an address, and is not on its way out. */
static bool is_reachable(const struct view_pod *pod)
{
	return !pod->view.meta.deleting && pod->ip != NULL;
}

enum pod_counts pod_counts(const struct view_pod *pod, int64_t *since_ms)
{
	*since_ms = pod->readiness_ms > 0 ? pod->readiness_ms : 0;
	if (pod->ended || !is_reachable(pod)) {
		return POD_COUNTS_NOT;
	}
	if (pod->readiness == POD_READY) {
		return POD_COUNTS;
	}
	/* One whose container ended has not been ready since before the next one started. */
	return pod->readiness == POD_NOT_READY && pod->started_ms >= 0 && pod->readiness_ms > pod->started_ms
	               ? POD_COUNTS_WITH_LOAD
	               : POD_COUNTS_NOT;
}

bool pod_made_by(const struct view_pod *pod, const char *kind, const char *name)
{
	auto_free char *replica_set = xasprintf("%s-%s", name, pod->template_hash != NULL ? pod->template_hash : "");
	bool direct = strcmp(kind, "StatefulSet") == 0;

	for (uint32_t i = 0; i < pod->view.meta.owners_count; i++) {
		if (strcmp(pod->view.meta.owners[i].name, direct ? name : replica_set) == 0) {
			return true;
		}
	}
	return !direct && strcmp(kind, "Deployment") != 0;
}

char *pod_authority(const struct view_pod *pod, const char *scheme)
{
	const char *ip = pod->ip != NULL ? pod->ip : "";
	bool v6 = strchr(ip, ':') != NULL;

	return xasprintf("%s://%s%s%s", scheme, v6 ? "[" : "", ip, v6 ? "]" : "");
}
