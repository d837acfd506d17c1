/* Requests that are passed on. */
#include "forward.h"

#include <string.h>

#include "answer.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "fair_line.h"
#include "request.h"
#include "version_words.h"

#define PREFIX "/apis/" SERVING_GROUP "/"
#define CONNECT_MS 5000

struct forward {
	const struct metrics_api_hooks *hooks;
	struct measures *measures;
	struct http_client *http;
	struct fair_line line;
	struct list all;
	struct forward_health health;
	uv_handle_t *closing; /* NULL = it is open */
	uv_timer_t turn;      /* of the end, which comes from the loop */
	void (*closed)(void *ctx);
	void *ctx;
};

/* One request. */
struct passage {
	struct fair_item item;
	struct list_item place; /* among all */
	struct forward *forward;
	struct metrics_asker *asker;
	struct metrics_former former;
	const char *version; /* that was asked for */
	char *url;
	char *ours; /* the list that theirs is added to; NULL = it is no list */
	struct http_transfer *transfer;
};

static const char *const versions[] = {"v1beta1", "v1beta2"};

static void begin(struct fair_item *item);

static void former_release(struct metrics_former *former)
{
	free_indirect(&former->url);
	free_indirect(&former->ca_pem);
	free_indirect(&former->server_name);
}

/* ---- the end of one ---- */

static void close_if_empty(struct forward *forward);

static void passage_free(struct passage *passage)
{
	struct forward *forward = passage->forward;

	list_leave(&passage->place);
	fair_line_leave(&forward->line, &passage->item);
	former_release(&passage->former);
	free_indirect(&passage->url);
	free_indirect(&passage->ours);
	free_indirect(&passage);
	close_if_empty(forward);
}

static void reply(struct passage *passage, int status, const char *content_type, const char *body, size_t len)
{
	struct metrics_asker *asker = passage->asker;

	measure_request(passage->forward->measures, status);
	asker->reply(asker, status, content_type, body, len);
}

static void refuse(struct passage *passage, const char *why)
{
	auto_error err = ERROR_INIT;
	auto_free char *body = NULL;
	int status;

	if (passage->ours != NULL) {
		reply(passage, 200, "application/json", passage->ours, strlen(passage->ours));
		return;
	}
	error_set(&err, ERROR_UNAVAILABLE,
		"the server that has this metric, '%s', was asked by the operator, which took over its APIService: %s",
		passage->former.url, why);
	body = answer_failure(&err, &status);
	reply(passage, status, "application/json", body, strlen(body));
}

/* ---- what came back ---- */

static bool is_status(const struct http_response *response)
{
	auto_json *body = json_parse(response->body, response->body_len, NULL);

	return strcmp(json_path_string(body, "kind", ""), "Status") == 0;
}

/* Why the passing on failed; heap, NULL = it did not. What the server says of a metric, be it of a Prometheus that does not
 * answer, it would say to anybody. But that our account may not ask is our matter. */
static char *failure_of(const struct http_response *response)
{
	if (response->error != NULL) {
		return xstrdup(response->error->message);
	}
	if (response->status == 401 || response->status == 403) {
		return xasprintf("it does not let in the operator's ServiceAccount (status %d)", response->status);
	}
	return response->status >= 500 && !is_status(response)
	               ? xasprintf("it answers with status %d", response->status)
	               : NULL;
}

/* Theirs after ours, each name once. */
static char *joined(const char *ours, const struct http_response *response)
{
	auto_json *list = json_parse(ours, strlen(ours), NULL);
	auto_json *theirs = json_parse(response->body, response->body_len, NULL);
	auto_json *known = json_object();
	json_t *resources = json_object_get(list, "resources");
	size_t i;
	json_t *item;

	json_array_foreach(resources, i, item) {
		json_object_set(known, json_path_string(item, "name", ""), json_null());
	}
	json_array_foreach(json_object_get(theirs, "resources"), i, item) {
		if (json_object_get(known, json_path_string(item, "name", "")) == NULL) {
			json_array_append(resources, item);
		}
	}
	return json_text(list);
}

static char *converted(const struct passage *passage, const struct http_response *response)
{
	auto_json *body = json_parse(response->body, response->body_len, NULL);

	if (body == NULL) {
		return xstrndup(response->body, response->body_len);
	}
	version_words_convert(body, passage->version);
	return json_text(body);
}

static void pass_back(struct passage *passage, const struct http_response *response)
{
	auto_free char *text = NULL;

	if (passage->ours != NULL) {
		text = response->status == 200 ? joined(passage->ours, response) : xstrdup(passage->ours);
		reply(passage, 200, "application/json", text, strlen(text));
	} else if (strcmp(passage->former.version, passage->version) == 0) {
		reply(passage, response->status, response->content_type, response->body, response->body_len);
	} else {
		text = converted(passage, response);
		reply(passage, response->status, "application/json", text, strlen(text));
	}
}

/* The caller's own mistake, an answer that is too large, tells nothing of the server. */
static void note(struct forward *forward, const struct http_response *response, const char *failure)
{
	if (failure == NULL) {
		forward->measures->forwarded++;
		forward_health_passed(&forward->health);
		return;
	}
	forward->measures->forward_failures++;
	if (!response->too_large && forward_health_failed(&forward->health, clock_monotonic_ms()) &&
		forward->hooks->forward_failed != NULL) {
		forward->hooks->forward_failed(forward->hooks->ctx, failure);
	}
}

