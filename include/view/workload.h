/*
 * What is read of a Deployment, a StatefulSet and a DaemonSet.
 */
#ifndef VIEW_WORKLOAD_H
#define VIEW_WORKLOAD_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "view/selector.h"
#include "view/view.h"

struct view_port {
	const char *name;     /* "" = not given */
	const char *protocol; /* "TCP" when not given */
	int64_t number;       /* 0 = not given */
};

struct view_container {
	const char *name; /* "" = not given */
	/* Words that are no texts are NULL. */
	const char *const *command;
	const char *const *args;
	struct view_pairs env; /* what view_env_is_read() names or a word refers to; only values of the template */
	const struct view_port *ports;
	uint32_t command_count;
	uint32_t args_count;
	uint32_t ports_count;
};

/* What prometheus-adapter reads its rules from, as its pod template tells. */
struct view_config {
	const char *configmap; /* NULL = the file is of no ConfigMap, or that cannot be told */
	const char *key;       /* in the ConfigMap or the Secret; NULL = not told */
	const char *secret;    /* of which the file is instead; NULL = of none */
	bool certain;          /* by --config and the mounts; else it is the only ConfigMap among the volumes */
};

struct view_workload {
	struct view view;
	int64_t replicas; /* spec.replicas; -1 = not given, which the API server takes for 1 */
	struct view_selector selector;
	const struct view_container *containers;
	const struct view_config *config; /* NULL = no container has flags of prometheus-adapter */
	struct view_pairs template_labels;
	struct view_pairs template_annotations; /* those of ours */
	int64_t grace_period_s;                 /* terminationGracePeriodSeconds; -1 = not given */
	/* What its containers request of NVIDIA's device plugin, "nvidia.com/gpu" say; NULL = nothing. Of several the one that
	 * the DCGM exporter knows by itself. */
	const char *gpu_resource;
	/* Who set spec.replicas last, by metadata.managedFields, and by which subresource ("scale"; "" = none); NULL = that is
	 * not reported. */
	const char *replicas_manager;
	const char *replicas_subresource;
	bool replicas_applied; /* from a manifest that has them, as tools do that deliver what is in git */
	/* Of the status; 0 = not given. */
	int64_t observed_generation;
	int64_t current_replicas;
	int64_t updated_replicas;
	int64_t available_replicas;
	int64_t ready_pods; /* numberReady of a DaemonSet */
	/* Of the condition Progressing; NULL = not given. */
	const char *progressing;
	const char *progressing_reason;
	int64_t progressed_ms; /* its lastUpdateTime, wall; 0 = not given */
	uint32_t containers_count;
	bool paused;
	bool claims; /* the pods have resourceClaims */
};

extern const struct view_type view_workload_type;

static inline const struct view_workload *view_workload(const struct view *view)
{
	assert(view == NULL || view->type == &view_workload_type);
	return (const struct view_workload *)view;
}

/* The value of "--name=value" or "--name value" on the container's command line: of the arguments, else of the command;
 * of the last one there, as programs take it. Borrowed; NULL when there is none. In the words '_' is taken for '-', as
 * some programs do; `flag` has dashes. A script in one word ("sh", "-c", "…") is not read. */
const char *view_container_flag(const struct view_container *container, const char *flag);
/* The same, where the value is "$(NAME)" what the environment says, as the kubelet does it. */
const char *view_container_value(const struct view_container *container, const char *flag);
/* Whether the DCGM exporter knows by itself that this resource is a GPU, or an instance of one. */
bool view_gpu_is_usual(const char *resource);
/* Whether an engine takes a variable of this name for one of its flags that is read here. */
bool view_env_is_read(const char *name);

#endif
