/*
 * The pods of DCGM exporters that are read for an autoscaler's GPUs, and whom of them is believed about what: as
 * engine/gpu.h has it, whoever can run pods can serve an exporter's page.
 *
 * Believed about any pod is an exporter in a namespace of the platform's or of the settings' list; with neither, the DaemonSet
 * that looks like one and is the oldest. About the pods of its own namespace any exporter is believed. Private to
 * src/serving.
 */
#ifndef SERVING_GPU_SOURCE_H
#define SERVING_GPU_SOURCE_H

#include <stdint.h>

#include "base/attr.h"
#include "pods/pods.h"
#include "serving/metrics_api.h"

/* A pod is looked for on the pages of so many exporters of its node. */
#define GPU_SOURCE_PER_NODE 2

struct gpu_exporter_pod {
	const struct view_pod *pod;
	int64_t port;
};

/* All zeros is empty. Those that are believed about any pod come first. */
struct gpu_source {
	struct pod_list lists[8]; /* that hold the references */
	size_t lists_count;
	struct gpu_exporter_pod *items;
	size_t count;
	size_t cap;
};

/* Those that may speak of the autoscaler's pods. Always to be released. */
void gpu_source_find(const struct metrics_api_hooks *hooks, const struct pods *pods,
	const struct view_autoscaler *autoscaler, struct gpu_source *source);
/* Up to GPU_SOURCE_PER_NODE of them that run on the node (NULL = nowhere); returns how many. */
size_t gpu_source_on(const struct gpu_source *source, const char *node, const struct gpu_exporter_pod **found);
void gpu_source_release(struct gpu_source *source);
#define auto_gpu_source ATTR_CLEANUP(gpu_source_release) struct gpu_source

#endif
