/* `run`: the operator. */
#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "base/log.h"
#include "base/memory.h"
#include "command/command.h"
#include "kube/client.h"
#include "kube/config.h"
#include "kube/lease.h"
#include "net/http_client.h"
#include "runtime/controller.h"
#include "runtime/endpoint.h"

#define STOP_TIMEOUT_MS 10000

struct operator {
	uv_loop_t loop;
	struct kube_config *config;
	struct http_client *http;
	struct kube_client *client;
	struct access *access; /* to Prometheus */
	/* The Lease has a connection of its own: its renewals must not wait behind our lists. */
	struct http_client *lease_http;
	struct kube_client *lease_client;
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

static void close_handles(struct operator *op)
{
	for (size_t i = 0; i < ARRAY_LEN(op->signals); i++) {
		uv_close((uv_handle_t *)&op->signals[i], NULL);
	}
	uv_close((uv_handle_t *)&op->deadline, NULL);
}

static void on_lease_closed(void *ctx)
{
	struct operator *op = ctx;

	op->lease = NULL;
	http_client_close(op->http, ignore_closed, NULL);
	http_client_close(op->lease_http, ignore_closed, NULL);
	close_handles(op);
}

static void on_controller_closed(void *ctx)
{
	struct operator *op = ctx;

	op->controller = NULL;
	if (op->lease != NULL) {
		kube_lease_close(op->lease, on_lease_closed, op);
	} else {
		on_lease_closed(op);
	}
}

static void on_endpoint_closed(void *ctx)
{
	struct operator *op = ctx;

	op->endpoint = NULL;
	controller_close(op->controller, on_controller_closed, op);
}

static void on_deadline(uv_timer_t *timer)
{
	(void)timer;
	log_event(LOG_WARN, "an orderly stop took too long, leaving", NULL);
	_exit(EXIT_FAILURE);
}

static void stop(struct operator *op)
{
	if (op->stopping) {
		return;
	}
	op->stopping = true;
	uv_timer_start(&op->deadline, on_deadline, STOP_TIMEOUT_MS, 0);
	endpoint_close(op->endpoint, on_endpoint_closed, op);
}

static void on_signal(uv_signal_t *handle, int number)
{
	(void)number;
	log_event(LOG_INFO, "stopping", NULL);
	stop(handle->data);
}

static void on_lease_started(void *ctx)
{
	struct operator *op = ctx;

	log_event(LOG_INFO, "leading", NULL);
	op->leading = true;
	controller_start(op->controller);
}

static void on_lease_stopped(void *ctx)
{
	struct operator *op = ctx;

	op->leading = false;
	/* Another replica may lead by now: no write of ours may follow, not even one under way. */
	if (!op->stopping) {
		log_event(LOG_ERROR, "the Lease was lost, leaving", NULL);
		_exit(EXIT_FAILURE);
	}
}

/* A process that was stopped and goes on, or a machine that slept: the time of its Lease is over before
 * any timer can say so, and half a write may wait to be sent. */
static void leave_when_late(void *ctx)
{
	struct operator *op = ctx;

	if (op->leading && !kube_lease_held(op->lease)) {
		on_lease_stopped(op);
	}
}

/* The Lease is gone, too, once it was given back. */
static bool may_write(void *ctx)
{
	const struct operator *op = ctx;

	return op->lease != NULL && kube_lease_held(op->lease);
}

static int start(struct operator *op, const struct options *o, struct error *err)
{
	const struct kube_lease_hooks hooks = {on_lease_started, on_lease_stopped, op};
	const char *lease_namespace = o->lease_namespace != NULL ? o->lease_namespace : getenv("POD_NAMESPACE");
	auto_free char *identity = make_identity();

	op->config = kube_config_load(o->kubeconfig, o->context, err);
	if (op->config == NULL) {
		return -1;
	}
	if (lease_namespace == NULL) {
		lease_namespace = kube_config_namespace(op->config);
	}
	op->http = http_client_new(&op->loop);
	op->client = kube_client_new(&op->loop, op->http, op->config);
	op->lease_http = http_client_new(&op->loop);
	op->lease_client = kube_client_new(&op->loop, op->lease_http, op->config);
	op->controller = controller_new(op->client, op->http, op->access, &o->settings, identity);
	if (o->leader_elect) {
		op->lease = kube_lease_new(op->lease_client, lease_namespace, o->lease_name, identity, &hooks);
		kube_client_guard(op->client, may_write, op);
		http_client_look_first(op->http, leave_when_late, op);
	}
	op->endpoint = endpoint_new(&op->loop, o->listen, op->controller, op->lease, err);
	if (op->endpoint == NULL) {
		return -1;
	}
	log_event(LOG_INFO, "started", "version", INFERENCE_AUTOSCALER_VERSION, "server", kube_config_server(op->config),
		"listen", o->listen, "identity", identity, NULL);
	if (op->lease != NULL) {
		kube_lease_start(op->lease);
	} else {
		controller_start(op->controller);
	}
	return 0;
}

static void init(struct operator *op)
{
	static const int numbers[] = {SIGTERM, SIGINT};

	curl_global_init(CURL_GLOBAL_DEFAULT);
	uv_loop_init(&op->loop);
	uv_timer_init(&op->loop, &op->deadline);
	for (size_t i = 0; i < ARRAY_LEN(op->signals); i++) {
		uv_signal_init(&op->loop, &op->signals[i]);
		op->signals[i].data = op;
		uv_signal_start(&op->signals[i], on_signal, numbers[i]);
	}
}

static struct access *open_access(const struct options *options, struct error *err)
{
	struct access_options told = options->prometheus;

