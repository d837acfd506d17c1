/* The table of what is broken but is tried again, or comes back, without anybody changing the resource. */
#include "report/kstatus.h"

#include <string.h>

#include "base/memory.h"

/* Each is a server that does not answer now, or one that is being started. Who waits for the resource goes on waiting. */
static const char *const mends_itself[] = {
	"APIServiceUnavailable",
	"ExporterNotReady",
	"PodsNotReadable",
	"PrometheusNotReachable",
	"TargetNotReadable",
	"WriteFailed",
};

static bool may_mend_itself(const char *reason)
{
	for (size_t i = 0; i < ARRAY_LEN(mends_itself); i++) {
		if (strcmp(mends_itself[i], reason) == 0) {
			return true;
		}
	}
	return false;
}

const char *kstatus_condition(const struct verdict *ready)
{
	if (ready->status == VERDICT_TRUE) {
		return NULL;
	}
	return ready->status == VERDICT_FALSE && !may_mend_itself(ready->reason) ? CONDITION_STALLED
	                                                                         : CONDITION_RECONCILING;
}
