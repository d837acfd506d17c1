/* The bridge to the probes while they speak JSON. */
#include "evidence_bridge.h"

#include "base/clock.h"
#include "base/json.h"

/* Of a GPU the probe writes how much of it is the pod's, and only when it is others' too. */
static void decode_shared_gpus(struct evidence *evidence, const json_t *document)
{
	for (size_t i = 0; i < evidence->signals.count; i++) {
		struct signal_seen *signal = &evidence->signals.items[i];
		const json_t *samples = json_path(json_object_get(json_object_get(document, "signals"), signal->metric),
			"series.samples");

		for (size_t s = 0; s < signal->series.samples.count; s++) {
			struct sample *sample = &signal->series.samples.items[s];

			sample->shared = json_object_get(json_object_get(samples, sample->pod), "shared") != NULL;
		}
	}
}

void bridge_set_evidence(struct pass *pass, const json_t *document)
{
	evidence_free(pass->evidence);
	shared_evidence_free(pass->shared);
	pass->evidence = NULL;
	pass->shared = NULL;
	if (document != NULL && pass->counts) {
		pass->evidence = evidence_decode(document, clock_wall_ms());
		decode_shared_gpus(pass->evidence, document);
	} else if (document != NULL) {
		pass->shared = shared_evidence_decode(document, clock_wall_ms());
	}
}

const struct evidence *bridge_evidence(const struct controller *c, const char *key)
{
	const struct pass *pass = map_get(&c->passes, key);

	return pass != NULL && prober_evidence(c->prober, key) != NULL ? pass->evidence : NULL;
}

json_t *bridge_request(const struct plan *plan)
{
	if (plan->probe != NULL) {
		return probe_request_encode(plan->probe);
	}
	return plan->shared_probe != NULL ? shared_request_encode(plan->shared_probe) : NULL;
}
