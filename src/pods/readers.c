/* Readers of pods, each under the label of its selector that the fewest others are under. */
#include "readers.h"

#include <string.h>

#include "base/keep.h"
#include "base/memory.h"

void pod_readers_release(struct pod_readers *readers)
{
	label_index_release(&readers->index);
}

static void add_links(struct pod_readers *readers, struct pod_reading *reading)
{
	const struct label_choice choice = label_index_choose(&readers->index, reading->ns, reading->selector);

	reading->links_count = label_choice_count(&choice);
	reading->links = keep_new(reading->links_count * sizeof(*reading->links));
	for (uint32_t i = 0; i < reading->links_count; i++) {
		label_index_add(&readers->index, &reading->links[i], label_choice_hash(&choice, i), reading);
	}
}

struct pod_reading *pod_reading_new(struct pod_readers *readers, struct pod_reader *reader, const char *ns,
	const char *selector)
{
	struct pod_reading *reading = keep_new(sizeof(*reading));

	*reading = (struct pod_reading){.reader = reader, .ns = keep_text(ns), .text = keep_text(selector)};
	reading->selector = view_selector_keep(selector, &reading->selector_bytes);
	if (reading->selector != NULL) {
		add_links(readers, reading);
	}
	return reading;
}

void pod_reading_free(struct pod_readers *readers, struct pod_reading *reading)
{
	if (reading == NULL) {
		return;
	}
	for (uint32_t i = 0; i < reading->links_count; i++) {
		label_index_remove(&readers->index, &reading->links[i]);
	}
	keep_free(reading->links, reading->links_count * sizeof(*reading->links));
	keep_free(reading->selector, reading->selector_bytes);
	keep_text_free(reading->text);
	keep_text_free(reading->ns);
	keep_free(reading, sizeof(*reading));
}

static bool selects(const struct pod_reading *reading, const struct object_meta *pod)
{
	return strcmp(reading->ns, pod->ns) == 0 && view_selector_matches(reading->selector, &pod->labels, false);
}

static void notify_under(struct pod_readers *readers, uint64_t hash, const struct object_meta *pod,
	void (*changed)(struct pod_reader *reader))
{
	const struct label_link *link = label_index_first(&readers->index, hash);

	for (; link != NULL; link = link->next) {
		struct pod_reading *reading = link->owner;

		if (reading->change != readers->changes && selects(reading, pod)) {
			reading->change = readers->changes;
			changed(reading->reader);
		}
	}
}

static void notify(struct pod_readers *readers, const struct object_meta *pod,
	void (*changed)(struct pod_reader *reader))
{
	const struct view_pairs *labels = &pod->labels;
	uint64_t ns_hash = label_hash_namespace(pod->ns);

	notify_under(readers, ns_hash, pod, changed);
	for (uint32_t i = 0; i < labels->count; i++) {
		notify_under(readers, label_hash(ns_hash, labels->items[i].key, labels->items[i].value), pod, changed);
	}
}

void pod_readers_notify(struct pod_readers *readers, const struct view *before, const struct view *now,
	void (*changed)(struct pod_reader *reader))
{
	readers->changes++;
	if (before != NULL) {
		notify(readers, &before->meta, changed);
	}
	if (now != NULL && (before == NULL || !view_pairs_equal(&before->meta.labels, &now->meta.labels))) {
		notify(readers, &now->meta, changed);
	}
}
