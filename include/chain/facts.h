/*
 * What is known about one autoscaler at one moment: the links' predicates read this and nothing else.
 *
 * Evidence answers the probe request that it names. What answers another question than today's (the spec changed since)
 * counts as not probed. All of it is borrowed: views do not outlive the pass.
 */
#ifndef CHAIN_FACTS_H
#define CHAIN_FACTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/settings.h"
#include "chain/replicas_fight.h"
#include "children/child.h"
#include "evidence/evidence.h"
#include "evidence/survey.h"
#include "view/autoscaler.h"
#include "view/hpa.h"
#include "view/monitoring.h"
#include "view/service.h"
#include "view/workload.h"

enum adapter_state {
	ADAPTER_UNKNOWN, /* not read yet */
	ADAPTER_LOADED,  /* the running adapter has our rules */
	ADAPTER_ROLLING, /* on its way */
	ADAPTER_BROKEN   /* adapter_message says why */
};

struct facts {
	struct workload workload;
	const struct settings *settings;
	int64_t now_ms; /* wall */
	const struct view_autoscaler *object;
	const struct evidence *evidence;     /* what its probe saw last; NULL = none yet */
	const struct probe_request *request; /* what would be asked now; NULL = nothing */

	const struct error *invalid;        /* why the spec was refused; NULL = accepted */
	const struct view_workload *target; /* NULL = absent */
	bool target_watched;                /* its kind is one we watch; any other is read by its scale subresource */
	bool port_known;

	/* Of the namespace, those whose target has our target's name. */
	struct view_list hpas;
	struct view_list scaled_objects; /* KEDA's */
	struct view_list autoscalers;
	const struct view_hpa *hpa;         /* ours; NULL while there is none */
	const struct replicas_fight *fight; /* with it, over the target's replicas; NULL = none was seen */
	const char *foreign_child; /* "Kind 'ns/name'" that stands where a child of ours belongs; NULL = none */

	bool fallback;             /* spec.fallback is in force: found from the links, after all else */
	const char *reverted;      /* which child somebody changes back, and what to do; NULL = none */
	const char *write_problem; /* why the last write failed; NULL when it did not */

	bool prometheus_missing;                  /* prometheus-operator's types are not installed */
	bool prometheus_absent;                   /* there is no Prometheus resource, and no PrometheusAgent */
	const struct view_prometheus *prometheus; /* the resource that selects us; NULL = none */
	const char *selected_by;    /* "ns/name" of a Prometheus that selects our ServiceMonitor; NULL = none */
	const char *agent;          /* the same of a PrometheusAgent, while no Prometheus does; NULL = none */
	const char *select_problem; /* why no Prometheus does; NULL when one does */
	const char *select_unread;  /* what is not read that would tell; NULL = all is */
	const char *monitor;        /* "ns/name" of our ServiceMonitor */
	int64_t monitor_made_ms;    /* wall; 0 = it is to be made, -1 = not known */

	const struct gpu_survey *gpu;         /* what the shared pass found; NULL = nothing yet */
	const struct shared_evidence *shared; /* what was seen of what autoscalers share; NULL = nothing yet */
	const char *exporter_id;              /* this autoscaler's exporter among gpu's */

	struct adapter_names adapter_names;
	enum adapter_state adapter;
	const char *adapter_reason;      /* CamelCase, when broken */
	const char *adapter_message;     /* when broken */
	const json_t *adapter_conflicts; /* metric whose rule was left out → why; NULL = none */
	bool adapter_awaited;            /* our rules are not there, and another operator is to write them */
	const struct adapter_survey *adapter_survey; /* what it says of itself; NULL = nothing yet */

	/* Of the metrics API that is to serve, the adapter's or our own. */
	const char *
		api_reason; /* CamelCase: why it cannot serve, REASON_WAITING while it is about to; NULL = nothing against it */
	const char *api_message;
	bool api_away; /* of api_reason: only that nothing answers behind the registration now, as while it restarts */
	int64_t api_since_ms; /* wall: since when the API server finds it available, or not; -1 = not known */
	const struct view_service *api_service; /* the Service of our own; NULL = there is none */
	int64_t hpa_period_s; /* of our own: once in so many seconds, or more seldom, it is read; 0 = not known */
};

#endif
