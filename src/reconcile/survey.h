/*
 * A survey of the GPU chain under way: what it reads, and what it asks for. Private to gpu.c and
 * gpu_exporter.c.
 */
#ifndef RECONCILE_SURVEY_H
#define RECONCILE_SURVEY_H

#include <jansson.h>
#include <stdbool.h>

#include "api/autoscaler.h"
#include "base/strbuf.h"
#include "reconcile/world.h"

/* What a survey reads and gathers. */
struct survey {
	const struct world *world;
	json_t *services;
	json_t *daemonsets;
	json_t *monitors;
	json_t *prometheuses;
	json_t *namespaces;
	char *prometheus_asked; /* "ns/name" of the Prometheus whose answers count; NULL = not known */
	json_t *taken;          /* "ns/name" of the Services of the exporters that were taken before */
	json_t *wanted;         /* the objects of ours, in the order of writing */
	json_t *trusted; /* "ns/name" → ns, of the Services of the exporters that are believed about all pods */
	json_t *asked;   /* ns → true: where the exporters are that somebody asks for */
	char *chosen;    /* "ns/name" of the Service of the exporter that Auto means; "" when there is none */
	char *problem;   /* of the exporter at hand */
	/* What bears an exporter's label too, and is not the one at hand. */
	struct strbuf others;
	size_t others_count;
};

/* The exporter at hand: its Service and the name of the port. Borrowed. */
struct found_exporter {
	const json_t *service; /* may be one of ours that does not exist yet */
	const char *port;
};

/* An object that autoscalers share, so one of ours. */
bool survey_is_shared(const json_t *object);
/* NULL is any. */
bool survey_in_namespace(const json_t *object, const char *ns);
/* Namespaces in which a tenant makes nothing: where exporters are known to be installed, and the Prometheus' own. */
bool survey_is_platforms(const struct survey *s, const char *ns);
bool survey_prometheus_in(const struct survey *s, const char *ns);
/* Whether the exporter with this Service was the one in a pass before. */
bool survey_was_taken(const struct survey *s, const char *ns, const char *service);
/* What is wanted already under this object's kind and name; borrowed, NULL when nothing is. */
const json_t *survey_wanted(const struct survey *s, const json_t *object);
/* Asks for an object of ours, once. Takes the reference. */
void survey_want(struct survey *s, json_t *object);

/* The exporter that the spec asks for; false after setting s->problem. */
bool survey_exporter(struct survey *s, const struct autoscaler *spec, struct found_exporter *found);
/* See `chosen`; heap. */
char *survey_chosen(struct survey *s);
/* Names what could have been taken instead; heap, NULL when nothing could. */
char *survey_others(const struct survey *s);
/* The pods' side of a Service; borrowed, NULL when no DaemonSet is behind it. */
const json_t *survey_daemonset(const struct survey *s, const json_t *service);

#endif
