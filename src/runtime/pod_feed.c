/* From what the informer of pods says to the pods. */
#include "pod_feed.h"

void pod_feed_changed(struct pods *pods, const struct view *before, const struct view *now)
{
	if (now != NULL) {
		pods_put(pods, now);
	} else {
		pods_remove(pods, before->meta.ns, before->meta.name);
	}
}

/* Of a watch that fails otherwise it is not known for how long: what it showed last stands, if it has shown all. */
bool pod_feed_state(struct pods *pods, const struct kube_informer *informer)
{
	const struct error *err = kube_informer_error(informer);
	bool synced = kube_informer_synced(informer);

	return pods_set_state(pods, synced, kube_informer_refused(informer) || !synced ? err : NULL);
}
