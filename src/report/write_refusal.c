/* Telling who refused a write. */
#include "report/write_refusal.h"

#include <stddef.h>
#include <string.h>

#include "base/memory.h"

/* Words of Kubernetes: k8s.io/apiserver, authorization/…/rbac (responsewriters.Forbidden), admission/plugin/webhook,
 * admission/plugin/policy/validating. The first that is there counts: what follows it may quote anything. */
static const struct {
	const char *words;
	enum write_refusal refusal;
} phrases[] = {
	{" is forbidden: User \"", WRITE_LACKS_RIGHT},
	{"admission webhook \"", WRITE_DENIED},
	{" is forbidden: ValidatingAdmissionPolicy '", WRITE_DENIED},
	{" denied the request", WRITE_DENIED},
	{" denied request", WRITE_DENIED},
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
	/* A webhook may answer with any code. */
	if (write_refusal_of(failure->message) == WRITE_DENIED) {
		return "; a policy or a webhook of this cluster refuses it: have it allow the operator's ServiceAccount this "
		       "write";
	}
	return failure->kind == ERROR_FORBIDDEN ? "; give the operator this right, by the chart's roles" : "";
}
