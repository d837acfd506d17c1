/* The metrics API over a small world: pods on this machine, autoscalers, and requests to it. */
#ifndef TEST_SERVING_RIG_H
#define TEST_SERVING_RIG_H

#include "fake_apiserver.h"
#include "kube_rig.h"
#include "serving/metrics_api.h"

struct serving_rig {
	struct kube_rig kube; /* its server has the pages */
	struct settings settings;
	struct pods *pods;
	struct metrics_api *api;
	const struct view **autoscalers;
	size_t count, cap;
	const struct view **daemonsets;
	size_t daemonsets_count, daemonsets_cap;
	int port;           /* of the pages */
	const char *former; /* the version that somebody had before us, who is the pages' server too; NULL = nobody */
	char *forward_failure; /* that was told; NULL = none */
};

/* A request and what became of it. */
struct serving_asked {
	struct metrics_asker asker;
	int status; /* 0 = it waits */
	char *body;
	int64_t took_ms;
	int64_t begun_ms;
};

void serving_open(struct serving_rig *rig, fake_handler_fn *handler, void *ctx);
void serving_close(struct serving_rig *rig);
/* The autoscaler of Deployment `name`, with more of its spec ("engine: {…}") and its status, both of YAML's flow. */
void serving_add(struct serving_rig *rig, const char *ns, const char *name, const char *spec, const char *status);
/* A pod of Deployment `target`, "TARGET-hash-NUMBER"; `ready` is "True", or "False" of one that was. */
void serving_pod(struct serving_rig *rig, const char *ns, const char *target, int number, const char *ready);
void serving_pod_yaml(struct serving_rig *rig, const char *text);
void serving_daemonset(struct serving_rig *rig, const char *text);
void serving_ask(struct serving_rig *rig, struct serving_asked *asked, const char *target);
/* Runs until it was answered. */
void serving_await(struct serving_rig *rig, struct serving_asked *asked);
/* Asks for the metric of the pods with app=`app` and awaits: "pod=value …", or the code and the message of the Status. Heap. */
char *serving_values(struct serving_rig *rig, const char *ns, const char *app, const char *metric);
/* The same of any target. */
char *serving_get(struct serving_rig *rig, const char *target);

#endif
