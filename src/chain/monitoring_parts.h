/*
 * What the parts of monitoring.c share.
 */
#ifndef CHAIN_MONITORING_PARTS_H
#define CHAIN_MONITORING_PARTS_H

#include "base/strbuf.h"
#include "chain/monitoring.h"
#include "view/selector.h"

/* monitoring_kind.c. Borrowed. */
const struct view_selector *monitoring_selector(const struct monitoring_kind *kind, const struct view *prometheus);
const struct view_selector *monitoring_namespace_selector(const struct monitoring_kind *kind,
	const struct view *prometheus);
/* None when the namespace is not known. */
const struct view_pairs *monitoring_namespace_labels(const struct view_list *namespaces, const char *ns);
/* Whether the Prometheus looks into the object's namespace. */
bool monitoring_covers(const struct monitoring_context *context, const struct monitoring_object *object,
	const struct view *prometheus);

/* monitoring_platform.c: whether this Prometheus may want labels of the object. */
bool monitoring_counts(const struct monitoring_context *context, const struct monitoring_object *object,
	const struct view *prometheus);

/* monitoring_why.c: adds why this Prometheus does not select the object, and what to do. */
void monitoring_explain(struct strbuf *text, const struct monitoring_context *context,
	const struct monitoring_object *object, const struct view *prometheus);

#endif
