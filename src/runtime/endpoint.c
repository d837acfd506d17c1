/* The operator's own HTTP endpoint. */
#include "runtime/endpoint.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "net/http_server.h"
#include "reconcile/diagnosis.h"

#define TEXT "text/plain; charset=utf-8"

struct endpoint {
	struct http_server *server;
	const struct controller *controller;
	const struct kube_lease *lease;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static bool standing_by(const struct endpoint *endpoint)
{
	return endpoint->lease != NULL && !kube_lease_held(endpoint->lease);
}

static int healthz(const struct endpoint *endpoint, struct strbuf *page)
{
	bool live = standing_by(endpoint) || controller_live(endpoint->controller);

	strbuf_addstr(page, live ? "ok\n" : "a watch has made no progress for 15 minutes\n");
	return live ? 200 : 503;
}

static int readyz(const struct endpoint *endpoint, struct strbuf *page)
{
	bool ready = standing_by(endpoint) || controller_ready(endpoint->controller);

	strbuf_addstr(page,
		ready ? "ok\n" : "the caches have not synced yet: see the log for what cannot be watched\n");
	return ready ? 200 : 503;
}

static int metrics(const struct endpoint *endpoint, struct strbuf *page)
{
	strbuf_addf(page,
		"# HELP inference_autoscaler_leader Whether this replica holds the Lease.\n"
		"# TYPE inference_autoscaler_leader gauge\ninference_autoscaler_leader %d\n",
		standing_by(endpoint) ? 0 : 1);
	controller_metrics(endpoint->controller, page);
	return 200;
}

static int explain(const struct endpoint *endpoint, struct strbuf *page)
{
	json_t *all = controller_explain(endpoint->controller);
	auto_json *document = json_pack("{s:o}", "items", all);
	auto_free char *text = json_text(document);

	strbuf_addf(page, "%s\n", text);
	return 200;
}

static int explain_text(const struct endpoint *endpoint, struct strbuf *page)
{
	auto_json *all = controller_explain(endpoint->controller);
	size_t i;
	json_t *diagnosis;

	json_array_foreach(all, i, diagnosis) {
		strbuf_addstr(page, i > 0 ? "\n" : "");
		diagnosis_text(page, diagnosis, false, clock_wall_ms());
	}
	if (json_array_size(all) == 0) {
		strbuf_addstr(page, standing_by(endpoint) ? "this replica waits for the Lease: ask the other one\n"
							  : "there is no InferenceAutoscaler\n");
	}
	return 200;
}

static const struct {
	const char *path;
	const char *content_type;
	int (*answer)(const struct endpoint *endpoint, struct strbuf *page);
} pages[] = {
	{"/explain", "application/json", explain},
	{"/explain.txt", TEXT, explain_text},
	{"/healthz", TEXT, healthz},
	{"/metrics", "text/plain; version=0.0.4; charset=utf-8", metrics},
	{"/readyz", TEXT, readyz},
};

static void handle(void *ctx, struct http_exchange *exchange)
{
	static const char not_found[] = "not found: there are /explain, /explain.txt, /metrics, /healthz and /readyz\n";
	const char *path = http_exchange_path(exchange);

	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		if (strcmp(pages[i].path, path) == 0) {
			auto_strbuf page = STRBUF_INIT;
			int status = pages[i].answer(ctx, &page);

			http_reply(exchange, status, pages[i].content_type, page.buf, page.len);
			return;
		}
	}
	http_reply(exchange, 404, TEXT, not_found, sizeof(not_found) - 1);
}

struct endpoint *endpoint_new(uv_loop_t *loop, const char *address, const struct controller *controller,
	const struct kube_lease *lease, struct error *err)
{
	struct endpoint *endpoint = xcalloc(1, sizeof(*endpoint));

	endpoint->controller = controller;
	endpoint->lease = lease;
	endpoint->server = http_server_new(loop, address, handle, endpoint, err);
	if (endpoint->server == NULL) {
		free_indirect(&endpoint);
	}
	return endpoint;
}

static void on_closed(void *ctx)
{
	struct endpoint *endpoint = ctx;
	void (*closed)(void *ctx) = endpoint->closed;
	void *closed_ctx = endpoint->closed_ctx;

	free_indirect(&endpoint);
	closed(closed_ctx);
}

void endpoint_close(struct endpoint *endpoint, void (*closed)(void *ctx), void *ctx)
{
	endpoint->closed = closed;
	endpoint->closed_ctx = ctx;
	http_server_close(endpoint->server, on_closed, endpoint);
}
