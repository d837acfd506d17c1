/*
 * `vllm-standin dcgm`: the page of NVIDIA's dcgm-exporter 4.5 for a node that has no GPU.
 *
 * Families, help, type, labels and the way numbers are written are those of its default counters
 * (etc/default-counters.csv, internal/pkg/rendermetrics); of the families it has those that tell of
 * load. Which pod holds which GPU is told by whoever runs it, as an assignment:
 *
 *   [{"namespace": "shop", "pod": "a", "container": "server", "gpus": [{"util": 87}, {"util": 3}]}]
 *
 * util is percent; null is a GPU of which DCGM says nothing. Two GPUs with the same "uuid" are one,
 * shared by time-slicing; "vgpu" is the number of the share, which is told with
 * --kubernetes-virtual-gpus only.
 */
#ifndef STANDIN_DCGM_H
#define STANDIN_DCGM_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/strbuf.h"

struct dcgm_options {
	const char *listen;   /* HOST:PORT */
	const char *hostname; /* of the node, on the page */
	int gpus;             /* on the node at least; those that no pod holds are idle */
	const char *mig;      /* the profile of the instances that a GPU is split into; NULL is none */
	bool no_pods;         /* who holds a GPU is not on the page, as without the kubelet's socket */
	json_t *assignment;   /* at the start; borrowed */
};

int dcgm_check(const json_t *assignment, struct error *err);
void dcgm_page(struct strbuf *page, const struct dcgm_options *options, const json_t *assignment);

/* Serves /metrics, /health and /standin until SIGTERM or SIGINT; the exit code. */
int dcgm_serve(const struct dcgm_options *options);

#endif
