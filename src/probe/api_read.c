/* Reading of the API server, a few at once. */
#include "api_read.h"

#include <assert.h>

#include "base/memory.h"
#include "slots.h"

struct api_reads {
	struct kube_client *client;
	struct slots slots;
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

struct api_reads *api_reads_new(struct kube_client *client)
{
	struct api_reads *reads = xcalloc(1, sizeof(*reads));

	*reads = (struct api_reads){.client = client, .slots = {.free = API_READS_MAX, .begin = begin}};
	return reads;
}

void api_reads_free(struct api_reads *reads)
{
	assert(reads->slots.free == API_READS_MAX && slots_idle(&reads->slots));
	free_indirect(&reads);
}

struct api_read *api_read_start(struct api_reads *reads, const char *path, kube_done_fn *done, void *ctx)
{
	struct api_read *read = xcalloc(1, sizeof(*read));

	*read = (struct api_read){.reads = reads, .path = xstrdup(path), .done = done, .ctx = ctx};
	slots_join(&reads->slots, &read->place);
	return read;
}

void api_read_cancel(struct api_read *read)
{
	if (read->place.waiting) {
		/* One that is cancelled before the loop turns is never sent, so it needs no slot. */
		slots_leave(&read->reads->slots, &read->place);
		request(read);
	}
	kube_call_cancel(read->call);
}
