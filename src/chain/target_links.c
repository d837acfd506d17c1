/* The links at the target: the spec, the workload and its pods, and who else scales it. */
#include <string.h>

#include "base/json.h"
#include "checks.h"
#include "kube/resource.h"

void check_accepted(const struct facts *facts, struct verdict *verdict)
{
	if (facts->invalid != NULL) {
		SAY(verdict, VERDICT_FALSE, "InvalidSpec", "%s", facts->invalid->message);
		return;
	}
	SAY(verdict, VERDICT_TRUE, "Accepted", "the spec is consistent");
}

/* The reason for a scale that could not be read, by the cause that the probe found. */
static const char *scale_reason(const struct facts *facts)
{
	static const struct cause_reason reasons[] = {
		{CAUSE_NOT_FOUND, "TargetNotFound"},
		{CAUSE_NOT_SCALABLE, "KindNotScalable"},
		{CAUSE_FORBIDDEN, "TargetForbidden"},
		{CAUSE_NONE, NULL},
	};

	return evidence_cause(&evidence_seen(facts)->target.failure, reasons, "TargetNotReadable");
}

/* Of a kind that is not watched the probe finds it, or does not. */
static bool target_is_absent(const struct facts *facts)
{
	return facts->target_watched ? facts->target == NULL
	                             : evidence_seen(facts)->target.failure.cause == CAUSE_NOT_FOUND;
}

void check_target_found(const struct facts *facts, struct verdict *verdict)
{
	const struct autoscaler *spec = facts->workload.spec;
	const struct pods_seen *pods;

	if (target_is_absent(facts) && grace_of_autoscaler(facts)) {
		SAY(verdict, VERDICT_UNKNOWN, REASON_WAITING,
			"%s '%s/%s' does not exist yet: it may come right after this "
			"autoscaler",
			spec->target_kind, spec->ns, spec->target_name);
		return;
	}

	if (!facts->target_watched && evidence_read_target(facts, scale_reason(facts), verdict) == NULL) {
		return;
	}
	if (facts->target == NULL) {
		SAY(verdict, VERDICT_FALSE, "TargetNotFound",
			"%s '%s/%s' does not exist: create it or correct spec.scaleTargetRef", spec->target_kind,
			spec->ns, spec->target_name);
		return;
	}
	if (facts->workload.match_labels == NULL && autoscaler_uses_pages(spec)) {
		SAY(verdict, VERDICT_FALSE, "SelectorNotSupported",
			"%s '%s/%s' selects its pods by matchExpressions, which a Service cannot express: use matchLabels",
			spec->target_kind, spec->ns, spec->target_name);
		return;
	}
	pods = evidence_read_pods(facts, verdict);
	if (pods == NULL) {
		return;
	}
	if (pods->total == 0) {
		bool by_hand = json_path_int(facts->target, "spec.replicas", 1) == 0;

		if (!by_hand && grace_of_target(facts, pods->seen_ms)) {
			SAY(verdict, VERDICT_UNKNOWN, REASON_WAITING,
				"%s '%s/%s' was just made: its first pod is awaited", spec->target_kind, spec->ns,
				spec->target_name);
			return;
		}
		SAY(verdict, VERDICT_FALSE, "NoPods", "%s '%s/%s' has no pods: %s", spec->target_kind, spec->ns,
			spec->target_name,
			by_hand ? "its replicas are 0, set by hand; set them to 1 to resume" : "see its events");
		return;
	}
	SAY(verdict, VERDICT_TRUE, "TargetFound", "%s '%s/%s' has pods", spec->target_kind, spec->ns,
		spec->target_name);
}

static bool scales_target(const json_t *scaler, const struct autoscaler *spec)
{
	return strcmp(json_path_string(scaler, "spec.scaleTargetRef.kind", ""), spec->target_kind) == 0 &&
	       strcmp(json_path_string(scaler, "spec.scaleTargetRef.name", ""), spec->target_name) == 0;
}

