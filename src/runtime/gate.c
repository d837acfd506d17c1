/* Who may see the pages. */
#include "gate.h"

#include <string.h>

#include "api/kinds.h"
#include "base/memory.h"
#include "base/strbuf.h"

#define NO_TOKEN                                                                                                       \
	"this is for those who may get InferenceAutoscalers: send 'Authorization: Bearer TOKEN', with a TOKEN of "     \
	"'kubectl create token', through 'kubectl port-forward' so that nobody reads it on the way\n"
#define UNKNOWN_TOKEN "the API server does not take this token: make a new one with 'kubectl create token'\n"
#define TOO_MANY                                                                                                            \
	"the API server has refused much to this address: wait a few seconds, and ask with a token that it takes for what " \
	"that may see\n"

/* A caller whose rights are asked for. */
struct visitor {
	struct gate *gate;
	struct http_exchange *exchange;
	struct review *review;
	const char *path;    /* NULL = it asks for namespaces */
	char *ns;            /* NULL = it asks for all */
	char **candidates;   /* once it is known that it may not see all; NULL before */
	size_t count;        /* of candidates */
	size_t at;           /* the one that is asked about */
	struct strbuf among; /* those that it may see */
	struct visitor *next;
};

struct gate {
	struct reviews *reviews;
	struct gate_hooks hooks;
	struct visitor *first;
};

/* The exchange is whoever's who takes it from here. */
static struct http_exchange *leave(struct visitor *visitor)
{
	struct http_exchange *exchange = visitor->exchange;
	struct visitor **place = &visitor->gate->first;

	while (*place != visitor) {
		place = &(*place)->next;
	}
	*place = visitor->next;
	for (size_t i = 0; i < visitor->count; i++) {
		free_indirect(&visitor->candidates[i]);
	}
	free_indirect(&visitor->candidates);
	free_indirect(&visitor->ns);
	strbuf_release(&visitor->among);
	free_indirect(&visitor);
	return exchange;
}

static void reply(struct http_exchange *exchange, int status, const char *text)
{
	http_reply(exchange, status, "text/plain; charset=utf-8", text, strlen(text));
}

static void open_to(struct visitor *visitor, bool narrowed)
{
	const struct gate_hooks *hooks = &visitor->gate->hooks;
	auto_free char *namespaces = narrowed ? xstrdup(visitor->among.buf) : NULL;
	struct http_exchange *exchange = leave(visitor);

	http_exchange_watch(exchange, NULL, NULL);
	hooks->open(hooks->ctx, exchange, namespaces);
}

/* Heap. */
static char *sentence_of_refusal(const struct visitor *visitor, const char *caller)
{
	const struct kube_resource *resource = &kinds[KIND_AUTOSCALER].resource;
	auto_free char *where = visitor->ns != NULL ? xasprintf("in namespace '%s'", visitor->ns)
	                                            : xstrdup("in all namespaces, nor in one that has any");

	if (visitor->path != NULL) {
		return xasprintf(
			"'%s' may not get %s: bind a ClusterRole to it with nonResourceURLs [%s] and verbs [get]\n",
			caller, visitor->path, visitor->path);
	}
	return xasprintf("'%s' may not get %s.%s %s: bind a role to it that lets it, such as view\n", caller,
		resource->plural, resource->group, where);
}

static void ask(struct visitor *visitor);

static void on_next(struct visitor *visitor, const char *caller)
{
	auto_free char *refusal = NULL;

	if (visitor->at < visitor->count) {
		ask(visitor);
	} else if (visitor->among.len > 0) {
		open_to(visitor, true);
	} else {
		refusal = sentence_of_refusal(visitor, caller);
		reply(leave(visitor), 403, refusal);
	}
}

