/*
 * The routes: completions as vLLM has them, the engine's own metrics page and version, and /standin,
 * which says what the gauges say and pins them.
 *
 * The first SIGTERM lets the requests that are in finish and refuses new ones; the second ends them.
 */
#include "serve.h"

#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "engine.h"
#include "net/http_server.h"
#include "text.h"

#define DEFAULT_MAX_TOKENS 16

struct service {
	const struct serve_options *options;
	uv_loop_t loop;
	struct standin_engine engine;
	struct http_server *server;
	uv_signal_t sigterm, sigint;
	int64_t ready_ms;   /* monotonic time when the model counts as loaded */
	int64_t healthy_ms; /* monotonic time when /health says so */
	bool draining, closing;
	size_t completions;
	struct hung *hung;
};

/* A request that hangs, for the page or for /health, answered at the end. */
struct hung {
	struct http_exchange *exchange;
	struct hung *next, **link;
};

struct completion {
	struct service *service;
	struct http_exchange *exchange;
	struct standin_request *request;
	bool chat;
	int prompt_tokens, max_tokens;
};

static void reply_text(struct http_exchange *exchange, int status, const char *text)
{
	http_reply(exchange, status, "text/plain; charset=utf-8", text, strlen(text));
}

static void reply_json(struct http_exchange *exchange, int status, json_t *value)
{
	auto_free char *text = json_text(value);

	http_reply(exchange, status, "application/json", text, strlen(text));
	json_decref(value);
}

static void reply_error(struct http_exchange *exchange, int status, const char *type, const char *message)
{
	reply_json(exchange, status,
		json_pack("{s:{s:s, s:s, s:n, s:i}}", "error", "message", message, "type", type, "param", "code",
			status));
}

/* Completions --------------------------------------------------------------------------------- */

/* About four characters are a token. */
static int count_tokens(const json_t *prompt)
{
	auto_free char *text = prompt != NULL ? json_text(prompt) : NULL;

	return text != NULL ? (int)(strlen(text) / 4) + 1 : 1;
}

static void on_completed(void *ctx, bool finished)
{
	struct completion *c = ctx;
	struct service *service = c->service;
	auto_free char *id = xasprintf("%s-%zu", c->chat ? "chatcmpl" : "cmpl", ++service->completions);
	json_t *choice;

	if (!finished) {
		reply_error(c->exchange, 503, "ServiceUnavailableError", "the request was aborted");
		free(c);
		return;
	}
	choice = c->chat ? json_pack("{s:i, s:{s:s, s:s}, s:s}", "index", 0, "message", "role", "assistant", "content",
				   "a stand-in has nothing to say", "finish_reason", "length")
	                 : json_pack("{s:i, s:s, s:s}", "index", 0, "text", "a stand-in has nothing to say",
				   "finish_reason", "length");
	reply_json(c->exchange, 200,
		json_pack("{s:s, s:s, s:I, s:s, s:[o], s:{s:i, s:i, s:i}}", "id", id, "object",
			c->chat ? "chat.completion" : "text_completion", "created",
			(json_int_t)(clock_wall_ms() / 1000), "model", service->options->model, "choices", choice,
			"usage", "prompt_tokens", c->prompt_tokens, "completion_tokens", c->max_tokens, "total_tokens",
			c->prompt_tokens + c->max_tokens));
	free(c);
}

/* As vLLM does: a client that left has no use for the answer. */
static void on_client_gone(void *ctx)
{
	standin_engine_cancel(((struct completion *)ctx)->request);
}

