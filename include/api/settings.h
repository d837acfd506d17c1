/*
 * What the operator is told on its command line about the cluster it serves.
 */
#ifndef API_SETTINGS_H
#define API_SETTINGS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/texts.h"

/* Where prometheus-adapter and its rules are. */
struct adapter_names {
	const char *ns;
	const char *deployment;
	const char *configmap;
	const char *key; /* in the ConfigMap's data */
};

/* The Service through which the API server reaches our own metrics API. */
struct metrics_service {
	char ns[64]; /* "" = there is none: we do not serve */
	char name[64];
	int port;
	int listens; /* the port that its pods listen on; 0 = not known */
};

/* All strings are borrowed and outlive every use. */
struct settings {
	struct adapter_names adapter; /* NULL = found (reconcile/adapter_find.h), each by itself */
	const char *prometheus_url;   /* NULL = found from the Prometheus resource's governing Service */
	/* Namespaces, separated by commas, or "*" for all, that an autoscaler may name beside its own: for its
	 * ServiceMonitor, and of a Custom exporter. NULL is none: who may write an autoscaler has no rights there. */
	const char *monitor_namespaces;
	const char *exporter_namespaces;
	const char *min_scrape_interval; /* a duration: spec.scrapeInterval must not be below it; NULL = any will do */
	/* "key=value", separated by commas: what ServiceMonitors and the rule of ours bear where nobody wants anything else of
	 * them. NULL = none. */
	const char *monitor_labels;
	/* Whose spec.operatorClass is another is another operator's to serve. NULL or "" = those without a class are ours. */
	const char *operator_class;
	/* Namespaces, separated by commas: autoscalers elsewhere are not served, and not seen. NULL = all. */
	const char *watch_namespaces;
	/* Where what they share is beside these: Prometheus, its adapter, the GPU exporter. Of use with watch_namespaces. */
	const char *shared_namespaces;
	/* What all autoscalers share, of whatever class, is written by the operator of another release; we check it only. */
	bool leave_shared;
	struct metrics_service metrics_service;
	/* The metrics API is ours also where another server has it, whom we pass on what is not ours. */
	bool metrics_take_over;
	/* Only this machine can ask this operator: pods may be processes on it, with a loopback address. */
	bool local;
};

/* Whether this operator serves the custom metrics API itself. */
bool settings_serve(const struct settings *settings);

/* Reads "NAMESPACE/NAME:PORT"; -1 and ERROR_INVALID when it is written otherwise. */
int metrics_service_read(const char *text, struct metrics_service *service, struct error *err);
/* Notes the port of the address "HOST:PORT" on which its pods listen. */
void metrics_service_listen(struct metrics_service *service, const char *address);
/* Whether the address "HOST:PORT" is one that other machines cannot ask. */
bool settings_is_loopback(const char *address);

/* Whether what was given can be read; -1 and ERROR_INVALID naming the option. */
int settings_check(const struct settings *settings, struct error *err);

/* Each watched namespace is a watch of every kind. */
#define SETTINGS_NAMESPACES_MAX 50

/* The namespaces whose objects are read, each once; none = all. `beside`: of those where autoscalers are served, else also
 * of those where something may be that they share or name. The caller releases it. */
struct texts settings_namespaces(const struct settings *settings, bool beside);

/* Whether objects of this namespace are read that autoscalers share. */
bool settings_reads(const struct settings *settings, const char *ns);

/* Whether such a list has the namespace. */
bool settings_list_has(const char *list, const char *ns);

/* Such labels as an object; new reference. NULL and ERROR_INVALID when they are none. NULL = {}. */
json_t *settings_labels(const char *list, struct error *err);

/* Which clang-format takes for a block of statements. */
/* clang-format off */
#define SETTINGS_DEFAULT                                                                                              \
	{.adapter = {NULL, NULL, NULL, NULL}, .prometheus_url = NULL, .monitor_namespaces = NULL,                     \
	 .exporter_namespaces = NULL, .min_scrape_interval = "5s", .monitor_labels = NULL, .operator_class = NULL,     \
	 .watch_namespaces = NULL, .shared_namespaces = NULL, .leave_shared = false,                                               \
	 .metrics_service = {"", "", 0, 0}, .metrics_take_over = false, .local = false}
/* clang-format on */

#endif
