/*
 * Command-line options as tables: one row each, from which parsing, help, the manual and the shells'
 * completion are made.
 *
 * "--name VALUE", "--name=VALUE", "-n VALUE" and "-nVALUE" are read; a boolean is "--name" or
 * "--name=true|false". A row whose value names alternatives ("yaml|json") takes only those.
 */
#ifndef COMMAND_OPTIONS_H
#define COMMAND_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "api/settings.h"
#include "base/error.h"
#include "probe/access.h"

#define OPTION_VALUES_MAX 64

/* The values of an option that may be given several times. */
struct option_list {
	const char *values[OPTION_VALUES_MAX];
	size_t count;
};

/* What all verbs can be told; each takes only the members that its table names. Strings are
 * borrowed from argv. */
struct options {
	const char *argument; /* the one that is no option; NULL = not given */

	const char *kubeconfig;
	const char *context;
	const char *ns;
	bool all_namespaces;
	bool values;
	const char *timeout; /* a duration */

	struct option_list files;
	const char *output; /* NULL = the first of the alternatives */

	bool yes;
	bool dry_run;
	bool force;
	bool if_unused;
	bool metrics_api_only;

	const char *listen;
	const char *health_listen; /* NULL = at `listen` too */
	bool metrics_need_token;
	bool leader_elect;
	const char *lease_name;
	const char *lease_namespace;
	const char *lease_duration; /* a duration, as the next two */
	const char *lease_renew_deadline;
	const char *lease_retry_period;
	const char *log_level;
	const char *log_format;
	struct settings settings;
	const char *metrics_certificates;
	const char *metrics_api_listen;
	const char *metrics_certificate_validity; /* a duration */
	const char *hpa_period_after;             /* likewise */
	const char *metrics_api_cert_file;
	const char *metrics_api_key_file;
	struct access_options prometheus; /* without `url` and `headers` */
	struct option_list prometheus_headers;
};

/* The values before anything is said. */
extern const struct options options_default;

enum option_type {
	OPTION_STRING,
	OPTION_BOOL,
	OPTION_LIST,
	OPTION_SERVICE /* struct metrics_service */
};

struct option_row {
	const char *name;  /* without dashes */
	char letter;       /* the short form; 0 = none */
	const char *value; /* what the help calls the value, alternatives separated by '|'; NULL for a boolean */
	enum option_type type;
	size_t offset;    /* in struct options */
	const char *help; /* without the default, which is added */
};

/* Which clang-format takes for a block of statements. */
/* clang-format off */
#define OPTION(name, letter, value, type, member, help) {name, letter, value, type, offsetof(struct options, member), help}
/* clang-format on */

#define OPTIONS_CONNECTION                                                                                             \
	OPTION("kubeconfig", 0, "FILE", OPTION_STRING, kubeconfig,                                                     \
		"how to reach the API server; without it $KUBECONFIG, the pod's service account, ~/.kube/config"),     \
		OPTION("context", 0, "NAME", OPTION_STRING, context,                                                   \
			"context of the kubeconfig, if not its current one")

#define OPTIONS_ADAPTER                                                                                                \
	OPTION("adapter-namespace", 0, "NAMESPACE", OPTION_STRING, settings.adapter.ns,                                \
		"namespace of prometheus-adapter, if not that of the Service behind the metrics API"),                 \
		OPTION("adapter-deployment", 0, "NAME", OPTION_STRING, settings.adapter.deployment,                    \
			"its Deployment, if not the one behind that Service"),                                         \
		OPTION("adapter-configmap", 0, "NAME", OPTION_STRING, settings.adapter.configmap,                      \
			"the ConfigMap of its rules, if not the one that this mounts"),                                \
		OPTION("adapter-config-key", 0, "KEY", OPTION_STRING, settings.adapter.key,                            \
			"key in that ConfigMap, if not the file that the Deployment reads")

#define OPTIONS_TENANTS                                                                                                        \
	OPTION("tenant-monitor-namespaces", 0, "NAMESPACES", OPTION_STRING, settings.monitor_namespaces,                       \
		"where spec.monitor.namespace may be beside an autoscaler's own namespace: separated by commas, '*' for all"), \
		OPTION("tenant-exporter-namespaces", 0, "NAMESPACES", OPTION_STRING, settings.exporter_namespaces,             \
			"the same for spec.gpu.exporter.namespace; these exporters are believed about all pods"),              \
		OPTION("tenant-min-scrape-interval", 0, "DURATION", OPTION_STRING, settings.min_scrape_interval,               \
			"the shortest spec.scrapeInterval that is taken")

#define OPTIONS_NAMESPACES                                                                                             \
	OPTION("watch-namespaces", 0, "NAMESPACES", OPTION_STRING, settings.watch_namespaces,                          \
		"serve the InferenceAutoscalers of these namespaces only, separated by commas, and read no others"),   \
		OPTION("shared-namespaces", 0, "NAMESPACES", OPTION_STRING, settings.shared_namespaces,                \
			"with it: where Prometheus, its adapter and the GPU exporter are, which are read too")

#define OPTION_MONITOR_LABELS                                                                                                   \
	OPTION("monitor-labels", 0, "LABELS", OPTION_STRING, settings.monitor_labels,                                           \
		"what our ServiceMonitors and PrometheusRule bear unless a Prometheus or spec.monitor.labels wants otherwise: " \
		"KEY=VALUE, separated by commas")

#define OPTIONS_CLASS                                                                                                  \
	OPTION("operator-class", 0, "CLASS", OPTION_STRING, settings.operator_class,                                   \
		"serve the InferenceAutoscalers of this spec.operatorClass; without it those that name none"),         \
		OPTION("leave-shared", 0, NULL, OPTION_BOOL, settings.leave_shared,                                    \
			"leave what autoscalers of all classes share, such as the adapter's rules, to another operator")

#define OPTION_METRICS_SERVICE                                                                                         \
	OPTION("metrics-service", 0, "NAMESPACE/NAME:PORT", OPTION_SERVICE, settings.metrics_service,                  \
		"the Service that leads to the operator's own metrics API; without it Prometheus and its adapter are " \
		"needed")

#define OPTION_METRICS_CERTIFICATES                                                                                    \
	OPTION("metrics-certificates", 0, "NAME", OPTION_STRING, metrics_certificates,                                 \
		"the ConfigMap, beside that Service, in which the replicas announce their certificates")

/* Reads argv[1…] into `options`, which starts as options_default. `argument` is the verb's (command.h). --help ends it
 * and sets *help. */
int options_parse(const struct option_row *rows, size_t count, const char *argument, int argc, char **argv,
	struct options *options, bool *help, struct error *err);
/* What holds when the option is not given; NULL = nothing, or a boolean's false. */
const char *option_default(const struct option_row *row);
/* Whether `text` is one of the alternatives "a|b|c". */
bool option_alternative(const char *alternatives, const char *text);

#endif
