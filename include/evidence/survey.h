/*
 * What the shared pass found of the parts that autoscalers share: of the adapter, and of the GPU chain.
 *
 * The autoscalers' links are checked from it. A time is in ms of the wall; of something that was made 0 = it is to be made,
 * -1 = that failed, or is not known.
 */
#ifndef EVIDENCE_SURVEY_H
#define EVIDENCE_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/shape.h"

/* Where prometheus-adapter is, and what its Deployment says. */
struct adapter_survey {
	char *ns; /* these four as struct adapter_names of api/settings.h; NULL = not looked for yet */
	char *deployment;
	char *configmap;
	char *key;
	char *url;        /* of the Prometheus that it asks; NULL = not given */
	char *prometheus; /* "ns/name" of the resource that this leads to; NULL = that cannot be told: it may be a Thanos, or
	                   * outside the cluster */
	bool nowhere;     /* it names a Service that does not exist */
	char *relist;     /* "10m", when that is longer than a minute; else NULL */
	int64_t replicas; /* -1 = there is no Deployment */
	int64_t since_ms; /* its last rollout ended then; -1 = not told */
};

/* An exporter that autoscalers ask for. */
struct exporter_survey {
	char *id;             /* gpu_exporter_id() in reconcile/gpu.h */
	char *problem;        /* why there is none: then nothing else is said; NULL = it was found */
	char *service;        /* "ns/name" */
	char *job;            /* of its scrape */
	int64_t ready;        /* pods; -1 = not known */
	char *others;         /* what could be meant as well; NULL = nothing */
	char *local;          /* its namespace when it is believed about that alone; else NULL */
	char *monitor;        /* who scrapes it, in words; NULL = nobody yet */
	int64_t since_ms;     /* that was made */
	char *pool;           /* its scrape pool when it is ours; else NULL */
	char *selected_by;    /* "ns/name" of the Prometheus that scrapes it; NULL = none would */
	char *select_problem; /* why */
	/* "ns/name" of the ServiceMonitor, when the Prometheus gives its namespace to what is the exporter's or its pods'; else
	 * NULL. */
	char *enforced;
	bool out_of_reach; /* the Prometheus keeps our ServiceMonitor to its own namespace, where the exporter is not */
};

/* The recording rule. */
struct rule_survey {
	char *problem; /* why there is none; NULL = there is, or will be */
	char *name;    /* "ns/name" */
	char *selected_by;
	int64_t since_ms; /* it was made, or mended last */
	bool enforced;    /* the Prometheus has it read and record one namespace alone */
};

struct gpu_survey {
	struct LIST_OF(struct exporter_survey) exporters;
	struct rule_survey rule;
	bool scraped;            /* somebody's figures come over Prometheus: else there is neither scrape nor rule */
	char *prometheus;        /* "ns/name" of the one that scrapes; NULL when none does */
	int64_t shards;          /* of that one, while it is asked itself; 0 = not known */
	struct texts namespaces; /* of the exporters that are believed about all pods */
	char *trusted;           /* the PromQL of the targets that are believed about all pods (engine/gpu.h) */
	char *own;               /* of those that are believed about their own namespace; NULL = none is */
};

extern const struct shape shape_adapter_survey, shape_exporter_survey, shape_gpu_survey;

/* Empty; the caller frees it. To free NULL is allowed. */
struct adapter_survey *adapter_survey_new(void);
void adapter_survey_free(struct adapter_survey *survey);
struct gpu_survey *gpu_survey_new(void);
void gpu_survey_free(struct gpu_survey *survey);
/* NULL is allowed, and equals NULL alone. */
bool adapter_survey_equal(const struct adapter_survey *one, const struct adapter_survey *other);
bool gpu_survey_equal(const struct gpu_survey *one, const struct gpu_survey *other);
/* The exporter of this id; NULL when it was not surveyed, or nothing was. */
const struct exporter_survey *gpu_survey_exporter(const struct gpu_survey *survey, const char *id);

#endif