	told.url = options->settings.prometheus_url;
	told.headers = options->prometheus_headers.values;
	told.headers_count = options->prometheus_headers.count;
	return access_new(&told, err);
}

static int run_operator(const struct options *options, struct error *err)
{
	struct operator op = {.exit_code = EXIT_SUCCESS};

	/* Both were checked against the alternatives of the table. */
	log_configure((enum log_level)log_level_from_name(options->log_level),
		(enum log_format)log_format_from_name(options->log_format));
	op.access = open_access(options, err);
	if (op.access == NULL) {
		return EXIT_USAGE;
	}
	init(&op);
	if (start(&op, options, err) < 0) {
		op.exit_code = EXIT_FAILURE;
		op.stopping = true;
		if (op.controller != NULL) {
			on_endpoint_closed(&op);
		} else {
			close_handles(&op);
		}
	}
	uv_run(&op.loop, UV_RUN_DEFAULT);
	if (op.client != NULL) {
		kube_client_free(op.client);
		kube_client_free(op.lease_client);
	}
	kube_config_free(op.config);
	access_free(op.access);
	uv_loop_close(&op.loop);
	curl_global_cleanup();
	return op.exit_code;
}

static const struct option_row rows[] = {
	OPTIONS_CONNECTION,
	OPTION("listen", 0, "HOST:PORT", OPTION_STRING, listen, "address of /metrics, /healthz and /readyz"),
	OPTION("leader-elect", 0, NULL, OPTION_BOOL, leader_elect, "act only while holding the Lease"),
	OPTION("lease-name", 0, "NAME", OPTION_STRING, lease_name, "name of the Lease"),
	OPTION("lease-namespace", 0, "NAMESPACE", OPTION_STRING, lease_namespace,
		"namespace of the Lease; without it $POD_NAMESPACE, else the context's"),
	OPTIONS_ADAPTER,
	OPTION("prometheus-url", 0, "URL", OPTION_STRING, settings.prometheus_url,
		"Prometheus to ask, if not the one that the Prometheus resource tells"),
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
	OPTION("prometheus-username", 0, "NAME", OPTION_STRING, prometheus.username, "user of the Prometheus of that URL, by basic auth"),
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
