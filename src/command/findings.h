/*
 * What there is to clean up: the registration of our metrics API, the adapter's objects and what leads to them, ours, and
 * the autoscalers, which the shared part is not shown. Private to src/command.
 */
#ifndef COMMAND_FINDINGS_H
#define COMMAND_FINDINGS_H

#include <jansson.h>

#include "api/kinds.h"
#include "command/options.h"
#include "command/session.h"
#include "evidence/survey.h"

/* Empty is all NULL. */
struct findings {
	json_t *document; /* a world of what the shared pass may see (reconcile/world.h) */
	json_t *autoscalers;
	struct adapter_survey *adapter; /* where that is */
};

/* What autoscalers make. */
extern const enum kind findings_made[];
extern const size_t findings_made_count;

/* Begins: with the registration of our metrics API, and the certificates that it is made with. */
int findings_read_metrics_api(struct findings *found, struct session *session, const struct options *options,
	struct error *err);
/* Then all else. */
int findings_read_rest(struct findings *found, struct session *session, const struct settings *settings,
	struct error *err);
void findings_release(struct findings *found);
#define auto_findings ATTR_CLEANUP(findings_release) struct findings

#endif
