/* `run`: the operator. */
#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/json.h"
#include "base/memory.h"
#include "command/command.h"
#include "kube/client.h"
#include "kube/config.h"
#include "kube/lease.h"
#include "net/http_client.h"
#include "runtime/controller.h"
#include "runtime/endpoint.h"

#define STOP_TIMEOUT_MS 10000

struct replica {
	uv_loop_t loop;
	struct kube_config *config;
	struct http_client *http;
	struct kube_client *client;
	struct access *access; /* to Prometheus */
	struct http_client *watch_http;
	/* The Lease has a connection of its own: its renewals must not wait behind our lists. */
	struct http_client *lease_http;
	struct kube_client *lease_client;
	/* So have the questions about who may see our pages: anybody can cause them, and a replica that waits asks too. */
	struct http_client *review_http;
	struct kube_client *review_client;
	struct controller *controller;
	struct kube_lease *lease;
	struct endpoint *endpoint;
	uv_signal_t signals[2];
	uv_timer_t deadline; /* of an orderly stop */
	bool leading;
	bool stopping;
	int exit_code;
};

/* Unique among the replicas: the pod's name, else host and process. */
static char *make_identity(void)
{
	const char *pod = getenv("POD_NAME");
	char host[256] = "";

	if (pod != NULL && pod[0] != '\0') {
		return xstrdup(pod);
	}
	gethostname(host, sizeof(host) - 1);
	return xasprintf("%s-%ld", host, (long)getpid());
}

/* An orderly stop, in the order of dependence: writes first, then the Lease, then the transport. */

static void ignore_closed(void *ctx)
{
	(void)ctx;
}

static void close_handles(struct replica *replica)
{
	for (size_t i = 0; i < ARRAY_LEN(replica->signals); i++) {
		uv_close((uv_handle_t *)&replica->signals[i], NULL);
	}
	uv_close((uv_handle_t *)&replica->deadline, NULL);
}

static void on_lease_closed(void *ctx)
{
	struct replica *replica = ctx;

	replica->lease = NULL;
	http_client_close(replica->http, ignore_closed, NULL);
	http_client_close(replica->watch_http, ignore_closed, NULL);
	http_client_close(replica->lease_http, ignore_closed, NULL);
	http_client_close(replica->review_http, ignore_closed, NULL);
	close_handles(replica);
}

static void on_controller_closed(void *ctx)
{
	struct replica *replica = ctx;

	replica->controller = NULL;
	if (replica->lease != NULL) {
		kube_lease_close(replica->lease, on_lease_closed, replica);
	} else {
		on_lease_closed(replica);
	}
}

static void on_endpoint_closed(void *ctx)
{
	struct replica *replica = ctx;

	replica->endpoint = NULL;
	controller_close(replica->controller, on_controller_closed, replica);
}

static void on_deadline(uv_timer_t *timer)
{
	(void)timer;
	log_event(LOG_WARN, "an orderly stop took too long, leaving", NULL);
	_exit(EXIT_FAILURE);
}

static void stop(struct replica *replica)
{
	if (replica->stopping) {
		return;
	}
	replica->stopping = true;
	uv_timer_start(&replica->deadline, on_deadline, STOP_TIMEOUT_MS, 0);
	endpoint_close(replica->endpoint, on_endpoint_closed, replica);
}

static void on_signal(uv_signal_t *handle, int number)
{
	(void)number;
	log_event(LOG_INFO, "stopping", NULL);
	stop(handle->data);
}

static void on_lease_started(void *ctx)
{
	struct replica *replica = ctx;

	log_event(LOG_INFO, "leading", NULL);
	replica->leading = true;
	controller_start(replica->controller);
}

static void on_lease_stopped(void *ctx)
{
	struct replica *replica = ctx;

	replica->leading = false;
	/* Another replica may lead by now: no write of ours may follow, not even one under way. */
	if (!replica->stopping) {
		log_event(LOG_ERROR, "the Lease was lost, leaving", NULL);
		_exit(EXIT_FAILURE);
	}
}

/* A process that was stopped and goes on, or a machine that slept: the time of its Lease is over before
 * any timer can say so, and half a write may wait to be sent. */
static void leave_when_late(void *ctx)
{
	struct replica *replica = ctx;

	if (replica->leading && !kube_lease_held(replica->lease)) {
		on_lease_stopped(replica);
	}
}

/* The Lease is gone, too, once it was given back. */
static bool may_write(void *ctx)
{
	const struct replica *replica = ctx;

	return replica->lease != NULL && kube_lease_held(replica->lease);
}

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

