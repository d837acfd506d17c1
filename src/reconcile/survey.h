/*
 * A survey of the GPU chain under way: what it reads, and what it asks for. Private to gpu.c and its parts.
 */
#ifndef RECONCILE_SURVEY_H
#define RECONCILE_SURVEY_H

#include <jansson.h>
#include <stdbool.h>

#include "api/autoscaler.h"
#include "base/strbuf.h"
#include "chain/monitoring.h"
#include "evidence/survey.h"
#include "reconcile/gpu.h"
#include "reconcile/plan.h"
#include "reconcile/world.h"
#include "view/service.h"
#include "view/workload.h"

/* What a survey reads and gathers. */
struct survey {
	const struct world *world;
	struct view_list services;
	struct view_list daemonsets;
	struct view_list monitors;
	struct view_list prometheuses;
	struct view_list namespaces;
	char *prometheus_asked;               /* "ns/name" of the Prometheus whose answers count; NULL = not known */
	struct monitoring_context monitoring; /* of the above */
	struct gpu_memory *memory;
	struct texts scraped;  /* what is to be remembered so (struct gpu_memory) */
	json_t *taken;         /* "ns/name" of the Services of the exporters that were taken before */
	json_t *wanted;        /* the objects of ours, in the order of writing */
	struct view_list made; /* Services among them, as they will be; owned references */
	json_t *trusted;       /* "ns/name" → ns, of the Services of the exporters that are believed about all pods */
	json_t *asked;         /* ns → true: where the exporters are that somebody asks for */
	char *chosen;          /* "ns/name" of the Service of the exporter that Auto means; "" when there is none */
	const char *own_ns;    /* whose autoscalers' exporters are at hand; borrowed */
	size_t own_count;      /* how many of these they describe so far */
	char *problem;         /* of the exporter at hand */
	bool scraped_elsewhere; /* of an exporter's series some have not the label that is enforced on our rule */
	/* What bears an exporter's label too, and is not the one at hand. */
	struct strbuf others;
	size_t others_count;
};

/* The exporter at hand: its Service and the name of the port. Borrowed. */
struct found_exporter {
	const struct view_service *service; /* may be one of ours that does not exist yet */
	const char *port;
};

/* An object that autoscalers share, so one of ours. */
bool survey_is_shared(const struct view *object);
/* NULL is any. */
bool survey_in_namespace(const struct view *object, const char *ns);
/* Namespaces in which a tenant makes nothing (monitoring_is_platforms()). */
bool survey_is_platforms(const struct survey *s, const char *ns);
/* Where an object of ours may stand that all share: in one of these, or beside a Prometheus that may be the platform's. */
bool survey_may_place(const struct survey *s, const char *ns);
/* Whether no Prometheus resource tells what is scraped, and what prometheus.url answers does. */
bool survey_without_resource(const struct survey *s);
/* Whether the exporter with this Service was the one in a pass before. */
bool survey_was_taken(const struct survey *s, const char *ns, const char *service);
/* Whether an object of this kind and name is wanted. */
bool survey_wants(const struct survey *s, enum kind kind, const char *ns, const char *name);
/* Asks for an object of ours, once. Takes the reference. */
void survey_want(struct survey *s, json_t *object_take);
/* The same for a Service; as it will be, borrowed. */
const struct view_service *survey_want_service(struct survey *s, json_t *service_take);
/* Our object of this name, wherever it may stand: a tenant's is none. Borrowed, NULL when it is to be made. */
const struct view *survey_our_object(const struct survey *s, enum kind kind, const char *name);
/* When this object was made, as a survey has it. */
int64_t survey_since(const struct survey *s, enum kind kind, const char *ns, const char *name);
/* Of a key "ns/name"; heap. */
char *survey_namespace_of(const char *key);

/* gpu_memory.c: "ns/name" of the exporters' Services that were taken before. New reference. */
json_t *survey_remembered(const struct survey *s);

/* gpu_exporter.c: the exporter that the spec asks for; false after setting s->problem. */
bool survey_exporter(struct survey *s, const struct autoscaler *spec, struct found_exporter *found);
/* See `chosen`; heap. */
char *survey_chosen(struct survey *s);
/* Names what could have been taken instead; heap, NULL when nothing could. */
char *survey_others(const struct survey *s);
/* The pods' side of a Service; borrowed, NULL when no DaemonSet is behind it. */
const struct view_workload *survey_daemonset(const struct survey *s, const struct view_service *service);

/*
 * gpu_trust.c: whether an exporter there may speak of every namespace's pods. Anybody may label a Service as an
 * exporter's and ask for it, so that needs a namespace of the platform's, or one that it lists. Where it lists none, the
 * one exporter is believed that Auto means.
 */
bool survey_is_trusted(const struct survey *s, const char *ns, bool chosen);
/* Notes where the exporter of this spec is; true when it is believed about all pods. */
bool survey_note_place(struct survey *s, const struct autoscaler *spec, const struct view_service *service);
/* While none is found that is believed, those of before are. */
void survey_trust_remembered(struct survey *s);

/* What is to be placed. All borrowed. */
struct survey_placed {
	const struct monitoring_kind *kind;
	const struct view *now;  /* the object as it stands; NULL = it is to be made */
	const char *only;        /* "ns/name" of the Prometheus that is to take it; NULL = any */
	const char *exporter_ns; /* where the exporter is; NULL = not known */
};

/* Where, by whom it is taken there, and with which labels. */
struct survey_place {
	struct monitoring monitoring;
	char *ns; /* NULL = nowhere */
};

/* gpu_place.c: a Prometheus that takes an object of ours in its own namespace, or in that of the platform's exporter, and the
 * labels that it and others want there. Where there is no Prometheus resource, as survey_without_resource() has it, the object
 * is beside the adapter, and nobody is known who takes it. False when nobody takes it: the place is then where it stands, if
 * it does, since somebody may take it all the same. The caller releases the place, which is zero before. */
bool survey_place(const struct survey *s, const struct survey_placed *placed, struct survey_place *place);
void survey_place_release(struct survey_place *place);
#define auto_survey_place ATTR_CLEANUP(survey_place_release) struct survey_place

/* gpu_scrape.c: notes on the row who scrapes the exporter; asks for a ServiceMonitor when nobody does. */
void survey_scrape(struct survey *s, const struct found_exporter *exporter, struct exporter_survey *row);

/* gpu_rule.c: fills the recording rule's row, after asking for the rule. */
void survey_rule(struct survey *s, const char *prometheus, const json_t *namespaces, struct rule_survey *row);

/* gpu_writes.c: plans what is wanted and missing or edited, and what of ours nobody wants any more. */
void survey_plan(const struct survey *s, struct plan *plan);

#endif
