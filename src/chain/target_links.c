/* The links at the target: the spec, the workload and its pods, and who else scales it. */
#include <string.h>

#include "checks.h"
#include "view/core.h"

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
	if (facts->workload.match_labels == NULL && autoscaler_uses_pages(spec) && !facts->workload.direct) {
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
		bool by_hand = facts->target->replicas == 0;

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

static bool is_target(const struct autoscaler *spec, const char *kind, const char *name)
{
	return strcmp(kind, spec->target_kind) == 0 && strcmp(name, spec->target_name) == 0;
}

/* Oldest wins; of the same second, the name that sorts first. */
static bool older(const struct object_meta *other, const struct object_meta *self)
{
	return other->created_ms != self->created_ms ? other->created_ms < self->created_ms
	                                             : strcmp(other->name, self->name) < 0;
}

const struct view_autoscaler *older_owner(const struct facts *facts)
{
	const struct autoscaler *spec = facts->workload.spec;

	for (size_t i = 0; i < facts->autoscalers.count; i++) {
		const struct view_autoscaler *other = view_autoscaler(facts->autoscalers.items[i]);

		if (strcmp(other->view.meta.name, spec->name) != 0 &&
			is_target(spec, other->target_kind, other->target_name) &&
			older(&other->view.meta, &facts->object->view.meta)) {
			return other;
		}
	}
	return NULL;
}

/* KEDA takes a Deployment for granted. */
static const struct view_scaledobject *scaled_object(const struct facts *facts)
{
	for (size_t i = 0; i < facts->scaled_objects.count; i++) {
		const struct view_scaledobject *other = view_scaledobject(facts->scaled_objects.items[i]);
		const char *kind = other->target_kind != NULL ? other->target_kind : "Deployment";

		if (is_target(facts->workload.spec, kind, other->target_name)) {
			return other;
		}
	}
	return NULL;
}

/* One that is not ours. An HPA of a younger autoscaler goes away by itself. */
static const struct view_hpa *foreign_hpa(const struct facts *facts)
{
	const struct autoscaler *spec = facts->workload.spec;

	for (size_t i = 0; i < facts->hpas.count; i++) {
		const struct view_hpa *other = view_hpa(facts->hpas.items[i]);

		if (is_target(spec, other->target_kind, other->target_name) &&
			!meta_owned_by(&other->view.meta, spec->uid) &&
			meta_label(&other->view.meta, LABEL_AUTOSCALER) == NULL) {
			return other;
		}
	}
	return NULL;
}

/* Those that make HPAs, and how each is told not to. */
static const struct hpa_maker {
	const char *kind;
	const char *group; /* of its apiVersion */
	const char *remedy;
} hpa_makers[] = {
	{"InferenceService", "serving.kserve.io/",
		"give it the annotation 'serving.kserve.io/autoscalerClass: external'"},
	{"LLMInferenceService", "serving.kserve.io/",
		"give it the annotation 'serving.kserve.io/autoscalerClass: external'"},
};

static const char *maker_remedy(const struct view_owner *owner)
{
	for (size_t i = 0; i < ARRAY_LEN(hpa_makers); i++) {
		if (strcmp(hpa_makers[i].kind, owner->kind) == 0 &&
			strncmp(hpa_makers[i].group, owner->api_version, strlen(hpa_makers[i].group)) == 0) {
			return hpa_makers[i].remedy;
		}
	}
	return "turn its autoscaling off";
}

/* Who made it would make it again. */
static void say_other_hpa(const struct autoscaler *spec, const struct view_hpa *hpa, struct verdict *verdict)
{
	const struct view_owner *owner = meta_controller(&hpa->view.meta);

	if (owner == NULL) {
		SAY(verdict, VERDICT_FALSE, "OwnedByAnotherHPA",
			"HorizontalPodAutoscaler '%s/%s' scales %s '%s' too: delete it", spec->ns, hpa->view.meta.name,
			spec->target_kind, spec->target_name);
	} else {
		SAY(verdict, VERDICT_FALSE, "OwnedByAnotherHPA",
			"HorizontalPodAutoscaler '%s/%s' of %s '%s' scales %s '%s' too, and comes back when it is deleted: %s",
			spec->ns, hpa->view.meta.name, owner->kind, owner->name, spec->target_kind, spec->target_name,
			maker_remedy(owner));
	}
}

void check_target_owned(const struct facts *facts, struct verdict *verdict)
{
	const struct autoscaler *spec = facts->workload.spec;
	const struct view_autoscaler *owner = older_owner(facts);
	const struct view_scaledobject *scaled = scaled_object(facts);
	const struct view_hpa *hpa = foreign_hpa(facts);

	if (owner != NULL) {
		SAY(verdict, VERDICT_FALSE, "OwnedByAnotherAutoscaler",
			"InferenceAutoscaler '%s/%s' scales %s '%s' already and is older: delete one of the two",
			spec->ns, owner->view.meta.name, spec->target_kind, spec->target_name);
		return;
	}
	/* Before its HPA, which KEDA would make again. */
	if (scaled != NULL) {
		SAY(verdict, VERDICT_FALSE, "OwnedByScaledObject",
			"KEDA's ScaledObject '%s/%s' scales %s '%s' too: delete it", spec->ns, scaled->view.meta.name,
			spec->target_kind, spec->target_name);
		return;
	}
	if (hpa != NULL) {
		say_other_hpa(spec, hpa, verdict);
		return;
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
	if (replicas_fight_goes_on(facts->fight, facts->now_ms)) {
		auto_free char *remedy = replicas_remedy(facts, facts->fight->manager);

		free_indirect(&verdict->message);
		SAY(verdict, VERDICT_FALSE, "ReplicasSetBack",
			"'%s' sets spec.replicas of %s '%s/%s' back each time after the HorizontalPodAutoscaler has changed it: %s",
			facts->fight->manager, spec->target_kind, spec->ns, spec->target_name, remedy);
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
