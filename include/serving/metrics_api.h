/*
 * The custom metrics API that we serve: from a request's target to its answer.
 *
 * The API server has let in who asks, for exactly this path, before it passed the request on; whose request it is, is not
 * asked here. Pods' pages are read when somebody asks for what is on them (src/serving/reader.h). All is done on the loop.
 */
#ifndef SERVING_METRICS_API_H
#define SERVING_METRICS_API_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "api/settings.h"
#include "base/strbuf.h"
#include "net/http_client.h"
#include "pods/pods.h"
#include "view/autoscaler.h"

struct metrics_api;

/* The server whose metrics API was taken over. The texts are the receiver's. */
struct metrics_former {
	const char *version; /* static: that it has */
	char *url;           /* "https://NAME.NAMESPACE.svc:PORT" */
	char *ca_pem;        /* NULL = the system's */
	char *server_name;   /* that its certificate is to be for; NULL = that of the URL */
	bool insecure;       /* any certificate will do */
};

/* What is known of the cluster, from the caches. The views are borrowed, until the caches change; lists are the caller's to
 * release. */
struct metrics_api_hooks {
	void *ctx;
	const struct settings *settings; /* borrowed */
	/* The InferenceAutoscalers of a namespace; those of them whose target has this name; the one of this name or NULL. */
	struct view_list (*autoscalers)(void *ctx, const char *ns);
	struct view_list (*autoscalers_of_target)(void *ctx, const char *ns, const char *target);
	const struct view *(*autoscaler)(void *ctx, const char *ns, const char *name);
	/* The selector of its target's pods as text; heap, the caller's. NULL and `err` while it is not known. */
	char *(*target_selector)(void *ctx, const struct view_autoscaler *autoscaler, struct error *err);
	/* For the GPUs: all DaemonSets, and the Services of a namespace. */
	struct view_list (*daemonsets)(void *ctx);
	struct view_list (*services)(void *ctx, const char *ns);
	/* Who had this version before we took it over; false when nobody. NULL = nobody ever. */
	bool (*former)(void *ctx, const char *version, struct metrics_former *former);
	/* The header by which we ask it, "Authorization: …"; heap, the caller's. NULL = none. */
	char *(*authorization)(void *ctx);
	/* What is not ours cannot be passed on to it, for too long. NULL = nobody wants to know. */
	void (*forward_failed)(void *ctx, const char *why);
};

/* One request, embedded in what the caller has of it. */
struct metrics_asker {
	const char *target; /* as it was sent, path and query; read during the call */
	bool ours; /* found: it asks for a metric of an autoscaler that we serve; known when there is a reply */
	/* Once, from the loop or from within metrics_api_ask(); the text is read during the call. */
	void (*reply)(struct metrics_asker *asker, int status, const char *content_type, const char *body, size_t len);
};

/* Client and pods are borrowed. */
struct metrics_api *metrics_api_new(uv_loop_t *loop, struct http_client *http, const struct pods *pods,
	const struct metrics_api_hooks *hooks);
/* Requests under way are answered with 503; closed(ctx) comes from the loop, and the client may be closed after it. */
void metrics_api_close(struct metrics_api *api, void (*closed)(void *ctx), void *ctx);
/* The reply comes within some more than a second. One who left is answered all the same. */
void metrics_api_ask(struct metrics_api *api, struct metrics_asker *asker);
/* Adds what there is to say of it in the format of Prometheus. */
void metrics_api_report(const struct metrics_api *api, struct strbuf *page);

#endif
