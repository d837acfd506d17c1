/*
 * One transfer, as the client (http_client.c) and its libcurl handle (http_easy.c) share it. Private to src/net.
 */
#ifndef NET_HTTP_TRANSFER_H
#define NET_HTTP_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>

#include "base/strbuf.h"
#include "net/http_client.h"

struct http_transfer {
	unsigned magic;
	struct http_client *client;
	CURL *easy;
	struct curl_slist *headers;
	struct curl_slist *connect_to;
	char *request_body;
	char *origin; /* "https://host:port", for messages: never the path or the query */
	char error_text[CURL_ERROR_SIZE];

	bool (*may_send)(void *ctx);
	http_data_fn *on_data;
	http_done_fn *done;
	void *ctx;
	int64_t timeout_ms;
	int64_t idle_timeout_ms;
	size_t max_body;

	struct strbuf body;
	struct error error; /* why it ends early; the first reason stays */
	bool tls_failed;
	bool too_large;
	uv_timer_t idle;
	bool running;  /* added to the multi handle */
	bool pending;  /* in the client's queue of transfers to start or to end */
	bool finished; /* done was called or is being called */

	struct http_transfer *prev, *next; /* all transfers of the client */
	struct http_transfer *next_pending;
};

/* http_easy.c: makes and fills transfer->easy. -1 with transfer->error filled when the request cannot be sent. */
int http_easy_setup(struct http_transfer *transfer, const struct http_request *request);
void http_easy_release(struct http_transfer *transfer);
/* Tells libcurl's result as transfer->error; nothing when it is CURLE_OK or an error is there already. */
void http_easy_check(struct http_transfer *transfer, CURLcode code);
/* The answer's Retry-After in milliseconds from now; -1 when absent or unreadable. */
int64_t http_easy_retry_after(CURL *easy);

#endif
