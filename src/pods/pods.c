/* The pods, their readers, and whether they are known. */
#include "pods/pods.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "readers.h"
#include "store.h"

struct pods {
	struct pod_store store;
	struct pod_readers readers;
	bool known;
	struct error refused;
};

struct pods *pods_new(void)
{
	struct pods *pods = xcalloc(1, sizeof(*pods));

	pods->refused = ERROR_INIT;
	return pods;
}

void pods_free(struct pods *pods)
{
	if (pods == NULL) {
		return;
	}
	pod_readers_release(&pods->readers);
	pod_store_release(&pods->store);
	error_release(&pods->refused);
	free_indirect(&pods);
}

static void notify_reader(struct pod_reader *reader)
{
	reader->changed(reader);
}

void pods_put(struct pods *pods, const struct view *pod)
{
	const struct view *before;

	if (view_pod(pod)->ended) {
		pods_remove(pods, pod->meta.ns, pod->meta.name);
		return;
	}
	before = pod_store_put(&pods->store, view_ref(pod));
	if (before == NULL || !view_pod_alike(view_pod(before), view_pod(pod))) {
		pod_readers_notify(&pods->readers, before, pod, notify_reader);
	}
	view_unref(before);
}

void pods_remove(struct pods *pods, const char *ns, const char *name)
{
	const struct view *before = pod_store_take(&pods->store, ns, name);

	if (before != NULL) {
		pod_readers_notify(&pods->readers, before, NULL, notify_reader);
	}
	view_unref(before);
}

size_t pods_count(const struct pods *pods)
{
	return pods->store.pods.count;
}

bool pods_set_state(struct pods *pods, bool known, const struct error *refused)
{
	struct error none = ERROR_INIT;
	const struct error *now = refused != NULL ? refused : &none;
	bool differs = pods->known != known || !text_equal(pods->refused.message, now->message);

	pods->known = known;
	error_copy(&pods->refused, now);
	return differs;
}

bool pods_awaited(const struct pods *pods)
{
	return !pods->known && pods->refused.kind == ERROR_NONE;
}

struct pod_list pods_find(const struct pods *pods, const char *ns, const struct view_selector *selector)
{
	return pod_store_find(&pods->store, ns, selector);
}

void pod_list_release(struct pod_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		view_unref(&list->pods[i]->view);
	}
	free_indirect(&list->pods);
	list->count = 0;
}

void pod_reader_init(struct pod_reader *reader, struct pods *pods, void (*changed)(struct pod_reader *reader))
{
	*reader = (struct pod_reader){.changed = changed, .pods = pods};
}

void pod_reader_release(struct pod_reader *reader)
{
	pod_reading_free(&reader->pods->readers, reader->reading);
	reader->reading = NULL;
}

void pod_reader_select(struct pod_reader *reader, const char *ns, const char *selector)
{
	const struct pod_reading *reading = reader->reading;

	if (reading != NULL && strcmp(reading->ns, ns) == 0 && strcmp(reading->text, selector) == 0) {
		return;
	}
	pod_reader_release(reader);
	reader->reading = pod_reading_new(&reader->pods->readers, reader, ns, selector);
}

int pod_reader_find(const struct pod_reader *reader, struct pod_list *found, struct error *err)
{
	const struct pod_reading *reading = reader->reading;

	*found = (struct pod_list){.pods = NULL};
	if (reader->pods->refused.kind != ERROR_NONE) {
		error_copy(err, &reader->pods->refused);
		return -1;
	}
	if (reading->selector == NULL) {
		/* Once more, for the words about it. */
		auto_free struct view_selector *none = view_selector_parse(reading->text, err);

		return -1;
	}
	*found = pods_find(reader->pods, reading->ns, reading->selector);
	return 0;
}