/* It may not see all namespaces: which ones? */
static void narrow(struct visitor *visitor, const char *caller)
{
	const struct gate_hooks *hooks = &visitor->gate->hooks;

	visitor->candidates = hooks->namespaces(hooks->ctx, &visitor->count);
	if (visitor->count > GATE_NAMESPACES_MAX) {
		auto_free char *text = xasprintf(
			"'%s' may not see all namespaces, and there are %zu: ask for one at /explain/NAMESPACE\n",
			caller, visitor->count);

		reply(leave(visitor), 403, text);
		return;
	}
	on_next(visitor, caller);
}

static void on_refused(struct visitor *visitor, const char *caller)
{
	if (visitor->path == NULL && visitor->ns == NULL && visitor->candidates == NULL) {
		narrow(visitor, caller);
		return;
	}
	visitor->at++;
	on_next(visitor, caller);
}

static void on_allowed(struct visitor *visitor, const char *caller)
{
	if (visitor->candidates == NULL) {
		open_to(visitor, false);
		return;
	}
	strbuf_addf(&visitor->among, "%s%s", visitor->among.len > 0 ? "," : "", visitor->candidates[visitor->at]);
	visitor->at++;
	on_next(visitor, caller);
}

static void on_answer(void *ctx, const struct review_answer *answer)
{
	struct visitor *visitor = ctx;
	auto_free char *why = NULL;

	visitor->review = NULL;
	switch (answer->verdict) {
	case REVIEW_ALLOWED:
		on_allowed(visitor, answer->caller);
		return;
	case REVIEW_FORBIDDEN:
		on_refused(visitor, answer->caller);
		return;
	case REVIEW_NOBODY:
		reply(leave(visitor), 401, UNKNOWN_TOKEN);
		return;
	case REVIEW_TOO_MANY:
		reply(leave(visitor), 429, TOO_MANY);
		return;
	case REVIEW_UNAVAILABLE:
		why = xasprintf("who may see this cannot be found out: %s\n", answer->why);
		reply(leave(visitor), 503, why);
		return;
	}
}

static void ask(struct visitor *visitor)
{
	const char *ns = visitor->candidates != NULL ? visitor->candidates[visitor->at]
	                 : visitor->ns != NULL       ? visitor->ns
	                                             : "";
	const struct review_question question = {.token = http_exchange_bearer(visitor->exchange),
		.ns = ns,
		.path = visitor->path,
		.listed = visitor->ns == NULL,
		.peer = http_exchange_peer(visitor->exchange)};

	visitor->review = reviews_ask(visitor->gate->reviews, &question, on_answer, visitor);
}

static void send_away(struct visitor *visitor, const char *why)
{
	if (visitor->review != NULL) {
		review_cancel(visitor->review);
	}
	reply(leave(visitor), 503, why);
}

static void on_gone(void *ctx)
{
	send_away(ctx, "");
}

static void enter(struct gate *gate, struct http_exchange *exchange, const char *ns, const char *path)
{
	struct visitor *visitor;

	if (http_exchange_bearer(exchange) == NULL) {
		reply(exchange, 401, NO_TOKEN);
		return;
	}
	visitor = xcalloc(1, sizeof(*visitor));
	*visitor = (struct visitor){.gate = gate,
		.exchange = exchange,
		.path = path,
		.ns = xstrdup(ns),
		.next = gate->first};
	strbuf_init(&visitor->among);
	gate->first = visitor;
	ask(visitor);
	http_exchange_watch(exchange, on_gone, visitor);
}

void gate_ask_namespace(struct gate *gate, struct http_exchange *exchange, const char *ns)
{
	enter(gate, exchange, ns, NULL);
}

void gate_ask_path(struct gate *gate, struct http_exchange *exchange, const char *path)
{
	enter(gate, exchange, NULL, path);
}

struct gate *gate_new(struct reviews *reviews, const struct gate_hooks *hooks)
{
	struct gate *gate = xcalloc(1, sizeof(*gate));

	gate->reviews = reviews;
	gate->hooks = *hooks;
	return gate;
}

void gate_close(struct gate *gate)
{
	while (gate->first != NULL) {
		send_away(gate->first, "the operator is stopping\n");
	}
	free_indirect(&gate);
}
