/* What was seen where a page was looked for in vain, and what helps. */
#include "page_tries.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "page_fetch.h"

#define REPORTED_MAX 3 /* tries that a message tells of */

struct page_try {
	char *text;
	size_t sight; /* in the table */
	size_t number;
};

static bool is_status(const struct http_response *r, int status)
{
	return r->error == NULL && r->status == status;
}

static char first_letter(const struct http_response *r)
{
	return r->error == NULL ? r->body[strspn(r->body, " \t\r\n")] : '\0';
}

static bool has_words(const struct http_response *r, const char *words)
{
	return r->error != NULL && strstr(r->error->message, words) != NULL;
}

/* By the words of Envoy, the proxy of Istio and others. */
static bool is_denied_by_mesh(const struct http_response *r)
{
	return is_status(r, 403) && strstr(r->body, "RBAC: access denied") != NULL;
}

static bool wants_key(const struct http_response *r)
{
	return is_status(r, 401) || is_status(r, 403);
}

static bool has_no_metrics(const struct http_response *r)
{
	return is_status(r, 501);
}

/* llama.cpp in front of several models wants to be told which. */
static bool has_several_models(const struct http_response *r)
{
	return is_status(r, 400) && strstr(r->body, "model name is missing") != NULL;
}

static bool is_unavailable(const struct http_response *r)
{
	return is_status(r, 503);
}

static bool redirects(const struct http_response *r)
{
	return r->error == NULL && r->status >= 300 && r->status < 400;
}

static bool speaks_no_tls(const struct http_response *r)
{
	return r->error != NULL && r->tls_failed != 0;
}

/* Of a server that expects TLS: its own words, or none. */
static bool wants_tls(const struct http_response *r)
{
	return (is_status(r, 400) && strstr(r->body, "HTTPS") != NULL) || has_words(r, "closed the connection") ||
	       has_words(r, "broke");
}

static bool is_json(const struct http_response *r)
{
	return is_status(r, 200) && (first_letter(r) == '{' || first_letter(r) == '[');
}

static bool is_html(const struct http_response *r)
{
	return is_status(r, 200) && first_letter(r) == '<';
}

static bool is_not_there(const struct http_response *r)
{
	return is_status(r, 404);
}

static bool is_silent(const struct http_response *r)
{
	return has_words(r, "no answer from") || has_words(r, "timed out");
}

static bool is_refused(const struct http_response *r)
{
	return has_words(r, "refused");
}

static bool is_nowhere(const struct http_response *r)
{
	return has_words(r, PAGE_FETCH_NO_ADDRESS);
}

static bool is_any(const struct http_response *r)
{
	(void)r;
	return true;
}

#define SET_PLACE "set spec.engine.port and path to its metrics page"

/* The most telling first: of several tries one is at the engine's port, and most of the others where nothing is. */
static const struct {
	bool (*matches)(const struct http_response *r);
	const char *remedy;
} sights[] = {
	{is_denied_by_mesh,
		"a service mesh denies it: let its policies allow the operator and Prometheus to GET this page (Istio: an "
		"AuthorizationPolicy), or let the mesh leave this port alone"},
	{wants_key,
		"its page wants an API key, which Prometheus does not have either: let the engine, or the proxy before "
		"it, serve the page without one"},
	{has_no_metrics, "start the engine with its metrics on, llama.cpp with --metrics"},
	{has_several_models,
		"a server of several models has no page for all of them: give each model a workload of its own"},
	{is_unavailable,
		"an engine answers so while it loads its model, and a service mesh to whoever is outside: let the mesh leave "
		"this port alone (Istio: the pods' annotation traffic.sidecar.istio.io/excludeInboundPorts)"},
	{redirects, "set spec.engine.path to where it leads"},
	{speaks_no_tls, "set spec.engine.scheme to http if this port speaks no TLS, or " SET_PLACE},
	{wants_tls, "set spec.engine.scheme to https if this port speaks TLS, or " SET_PLACE},
	{is_json, "this is no metrics page: " SET_PLACE ", TensorRT-LLM has it at /prometheus/metrics"},
	{is_html, "this is no metrics page: " SET_PLACE},
	{is_not_there, "start SGLang with --enable-metrics, or " SET_PLACE},
	{is_silent, "does a NetworkPolicy keep the operator from the pods? let it in, or " SET_PLACE},
	{is_refused, "nothing listens there: " SET_PLACE},
	{is_nowhere, "its node's kubelet writes that: find out why"},
	{is_any, SET_PLACE},
};

bool page_try_is_in_vain(const struct http_response *response)
{
	return response->error != NULL || response->status != 200 || is_json(response) || is_html(response);
}

static char *describe(const char *pod, const char *url, const struct http_response *r)
{
	if (r->error != NULL) {
		return xasprintf("pod '%s' does not serve '%s': %s", pod, url, r->error->message);
	}
	if (is_json(r) || is_html(r)) {
		return xasprintf("pod '%s' answers %s at '%s'", pod, is_json(r) ? "JSON" : "HTML", url);
	}
	if (redirects(r) && r->redirect[0] != '\0') {
		return xasprintf("pod '%s' answers HTTP %d at '%s', a redirect to '%s', which is not followed", pod,
			r->status, url, r->redirect);
	}
	return xasprintf("pod '%s' answers HTTP %d at '%s'%s", pod, r->status, url,
		redirects(r) ? ", a redirect, which is not followed" : "");
}

void page_tries_add(struct page_tries *tries, const char *pod, const char *url, const struct http_response *response)
{
	size_t sight = 0;

	while (!sights[sight].matches(response)) {
		sight++;
	}
	tries->items = xgrow(tries->items, &tries->cap, tries->count + 1, sizeof(*tries->items));
	tries->items[tries->count] =
		(struct page_try){.text = describe(pod, url, response), .sight = sight, .number = tries->count};
	tries->count++;
}

static int compare(const void *left, const void *right)
{
	const struct page_try *a = left;
	const struct page_try *b = right;

	if (a->sight != b->sight) {
		return a->sight < b->sight ? -1 : 1;
	}
	return a->number < b->number ? -1 : 1;
}

char *page_tries_text(const struct page_tries *tries, size_t unread)
{
	struct strbuf text = STRBUF_INIT;
	size_t first = ARRAY_LEN(sights) - 1;

	if (tries->count > 0) {
		qsort(tries->items, tries->count, sizeof(*tries->items), compare);
		first = tries->items[0].sight;
	}
	for (size_t i = 0; i < tries->count && i < REPORTED_MAX; i++) {
		strbuf_addf(&text, "%s%s", i > 0 ? "; " : "", tries->items[i].text);
	}
	unread += tries->count > REPORTED_MAX ? tries->count - REPORTED_MAX : 0;
	if (unread > 0) {
		strbuf_addf(&text, "; and %zu more", unread);
	}
	strbuf_addf(&text, ": %s", sights[first].remedy);
	return strbuf_take(&text);
}

void page_tries_release(struct page_tries *tries)
{
	for (size_t i = 0; i < tries->count; i++) {
		free_indirect(&tries->items[i].text);
	}
	free_indirect(&tries->items);
	tries->count = tries->cap = 0;
}
