/* `run`: the operator. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "command/command.h"
#include "command/replica.h"
#include "kube/lease.h"

/* A turnover takes some seconds. */
#define VALIDITY_MIN_MS 30000
#define HPA_PERIOD_AFTER_MIN_MS 15000

static int read_times(const struct options *o, struct kube_lease_times *times, struct error *err)
{
	const struct {
		const char *name;
		const char *text;
		int64_t *ms;
	} rows[] = {
		{"--lease-duration", o->lease_duration, &times->duration_ms},
		{"--lease-renew-deadline", o->lease_renew_deadline, &times->deadline_ms},
		{"--lease-retry-period", o->lease_retry_period, &times->retry_ms},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		*rows[i].ms = clock_parse_duration(rows[i].text);
		if (*rows[i].ms <= 0) {
			return error_set(err, ERROR_INVALID, "%s '%s' is not a duration: write for example 15s",
				rows[i].name, rows[i].text);
		}
	}
	return kube_lease_check_times(times, err);
}

/* What a server of the metrics API needs is not known without its ConfigMap, nor for how long a certificate is good. */
static int check_serving(const struct options *o, struct error *err)
{
	if (settings_serve(&o->settings) && o->metrics_certificates == NULL) {
		return error_set(err, ERROR_INVALID,
			"--metrics-service needs --metrics-certificates: the ConfigMap in which the replicas announce their "
			"certificates");
	}
	if ((o->metrics_api_cert_file != NULL) != (o->metrics_api_key_file != NULL)) {
		return error_set(err, ERROR_INVALID,
			"--metrics-api-cert-file and --metrics-api-key-file belong together: give both or none");
	}
	if (clock_parse_duration(o->metrics_certificate_validity) < VALIDITY_MIN_MS) {
		return error_set(err, ERROR_INVALID,
			"--metrics-certificate-validity '%s' is no duration of at least 30s: write for example 24h",
			o->metrics_certificate_validity);
	}
	if (clock_parse_duration(o->hpa_period_after) < HPA_PERIOD_AFTER_MIN_MS) {
		return error_set(err, ERROR_INVALID,
			"--hpa-period-after '%s' is no duration of at least 15s: write for example 15m",
			o->hpa_period_after);
	}
	return 0;
}

static int run_operator(const struct options *options, const struct command_table *verbs, struct error *err)
{
	struct kube_lease_times times;
	struct options listening = *options;

	(void)verbs;
	metrics_service_listen(&listening.settings.metrics_service, options->metrics_api_listen);
	listening.settings.local =
		settings_is_loopback(options->listen) && settings_is_loopback(options->metrics_api_listen);
	if (read_times(options, &times, err) < 0 || check_serving(options, err) < 0) {
		return EXIT_USAGE;
	}
	/* Both were checked against the alternatives of the table. */
	log_configure((enum log_level)log_level_from_name(options->log_level),
		(enum log_format)log_format_from_name(options->log_format));
	return settings_check(&options->settings, err) == 0 ? replica_run(&listening, &times, err) : EXIT_USAGE;
}

