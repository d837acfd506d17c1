/* The custom metrics API as this replica serves it. */
#include "runtime/metrics_server.h"

#include <string.h>

#include "announcements.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "certificate_bundle.h"
#include "controller_parts.h"
#include "front_proxy.h"
#include "hpa_reads.h"
#include "net/tls_server.h"
#include "served_metrics.h"
#include "serving_certificate.h"
#include "view/core.h"

/* Of an API server there are a few, each with a connection or some; other peers are refused at their first request. */
#define CONNECTIONS_MAX 256
#define HEAD_MS 10000

struct metrics_server {
	struct controller *controller;
	struct metrics_service service;
	char *identity;
	char *dns_name; /* that certificates are for */
	struct tls_server *tls;
	struct metrics_api *api;
	struct serving_certificate *certificate;
	struct announcements *announcements;
	struct front_proxy *front_proxy;
	struct hpa_reads *reads;
	bool started; /* the caches are filled, and the certificate is on its way */
	bool draining;
	unsigned closing; /* parts still to close */
	void (*closed)(void *ctx);
	void *closed_ctx;
};

/* ---- the registration, as the cache has it ---- */

/* NULL when it does not lead to us. */
static const struct view_apiservice *registration(const struct metrics_server *s, const char *name)
{
	const struct view_apiservice *api =
		view_apiservice(kube_cache_get(controller_cache(s->controller, KIND_APISERVICE), NULL, name));

	return api != NULL && view_apiservice_leads_to(api, s->service.ns, s->service.name) ? api : NULL;
}

static bool is_asked(void *ctx)
{
	const struct metrics_server *s = ctx;

	return registration(s, apiservices[0]) != NULL || registration(s, apiservices[1]) != NULL;
}

static bool trusts(const struct view_apiservice *api, const char *pem)
{
	auto_strbuf bundle = STRBUF_INIT;

	return api->insecure || (api->ca_bundle != NULL && base64_decode(api->ca_bundle, &bundle) == 0 &&
					bundle.len > 0 && strstr(bundle.buf, pem) != NULL);
}

static bool is_known(void *ctx, const char *pem)
{
	const struct metrics_server *s = ctx;

	for (size_t i = 0; i < APISERVICES; i++) {
		const struct view_apiservice *api = registration(s, apiservices[i]);

		if (api != NULL && !trusts(api, pem)) {
			return false;
		}
	}
	return true;
}

/* Some APIService is another, or all caches are filled: before that nothing is known of who asks. */
static void on_controller_changed(void *ctx)
{
	struct metrics_server *s = ctx;

	s->started = s->started || controller_ready(s->controller);
	if (s->started && s->closing == 0) {
		serving_certificate_step(s->certificate);
	}
}

/* ---- certificates ---- */

static void present(void *ctx, const struct certificate *certificate)
{
	const struct metrics_server *s = ctx;

	tls_server_present(s->tls, certificate);
}

static void announce(void *ctx, const char *pem)
{
	const struct metrics_server *s = ctx;

	announcements_set(s->announcements, pem);
}

static void on_announced(void *ctx)
{
	const struct metrics_server *s = ctx;

	controller_set_ca_bundle(s->controller, announcements_bundle(s->announcements));
}

static bool leads(void *ctx)
{
	const struct metrics_server *s = ctx;

	return controller_acts(s->controller);
}

static bool has_pod(const struct metrics_server *s, const char *name)
{
	return kube_cache_get(controller_cache(s->controller, KIND_POD), s->service.ns, name) != NULL;
}

/* Where this replica is no pod itself, as on somebody's own machine, the pods prove nothing. */
static bool is_gone(void *ctx, const char *identity)
{
	const struct metrics_server *s = ctx;

	return has_pod(s, s->identity) && !has_pod(s, identity);
}

/* Whether an announced entry is of a replica that may be asked: nobody believes a server without a certificate. */
static bool is_live(void *ctx, const struct view_pair *entry)
{
	const struct metrics_server *s = ctx;

	return !is_gone(ctx, entry->key) && certificate_entry_counts(entry->value, s->dns_name, clock_wall_ms());
}

static void on_trust(void *ctx, const struct peer_trust *trust)
{
	const struct metrics_server *s = ctx;

	tls_server_trust(s->tls, trust);
}

/* ---- requests ---- */

/* Before the caches are filled nobody is asked: there is no certificate then. */
static void on_request(void *ctx, struct tls_exchange *exchange)
{
	const struct metrics_server *s = ctx;

	served_metrics_answer(s->api, s->reads, exchange);
}

