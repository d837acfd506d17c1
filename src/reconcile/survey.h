/*
 * A survey of the GPU chain under way: what it reads, and what it asks for. Private to gpu.c and
 * gpu_exporter.c.
 */
#ifndef RECONCILE_SURVEY_H
#define RECONCILE_SURVEY_H

#include <jansson.h>
#include <stdbool.h>

#include "api/autoscaler.h"
#include "reconcile/world.h"

/* What a survey reads and gathers. */
struct survey {
	const struct world *world;
	json_t *services;
	json_t *daemonsets;
	json_t *monitors;
	json_t *prometheuses;
	json_t *namespaces;
	char *asked;    /* "ns/name" of the Prometheus whose answers count; NULL = not known */
	json_t *wanted; /* the objects of ours, in the order of writing */
	char *problem;  /* of the exporter at hand */
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
/* What is wanted already under this object's kind and name; borrowed, NULL when nothing is. */
const json_t *survey_wanted(const struct survey *s, const json_t *object);
/* Asks for an object of ours, once. Takes the reference. */
void survey_want(struct survey *s, json_t *object);

/* The exporter that the spec asks for; false after setting s->problem. */
bool survey_exporter(struct survey *s, const struct autoscaler *spec, struct found_exporter *found);
/* The pods' side of a Service; borrowed, NULL when no DaemonSet is behind it. */
const json_t *survey_daemonset(const struct survey *s, const json_t *service);

#endif