static void complete(struct service *service, struct http_exchange *exchange, bool chat)
{
	size_t len;
	const char *text = http_exchange_body(exchange, &len);
	auto_error err = ERROR_INIT;
	auto_json *body = json_parse(text, len, &err);
	const char *model = json_path_string(body, "model", service->options->model);
	json_int_t max_tokens = json_path_int(body, "max_tokens", DEFAULT_MAX_TOKENS);
	json_t *prompt = json_path(body, chat ? "messages" : "prompt");
	struct completion *c;

	if (!json_is_object(body)) {
		reply_error(exchange, 400, "BadRequestError",
			err.message != NULL ? err.message : "the body is not an object");
	} else if (prompt == NULL) {
		reply_error(exchange, 400, "BadRequestError",
			chat ? "field 'messages' is required" : "field 'prompt' is required");
	} else if (max_tokens < 1 || max_tokens > 1000000) {
		reply_error(exchange, 400, "BadRequestError", "field 'max_tokens' must be between 1 and 1000000");
	} else if (json_path_bool(body, "stream", false)) {
		reply_error(exchange, 400, "BadRequestError", "field 'stream' is not supported by the stand-in");
	} else if (strcmp(model, service->options->model) != 0) {
		auto_free char *message = xasprintf("The model `%s` does not exist.", model);

		reply_error(exchange, 404, "NotFoundError", message);
	} else {
		c = xcalloc(1, sizeof(*c));
		*c = (struct completion){.service = service,
			.exchange = exchange,
			.chat = chat,
			.prompt_tokens = count_tokens(prompt),
			.max_tokens = (int)max_tokens};
		http_exchange_watch(exchange, on_client_gone, c);
		c->request =
			standin_engine_submit(&service->engine, &(struct standin_job){.prompt_tokens = c->prompt_tokens,
									.max_tokens = c->max_tokens,
									.n = 1,
									.done = on_completed,
									.ctx = c});
	}
}

/* Routes -------------------------------------------------------------------------------------- */

static void on_completions(struct service *service, struct http_exchange *exchange)
{
	complete(service, exchange, false);
}

static void on_chat_completions(struct service *service, struct http_exchange *exchange)
{
	complete(service, exchange, true);
}

static void on_version(struct service *service, struct http_exchange *exchange)
{
	const char *version = service->options->kind->version;

	http_reply(exchange, 200, "application/json", version, strlen(version));
}

static void on_stats(struct service *service, struct http_exchange *exchange)
{
	auto_strbuf stats = STRBUF_INIT;

	kind_stats(&stats, &service->engine.metrics);
	http_reply(exchange, 200, "application/json", stats.buf, stats.len);
}

static void on_models(struct service *service, struct http_exchange *exchange)
{
	const char *model = service->options->model;

	reply_json(exchange, 200,
		json_pack("{s:s, s:[{s:s, s:s, s:I, s:s, s:s}]}", "object", "list", "data", "id", model, "object",
			"model", "created", (json_int_t)(clock_wall_ms() / 1000), "owned_by", "vllm", "root", model));
}

static void end_hung(void *ctx)
{
	struct hung *hung = ctx;

	*hung->link = hung->next;
	if (hung->next != NULL) {
		hung->next->link = hung->link;
	}
	reply_text(hung->exchange, 503, "the server is shutting down\n");
	free(hung);
}

static void hang(struct service *service, struct http_exchange *exchange)
{
	struct hung *hung = xcalloc(1, sizeof(*hung));

	hung->exchange = exchange;
	hung->next = service->hung;
	hung->link = &service->hung;
	if (hung->next != NULL) {
		hung->next->link = &hung->next;
	}
	service->hung = hung;
	http_exchange_watch(exchange, end_hung, hung);
}

static void on_health(struct service *service, struct http_exchange *exchange)
{
	int most = service->options->health_hangs_above;

	if (most > 0 && service->engine.running + service->engine.waiting > most && !service->closing) {
		hang(service, exchange);
	} else if (clock_monotonic_ms() < service->healthy_ms) {
		reply_error(exchange, 503, "ServiceUnavailableError", "the model is being loaded");
	} else {
		reply_text(exchange, 200, "");
	}
}

static void on_page_moved(struct service *service, struct http_exchange *exchange)
{
	http_reply_redirect(exchange, 307, service->options->page_moved);
}

static void on_metrics(struct service *service, struct http_exchange *exchange)
{
	auto_strbuf page = STRBUF_INIT;
	auto_strbuf stamped = STRBUF_INIT;

	if (service->options->hang && !service->closing) {
		hang(service, exchange);
	} else if (service->options->page_status > 0 || service->options->hang) {
		reply_text(exchange, service->options->hang ? 503 : service->options->page_status,
			"metrics are refused\n");
	} else {
		kind_page(&page, service->options->kind, &service->engine.metrics, service->options->model);
		if (service->options->clock_behind_ms > 0) {
			text_add_stamped(&stamped, page.buf, clock_wall_ms() - service->options->clock_behind_ms);
			http_reply(exchange, 200, PAGE_CONTENT_TYPE, stamped.buf, stamped.len);
		} else {
			http_reply(exchange, 200, PAGE_CONTENT_TYPE, page.buf, page.len);
		}
	}
}