static int start(struct replica *replica, const struct options *o, const struct kube_lease_times *times,
	struct error *err)
{
	const struct kube_lease_hooks hooks = {on_lease_started, on_lease_stopped, replica};
	const char *lease_namespace = o->lease_namespace != NULL ? o->lease_namespace : getenv("POD_NAMESPACE");
	auto_free char *identity = make_identity();

	replica->config = kube_config_load(o->kubeconfig, o->context, err);
	if (replica->config == NULL) {
		return -1;
	}
	if (lease_namespace == NULL) {
		lease_namespace = kube_config_namespace(replica->config);
	}
	replica->http = http_client_new(&replica->loop);
	replica->client = kube_client_new(&replica->loop, replica->http, replica->config);
	replica->watch_http = http_client_new(&replica->loop);
	kube_client_watch_over(replica->client, replica->watch_http);
	replica->lease_http = http_client_new(&replica->loop);
	replica->lease_client = kube_client_new(&replica->loop, replica->lease_http, replica->config);
	replica->review_http = http_client_new(&replica->loop);
	replica->review_client = kube_client_new(&replica->loop, replica->review_http, replica->config);
	replica->controller = controller_new(replica->client, replica->http, replica->access, &o->settings, identity);
	if (o->leader_elect) {
		replica->lease =
			kube_lease_new(replica->lease_client, lease_namespace, o->lease_name, identity, &hooks);
		kube_lease_set_times(replica->lease, times);
		kube_client_guard(replica->client, may_write, replica);
		http_client_look_first(replica->http, leave_when_late, replica);
	}
	replica->endpoint = endpoint_new(&replica->loop,
		&(struct endpoint_options){.listen = o->listen,
			.health_listen = o->health_listen,
			.metrics_need_token = o->metrics_need_token,
			.client = replica->review_client,
			.controller = replica->controller,
			.lease = replica->lease},
		err);
	if (replica->endpoint == NULL) {
		return -1;
	}
	log_event(LOG_INFO, "started", "version", INFERENCE_AUTOSCALER_VERSION, "server",
		kube_config_server(replica->config), "listen", o->listen, "identity", identity, NULL);
	if (replica->lease != NULL) {
		kube_lease_start(replica->lease);
	} else {
		controller_start(replica->controller);
	}
	return 0;
}

static void init(struct replica *replica)
{
	static const int numbers[] = {SIGTERM, SIGINT};

	curl_global_init(CURL_GLOBAL_DEFAULT);
	uv_loop_init(&replica->loop);
	uv_timer_init(&replica->loop, &replica->deadline);
	for (size_t i = 0; i < ARRAY_LEN(replica->signals); i++) {
		uv_signal_init(&replica->loop, &replica->signals[i]);
		replica->signals[i].data = replica;
		uv_signal_start(&replica->signals[i], on_signal, numbers[i]);
	}
}

static struct access *open_access(const struct options *options, struct error *err)
{
	struct access_options given = options->prometheus;

	given.url = options->settings.prometheus_url;
	given.headers = options->prometheus_headers.values;
	given.headers_count = options->prometheus_headers.count;
	return access_new(&given, err);
}

static int run_operator(const struct options *options, const struct command_table *verbs, struct error *err)
{
	struct replica replica = {.exit_code = EXIT_SUCCESS};
	struct kube_lease_times times;

	(void)verbs;
	if (read_times(options, &times, err) < 0) {
		return EXIT_USAGE;
	}
	/* Both were checked against the alternatives of the table. */
	log_configure((enum log_level)log_level_from_name(options->log_level),
		(enum log_format)log_format_from_name(options->log_format));
	replica.access = settings_check(&options->settings, err) == 0 ? open_access(options, err) : NULL;
	if (replica.access == NULL) {
		return EXIT_USAGE;
	}
	init(&replica);
	if (start(&replica, options, &times, err) < 0) {
		replica.exit_code = EXIT_FAILURE;
		replica.stopping = true;
		if (replica.controller != NULL) {
			on_endpoint_closed(&replica);
		} else {
			close_handles(&replica);
		}
	}
	uv_run(&replica.loop, UV_RUN_DEFAULT);
	if (replica.client != NULL) {
		kube_client_free(replica.client);
		kube_client_free(replica.lease_client);
		kube_client_free(replica.review_client);
	}
	kube_config_free(replica.config);
	access_free(replica.access);
	uv_loop_close(&replica.loop);
	curl_global_cleanup();
	return replica.exit_code;
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
