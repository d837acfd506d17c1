/* From what the informer of pods says to the pods. */
#include "pod_feed.h"

#include "api/kinds.h"
#include "view/view.h"

void pod_feed_changed(struct pods *pods, enum kube_event_type type, const json_t *object)
{
	auto_view *pod = view_decode(KIND_POD, object);

	if (type == KUBE_DELETED) {
		pods_remove(pods, pod->meta.ns, pod->meta.name);
	} else {
		pods_put(pods, pod);
	}
}

bool pod_feed_refused(const struct kube_informer *informer)
{
	const struct error *err = kube_informer_error(informer);

	return err != NULL && (err->kind == ERROR_FORBIDDEN || err->kind == ERROR_UNAUTHORIZED);
}

/* Of a watch that fails otherwise it is not known for how long: what it showed last stands, if it has shown all. */
void pod_feed_state(struct pods *pods, const struct kube_informer *informer)
{
	const struct error *err = kube_informer_error(informer);
	bool synced = kube_informer_synced(informer);

	pods_set_state(pods, synced, pod_feed_refused(informer) || !synced ? err : NULL);
}
