/* Resolving the server's name again and again, and choosing among its addresses. */
#include "addresses.h"

#include <curl/curl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define RESOLVE_EVERY_MS 1000

struct addresses {
	uv_loop_t *loop;
	uv_timer_t timer;
	uv_getaddrinfo_t request;
	bool resolving, closing;
	char *scheme, *host, *port, *host_header;
	/* Never shrinks, so that a request may point to its address. */
	struct address **list;
	size_t count, next;
};

static char *url_part(CURLU *url, CURLUPart part)
{
	char *text = NULL, *copy;

	curl_url_get(url, part, &text, CURLU_DEFAULT_PORT);
	copy = text != NULL ? xstrdup(text) : NULL;
	curl_free(text);
	return copy;
}

static struct address *find_or_add(struct addresses *a, const char *base)
{
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->list[i]->base, base) == 0) {
			return a->list[i];
		}
	}
	a->list = xrealloc(a->list, (a->count + 1) * sizeof(*a->list));
	a->list[a->count] = xcalloc(1, sizeof(**a->list));
	a->list[a->count]->base = xstrdup(base);
	return a->list[a->count++];
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
	struct addresses *a = request->data;

	a->resolving = false;
	if (a->closing) {
		uv_freeaddrinfo(found);
		return;
	}
	/* A name that stands for nothing has no ready pod; a server that does not answer says nothing. */
	if (status == 0 || status == UV_EAI_NONAME || status == UV_EAI_NODATA) {
		for (size_t i = 0; i < a->count; i++) {
			a->list[i]->listed = false;
		}
	}
	for (struct addrinfo *one = found; one != NULL; one = one->ai_next) {
		char ip[64]; /* an IPv6 address with its scope */

		if (getnameinfo(one->ai_addr, one->ai_addrlen, ip, sizeof(ip), NULL, 0, NI_NUMERICHOST) == 0) {
			bool v6 = one->ai_family == AF_INET6;
			auto_free char *base =
				xasprintf("%s://%s%s%s:%s", a->scheme, v6 ? "[" : "", ip, v6 ? "]" : "", a->port);

			find_or_add(a, base)->listed = true;
		}
	}
	uv_freeaddrinfo(found);
}

static void resolve(uv_timer_t *timer)
{
	static const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addresses *a = timer->data;

	if (!a->resolving) {
		a->resolving = uv_getaddrinfo(a->loop, &a->request, on_resolved, a->host, NULL, &hints) == 0;
	}
}

struct addresses *addresses_new(uv_loop_t *loop, const char *url, struct error *err)
{
	struct addresses *a;
	CURLU *parts = curl_url();

	if (parts == NULL || curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK) {
		curl_url_cleanup(parts);
		error_set(err, ERROR_INVALID, "'%s' is not a URL: give http://HOST:PORT", url);
		return NULL;
	}
	a = xcalloc(1, sizeof(*a));
	a->loop = loop;
	a->request.data = a;
	a->scheme = url_part(parts, CURLUPART_SCHEME);
	a->host = url_part(parts, CURLUPART_HOST);
	a->port = url_part(parts, CURLUPART_PORT);
	a->host_header = xasprintf("Host: %s:%s", a->host, a->port);
	curl_url_cleanup(parts);
	uv_timer_init(loop, &a->timer);
	a->timer.data = a;
	uv_timer_start(&a->timer, resolve, 0, RESOLVE_EVERY_MS);
	return a;
}

void addresses_close(struct addresses *a)
{
	a->closing = true;
	uv_close((uv_handle_t *)&a->timer, NULL);
	if (a->resolving) {
		uv_cancel((uv_req_t *)&a->request);
	}
}

void addresses_free(struct addresses *a)
{
	if (a == NULL) {
		return;
	}
	for (size_t i = 0; i < a->count; i++) {
		free(a->list[i]->base);
		free(a->list[i]);
	}
	free(a->list);
	free(a->scheme);
	free(a->host);
	free(a->port);
	free(a->host_header);
	free(a);
}

const char *addresses_host_header(const struct addresses *a)
{
	return a->host_header;
}

struct address *addresses_take(struct addresses *a)
{
	struct address *best = NULL;

	/* Equal ones by turns. */
	for (size_t i = 0; i < a->count; i++) {
		struct address *one = a->list[(a->next + i) % a->count];

		if (one->listed && (best == NULL || one->requests < best->requests)) {
			best = one;
		}
	}
	a->next++;
	if (best != NULL) {
		best->requests++;
	}
	return best;
}

void addresses_give_back(struct address *address, bool answered)
{
	address->requests--;
	if (!answered) {
		address->listed = false;
	}
}
