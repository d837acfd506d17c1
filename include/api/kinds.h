/*
 * Every resource type this operator reads or writes, in one table.
 *
 * Each kind is watched into a cache.
 */
#ifndef API_KINDS_H
#define API_KINDS_H

#include <stdbool.h>

#include "kube/resource.h"

enum kind {
	KIND_AUTOSCALER,
	KIND_DEPLOYMENT,
	KIND_STATEFULSET,
	KIND_DAEMONSET, /* where GPU exporters run */
	KIND_POD,       /* those that did not end */
	KIND_HPA,
	KIND_SERVICE,
	KIND_SERVICEMONITOR,
	KIND_PROMETHEUSRULE,
	KIND_PROMETHEUS,
	KIND_PROMETHEUSAGENT, /* scrapes and sends on, but answers nothing and has no rules */
	KIND_NAMESPACE,
	KIND_APISERVICE,   /* of the custom metrics API, and all others, which are few and change rarely */
	KIND_SCALEDOBJECT, /* KEDA's, which scales too */
	KIND_CONFIGMAP,    /* the adapter's, no other */
	KIND_COUNT
};

struct kind_info {
	struct kube_resource resource;
	const char *fields; /* only those that this field selector matches; NULL = all */
	bool beside;        /* it is read beside autoscalers only, and not where what they share is */
};

extern const struct kind_info kinds[KIND_COUNT];

/* KIND_COUNT when there is none. */
enum kind kind_by_name(const char *api_version, const char *kind);

/* The registrations of the custom metrics API: it has two versions. An adapter usually has the first one; the HPA
 * controller asks the one of the higher priority. */
#define APISERVICE_V1BETA1 "v1beta1.custom.metrics.k8s.io"
#define APISERVICE_V1BETA2 "v1beta2.custom.metrics.k8s.io"
#define APISERVICES 2
extern const char *const apiservices[APISERVICES]; /* both, in this order */

/* Labels and annotations of ours. */
#define LABEL_AUTOSCALER "inference-autoscaler.io/autoscaler"
#define LABEL_MANAGED_BY "app.kubernetes.io/managed-by"
#define MANAGED_BY "inference-autoscaler"
/* On an object that has no owner: of a child outside its autoscaler's namespace the autoscaler's
 * namespace, of one that autoscalers share its purpose. */
#define LABEL_AUTOSCALER_NAMESPACE "inference-autoscaler.io/autoscaler-namespace"
#define LABEL_SHARED "inference-autoscaler.io/shared"
#define SHARED_GPU "gpu"
/* On a child: the hash of what we applied last. A field that we no longer want looks like somebody
 * else's on the object alone; a changed hash tells that it has to be applied away. */
#define ANNOTATION_APPLIED "inference-autoscaler.io/applied"
/* On the recording rule of the GPUs: "ns/name" of the exporters' Services, separated by commas. It is what is
 * remembered of them: the one that was found first stays. */
#define ANNOTATION_EXPORTERS "inference-autoscaler.io/exporters"
/* On the adapter's ConfigMap: the revision of our rules, which its Deployment's pod template carries too;
 * the metrics whose rules these are; since when some of them are needed by nobody. */
#define ANNOTATION_ADAPTER_RULES "inference-autoscaler.io/adapter-rules"
/* On an APIService that we made: "ns/name" of the Service that it is for. One that leads elsewhere was taken over. */
#define ANNOTATION_METRICS_SERVICE "inference-autoscaler.io/metrics-service"
/* Of an APIService that was taken over: what it was before, as JSON; "{}" = there was none. */
#define ANNOTATION_FORMER "inference-autoscaler.io/former"
#define FIELD_MANAGER "inference-autoscaler"

#endif