/* The gauges --------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum standin_value value;
	double most;
} gauges[GAUGES] = {
	[GAUGE_RUNNING] = {"running", VALUE_RUNNING, 1e9},
	[GAUGE_WAITING] = {"waiting", VALUE_WAITING, 1e9},
	[GAUGE_CACHE] = {"kv", VALUE_CACHE_USAGE, 1},
};

static size_t gauge_named(const char *name)
{
	size_t i = 0;

	while (i < GAUGES && strcmp(gauges[i].name, name) != 0) {
		i++;
	}
	return i;
}

/* Either all of them or none. */
static int pin(struct standin_engine *engine, const json_t *wanted, struct error *err)
{
	const char *name;
	json_t *value;

	if (!json_is_object(wanted) || json_object_size(wanted) == 0) {
		return error_set(err, ERROR_INVALID, "give an object with 'running', 'waiting' or 'kv'");
	}
	json_object_foreach((json_t *)wanted, name, value) {
		size_t i = gauge_named(name);

		if (i == GAUGES) {
			return error_set(err, ERROR_INVALID, "'%s' is unknown: give 'running', 'waiting' or 'kv'",
				name);
		}
		if (!json_is_null(value) && (!json_is_number(value) || json_number_value(value) < 0 ||
						    json_number_value(value) > gauges[i].most)) {
			return error_set(err, ERROR_INVALID, "'%s' must be between 0 and %g, or null for NaN", name,
				gauges[i].most);
		}
	}
	json_object_foreach((json_t *)wanted, name, value) {
		standin_engine_pin(engine, (enum standin_gauge)gauge_named(name),
			json_is_null(value) ? NAN : json_number_value(value));
	}
	return 0;
}

static void reply_gauges(struct service *service, struct http_exchange *exchange)
{
	json_t *answer = json_object();

	for (size_t i = 0; i < GAUGES; i++) {
		double value = service->engine.metrics.value[gauges[i].value];

		json_object_set_new(answer, gauges[i].name, isnan(value) ? json_null() : json_real(value));
	}
	reply_json(exchange, 200, answer);
}

static void on_standin(struct service *service, struct http_exchange *exchange)
{
	const char *method = http_exchange_method(exchange);
	size_t len;
	const char *text = http_exchange_body(exchange, &len);
	auto_error err = ERROR_INIT;
	auto_json *wanted = NULL;

	if (strcmp(method, "POST") == 0) {
		wanted = json_parse(text, len, &err);
		if (wanted == NULL || pin(&service->engine, wanted, &err) < 0) {
			reply_error(exchange, 400, "BadRequestError", err.message);
			return;
		}
	} else if (strcmp(method, "DELETE") == 0) {
		standin_engine_release(&service->engine);
	}
	reply_gauges(service, exchange);
}

/* Which route --------------------------------------------------------------------------------- */

struct route {
	const char *method, *path;               /* method NULL is any; path NULL is the engine's own */
	enum { ALWAYS, LOADED, ACCEPTING } when; /* 503 while the model loads; and also while draining */
	void (*handle)(struct service *service, struct http_exchange *exchange);
};

static const struct route metrics_route = {"GET", NULL, LOADED, on_metrics};
static const struct route moved_route = {"GET", NULL, LOADED, on_page_moved};
static const struct route version_route = {"GET", NULL, ALWAYS, on_version};
static const struct route stats_route = {"GET", NULL, LOADED, on_stats};
static const struct route routes[] = {
	{"GET", "/health", ACCEPTING, on_health},
	{"GET", "/v1/models", LOADED, on_models},
	{"POST", "/v1/completions", ACCEPTING, on_completions},
	{"POST", "/v1/chat/completions", ACCEPTING, on_chat_completions},
	{NULL, "/standin", ALWAYS, on_standin},
};