void metrics_server_metrics(const struct metrics_server *s, struct strbuf *page)
{
	struct tls_server_counts counts = tls_server_counts(s->tls);
	const struct {
		const char *name;
		const char *type;
		const char *help;
		uint64_t value;
	} rows[] = {
		{"connections", "gauge", "Connections to the metrics API that are open.", counts.connections},
		{"requests_total", "counter", "Requests that the metrics API was asked by the API server.",
			counts.requests},
		{"unauthorized_total", "counter", "Requests of somebody without the API server's certificate.",
			counts.unauthorized},
		{"refused_total", "counter", "What was no request that the metrics API takes.", counts.refused},
		{"dropped_total", "counter", "Connections that were too slow, or made room for others.",
			counts.dropped},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		strbuf_addf(page,
			"# HELP inference_autoscaler_metrics_api_%s %s\n# TYPE inference_autoscaler_metrics_api_%s %s\n"
			"inference_autoscaler_metrics_api_%s %llu\n",
			rows[i].name, rows[i].help, rows[i].name, rows[i].type, rows[i].name,
			(unsigned long long)rows[i].value);
	}
	metrics_api_report(s->api, page);
}

/* ---- life ---- */

const char *metrics_server_unready(const struct metrics_server *s)
{
	return s->draining   ? "the operator is stopping\n"
	       : !s->started ? "the caches have not synced yet: see the log for what cannot be watched\n"
	       : serving_certificate_ready(s->certificate)
	               ? NULL
	               : "the API server does not know this replica's certificate yet: the leader writes it into "
	                 "spec.caBundle of the custom metrics API's APIServices\n";
}

struct metrics_server *metrics_server_new(const struct metrics_server_options *o, struct error *err)
{
	struct metrics_server *s = xcalloc(1, sizeof(*s));
	uv_loop_t *loop = kube_client_loop(o->client);

	*s = (struct metrics_server){.controller = o->controller, .service = *o->service};
	s->tls = tls_server_new(loop,
		&(struct tls_server_options){.address = o->listen, .connections = CONNECTIONS_MAX, .head_ms = HEAD_MS},
		on_request, s, err);
	if (s->tls == NULL) {
		free_indirect(&s);
		return NULL;
	}
	s->identity = xstrdup(o->identity);
	s->dns_name = xasprintf("%s.%s.svc", o->service->name, o->service->ns);
	s->api = served_metrics_new(o->controller, o->http);
	s->certificate = serving_certificate_new(loop,
		&(struct serving_certificate_options){.dns_name = s->dns_name,
			.valid_ms = o->validity_ms,
			.cert_file = o->cert_file,
			.key_file = o->key_file},
		&(struct serving_certificate_hooks){.present = present,
			.announce = announce,
			.asked = is_asked,
			.known = is_known,
			.ctx = s});
	s->announcements = announcements_new(&(struct announcements_options){.client = o->client,
						     .writer = o->writer,
						     .ns = o->service->ns,
						     .name = o->certificates,
						     .identity = o->identity,
						     .dns_name = s->dns_name},
		&(struct announcements_hooks){.changed = on_announced, .leads = leads, .gone = is_gone, .ctx = s});
	s->reads = hpa_reads_new(loop, &(struct hpa_reads_options){.controller = o->controller,
					       .announcements = s->announcements,
					       .identity = s->identity,
					       .after_ms = o->hpa_period_after_ms,
					       .live = is_live,
					       .ctx = s});
	s->front_proxy = front_proxy_new(o->client, on_trust, s);
	controller_notify(o->controller, on_controller_changed, s);
	return s;
}

void metrics_server_start(struct metrics_server *s)
{
	announcements_start(s->announcements);
	front_proxy_start(s->front_proxy);
	hpa_reads_start(s->reads);
	log_event(LOG_INFO, "listening for the API server", "service", s->service.name, NULL);
}

void metrics_server_drain(struct metrics_server *s)
{
	s->draining = true;
	tls_server_drain(s->tls);
}

static void on_part_closed(void *ctx)
{
	struct metrics_server *s = ctx;
	void (*closed)(void *ctx) = s->closed;
	void *closed_ctx = s->closed_ctx;

	s->closing--;
	if (s->closing == 0) {
		free_indirect(&s->identity);
		free_indirect(&s->dns_name);
		free_indirect(&s);
		closed(closed_ctx);
	}
}

/* In the order in which one uses the other. */
static void on_reads_closed(void *ctx)
{
	struct metrics_server *s = ctx;

	announcements_close(s->announcements, on_part_closed, s);
}

static void on_api_closed(void *ctx)
{
	struct metrics_server *s = ctx;

	hpa_reads_close(s->reads, on_reads_closed, s);
}

/* Nobody asks any more. */
static void on_tls_closed(void *ctx)
{
	struct metrics_server *s = ctx;

	metrics_api_close(s->api, on_api_closed, s);
}

void metrics_server_close(struct metrics_server *s, void (*closed)(void *ctx), void *ctx)
{
	s->closed = closed;
	s->closed_ctx = ctx;
	s->closing = 3;
	controller_notify(s->controller, NULL, NULL);
	tls_server_close(s->tls, on_tls_closed, s);
	serving_certificate_close(s->certificate, on_part_closed, s);
	front_proxy_close(s->front_proxy, on_part_closed, s);
}
