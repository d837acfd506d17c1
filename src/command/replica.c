/* One running operator. */
#include "command/replica.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "command/command.h"
#include "kube/client.h"
#include "kube/config.h"
#include "kube/lease.h"
#include "net/http_client.h"
#include "runtime/controller.h"
#include "runtime/endpoint.h"
#include "runtime/metrics_server.h"

#define STOP_TIMEOUT_MS 10000
/* So long the metrics API serves on after the word to stop: until no node sends the API server here any more. */
#define DRAIN_MS 2000

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
	struct metrics_server *metrics_server; /* NULL = the metrics API is not served */
	struct endpoint *endpoint;
	uv_signal_t signals[2];
	uv_timer_t deadline; /* of an orderly stop */
	uv_timer_t drained;  /* the metrics API served on for long enough */
	bool leading;
	bool stopping;
	bool retired; /* nothing is written any more */
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

/* An orderly stop, in the order of dependence: writes first, then the Lease, then the metrics API, which serves on until
 * nobody is sent here any more, then the caches and the transport. */

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
	uv_close((uv_handle_t *)&replica->drained, NULL);
}

static void on_controller_closed(void *ctx)
{
	struct replica *replica = ctx;

	replica->controller = NULL;
	http_client_close(replica->http, ignore_closed, NULL);
	http_client_close(replica->watch_http, ignore_closed, NULL);
	http_client_close(replica->lease_http, ignore_closed, NULL);
	http_client_close(replica->review_http, ignore_closed, NULL);
	close_handles(replica);
}

static void on_metrics_server_closed(void *ctx)
{
	struct replica *replica = ctx;

	replica->metrics_server = NULL;
	controller_close(replica->controller, on_controller_closed, replica);
}

static void close_metrics_server(struct replica *replica)
{
	if (replica->metrics_server != NULL) {
		metrics_server_close(replica->metrics_server, on_metrics_server_closed, replica);
	} else {
		on_metrics_server_closed(replica);
	}
}

static void on_drained(uv_timer_t *timer)
{
	struct replica *replica = timer->data;

	if (replica->lease == NULL && replica->retired) {
		close_metrics_server(replica);
	}
}

static void on_lease_closed(void *ctx)
{
	struct replica *replica = ctx;

	replica->lease = NULL;
	if (!uv_is_active((uv_handle_t *)&replica->drained)) {
		close_metrics_server(replica);
	}
}

static void on_retired(void *ctx)
{
	struct replica *replica = ctx;

	replica->retired = true;
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
	controller_retire(replica->controller, on_retired, replica);
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
	if (replica->metrics_server != NULL) {
		metrics_server_drain(replica->metrics_server);
		uv_timer_start(&replica->drained, on_drained, DRAIN_MS, 0);
	}
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
	controller_lead(replica->controller);
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

/* Connections of their own: what others wait for does not wait behind our lists. */
static void open_clients(struct replica *replica)
{
	replica->http = http_client_new(&replica->loop);
	replica->client = kube_client_new(&replica->loop, replica->http, replica->config);
	replica->watch_http = http_client_new(&replica->loop);
	kube_client_watch_over(replica->client, replica->watch_http);
	replica->lease_http = http_client_new(&replica->loop);
	replica->lease_client = kube_client_new(&replica->loop, replica->lease_http, replica->config);
	replica->review_http = http_client_new(&replica->loop);
	replica->review_client = kube_client_new(&replica->loop, replica->review_http, replica->config);
}

static void elect(struct replica *replica, const struct options *o, const struct kube_lease_times *times,
	const char *identity)
{
	const struct kube_lease_hooks hooks = {on_lease_started, on_lease_stopped, replica};
	const char *ns = o->lease_namespace != NULL ? o->lease_namespace : getenv("POD_NAMESPACE");

	if (ns == NULL) {
		ns = kube_config_namespace(replica->config);
	}
	replica->lease = kube_lease_new(replica->lease_client, ns, o->lease_name, identity, &hooks);
	kube_lease_set_times(replica->lease, times);
	kube_client_guard(replica->client, may_write, replica);
	http_client_look_first(replica->http, leave_when_late, replica);
}

/* Once in hours a certificate is announced: that is no burden to the Lease's connection. */
static int serve(struct replica *replica, const struct options *o, const char *identity, struct error *err)
{
	replica->metrics_server =
		metrics_server_new(&(struct metrics_server_options){.listen = o->metrics_api_listen,
					   .service = &o->settings.metrics_service,
					   .certificates = o->metrics_certificates,
					   .identity = identity,
					   .validity_ms = clock_parse_duration(o->metrics_certificate_validity),
					   .hpa_period_after_ms = clock_parse_duration(o->hpa_period_after),
					   .cert_file = o->metrics_api_cert_file,
					   .key_file = o->metrics_api_key_file,
					   .client = replica->client,
					   .writer = replica->lease_client,
					   .http = replica->http,
					   .controller = replica->controller},
			err);
	return replica->metrics_server != NULL ? 0 : -1;
}

static int answer(struct replica *replica, const struct options *o, struct error *err)
{
	replica->endpoint = endpoint_new(&replica->loop,
		&(struct endpoint_options){.listen = o->listen,
			.health_listen = o->health_listen,
			.metrics_need_token = o->metrics_need_token,
			.client = replica->review_client,
			.controller = replica->controller,
			.lease = replica->lease,
			.metrics_server = replica->metrics_server},
		err);
	return replica->endpoint != NULL ? 0 : -1;
}

static int open_parts(struct replica *replica, const struct options *o, const struct kube_lease_times *times,
	const char *identity, struct error *err)
{
	replica->config = kube_config_load(o->kubeconfig, o->context, err);
	if (replica->config == NULL) {
		return -1;
	}
	open_clients(replica);
	replica->controller = controller_new(replica->client, replica->http, replica->access, &o->settings, identity);
	if (o->leader_elect) {
		elect(replica, o, times, identity);
	}
	if (settings_serve(&o->settings) && serve(replica, o, identity, err) < 0) {
		return -1;
	}
	return answer(replica, o, err);
}

static int start(struct replica *replica, const struct options *o, const struct kube_lease_times *times,
	struct error *err)
{
	auto_free char *identity = make_identity();

	if (open_parts(replica, o, times, identity, err) < 0) {
		return -1;
	}
	log_event(LOG_INFO, "started", "version", INFERENCE_AUTOSCALER_VERSION, "server",
		kube_config_server(replica->config), "listen", o->listen, "identity", identity, NULL);
	controller_watch(replica->controller);
	if (replica->metrics_server != NULL) {
		metrics_server_start(replica->metrics_server);
	}
	if (replica->lease != NULL) {
		kube_lease_start(replica->lease);
	} else {
		controller_lead(replica->controller);
	}
	return 0;
}

static void init(struct replica *replica)
{
	static const int numbers[] = {SIGTERM, SIGINT};

	curl_global_init(CURL_GLOBAL_DEFAULT);
	uv_loop_init(&replica->loop);
	uv_timer_init(&replica->loop, &replica->deadline);
	uv_timer_init(&replica->loop, &replica->drained);
	replica->drained.data = replica;
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

int replica_run(const struct options *options, const struct kube_lease_times *times, struct error *err)
{
	struct replica replica = {.exit_code = EXIT_SUCCESS, .access = open_access(options, err)};

	if (replica.access == NULL) {
		return EXIT_USAGE;
	}
	init(&replica);
	if (start(&replica, options, times, err) < 0) {
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
