/* The table of the API server's words for a metrics API that it does not reach (kube-aggregator:
 * remote_available_controller.go, handler_proxy.go). */
#include "chain/aggregator.h"

#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "base/text.h"

#define NOT_TRUSTED                                                                                                       \
	"the API server does not trust the certificate of Service '%1$s': the operator keeps spec.caBundle, so see what " \
	"else writes it, and have that leave it alone"
#define NOT_REACHED                                                                                                    \
	"the control plane does not reach %2$s of the pods behind Service '%1$s': let the NetworkPolicies and the "    \
	"control plane's firewall allow it, or set the chart's metricsServer.port to one that they allow"
#define NOT_READY                                                                                                      \
	"no pod of the operator behind Service '%1$s' is ready, or none of them has %2$s: see their events and their " \
	"log"
#define NO_PORT "Service '%1$s' does not have the port that it names: apply the chart again"
#define ASK_OTHERS "see what 'kubectl describe apiservice' says, Service '%1$s' and the pods behind it"
#define NOT_READ "the API server itself cannot read Service '%1$s' and its endpoints: see its log"

/* `%1$s` is the Service, `%2$s` its pods' port. The first row that fits counts. */
struct row {
	const char *said;  /* the condition's reason; NULL = any */
	const char *words; /* a piece of what is said; NULL = any */
	const char *reason;
	const char *remedy;
};

static const struct row of_conditions[] = {
	{"FailedDiscoveryCheck", "x509", "CertificateNotTrusted", NOT_TRUSTED},
	{"FailedDiscoveryCheck", "tls: ", "CertificateNotTrusted", NOT_TRUSTED},
	{"FailedDiscoveryCheck", "bad status from", "APIServiceUnavailable",
		"what answers behind Service '%1$s' refuses the API server: the operator has to read ConfigMap "
		"'kube-system/extension-apiserver-authentication', by the chart's RoleBinding in kube-system; see its log"},
	/* Of a Service with an address outside the cluster, whose ports and pods are not looked at before. */
	{"FailedDiscoveryCheck", "no service port", "APIServiceUnavailable", NO_PORT},
	{"FailedDiscoveryCheck", "no endpoints available", "ServerNotReady", NOT_READY},
	{"FailedDiscoveryCheck", "service type", "APIServiceUnavailable",
		"Service '%1$s' is of a type that the API server does not ask: apply the chart again"},
	{"FailedDiscoveryCheck", NULL, "ServerNotReached", NOT_REACHED},
	{"MissingEndpoints", NULL, "ServerNotReady", NOT_READY},
	{"EndpointsNotFound", NULL, "ServerNotReady", NOT_READY},
	{"ServiceNotFound", NULL, "APIServiceUnavailable", "Service '%1$s' does not exist: apply the chart again"},
	{"ServicePortError", NULL, "APIServiceUnavailable", NO_PORT},
	{"ServiceAccessError", NULL, "APIServiceUnavailable", NOT_READ},
	{"EndpointsAccessError", NULL, "APIServiceUnavailable", NOT_READ},
	{NULL, NULL, "APIServiceUnavailable", ASK_OTHERS},
};

/* A pod that is just going answers like that too, so none of these says more than that nothing was reached. */
static const struct row of_answers[] = {
	{NULL, "trying to reach service: x509", "APIServiceUnavailable", NOT_TRUSTED},
	{NULL, "trying to reach service: tls: ", "APIServiceUnavailable", NOT_TRUSTED},
	{NULL, "trying to reach service: dial ", "APIServiceUnavailable", NOT_REACHED},
	{NULL, "trying to reach service: context deadline", "APIServiceUnavailable", NOT_REACHED},
	{NULL, "trying to reach service: net/http: TLS handshake timeout", "APIServiceUnavailable", NOT_REACHED},
	{NULL, "trying to reach service: ", "APIServiceUnavailable",
		"what answers behind Service '%1$s' ends the API server's connection: see the events and the log of the "
		"operator's pods"},
	/* It finds the APIService not available, or no ready pod. */
	{NULL, "service unavailable (HTTP 503)", "APIServiceUnavailable",
		"it finds no pod of the operator behind Service '%1$s' that it can ask at %2$s: " ASK_OTHERS},
	{NULL, NULL, NULL, NULL},
};

