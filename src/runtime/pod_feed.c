/* From what the informer of pods says to the pods. */
#include "pod_feed.h"

#include "kube/resource.h"

void pod_feed_changed(struct pods *pods, const struct kube_informer *informer, const json_t *object)
{
	const char *ns = kube_object_namespace(object);
	const char *name = kube_object_name(object);
	const struct view *now = kube_cache_decoded(kube_informer_cache(informer), ns, name);

	if (now != NULL) {
		pods_put(pods, now);
	} else {
		pods_remove(pods, ns, name);
	}
}

bool pod_feed_refused(const struct kube_informer *informer)
{
	const struct error *err = kube_informer_error(informer);

	return err != NULL && (err->kind == ERROR_FORBIDDEN || err->kind == ERROR_UNAUTHORIZED);
}

/* Of a watch that fails otherwise it is not known for how long: what it showed last stands, if it has shown all. */
bool pod_feed_state(struct pods *pods, const struct kube_informer *informer)
{
	const struct error *err = kube_informer_error(informer);
	bool synced = kube_informer_synced(informer);

	return pods_set_state(pods, synced, pod_feed_refused(informer) || !synced ? err : NULL);
}
