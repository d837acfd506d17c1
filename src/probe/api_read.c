/* Reading of the API server, a few at once. */
#include "api_read.h"

#include <assert.h>

#include "base/memory.h"
#include "slots.h"

struct api_reads {
	struct kube_client *client;
	struct slots slots;
	uv_timer_t quick; /* runs while somebody waits */
	void (*closed)(void *ctx);
	void *closed_ctx;
};

struct api_read {
	struct slots_item place;
	struct api_reads *reads;
	char *path;
	struct kube_call *call; /* NULL while it waits */
	kube_done_fn *done;
	void *ctx;
};

static void on_done(void *ctx, json_t *result, const struct error *err)
{
	struct api_read *read = ctx;
	kube_done_fn *done = read->done;
	void *receiver = read->ctx;

	/* First the line, since the last one's done may end all of this. */
	slots_leave(&read->reads->slots, &read->place);
	free_indirect(&read->path);
	free_indirect(&read);
	done(receiver, result, err);
}

static void request(struct api_read *read)
{
	read->call = kube_request(read->reads->client, "GET", read->path, NULL, NULL, on_done, read);
}

static void begin(struct slots_item *item)
{
	request(container_of(item, struct api_read, place));
}

static void on_quick(uv_timer_t *timer)
{
	struct api_reads *reads = timer->data;

	slots_pass_on(&reads->slots, API_READ_QUICK_MS);
	if (slots_idle(&reads->slots)) {
		uv_timer_stop(timer);
	}
}

struct api_reads *api_reads_new(struct kube_client *client)
{
	struct api_reads *reads = xcalloc(1, sizeof(*reads));

	*reads = (struct api_reads){.client = client, .slots = {.free = API_READS_MAX, .begin = begin}};
	uv_timer_init(kube_client_loop(client), &reads->quick);
	reads->quick.data = reads;
	return reads;
}

static void on_closed(uv_handle_t *handle)
{
	struct api_reads *reads = handle->data;
	void (*closed)(void *ctx) = reads->closed;
	void *ctx = reads->closed_ctx;

	free_indirect(&reads);
	closed(ctx);
}

void api_reads_close(struct api_reads *reads, void (*closed)(void *ctx), void *ctx)
{
	assert(slots_idle(&reads->slots) && reads->slots.begun.first == NULL);
	reads->closed = closed;
	reads->closed_ctx = ctx;
	uv_close((uv_handle_t *)&reads->quick, on_closed);
}

struct api_read *api_read_start(struct api_reads *reads, const char *path, kube_done_fn *done, void *ctx)
{
	struct api_read *read = xcalloc(1, sizeof(*read));

	*read = (struct api_read){.reads = reads, .path = xstrdup(path), .done = done, .ctx = ctx};
	slots_join(&reads->slots, &read->place);
	if (!slots_idle(&reads->slots) && !uv_is_active((uv_handle_t *)&reads->quick)) {
		uv_timer_start(&reads->quick, on_quick, API_READ_QUICK_MS / 4, API_READ_QUICK_MS / 4);
	}
	return read;
}

void api_read_cancel(struct api_read *read)
{
	if (slots_waits(&read->reads->slots, &read->place)) {
		/* One that is cancelled before the loop turns is never sent, so it needs no slot. */
		slots_leave(&read->reads->slots, &read->place);
		request(read);
	}
	kube_call_cancel(read->call);
}
