/*
 * The inside of the HTTP client, shared by its three files: http_client.c (libcurl on the loop),
 * http_transfer.c (one transfer's life) and http_easy.c (its options, and words for its failures).
 * Private to src/net.
 */
#ifndef NET_HTTP_TRANSFER_H
#define NET_HTTP_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>

#include "base/strbuf.h"
#include "net/http_client.h"

#define TRANSFER_MAGIC 0x7472666eU

struct http_client {
	unsigned magic;
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t deadline; /* libcurl's next timeout */
	uv_timer_t wake;     /* works off `pending` */
	struct http_transfer *transfers;
	struct http_transfer *pending, **pending_end;
	size_t handles; /* uv handles not yet closed; the client is freed after the last */
	bool closing;
	bool torn_down;
	void (*look)(void *ctx); /* NULL = none */
	void *look_ctx;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

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

/* http_client.c: has it started or ended, by its error, in the loop's next turn. */
void http_client_enqueue(struct http_transfer *transfer);
/* A timer of the client's, and its end: the client lives until each is closed. */
void http_client_init_timer(struct http_client *client, uv_timer_t *timer, void *data);
void http_client_handle_closed(struct http_client *client);

/* http_transfer.c */
struct http_transfer *http_transfer_cast(void *p);
void http_transfer_begin(struct http_transfer *transfer);
/* Tells the user and gives everything back. Only from the loop, outside libcurl. */
void http_transfer_finish(struct http_transfer *transfer);

/* http_easy.c: makes and fills transfer->easy. -1 with transfer->error filled when the request cannot be sent. */
int http_easy_setup(struct http_transfer *transfer, const struct http_request *request);
void http_easy_release(struct http_transfer *transfer);
/* Tells libcurl's result as transfer->error; nothing when it is CURLE_OK or an error is there already. */
void http_easy_check(struct http_transfer *transfer, CURLcode code);
/* The answer's Retry-After in milliseconds from now; -1 when absent or unreadable. */
int64_t http_easy_retry_after(CURL *easy);

#endif