/* Oldest wins; of the same second, the name that sorts first. */
static bool older(const json_t *other, const json_t *self)
{
	int order = strcmp(json_path_string(other, "metadata.creationTimestamp", ""),
		json_path_string(self, "metadata.creationTimestamp", ""));

	return order != 0 ? order < 0 : strcmp(kube_object_name(other), kube_object_name(self)) < 0;
}

/* The older autoscaler of the same target, or NULL. */
const json_t *older_owner(const struct facts *facts)
{
	const struct autoscaler *spec = facts->workload.spec;
	size_t i;
	json_t *other;

	json_array_foreach((json_t *)facts->autoscalers, i, other) {
		if (strcmp(kube_object_name(other), spec->name) != 0 && scales_target(other, spec) &&
			older(other, facts->object)) {
			return other;
		}
	}
	return NULL;
}

/* KEDA takes a Deployment for granted. */
static const json_t *scaled_object(const struct facts *facts)
{
	const struct autoscaler *spec = facts->workload.spec;
	size_t i;
	json_t *other;

	json_array_foreach((json_t *)facts->scaled_objects, i, other) {
		if (strcmp(json_path_string(other, "spec.scaleTargetRef.kind", "Deployment"), spec->target_kind) == 0 &&
			strcmp(json_path_string(other, "spec.scaleTargetRef.name", ""), spec->target_name) == 0) {
			return other;
		}
	}
	return NULL;
}

void check_target_owned(const struct facts *facts, struct verdict *verdict)
{
	const struct autoscaler *spec = facts->workload.spec;
	const json_t *owner = older_owner(facts);
	const json_t *scaled = scaled_object(facts);
	size_t i;
	json_t *other;

	if (owner != NULL) {
		SAY(verdict, VERDICT_FALSE, "OwnedByAnotherAutoscaler",
			"InferenceAutoscaler '%s/%s' scales %s '%s' already and is older: delete one of the two",
			spec->ns, kube_object_name(owner), spec->target_kind, spec->target_name);
		return;
	}
	/* Before its HPA, which KEDA would make again. */
	if (scaled != NULL) {
		SAY(verdict, VERDICT_FALSE, "OwnedByScaledObject",
			"KEDA's ScaledObject '%s/%s' scales %s '%s' too: delete it", spec->ns, kube_object_name(scaled),
			spec->target_kind, spec->target_name);
		return;
	}
	json_array_foreach((json_t *)facts->hpas, i, other) {
		/* An HPA of a younger autoscaler goes away by itself. */
		if (scales_target(other, spec) && !kube_object_owned_by(other, spec->uid) &&
			kube_object_label(other, LABEL_AUTOSCALER) == NULL) {
			SAY(verdict, VERDICT_FALSE, "OwnedByAnotherHPA",
				"HorizontalPodAutoscaler '%s/%s' scales %s '%s' too: delete it", spec->ns,
				kube_object_name(other), spec->target_kind, spec->target_name);
			return;
		}
	}
	if (facts->foreign_child != NULL) {
		SAY(verdict, VERDICT_FALSE, "NameTaken",
			"%s exists and is not ours: delete it, or give this autoscaler another name",
			facts->foreign_child);
		return;
	}
	SAY(verdict, VERDICT_TRUE, "Exclusive", "nothing else scales %s '%s/%s'", spec->target_kind, spec->ns,
		spec->target_name);
}

void check_target_exclusive(const struct facts *facts, struct verdict *verdict)
{
	const struct autoscaler *spec = facts->workload.spec;
	const struct texts *foreign = &evidence_seen(facts)->pods.foreign;

	check_target_owned(facts, verdict);
	if (verdict->status != VERDICT_TRUE) {
		return;
	}
	if (foreign->count > 0 && evidence_answers(facts, PART_PODS)) {
		free_indirect(&verdict->message);
		SAY(verdict, VERDICT_FALSE, "SelectorAmbiguous",
			"the selector of %s '%s/%s' also matches pod '%s' of another workload, and the HPA would count it: give "
			"the workloads labels that differ",
			spec->target_kind, spec->ns, spec->target_name, foreign->items[0]);
	}
}
