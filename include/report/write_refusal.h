/*
 * Who refused a write, by the API server's words for it: a missing right, an admission policy or webhook, a quota and the
 * like, all of which it answers with 403 and most with "is forbidden".
 */
#ifndef REPORT_WRITE_REFUSAL_H
#define REPORT_WRITE_REFUSAL_H

#include "base/error.h"

enum write_refusal {
	WRITE_FAILED_OTHERWISE,
	WRITE_LACKS_RIGHT, /* RBAC: the operator's roles do not say it */
	/* More rights change nothing of these: */
	WRITE_DENIED,        /* by somebody's policy or webhook */
	WRITE_OVER_QUOTA,    /* by a ResourceQuota */
	WRITE_OVER_LIMIT,    /* by a LimitRange */
	WRITE_NAMESPACE_ENDS /* the namespace is being deleted */
};

enum write_refusal write_refusal_of(const char *failure);
/* What to do about it, as the end of a sentence; "" of what was not refused. */
const char *write_refusal_remedy(const struct error *failure);

#endif
