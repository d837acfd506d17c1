/* The exporter's routes, and /standin, which takes the assignment. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/json.h"
#include "base/memory.h"
#include "dcgm.h"
#include "net/http_server.h"

struct exporter {
	const struct dcgm_options *options;
	uv_loop_t loop;
	struct http_server *server;
	uv_signal_t sigterm, sigint;
	json_t *assignment;
	bool closing;
};

static void reply(struct http_exchange *exchange, int status, const char *text)
{
	http_reply(exchange, status, "text/plain; charset=utf-8", text, strlen(text));
}

static void on_metrics(struct exporter *exporter, struct http_exchange *exchange)
{
	auto_strbuf page = STRBUF_INIT;

	dcgm_page(&page, exporter->options, exporter->assignment);
	reply(exchange, 200, page.buf);
}

static void on_health(struct exporter *exporter, struct http_exchange *exchange)
{
	(void)exporter;
	reply(exchange, 200, "OK");
}

static void take(struct exporter *exporter, json_t *assignment)
{
	json_decref(exporter->assignment);
	exporter->assignment = assignment;
}

static void on_standin(struct exporter *exporter, struct http_exchange *exchange)
{
	const char *method = http_exchange_method(exchange);
	size_t len;
	const char *body = http_exchange_body(exchange, &len);
	auto_error err = ERROR_INIT;
	auto_json *wanted = NULL;
	auto_free char *answer = NULL;

	if (strcmp(method, "POST") == 0) {
		wanted = json_parse(body, len, &err);
		if (wanted == NULL || dcgm_check(wanted, &err) < 0) {
			auto_free char *line = xasprintf("%s\n", err.message);

			reply(exchange, 400, line);
			return;
		}
		take(exporter, json_incref(wanted));
	} else if (strcmp(method, "DELETE") == 0) {
		take(exporter, json_array());
	}
	answer = json_text(exporter->assignment);
	http_reply(exchange, 200, "application/json", answer, strlen(answer));
}

static const struct {
	const char *path;
	void (*handle)(struct exporter *exporter, struct http_exchange *exchange);
} routes[] = {
	{"/metrics", on_metrics},
	{"/health", on_health},
	{"/standin", on_standin},
};

static void on_request(void *ctx, struct http_exchange *exchange)
{
	for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
		if (strcmp(http_exchange_path(exchange), routes[i].path) == 0) {
			routes[i].handle(ctx, exchange);
			return;
		}
	}
	reply(exchange, 404, "not found\n");
}

static void on_closed(void *ctx)
{
	struct exporter *exporter = ctx;

	uv_close((uv_handle_t *)&exporter->sigterm, NULL);
	uv_close((uv_handle_t *)&exporter->sigint, NULL);
}

static void on_signal(uv_signal_t *handle, int signum)
{
	struct exporter *exporter = handle->data;

	(void)signum;
	if (!exporter->closing) {
		http_server_close(exporter->server, on_closed, exporter);
	}
	exporter->closing = true;
}

static void watch_signal(struct exporter *exporter, uv_signal_t *handle, int signum)
{
	uv_signal_init(&exporter->loop, handle);
	handle->data = exporter;
	uv_signal_start(handle, on_signal, signum);
}

int dcgm_serve(const struct dcgm_options *options)
{
	struct exporter exporter = {.options = options};
	auto_error err = ERROR_INIT;

	exporter.assignment = options->assignment != NULL ? json_incref(options->assignment) : json_array();
	uv_loop_init(&exporter.loop);
	exporter.server = http_server_new(&exporter.loop, options->listen, on_request, &exporter, &err);
	if (exporter.server != NULL) {
		watch_signal(&exporter, &exporter.sigterm, SIGTERM);
		watch_signal(&exporter, &exporter.sigint, SIGINT);
		fprintf(stderr, "vllm-standin: serving the GPUs of '%s' on port %d\n", options->hostname,
			http_server_port(exporter.server));
	} else {
		fprintf(stderr, "vllm-standin: %s\n", err.message);
	}
	uv_run(&exporter.loop, UV_RUN_DEFAULT);
	uv_loop_close(&exporter.loop);
	json_decref(exporter.assignment);
	return exporter.closing ? EXIT_SUCCESS : EXIT_FAILURE;
}
