/*
 * The GPU signal: what NVIDIA's DCGM exporter says of the GPUs that a pod holds.
 *
 * The pods do not serve it themselves. One exporter per node does, with the workload as labels, so
 * a recording rule turns its series into one per pod, and the adapter serves those.
 *
 * What the value is: percent, the average over the pod's GPUs. What it is not:
 * - Two pods that share a GPU by time-slicing or MPS both get the value of the whole GPU; DCGM
 *   knows no other (and names only one of them unless the exporter runs with
 *   KUBERNETES_VIRTUAL_GPUS).
 * - On a MIG instance it is the share of time in which the instance's engine is busy; one compute
 *   instance that does not fill its GPU instance tops out below 100 (NVIDIA/DCGM#138).
 * - A GPU without a pod has no value.
 */
#ifndef ENGINE_GPU_H
#define ENGINE_GPU_H

#include <jansson.h>
#include <stddef.h>

#include "engine/presets.h"

/* The recorded series; it has exactly the labels namespace and pod, the workload's. */
#define GPU_RECORD "inference_autoscaler:gpu_utilization:percent"

/* spec.gpu.signal Utilization. */
extern const struct engine_signal gpu_utilization;

/*
 * Whom is believed. Any page may serve the exporter's series and name any pod. What no page can say is which target
 * it is: `up` is Prometheus' own, and bears the target's labels alone. A series counts when the target that it came
 * from (by job and instance, which even honorLabels leaves to an exporter, since that says nothing of its own there)
 * - is in a namespace of an exporter; not by the Service's name or the job, since whoever scrapes the exporter may
 *   choose those, and they are not known before the first scrape; or has no namespace, so that a scrape
 *   configuration names it, which is the platform's to write;
 * - or is in the very namespace of the pod that it speaks of: that is its tenant's own affair.
 */

/* The PromQL of the first kind's `up`; `namespaces` is an array of names, in order. Heap, caller owns. */
char *gpu_targets(const json_t *namespaces);
/* The PromQL that is recorded as GPU_RECORD; `targets` are of gpu_targets(). Heap, caller owns. */
char *gpu_record_expr(const char *targets);
/* The PromQL of the pods that hold a share of a GPU, of time-slicing or MPS: there only where the exporter runs with
 * KUBERNETES_VIRTUAL_GPUS, which gives those series the label vgpu. Heap, caller owns. */
char *gpu_shared_expr(const char *targets);
/* The exporter's series that it reads, any of which proves that it is scraped; ended by NULL. */
extern const char *const gpu_dcgm_series[];

/* How an exporter is recognised. In all of them the container's port is named "metrics". */
struct gpu_exporter {
	const char *type;      /* spec.gpu.exporter.type */
	const char *namespace; /* where it always runs; NULL is anywhere */
	const char *label;     /* of its Service and of its DaemonSet's pods alike */
	const char *value;
	const char *port_name; /* of its Service */
};

/* In the order in which Auto looks for them; a type may have several rows. */
extern const struct gpu_exporter gpu_exporters[];
extern const size_t gpu_exporters_count;
/* Where they usually run, in no tenant's namespace; ended by NULL. */
extern const char *const gpu_exporter_namespaces[];
bool gpu_is_exporters_namespace(const char *ns);

#endif
