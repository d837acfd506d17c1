/* What the operator tells of itself: its metrics, its health, and what there is to say of one autoscaler. */
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "cached_views.h"
#include "controller_parts.h"
#include "report/diagnosis.h"
#include "report/values.h"

#define LIVE_MS (15 * 60 * 1000)

static void metric(struct strbuf *page, const char *name, const char *type, const char *help, uint64_t value)
{
	strbuf_addf(page, "# HELP inference_autoscaler_%s %s\n# TYPE inference_autoscaler_%s %s\n", name, help, name,
		type);
	strbuf_addf(page, "inference_autoscaler_%s %llu\n", name, (unsigned long long)value);
}

static bool is_ours(const struct controller *c, const struct view *autoscaler)
{
	return autoscaler_is_ours(&view_autoscaler(autoscaler)->spec, c->settings);
}

static size_t count_ours(const struct controller *c)
{
	auto_view_list all = cached_views(controller_cache(c, KIND_AUTOSCALER), NULL);
	size_t count = 0;

	for (size_t i = 0; c->leading && i < all.count; i++) {
		count += is_ours(c, all.items[i]) ? 1 : 0;
	}
	return count;
}

void controller_metrics(const struct controller *c, struct strbuf *page)
{
	uint64_t ready = 0;
	size_t pos = 0;
	void *value;

	while (map_next(&c->passes, &pos, NULL, &value)) {
		const struct pass *pass = value;

		ready += pass->counts && pass->ready ? 1 : 0;
	}
	metric(page, "autoscalers", "gauge", "InferenceAutoscalers in the cache that are this operator's to serve.",
		count_ours(c));
	metric(page, "autoscalers_ready", "gauge", "InferenceAutoscalers whose whole chain works.", ready);
	metric(page, "passes_total", "counter", "Reconcile passes.", c->count_passes);
	metric(page, "pass_failures_total", "counter", "Reconcile passes whose writes failed.", c->count_failures);
	metric(page, "writes_total", "counter", "Objects written.", c->count_writes);
	metric(page, "events_dropped_total", "counter", "Events not written since too many waited.",
		kube_recorder_dropped(c->recorder));
	metric(page, "queue_length", "gauge", "Keys waiting or being worked on.", queue_length(c->queue));
}

const struct view_autoscaler *controller_next(const struct controller *c, const char *key)
{
	const struct kube_cache *cache = controller_cache(c, KIND_AUTOSCALER);
	const struct view *found = c->leading ? kube_cache_after(cache, key) : NULL;

	while (found != NULL && !is_ours(c, found)) {
		auto_free char *others = meta_key(&found->meta);

		found = kube_cache_after(cache, others);
	}
	return found != NULL ? view_autoscaler(found) : NULL;
}

bool controller_has(const struct controller *c, const char *key)
{
	return controller_autoscaler(c, key) != NULL;
}

const struct view_autoscaler *controller_autoscaler(const struct controller *c, const char *key)
{
	const struct view *found = kube_cache_get_key(controller_cache(c, KIND_AUTOSCALER), key);

	return c->leading && found != NULL && is_ours(c, found) ? view_autoscaler(found) : NULL;
}

json_t *controller_explain(const struct controller *c, const char *key)
{
	const struct view_autoscaler *object = controller_autoscaler(c, key);
	const struct view *hpa =
		kube_cache_get_key(controller_cache(c, KIND_HPA), key); /* it has the autoscaler's name */
	const struct evidence *evidence = prober_evidence(c->prober, key);
	json_t *diagnosis;

	if (object == NULL) {
		return NULL;
	}
	diagnosis = diagnosis_make(object);
	json_object_set_new(diagnosis, "values", values_make(evidence, view_hpa(hpa)));
	json_object_set_new(diagnosis, "evidence", evidence != NULL ? evidence_encode(evidence) : json_null());
	return diagnosis;
}

/* Without the right to watch pods, or the adapter's ConfigMap, each autoscaler's chain is broken, and its status has to say
 * so: nothing is to be waited for, and a restart would not bring the right. Without the others, which are cluster-wide or
 * Prometheus', the status says what is not known. */
static bool may_lack(const struct controller *c, enum kind kind)
{
	static const bool kinds_to_lack[KIND_COUNT] = {
		[KIND_POD] = true,
		[KIND_CONFIGMAP] = true,
		[KIND_NAMESPACE] = true,
		[KIND_APISERVICE] = true,
		[KIND_PROMETHEUS] = true,
		[KIND_PROMETHEUSAGENT] = true,
		[KIND_SCALEDOBJECT] = true,
	};

	return kinds_to_lack[kind] && kube_informer_refused(c->informers[kind]);
}

static bool is_ready(const struct controller *c, enum kind kind)
{
	return kube_informer_synced(c->informers[kind]) || may_lack(c, kind);
}

bool controller_finds_adapter(const struct controller *c)
{
	for (int i = 0; i < KIND_COUNT; i++) {
		if (i != KIND_CONFIGMAP && !is_ready(c, (enum kind)i)) {
			return false;
		}
	}
	return true;
}

bool controller_acts(const struct controller *c)
{
	return c->leading && c->synced;
}

bool controller_ready(const struct controller *c)
{
	return controller_finds_adapter(c) && (c->adapter.rests || is_ready(c, KIND_CONFIGMAP));
}

/* That of the adapter's ConfigMap begins after the others, which have to come that far. */
static bool is_begun(const struct controller *c, enum kind kind)
{
	return kind != KIND_CONFIGMAP || c->adapter.configmap != NULL;
}

bool controller_live(const struct controller *c)
{
	int64_t now = clock_monotonic_ms();

	for (int i = 0; i < KIND_COUNT; i++) {
		bool late = now - kube_informer_progress_ms(c->informers[i]) > LIVE_MS;

		if (late && is_begun(c, (enum kind)i) && !may_lack(c, (enum kind)i)) {
			return false;
		}
	}
	return true;
}
