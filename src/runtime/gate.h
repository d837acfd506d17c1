/*
 * The gate before the pages: who shows a token, and may see what it asks for, is let in; the others are told why not.
 *
 * The pages tell of all tenants, and everybody in the cluster can reach them. In a namespace may see who may get
 * InferenceAutoscalers there; who asks for those of all namespaces and may not see all sees those that it may.
 */
#ifndef RUNTIME_GATE_H
#define RUNTIME_GATE_H

#include "net/http_server.h"
#include "reviews.h"

/* Of a list, namespaces asked about for one caller, one after the other. */
#define GATE_NAMESPACES_MAX 100

struct gate;

struct gate_hooks {
	/* The caller may. `namespaces` NULL = all that it asked for; else those of a list that it may see: names in order,
	 * separated by commas. The exchange is the hook's to reply to. */
	void (*open)(void *ctx, struct http_exchange *exchange, const char *namespaces);
	/* The namespaces that have autoscalers, in order: a heap array of heap strings, all the caller's. */
	char **(*namespaces)(void *ctx, size_t *count);
	void *ctx;
};

/* Borrows the reviews. */
struct gate *gate_new(struct reviews *reviews, const struct gate_hooks *hooks);
/* Who waits is sent away. */
void gate_close(struct gate *gate);

/* Opens, or replies, now or later. `ns` is a namespace's name; NULL = a list of all namespaces. */
void gate_ask_namespace(struct gate *gate, struct http_exchange *exchange, const char *ns);
/* The same for a path that is not about namespaces; a literal. */
void gate_ask_path(struct gate *gate, struct http_exchange *exchange, const char *path);

#endif
