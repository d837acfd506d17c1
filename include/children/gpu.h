/*
 * The objects behind the GPU signal, made once for all autoscalers: a ServiceMonitor for the DCGM
 * exporter and a Service for it where it has none, and the PrometheusRule that records the signal.
 *
 * They have no owner, since no single autoscaler is theirs: the label LABEL_SHARED tells that they
 * are ours, and the shared pass removes what no autoscaler needs any more.
 */
#ifndef CHILDREN_GPU_H
#define CHILDREN_GPU_H

#include <jansson.h>

#include "children/child.h"

#define GPU_OBJECT_NAME "inference-autoscaler-gpu"

extern const struct child_form gpu_service_form;
extern const struct child_form gpu_monitor_form;
extern const struct child_form gpu_rule_form;

/* All return a new reference; `labels` (may be NULL) are those that a Prometheus wants. */

/* For the pods of an exporter's DaemonSet: its pod labels, and the port that serves the metrics by
 * the container's name for it. */
json_t *gpu_service_make(const char *ns, const json_t *pod_labels, const char *container_port);
/* Scrapes the Service of this metadata, at its port of this name; named after it, since each exporter has one. Of one that
 * is a tenant's (`local`) the series are kept that the rule reads, with the limits of an engine's page (engine/kept.h); the
 * platform's may have more, for its dashboards. */
json_t *gpu_monitor_make(const char *ns, const struct object_meta *service, const char *port, const json_t *labels,
	const char *interval, bool local);
/* `exporters` ("ns/name" of their Services, in order) are those in `namespaces`, which are believed (engine/gpu.h); the
 * rule bears them as ANNOTATION_EXPORTERS. */
json_t *gpu_rule_make(const char *ns, const json_t *labels, const json_t *exporters, const json_t *namespaces);

#endif