static void on_done(void *ctx, const struct http_response *response)
{
	struct passage *passage = ctx;
	struct forward *forward = passage->forward;
	auto_free char *failure = failure_of(response);

	if (forward->closing != NULL) {
		refuse(passage, "the operator is stopping");
	} else if (failure != NULL) {
		refuse(passage, failure);
		note(forward, response, failure);
	} else {
		pass_back(passage, response);
		note(forward, response, NULL);
	}
	passage_free(passage);
}

/* ---- asking ---- */

static void begin(struct fair_item *item)
{
	struct passage *passage = container_of(item, struct passage, item);
	const struct forward *forward = passage->forward;
	const struct metrics_former *former = &passage->former;
	auto_free char *authorization =
		forward->hooks->authorization != NULL ? forward->hooks->authorization(forward->hooks->ctx) : NULL;
	const char *const headers[] = {"Accept: application/json", authorization, NULL};
	const struct http_tls tls = {.ca_data = former->ca_pem,
		.server_name = former->server_name,
		.insecure = former->insecure};

	passage->transfer = http_client_start(forward->http,
		&(struct http_request){.method = "GET",
			.url = passage->url,
			.headers = headers,
			.tls = &tls,
			.proxy = "",
			.timeout_ms = passage->ours != NULL ? FORWARD_LIST_MS : FORWARD_MS,
			.connect_timeout_ms = CONNECT_MS,
			.max_body = FORWARD_MAX_BYTES,
			.done = on_done,
			.ctx = passage});
}

/* Of the path behind the group; NULL when it is none of the two. */
static const char *version_in(const char *rest)
{
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		size_t len = strlen(versions[i]);

		if (strncmp(rest, versions[i], len) == 0 && strchr("/?", rest[len]) != NULL) {
			return versions[i];
		}
	}
	return NULL;
}

/* The namespace as it stands in the path, for the line; "" = none. */
static char *namespace_in(const char *rest)
{
	static const char word[] = "/namespaces/";
	const char *found = strncmp(rest, word, strlen(word)) == 0 ? rest + strlen(word) : "";

	return xstrndup(found, strcspn(found, "/?"));
}

static bool find_former(const struct forward *forward, const char *version, struct metrics_former *former)
{
	const char *other = version == versions[0] ? versions[1] : versions[0];
	const struct metrics_api_hooks *hooks = forward->hooks;

	return hooks->former != NULL &&
	       (hooks->former(hooks->ctx, version, former) || hooks->former(hooks->ctx, other, former));
}

static bool ask(struct forward *forward, struct metrics_asker *asker, const char *ours)
{
	const char *target = asker->target;
	size_t prefix = strlen(PREFIX);
	const char *version = strncmp(target, PREFIX, prefix) == 0 ? version_in(target + prefix) : NULL;
	const char *rest = version != NULL ? target + prefix + strlen(version) : NULL;
	struct metrics_former former = {.url = NULL};
	auto_free char *ns = NULL;
	struct passage *passage;

	if (forward->closing != NULL || rest == NULL || strchr(target, '#') != NULL ||
		!find_former(forward, version, &former)) {
		return false;
	}
	ns = namespace_in(rest);
	passage = xcalloc(1, sizeof(*passage));
	*passage = (struct passage){.forward = forward,
		.asker = asker,
		.former = former,
		.version = version,
		.url = xasprintf("%s" PREFIX "%s%s", former.url, former.version, rest),
		.ours = ours != NULL ? xstrdup(ours) : NULL};
	list_append(&forward->all, &passage->place);
	fair_line_join(&forward->line, &passage->item, ns);
	return true;
}

bool forward_ask(struct forward *forward, struct metrics_asker *asker)
{
	return ask(forward, asker, NULL);
}

bool forward_list(struct forward *forward, struct metrics_asker *asker, const char *ours)
{
	return ask(forward, asker, ours);
}

/* ---- life ---- */

struct forward *forward_new(uv_loop_t *loop, struct http_client *http, const struct metrics_api_hooks *hooks,
	struct measures *measures)
{
	struct forward *forward = xcalloc(1, sizeof(*forward));

	*forward = (struct forward){.hooks = hooks, .measures = measures, .http = http};
	fair_line_init(&forward->line, FORWARD_MOST, FORWARD_SHARE, begin);
	uv_timer_init(loop, &forward->turn);
	forward->turn.data = forward;
	return forward;
}

static void on_closed(uv_handle_t *handle)
{
	struct forward *forward = handle->data;
	void (*closed)(void *ctx) = forward->closed;
	void *ctx = forward->ctx;

	fair_line_release(&forward->line);
	free_indirect(&forward);
	closed(ctx);
}

static void close_if_empty(struct forward *forward)
{
	if (forward->closing != NULL && forward->all.first == NULL && !uv_is_closing(forward->closing)) {
		uv_close(forward->closing, on_closed);
	}
}

void forward_close(struct forward *forward, void (*closed)(void *ctx), void *ctx)
{
	struct list_item *next;

	forward->closing = (uv_handle_t *)&forward->turn;
	forward->closed = closed;
	forward->ctx = ctx;
	/* None of those in line may begin when another leaves. */
	forward->line.most = 0;
	for (struct list_item *item = forward->all.first; item != NULL; item = next) {
		struct passage *passage = container_of(item, struct passage, place);

		next = item->next;
		if (passage->transfer != NULL) {
			http_transfer_cancel(passage->transfer);
		} else {
			refuse(passage, "the operator is stopping");
			passage_free(passage);
		}
	}
	close_if_empty(forward);
}
