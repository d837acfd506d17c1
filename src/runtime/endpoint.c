/* The operator's own HTTP endpoint. */
#include "runtime/endpoint.h"

#include <string.h>

#include "answers.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "listing.h"
#include "net/http_server.h"
#include "turns.h"

#define TEXT "text/plain; charset=utf-8"
/* The port is open to the whole cluster; those who need it are two kubelets' probes, a few Prometheus and people. */
#define CONNECTIONS_MAX 64

struct endpoint {
	struct http_server *server;
	struct answers *answers; /* NULL while it closes */
	struct turns *turns;
	const struct controller *controller;
	const struct kube_lease *lease;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static bool standing_by(const struct endpoint *endpoint)
{
	return endpoint->lease != NULL && !kube_lease_held(endpoint->lease);
}

static int healthz(const struct endpoint *endpoint, const char **text)
{
	bool live = standing_by(endpoint) || controller_live(endpoint->controller);

	*text = live ? "ok\n" : "a watch has made no progress for 15 minutes\n";
	return live ? 200 : 503;
}

static int readyz(const struct endpoint *endpoint, const char **text)
{
	bool ready = standing_by(endpoint) || controller_ready(endpoint->controller);

	*text = ready ? "ok\n" : "the caches have not synced yet: see the log for what cannot be watched\n";
	return ready ? 200 : 503;
}

/* Their cost grows with the autoscalers. The last two are also there of a single one, "PATH/NAMESPACE/NAME". */
static const struct page {
	const char *path;
	const char *content_type;
	enum listing_kind kind;
} pages[] = {
	{"/metrics", "text/plain; version=0.0.4; charset=utf-8", LISTING_METRICS},
	{"/explain", "application/json", LISTING_JSON},
	{"/explain.txt", TEXT, LISTING_TEXT},
};

/* `key` is what the path has behind the page's: NULL = nothing. */
static const struct page *find_page(const char *path, const char **key)
{
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		size_t len = strlen(pages[i].path);

		if (strncmp(path, pages[i].path, len) != 0) {
			continue;
		}
		*key = path[len] == '/' ? path + len + 1 : NULL;
		if (path[len] == '\0' || (*key != NULL && pages[i].kind != LISTING_METRICS)) {
			return &pages[i];
		}
	}
	return NULL;
}

static void metrics_of_leader(const struct endpoint *endpoint, struct strbuf *text)
{
	strbuf_addf(text,
		"# HELP inference_autoscaler_leader Whether this replica holds the Lease.\n"
		"# TYPE inference_autoscaler_leader gauge\ninference_autoscaler_leader %d\n",
		standing_by(endpoint) ? 0 : 1);
}

static bool make(void *ctx, const char *path, void **state, struct strbuf *text)
{
	const struct endpoint *endpoint = ctx;

	if (*state == NULL) {
		const char *key = NULL;
		const struct page *page = find_page(path, &key);

		*state = listing_new(endpoint->controller, page->kind, key, standing_by(endpoint));
		if (page->kind == LISTING_METRICS) {
			metrics_of_leader(endpoint, text);
			turns_metrics(endpoint->turns, text);
		}
	}
	return listing_step(*state, text);
}

static void release(void *state)
{
	listing_free(state);
}

static void reply_text(struct http_exchange *exchange, int status, const char *text)
{
	http_reply(exchange, status, TEXT, text, strlen(text));
}

static void reply_unknown(const struct endpoint *endpoint, struct http_exchange *exchange, const char *key)
{
	auto_free char *unknown = xasprintf("there is no InferenceAutoscaler '%s'\n", key);

	reply_text(exchange, 404,
		standing_by(endpoint) ? "this replica waits for the Lease: ask the other one\n" : unknown);
}

static void handle(void *ctx, struct http_exchange *exchange)
{
	struct endpoint *endpoint = ctx;
	const char *path = http_exchange_path(exchange);
	const char *key = NULL;
	const struct page *page = find_page(path, &key);
	const char *text;

	if (strcmp(path, "/healthz") == 0) {
		int status = healthz(endpoint, &text);

		reply_text(exchange, status, text);
	} else if (strcmp(path, "/readyz") == 0) {
		int status = readyz(endpoint, &text);

		reply_text(exchange, status, text);
	} else if (page == NULL) {
		reply_text(exchange, 404,
			"not found: there are /explain, /explain.txt, /metrics, /healthz and /readyz, and "
			"/explain/NAMESPACE/NAME\n");
	} else if (key != NULL && !controller_has(endpoint->controller, key)) {
		reply_unknown(endpoint, exchange, key);
	} else if (endpoint->answers == NULL) {
		reply_text(exchange, 503, "the operator is stopping\n");
	} else {
		answers_give(endpoint->answers, exchange, page->content_type);
	}
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
		return NULL;
	}
	http_server_limit(endpoint->server, CONNECTIONS_MAX);
	endpoint->turns = turns_new(loop);
	endpoint->answers =
		answers_new(loop, &(struct answers_hooks){.make = make, .release = release, .ctx = endpoint});
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

static void on_server_closed(void *ctx)
{
	struct endpoint *endpoint = ctx;

	turns_close(endpoint->turns, on_closed, endpoint);
}

static void on_answers_closed(void *ctx)
{
	struct endpoint *endpoint = ctx;

	http_server_close(endpoint->server, on_server_closed, endpoint);
}

void endpoint_close(struct endpoint *endpoint, void (*closed)(void *ctx), void *ctx)
{
	struct answers *answers = endpoint->answers;

	endpoint->closed = closed;
	endpoint->closed_ctx = ctx;
	endpoint->answers = NULL;
	answers_close(answers, on_answers_closed, endpoint);
}
