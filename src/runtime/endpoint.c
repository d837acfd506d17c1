/* The operator's own HTTP endpoint. */
#include "runtime/endpoint.h"

#include <ctype.h>
#include <string.h>

#include "answers.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "gate.h"
#include "health.h"
#include "listing.h"
#include "net/http_server.h"
#include "reviews.h"
#include "turns.h"

#define TEXT "text/plain; charset=utf-8"
/* The port is open to the whole cluster; those who need it are two kubelets' probes, a few Prometheus and people. */
#define CONNECTIONS_MAX 64
#define NAMESPACE_MAX 63

struct endpoint {
	struct http_server *server;
	struct http_server *health_server; /* NULL = there is none of its own */
	struct answers *answers;           /* NULL while it closes */
	struct reviews *reviews;
	struct gate *gate;
	struct turns *turns;
	struct health health;
	bool metrics_need_token;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static bool standing_by(const struct endpoint *endpoint)
{
	return health_standing_by(&endpoint->health);
}

/* Their cost grows with the autoscalers. The last two are also there of a namespace, "PATH/NAMESPACE", and of a single
 * autoscaler, "PATH/NAMESPACE/NAME". */
static const struct page {
	const char *path;
	const char *content_type;
	enum listing_kind kind;
} pages[] = {
	{"/metrics", "text/plain; version=0.0.4; charset=utf-8", LISTING_METRICS},
	{"/explain", "application/json", LISTING_JSON},
	{"/explain.txt", TEXT, LISTING_TEXT},
};

/* What a path asks for; it is borrowed. */
struct wanted {
	const struct page *page;    /* NULL = there is no such page */
	const char *key;            /* "NAMESPACE/NAME"; NULL = a list */
	char ns[NAMESPACE_MAX + 1]; /* "" = of all */
};

/* Copies the name of a namespace, up to '/' or the end; false when it can be none. */
static bool read_namespace(const char *text, char *ns)
{
	size_t len = strcspn(text, "/");

	if (len == 0 || len > NAMESPACE_MAX) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (!islower((unsigned char)text[i]) && !isdigit((unsigned char)text[i]) && text[i] != '-') {
			return false;
		}
	}
	memcpy(ns, text, len);
	ns[len] = '\0';
	return true;
}

static struct wanted read_path(const char *path)
{
	struct wanted wanted = {.page = NULL};

	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		size_t len = strlen(pages[i].path);
		const char *rest = path + len;

		if (strncmp(path, pages[i].path, len) != 0) {
			continue;
		}
		if (rest[0] == '\0') {
			wanted.page = &pages[i];
		} else if (rest[0] == '/' && pages[i].kind != LISTING_METRICS && read_namespace(rest + 1, wanted.ns)) {
			wanted.page = &pages[i];
			wanted.key = strchr(rest + 1, '/') != NULL ? rest + 1 : NULL;
		}
	}
	return wanted;
}

static void metrics_of_leader(const struct endpoint *endpoint, struct strbuf *text)
{
	strbuf_addf(text,
		"# HELP inference_autoscaler_leader Whether this replica holds the Lease.\n"
		"# TYPE inference_autoscaler_leader gauge\ninference_autoscaler_leader %d\n",
		standing_by(endpoint) ? 0 : 1);
}

/* Of a question "PATH" or "PATH NAMESPACES". */
static void *begin_listing(const struct endpoint *endpoint, const char *question, struct strbuf *text)
{
	const char *space = strchr(question, ' ');
	auto_free char *path = xstrndup(question, strcspn(question, " "));
	struct wanted wanted = read_path(path);

	if (wanted.page->kind == LISTING_METRICS) {
		metrics_of_leader(endpoint, text);
		turns_metrics(endpoint->turns, text);
		if (endpoint->health.metrics_server != NULL) {
			metrics_server_metrics(endpoint->health.metrics_server, text);
		}
	}
	return listing_new(endpoint->health.controller, wanted.page->kind, wanted.key,
		space != NULL                                ? space + 1
		: wanted.key == NULL && wanted.ns[0] != '\0' ? wanted.ns
							     : NULL,
		standing_by(endpoint));
}

