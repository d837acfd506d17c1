/* Asking the API server one thing after the other. */
#include "command/session.h"

#include <curl/curl.h>
#include <stdio.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "command/command.h"
#include "kube/client.h"
#include "runtime/runner.h"

struct session {
	uv_loop_t loop;
	uv_timer_t deadline;
	const char *timeout;
	struct kube_config *config;
	struct http_client *http;
	struct kube_client *client;
	bool done; /* with what was asked last */
	json_t *answer;
	char *text; /* likewise, of what is no JSON */
	struct error error;
};

static void on_deadline(uv_timer_t *timer)
{
	const struct session *session = timer->data;

	fprintf(stderr, "inference-autoscaler: '%s' did not answer all within --timeout %s\n",
		kube_config_server(session->config), session->timeout);
	_exit(EXIT_USAGE);
}

struct session *session_open(const struct options *options, struct error *err)
{
	int64_t timeout_ms = clock_parse_duration(options->timeout);
	struct kube_config *config;
	struct session *session;

	if (timeout_ms <= 0) {
		error_set(err, ERROR_INVALID, "--timeout must be a duration such as 60s, not '%s'", options->timeout);
		return NULL;
	}
	config = kube_config_load(options->kubeconfig, options->context, err);
	if (config == NULL) {
		return NULL;
	}
	session = xcalloc(1, sizeof(*session));
	*session = (struct session){.config = config, .timeout = options->timeout, .error = ERROR_INIT};
	curl_global_init(CURL_GLOBAL_DEFAULT);
	uv_loop_init(&session->loop);
	session->http = http_client_new(&session->loop);
	session->client = kube_client_new(&session->loop, session->http, config);
	uv_timer_init(&session->loop, &session->deadline);
	session->deadline.data = session;
	uv_timer_start(&session->deadline, on_deadline, (uint64_t)timeout_ms, 0);
	return session;
}

static void ignore_closed(void *ctx)
{
	(void)ctx;
}

void session_close(struct session *session)
{
	if (session == NULL) {
		return;
	}
	http_client_close(session->http, ignore_closed, NULL);
	uv_close((uv_handle_t *)&session->deadline, NULL);
	uv_run(&session->loop, UV_RUN_DEFAULT);
	kube_client_free(session->client);
	kube_config_free(session->config);
	uv_loop_close(&session->loop);
	error_release(&session->error);
	curl_global_cleanup();
	free_indirect(&session);
}

const char *session_namespace(const struct session *session)
{
	return kube_config_namespace(session->config);
}

/* Runs the loop until what was asked has been answered. */
static int wait_for_answer(struct session *session, struct error *err)
{
	while (!session->done) {
		uv_run(&session->loop, UV_RUN_ONCE);
	}
	session->done = false;
	if (session->error.kind != ERROR_NONE) {
		error_move(err, &session->error);
		return -1;
	}
	return 0;
}

/* The turn that ends the wait is not to wait for what comes next. */
static void end_wait(struct session *session)
{
	session->done = true;
	uv_stop(&session->loop);
}

static void on_answer(void *ctx, json_t *result, const struct error *err)
{
	struct session *session = ctx;

	end_wait(session);
	session->answer = json_incref(result);
	if (err != NULL) {
		error_copy(&session->error, err);
	}
}

json_t *session_get(struct session *session, const struct kube_resource *resource, const char *ns, const char *name,
	struct error *err)
{
	kube_get(session->client, resource, ns, name, on_answer, session);
	return wait_for_answer(session, err) < 0 ? NULL : session->answer;
}

json_t *session_read(struct session *session, const char *path, struct error *err)
{
	kube_request(session->client, "GET", path, NULL, NULL, on_answer, session);
	return wait_for_answer(session, err) < 0 ? NULL : session->answer;
}

static void on_text(void *ctx, char *text_take, size_t len)
{
	struct session *session = ctx;

	(void)len;
	session->text = text_take;
}

char *session_read_text(struct session *session, const char *path, size_t max_body, struct error *err)
{
	auto_json *nothing = NULL;
	char *text;

	session->text = NULL;
	kube_read_text(session->client, path, max_body, on_text, on_answer, session);
	if (wait_for_answer(session, err) < 0) {
		return NULL;
	}
	nothing = session->answer;
	text = session->text;
	session->text = NULL;
	return text;
}

json_t *session_list(struct session *session, const struct kube_resource *resource, const char *ns, const char *query,
	struct error *err)
{
	auto_free char *path = kube_resource_path(resource, ns, NULL);
	auto_free char *full = xasprintf("%s%s%s", path, query != NULL ? "?" : "", query != NULL ? query : "");
	auto_free char *api_version = kube_api_version(resource);
	auto_json *list = NULL;
	size_t i;
	json_t *item;

	kube_request(session->client, "GET", full, NULL, NULL, on_answer, session);
	if (wait_for_answer(session, err) < 0) {
		return NULL;
	}
	list = session->answer;
	json_array_foreach(json_object_get(list, "items"), i, item) {
		json_object_set_new(item, "apiVersion", json_string(api_version));
		json_object_set_new(item, "kind", json_string(resource->kind));
	}
	return json_is_array(json_object_get(list, "items")) ? json_incref(json_object_get(list, "items"))
	                                                     : json_array();
}

static void on_run(void *ctx, struct run_result *result)
{
	struct session *session = ctx;

	end_wait(session);
	if (result->error != NULL) {
		error_copy(&session->error, result->error);
	}
}

int session_run(struct session *session, struct plan *plan_take, struct error *err)
{
	runner_start(session->client, plan_take, NULL, NULL, on_run, session);
	return wait_for_answer(session, err);
}
