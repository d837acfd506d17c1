/* Telling who refused a write. */
#include "report/write_refusal.h"

#include <stddef.h>
#include <string.h>

#include "base/memory.h"

/* Words of Kubernetes: k8s.io/apiserver, authorization/…/rbac (responsewriters.Forbidden), admission/plugin/webhook,
 * admission/plugin/policy/validating, …/resourcequota, …/namespace/lifecycle; plugin/pkg/admission/limitranger. The first
 * that is there counts: what follows it may quote anything. */
static const struct {
	const char *words;
	enum write_refusal refusal;
} phrases[] = {
	{" is forbidden: User \"", WRITE_LACKS_RIGHT},
	{"admission webhook \"", WRITE_DENIED},
	{" is forbidden: ValidatingAdmissionPolicy '", WRITE_DENIED},
	{" denied the request", WRITE_DENIED},
	{" denied request", WRITE_DENIED},
	{" is forbidden: exceeded quota: ", WRITE_OVER_QUOTA},
	{" is forbidden: failed quota: ", WRITE_OVER_QUOTA},
	{" is forbidden: status unknown for quota: ", WRITE_OVER_QUOTA},
	{" is forbidden: insufficient quota to ", WRITE_OVER_QUOTA},
	{" is forbidden: unable to create new content in namespace ", WRITE_NAMESPACE_ENDS},
	{" usage per ", WRITE_OVER_LIMIT},
	{" max limit to request ratio per ", WRITE_OVER_LIMIT},
};

static const char *const remedies[] = {
	[WRITE_FAILED_OTHERWISE] = "",
	[WRITE_LACKS_RIGHT] = "; give the operator this right, by the chart's roles",
	[WRITE_DENIED] =
		"; a policy or a webhook of this cluster refuses it: have it allow the operator's ServiceAccount this "
		"write",
	[WRITE_OVER_QUOTA] =
		"; a ResourceQuota of the namespace leaves no room for it: raise that, or delete something else "
		"that it counts",
	[WRITE_OVER_LIMIT] =
		"; a LimitRange of the namespace does not let it: change that, or what it says is too small or too "
		"large",
	[WRITE_NAMESPACE_ENDS] =
		"; the namespace is being deleted, and what is in it goes with it: nothing is to be done but "
		"to wait, or to find out which finalizer holds it",
};

enum write_refusal write_refusal_of(const char *failure)
{
	enum write_refusal refusal = WRITE_FAILED_OTHERWISE;
	const char *first = NULL;

	for (size_t i = 0; i < ARRAY_LEN(phrases); i++) {
		const char *at = strstr(failure, phrases[i].words);

		if (at != NULL && (first == NULL || at < first)) {
			first = at;
			refusal = phrases[i].refusal;
		}
	}
	return refusal;
}

const char *write_refusal_remedy(const struct error *failure)
{
	enum write_refusal refusal = write_refusal_of(failure->message);

	/* A webhook may answer with any code. */
	if (failure->kind != ERROR_FORBIDDEN) {
		return refusal == WRITE_DENIED ? remedies[refusal] : "";
	}
	/* Such as an owner that may not be set: that needs a right as well. */
	return remedies[refusal != WRITE_FAILED_OTHERWISE ? refusal : WRITE_LACKS_RIGHT];
}