static bool make(void *ctx, const char *question, void **state, struct strbuf *text)
{
	if (*state == NULL) {
		*state = begin_listing(ctx, question, text);
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

/* Whoever asks may see it, of a list the autoscalers in these namespaces; NULL = in all that it asked for. */
static void answer(void *ctx, struct http_exchange *exchange, const char *namespaces)
{
	struct endpoint *endpoint = ctx;
	const char *path = http_exchange_path(exchange);
	struct wanted wanted = read_path(path);
	auto_free char *question = namespaces != NULL ? xasprintf("%s %s", path, namespaces) : xstrdup(path);

	if (endpoint->answers == NULL) {
		reply_text(exchange, 503, "the operator is stopping\n");
	} else if (wanted.key != NULL && !controller_has(endpoint->health.controller, wanted.key)) {
		reply_unknown(endpoint, exchange, wanted.key);
	} else {
		answers_give(endpoint->answers, exchange, question, wanted.page->content_type);
	}
}

static void handle(void *ctx, struct http_exchange *exchange)
{
	struct endpoint *endpoint = ctx;
	struct wanted wanted = read_path(http_exchange_path(exchange));

	if (endpoint->health_server == NULL && health_answer(&endpoint->health, exchange)) {
		return;
	}
	if (wanted.page == NULL) {
		reply_text(exchange, 404,
			"not found: there are /explain, /explain.txt, /metrics, /healthz and /readyz, "
			"/explain/NAMESPACE and /explain/NAMESPACE/NAME\n");
	} else if (endpoint->answers == NULL) {
		reply_text(exchange, 503, "the operator is stopping\n");
	} else if (wanted.page->kind != LISTING_METRICS) {
		gate_ask_namespace(endpoint->gate, exchange, wanted.ns[0] != '\0' ? wanted.ns : NULL);
	} else if (endpoint->metrics_need_token) {
		gate_ask_path(endpoint->gate, exchange, wanted.page->path);
	} else {
		answer(endpoint, exchange, NULL);
	}
}

static void handle_health(void *ctx, struct http_exchange *exchange)
{
	struct endpoint *endpoint = ctx;

	if (!health_answer(&endpoint->health, exchange)) {
		reply_text(exchange, 404, "not found: there are /healthz and /readyz\n");
	}
}

/* The keys are in order, so that those of one namespace stand together: '0' is the character after '/'. */
static char **namespaces_of(void *ctx, size_t *count)
{
	const struct controller *controller = ((const struct endpoint *)ctx)->health.controller;
	const struct view_autoscaler *autoscaler = controller_next(controller, NULL);
	char **found = NULL;
	size_t cap = 0;

	*count = 0;
	while (autoscaler != NULL) {
		auto_free char *end = xasprintf("%s0/", autoscaler->view.meta.ns);

		found = xgrow(found, &cap, *count + 1, sizeof(*found));
		found[(*count)++] = xstrdup(autoscaler->view.meta.ns);
		autoscaler = controller_next(controller, end);
	}
	return found;
}

static struct http_server *serve(uv_loop_t *loop, const char *address, http_handler_fn *handler,
	struct endpoint *endpoint, struct error *err)
{
	struct http_server *server = http_server_new(loop, address, handler, endpoint, err);

	if (server != NULL) {
		http_server_limit(server, CONNECTIONS_MAX);
	}
	return server;
}

static void ignore_closed(void *ctx)
{
	(void)ctx;
}

struct endpoint *endpoint_new(uv_loop_t *loop, const struct endpoint_options *options, struct error *err)
{
	struct endpoint *endpoint = xcalloc(1, sizeof(*endpoint));

	endpoint->health = (struct health){.controller = options->controller,
		.lease = options->lease,
		.metrics_server = options->metrics_server};
	endpoint->metrics_need_token = options->metrics_need_token;
	if (options->health_listen != NULL) {
		endpoint->health_server = serve(loop, options->health_listen, handle_health, endpoint, err);
		if (endpoint->health_server == NULL) {
			free_indirect(&endpoint);
			return NULL;
		}
	}
	endpoint->server = serve(loop, options->listen, handle, endpoint, err);
	if (endpoint->server == NULL) {
		if (endpoint->health_server != NULL) {
			http_server_close(endpoint->health_server, ignore_closed, NULL);
		}
		free_indirect(&endpoint);
		return NULL;
	}
	endpoint->turns = turns_new(loop);
	endpoint->answers =
		answers_new(loop, &(struct answers_hooks){.make = make, .release = release, .ctx = endpoint});
	endpoint->reviews = reviews_new(options->client);
	endpoint->gate = gate_new(endpoint->reviews,
		&(struct gate_hooks){.open = answer, .namespaces = namespaces_of, .ctx = endpoint});
	return endpoint;
}

/* The end: first those who wait, then the servers, whose last replies are written meanwhile. */

static void on_closed(void *ctx)
{
	struct endpoint *endpoint = ctx;
	void (*closed)(void *ctx) = endpoint->closed;
	void *closed_ctx = endpoint->closed_ctx;

	free_indirect(&endpoint);
	closed(closed_ctx);
}

static void on_servers_closed(void *ctx)
{
	struct endpoint *endpoint = ctx;

	turns_close(endpoint->turns, on_closed, endpoint);
}

static void on_server_closed(void *ctx)
{
	struct endpoint *endpoint = ctx;

	if (endpoint->health_server != NULL) {
		http_server_close(endpoint->health_server, on_servers_closed, endpoint);
	} else {
		on_servers_closed(endpoint);
	}
}

static void on_reviews_closed(void *ctx)
{
	struct endpoint *endpoint = ctx;

	http_server_close(endpoint->server, on_server_closed, endpoint);
}

static void on_answers_closed(void *ctx)
{
	struct endpoint *endpoint = ctx;

	reviews_close(endpoint->reviews, on_reviews_closed, endpoint);
}

void endpoint_close(struct endpoint *endpoint, void (*closed)(void *ctx), void *ctx)
{
	struct answers *answers = endpoint->answers;

	endpoint->closed = closed;
	endpoint->closed_ctx = ctx;
	endpoint->answers = NULL;
	gate_close(endpoint->gate);
	answers_close(answers, on_answers_closed, endpoint);
}