static const struct option_row rows[] = {
	OPTIONS_CONNECTION,
	OPTION("listen", 0, "HOST:PORT", OPTION_STRING, listen,
		"address of /metrics and /explain, /healthz and /readyz"),
	OPTION("health-listen", 0, "HOST:PORT", OPTION_STRING, health_listen,
		"address of /healthz and /readyz alone, which then are nowhere else"),
	OPTION("metrics-need-token", 0, NULL, OPTION_BOOL, metrics_need_token,
		"answer /metrics only to a token of somebody who may get the path /metrics"),
	OPTION("leader-elect", 0, NULL, OPTION_BOOL, leader_elect, "act only while holding the Lease"),
	OPTION("lease-name", 0, "NAME", OPTION_STRING, lease_name, "name of the Lease"),
	OPTION("lease-namespace", 0, "NAMESPACE", OPTION_STRING, lease_namespace,
		"namespace of the Lease; without it $POD_NAMESPACE, else the context's"),
	OPTION("lease-duration", 0, "DURATION", OPTION_STRING, lease_duration,
		"how long the Lease holds unless renewed: so long nobody works after a crash"),
	OPTION("lease-renew-deadline", 0, "DURATION", OPTION_STRING, lease_renew_deadline,
		"how long a renewal is tried before the operator leaves; less than the Lease's duration"),
	OPTION("lease-retry-period", 0, "DURATION", OPTION_STRING, lease_retry_period,
		"how often the Lease is renewed"),
	OPTION_METRICS_SERVICE,
	OPTION_METRICS_CERTIFICATES,
	OPTION("metrics-take-over", 0, NULL, OPTION_BOOL, settings.metrics_take_over,
		"also where another server has the metrics API: it leads to us then, and what is not ours is passed on to "
		"it"),
	OPTION("metrics-api-listen", 0, "HOST:PORT", OPTION_STRING, metrics_api_listen,
		"address of our own metrics API, which the Service leads to"),
	OPTION("metrics-certificate-validity", 0, "DURATION", OPTION_STRING, metrics_certificate_validity,
		"how long a certificate of our own metrics API is good; another follows after two thirds of that"),
	OPTION("hpa-period-after", 0, "DURATION", OPTION_STRING, hpa_period_after,
		"how long the HPA's controller has to read our metrics seldom before there is advice on it"),
	OPTION("metrics-api-cert-file", 0, "FILE", OPTION_STRING, metrics_api_cert_file,
		"certificate of our own metrics API, for NAME.NAMESPACE.svc of its Service, if not one that is made; what is new "
		"in the file follows"),
	OPTION("metrics-api-key-file", 0, "FILE", OPTION_STRING, metrics_api_key_file, "its key"),
	OPTIONS_CLASS,
	OPTIONS_NAMESPACES,
	OPTIONS_ADAPTER,
	OPTIONS_TENANTS,
	OPTION_MONITOR_LABELS,
	OPTION("prometheus-url", 0, "URL", OPTION_STRING, settings.prometheus_url,
		"Prometheus to ask, if not the one that the Prometheus resource leads to"),
	OPTION("prometheus-ca-file", 0, "FILE", OPTION_STRING, prometheus.ca_file,
		"CA that Prometheus' certificate must be signed by, if not one of the system's"),
	OPTION("prometheus-client-tls-cert-file", 0, "FILE", OPTION_STRING, prometheus.client_cert_file,
		"client certificate to show to Prometheus"),
	OPTION("prometheus-client-tls-key-file", 0, "FILE", OPTION_STRING, prometheus.client_key_file, "its key"),
	OPTION("prometheus-tls-server-name", 0, "NAME", OPTION_STRING, prometheus.server_name,
		"name that Prometheus' certificate must be for, if not the host of its URL"),
	OPTION("prometheus-insecure-skip-verify", 0, NULL, OPTION_BOOL, prometheus.insecure,
		"take any certificate for Prometheus'"),
	OPTION("prometheus-token-file", 0, "FILE", OPTION_STRING, prometheus.token_file,
		"bearer token for the Prometheus of that URL; read again when it changes, as these files all are"),
	OPTION("prometheus-username", 0, "NAME", OPTION_STRING, prometheus.username,
		"user of the Prometheus of that URL, by basic auth"),
	OPTION("prometheus-password-file", 0, "FILE", OPTION_STRING, prometheus.password_file, "that user's password"),
	OPTION("prometheus-header", 0, "HEADER", OPTION_LIST, prometheus_headers,
		"header for the Prometheus of that URL, such as 'X-Scope-OrgID: tenant'; may be given several times"),
	OPTION("log-level", 0, "debug|info|warn|error", OPTION_STRING, log_level, "the least that is logged"),
	OPTION("log-format", 0, "text|json", OPTION_STRING, log_format, "how a line is written"),
};

const struct command command_run = {
	.name = "run",
	.summary = "run the operator",
	.about = "Watches InferenceAutoscalers and keeps their chains working until it is stopped (SIGTERM, SIGINT).",
	.examples = {{"the operator, out of the cluster", "run --kubeconfig ~/.kube/config"},
		{"as one of several replicas", "run --leader-elect --lease-namespace inference-autoscaler-system"}},
	.rows = rows,
	.rows_count = ARRAY_LEN(rows),
	.run = run_operator,
};