/* Where the Service leads of the port that the API server asks; NULL = it does not have it. */
static const struct view_service_port *way_in(const struct metrics_service *ours, const struct view_service *service)
{
	for (uint32_t i = 0; service != NULL && i < service->ports_count; i++) {
		if (service->ports[i].number == ours->port) {
			return &service->ports[i];
		}
	}
	return NULL;
}

/* As a remedy names it: with its number, and with its name where the Service gives one; heap. */
static char *port_text(const struct metrics_service *ours, const struct view_service_port *port)
{
	if (port != NULL && port->target_port > 0) {
		return xasprintf("port %lld", (long long)port->target_port);
	}
	if (port != NULL && port->target_name[0] != '\0') {
		return ours->listens > 0 ? xasprintf("port %d ('%s')", ours->listens, port->target_name)
		                         : xasprintf("port '%s'", port->target_name);
	}
	return ours->listens > 0 ? xasprintf("port %d", ours->listens) : xstrdup("the port");
}

static char *remedy_text(const char *remedy, const struct metrics_service *ours, const struct view_service_port *port)
{
	auto_free char *service = xasprintf("%s/%s", ours->ns, ours->name);
	auto_free char *port_words = port_text(ours, port);
	auto_strbuf text = STRBUF_INIT;

	for (const char *at = remedy; *at != '\0';) {
		size_t len = strcspn(at, "%");

		strbuf_add(&text, at, len);
		at += len;
		if (*at == '%') {
			strbuf_addstr(&text, at[1] == '1' ? service : port_words);
			at += strlen("%1$s");
		}
	}
	return strbuf_take(&text);
}

/* Whether the Service leads to a port of our pods on which nobody listens. Without a selector it may lead anywhere. */
static bool leads_astray(const struct metrics_service *ours, const struct view_service *service,
	const struct view_service_port *port)
{
	return port != NULL && service->selector.count > 0 && ours->listens > 0 && port->target_port > 0 &&
	       port->target_port != ours->listens;
}

static struct aggregator_trouble trouble_of(const struct row *row, const struct metrics_service *ours,
	const struct view_service *service)
{
	const struct view_service_port *port = way_in(ours, service);

	if (leads_astray(ours, service, port)) {
		return (struct aggregator_trouble){.reason = "ServerNotReached",
			.remedy = xasprintf(
				"Service '%s/%s' leads to port %lld of its pods, and the operator listens on %d: apply the chart "
				"again, and see who changed the Service",
				ours->ns, ours->name, (long long)port->target_port, ours->listens),
			.certain = true};
	}
	return (struct aggregator_trouble){.reason = row->reason, .remedy = remedy_text(row->remedy, ours, port)};
}

static bool fits(const struct row *row, const char *said, const char *words)
{
	return (row->said == NULL || text_equal(row->said, said)) &&
	       (row->words == NULL || (words != NULL && strstr(words, row->words) != NULL));
}

struct aggregator_trouble aggregator_of_condition(const struct metrics_service *ours,
	const struct view_service *service, const char *reason, const char *message)
{
	const struct row *row = of_conditions;

	while (!fits(row, reason, message)) {
		row++;
	}
	return trouble_of(row, ours, service);
}

bool aggregator_of_answer(const struct metrics_service *ours, const struct view_service *service, const char *words,
	struct aggregator_trouble *trouble)
{
	const struct row *row = of_answers;

	while (!fits(row, NULL, words)) {
		row++;
	}
	if (row->reason != NULL) {
		*trouble = trouble_of(row, ours, service);
	}
	return row->reason != NULL;
}
