/* Pods, listed and counted. */
#include "pod_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "kube/resource.h"

static const struct kube_resource pods_resource = {"", "v1", "pods", "Pod", true};

struct asked {
	struct kube_call *call;
	pods_done_fn *done;
	void *ctx;
};

struct pod_list *pod_list_read(const json_t *list)
{
	const json_t *items = json_object_get(list, "items");
	struct pod_list *pods = xcalloc(1, sizeof(*pods));
	size_t i;
	json_t *item;

	pods->pods = xcalloc(json_array_size(items) + 1, sizeof(const struct view_pod *));
	json_array_foreach((json_t *)items, i, item) {
		pods->pods[pods->count++] = view_pod(view_decode_as(&view_pod_type, item));
	}
	return pods;
}

void pod_list_free(struct pod_list *list)
{
	if (list == NULL) {
		return;
	}
	for (size_t i = 0; i < list->count; i++) {
		view_unref(&list->pods[i]->view);
	}
	free_indirect(&list->pods);
	free_indirect(&list);
}

static void on_list(void *ctx, json_t *result, const struct error *err)
{
	struct asked *asked = ctx;

	asked->done(asked->ctx, err == NULL ? pod_list_read(result) : NULL, err);
	free_indirect(&asked);
}

static void *ask(void *ctx, const char *ns, const char *selector, pods_done_fn *done, void *done_ctx)
{
	auto_free char *path = kube_resource_path(&pods_resource, ns, NULL);
	auto_strbuf query = STRBUF_INIT;
	struct asked *asked = xcalloc(1, sizeof(*asked));

	*asked = (struct asked){.done = done, .ctx = done_ctx};
	strbuf_addf(&query, "%s?labelSelector=", path);
	strbuf_add_urlencoded(&query, selector);
	asked->call = kube_request(ctx, "GET", query.buf, NULL, NULL, on_list, asked);
	return asked;
}

static void cancel(void *asked)
{
	kube_call_cancel(((struct asked *)asked)->call);
}

struct pods_source pod_list_source(struct kube_client *client)
{
	return (struct pods_source){.ask = ask, .cancel = cancel, .ctx = client};
}

void counted_pods_add(struct counted_pods *pods, const char *name, int64_t ready_ms)
{
	pods->items = xgrow(pods->items, &pods->cap, pods->count + 1, sizeof(*pods->items));
	pods->items[pods->count++] = (struct counted_pod){.name = xstrdup(name), .ready_ms = ready_ms};
}

static int compare_names(const void *one, const void *other)
{
	return strcmp(((const struct counted_pod *)one)->name, ((const struct counted_pod *)other)->name);
}

void counted_pods_sort(struct counted_pods *pods)
{
	if (pods->count > 1) {
		qsort(pods->items, pods->count, sizeof(*pods->items), compare_names);
	}
}

static int compare_name(const void *name, const void *pod)
{
	return strcmp(name, ((const struct counted_pod *)pod)->name);
}

const struct counted_pod *counted_pods_find(const struct counted_pods *pods, const char *name)
{
	return pods->count > 0 ? bsearch(name, pods->items, pods->count, sizeof(*pods->items), compare_name) : NULL;
}

void counted_pods_release(struct counted_pods *pods)
{
	for (size_t i = 0; i < pods->count; i++) {
		free_indirect(&pods->items[i].name);
	}
	free_indirect(&pods->items);
	*pods = (struct counted_pods){.items = NULL};
}
