/* Who else sets the replicas of a target: the words for it, and the lint of who might. */
#include <string.h>
#include <strings.h>

#include "checks.h"
#include "lint.h"

/* Those that deliver manifests, by the names that they have as field managers. */
static const struct deliverer {
	const char *prefix; /* of the manager */
	bool syncs;         /* by itself, again and again */
	const char *remedy;
} deliverers[] = {
	{"argocd", true,
		"take spec.replicas out of the manifest in git, or have the Argo CD Application ignore it (ignoreDifferences with "
		"jsonPointers [/spec/replicas], and the sync option RespectIgnoreDifferences=true)"},
	{"kustomize-controller", true, "take spec.replicas out of the manifest in git that Flux applies"},
	{"helm-controller", true,
		"leave spec.replicas out of what the chart renders, as charts do for HPAs of their own"},
	{"helm", false, "leave spec.replicas out of what the chart renders, as charts do for HPAs of their own"},
	{"kubectl", false, "take spec.replicas out of the manifest that is applied, and stop who runs kubectl scale"},
};

/* NULL when it is none that is known. */
static const struct deliverer *deliverer_of(const char *manager)
{
	for (size_t i = 0; i < ARRAY_LEN(deliverers); i++) {
		if (strncasecmp(manager, deliverers[i].prefix, strlen(deliverers[i].prefix)) == 0) {
			return &deliverers[i];
		}
	}
	return NULL;
}

char *replicas_remedy(const struct facts *facts, const char *manager)
{
	const struct view_owner *owner = facts->target != NULL ? meta_controller(&facts->target->view.meta) : NULL;
	const struct deliverer *deliverer = deliverer_of(manager);

	if (deliverer != NULL) {
		return xstrdup(deliverer->remedy);
	}
	if (owner != NULL) {
		return xasprintf("turn replicas and autoscaling off in %s '%s', which keeps it, or scale that object",
			owner->kind, owner->name);
	}
	return xstrdup(
		"find what runs under this name (kubectl get --show-managed-fields -o yaml), and take spec.replicas "
		"out of what it writes");
}

/* Who applied spec.replicas and does so again at its next sync; NULL when nobody did. */
static const struct deliverer *syncs(const struct view_workload *target)
{
	const struct deliverer *deliverer =
		target->replicas_manager != NULL ? deliverer_of(target->replicas_manager) : NULL;

	return target->replicas_applied && deliverer != NULL && deliverer->syncs ? deliverer : NULL;
}

/* What the HPA has set last stands: who kept it before has let it be. */
enum lint_verdict lint_replicas_kept(const struct facts *facts, struct strbuf *sentence)
{
	const struct autoscaler *spec = facts->workload.spec;
	const struct view_workload *target = facts->target;
	const struct view_owner *owner = target != NULL ? meta_controller(&target->view.meta) : NULL;
	const struct deliverer *deliverer;

	if (target == NULL || replicas_set_by_hpa(target)) {
		return LINT_SILENT;
	}
	deliverer = syncs(target);
	if (deliverer != NULL) {
		strbuf_addf(sentence,
			"'%s' applies spec.replicas of %s '%s/%s', and will set back what the HorizontalPodAutoscaler changes: %s",
			target->replicas_manager, spec->target_kind, spec->ns, spec->target_name, deliverer->remedy);
		return LINT_REPORTED;
	}
	if (owner != NULL) {
		strbuf_addf(sentence,
			"%s '%s' keeps %s '%s/%s': if it sets spec.replicas too, it undoes what the HorizontalPodAutoscaler "
			"does: turn replicas and autoscaling off there, or scale that object",
			owner->kind, owner->name, spec->target_kind, spec->ns, spec->target_name);
		return LINT_REPORTED;
	}
	return LINT_SILENT;
}