static bool is_path(const char *path, const char *wanted)
{
	return wanted != NULL && strcmp(path, wanted) == 0;
}

static const struct route *find_route(const struct serve_options *options, const char *path)
{
	const struct standin_kind *kind = options->kind;

	if (is_path(path, kind->path)) {
		return options->page_moved != NULL ? &moved_route : &metrics_route;
	}
	if (is_path(path, options->page_moved)) {
		return &metrics_route;
	}
	if (is_path(path, kind->version_path)) {
		return &version_route;
	}
	if (is_path(path, kind->stats_path)) {
		return &stats_route;
	}
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		if (is_path(path, routes[i].path)) {
			return &routes[i];
		}
	}
	return NULL;
}

static void on_request(void *ctx, struct http_exchange *exchange)
{
	struct service *service = ctx;
	const struct route *route = find_route(service->options, http_exchange_path(exchange));

	if (route == NULL) {
		reply_error(exchange, 404, "NotFoundError", "Not Found");
	} else if (route->method != NULL && strcmp(http_exchange_method(exchange), route->method) != 0) {
		reply_error(exchange, 405, "MethodNotAllowed", "Method Not Allowed");
	} else if (route->when != ALWAYS && clock_monotonic_ms() < service->ready_ms) {
		reply_error(exchange, 503, "ServiceUnavailableError", "the model is being loaded");
	} else if (route->when == ACCEPTING && service->draining) {
		reply_error(exchange, 503, "ServiceUnavailableError", "the server is shutting down");
	} else {
		route->handle(service, exchange);
	}
}

/* Life ---------------------------------------------------------------------------------------- */

static void on_closed(void *ctx)
{
	struct service *service = ctx;

	uv_close((uv_handle_t *)&service->sigterm, NULL);
	uv_close((uv_handle_t *)&service->sigint, NULL);
}

static void close_when_idle(void *ctx)
{
	struct service *service = ctx;

	if (service->closing || service->engine.running + service->engine.waiting > 0) {
		return;
	}
	service->closing = true;
	while (service->hung != NULL) {
		end_hung(service->hung);
	}
	http_server_close(service->server, on_closed, service);
}

static void on_signal(uv_signal_t *handle, int signum)
{
	struct service *service = handle->data;

	if (!service->draining) {
		fprintf(stderr, "vllm-standin: %s: finishing %d requests\n", strsignal(signum),
			service->engine.running + service->engine.waiting);
		service->draining = true;
		service->engine.idle = close_when_idle;
		service->engine.idle_ctx = service;
	} else {
		standin_engine_abort(&service->engine);
	}
	close_when_idle(service);
}

/* Explicitly: process 1 of a container is not ended by a signal it has no handler for. */
static void watch_signal(struct service *service, uv_signal_t *handle, int signum)
{
	uv_signal_init(&service->loop, handle);
	handle->data = service;
	uv_signal_start(handle, on_signal, signum);
}

int serve(const struct serve_options *options)
{
	struct service service = {.options = options};
	auto_error err = ERROR_INIT;

	uv_loop_init(&service.loop);
	standin_engine_init(&service.engine, &service.loop, options->max_num_seqs, options->latency_ms,
		(double)clock_wall_ms() / 1000);
	service.ready_ms = clock_monotonic_ms() + options->startup_delay_ms;
	service.healthy_ms = clock_monotonic_ms() + options->unhealthy_ms;
	service.server = http_server_new(&service.loop, options->listen, on_request, &service, &err);
	if (service.server != NULL) {
		watch_signal(&service, &service.sigterm, SIGTERM);
		watch_signal(&service, &service.sigint, SIGINT);
		fprintf(stderr, "vllm-standin: serving '%s' as %s does, on port %d\n", options->model,
			options->kind->name, http_server_port(service.server));
	} else {
		fprintf(stderr, "vllm-standin: %s\n", err.message);
	}
	uv_run(&service.loop, UV_RUN_DEFAULT);
	uv_loop_close(&service.loop);
	return service.closing ? EXIT_SUCCESS : EXIT_FAILURE;
}
