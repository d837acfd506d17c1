/* The pods by name, and their groups by label. */
#include "store.h"

#include <stdlib.h>
#include <string.h>

#include "base/keep.h"
#include "base/memory.h"

/* The pods of a namespace that have the same labels: one or more. */
struct group {
	struct hash_item item;
	struct pod *first; /* in no order */
	size_t count;
	uint32_t links_count;
	struct label_link links[]; /* of the namespace, then of each label */
};

struct pod {
	struct hash_item item;
	const struct view *view;
	struct group *group;
	struct pod *next; /* of the group */
	struct pod *previous;
};

static struct group *group_at(struct hash_item *item)
{
	return item != NULL ? container_of(item, struct group, item) : NULL;
}

static struct pod *pod_at(struct hash_item *item)
{
	return item != NULL ? container_of(item, struct pod, item) : NULL;
}

/* Namespace and labels are those of any of its pods. */
static const struct object_meta *meta_of(const struct group *group)
{
	return &group->first->view->meta;
}

static uint64_t hash_of_labels(const struct object_meta *meta)
{
	uint64_t hash = label_hash_namespace(meta->ns);

	for (uint32_t i = 0; i < meta->labels.count; i++) {
		hash = label_hash(hash, meta->labels.items[i].key, meta->labels.items[i].value);
	}
	return hash;
}

static struct group *find_group(const struct pod_store *store, const struct object_meta *meta, uint64_t hash)
{
	struct hash_item *item = hash_table_find(&store->groups, hash);

	for (; item != NULL; item = hash_item_next(item)) {
		const struct object_meta *found = meta_of(group_at(item));

		if (strcmp(found->ns, meta->ns) == 0 && view_pairs_equal(&found->labels, &meta->labels)) {
			break;
		}
	}
	return group_at(item);
}

static size_t group_bytes(uint32_t links_count)
{
	return sizeof(struct group) + links_count * sizeof(struct label_link);
}

static struct group *new_group(struct pod_store *store, const struct object_meta *meta, uint64_t hash)
{
	uint32_t links_count = 1 + meta->labels.count;
	struct group *group = keep_new(group_bytes(links_count));
	uint64_t ns_hash = label_hash_namespace(meta->ns);

	group->links_count = links_count;
	hash_table_add(&store->groups, &group->item, hash);
	label_index_add(&store->index, &group->links[0], ns_hash, group);
	for (uint32_t i = 0; i < meta->labels.count; i++) {
		const struct view_pair *label = &meta->labels.items[i];

		label_index_add(&store->index, &group->links[1 + i], label_hash(ns_hash, label->key, label->value),
			group);
	}
	return group;
}

static void join(struct pod_store *store, struct pod *pod)
{
	const struct object_meta *meta = &pod->view->meta;
	uint64_t hash = hash_of_labels(meta);
	struct group *group = find_group(store, meta, hash);

	if (group == NULL) {
		group = new_group(store, meta, hash);
	}
	pod->group = group;
	pod->previous = NULL;
	pod->next = group->first;
	if (pod->next != NULL) {
		pod->next->previous = pod;
	}
	group->first = pod;
	group->count++;
}

static void leave(struct pod_store *store, struct pod *pod)
{
	struct group *group = pod->group;

	if (pod->next != NULL) {
		pod->next->previous = pod->previous;
	}
	if (pod->previous != NULL) {
		pod->previous->next = pod->next;
	} else {
		group->first = pod->next;
	}
	if (--group->count > 0) {
		return;
	}
	for (uint32_t i = 0; i < group->links_count; i++) {
		label_index_remove(&store->index, &group->links[i]);
	}
	hash_table_remove(&store->groups, &group->item);
	keep_free(group, group_bytes(group->links_count));
}

static struct pod *find_pod(const struct pod_store *store, const char *ns, const char *name)
{
	struct hash_item *item = hash_table_find(&store->pods, hash_text(hash_text(HASH_START, ns), name));

	for (; item != NULL; item = hash_item_next(item)) {
		const struct object_meta *meta = &pod_at(item)->view->meta;

		if (strcmp(meta->name, name) == 0 && strcmp(meta->ns, ns) == 0) {
			break;
		}
	}
	return pod_at(item);
}

static void add_pod(struct pod_store *store, const struct view *view_take)
{
	const struct object_meta *meta = &view_take->meta;
	struct pod *pod = keep_new(sizeof(*pod));

	pod->view = view_take;
	hash_table_add(&store->pods, &pod->item, hash_text(hash_text(HASH_START, meta->ns), meta->name));
	join(store, pod);
}

const struct view *pod_store_put(struct pod_store *store, const struct view *pod_take)
{
	struct pod *pod = find_pod(store, pod_take->meta.ns, pod_take->meta.name);
	const struct view *before = pod != NULL ? pod->view : NULL;

	if (pod == NULL) {
		add_pod(store, pod_take);
	} else if (view_pairs_equal(&before->meta.labels, &pod_take->meta.labels)) {
		pod->view = pod_take;
	} else {
		leave(store, pod);
		pod->view = pod_take;
		join(store, pod);
	}
	return before;
}

const struct view *pod_store_take(struct pod_store *store, const char *ns, const char *name)
{
	struct pod *pod = find_pod(store, ns, name);
	const struct view *view;

	if (pod == NULL) {
		return NULL;
	}
	view = pod->view;
	leave(store, pod);
	hash_table_remove(&store->pods, &pod->item);
	keep_free(pod, sizeof(*pod));
	return view;
}

void pod_store_release(struct pod_store *store)
{
	for (size_t i = 0; i < store->pods.cap; i++) {
		struct hash_item *item = store->pods.slots[i];

		while (item != NULL) {
			struct pod *pod = pod_at(item);

			item = item->next;
			leave(store, pod);
			view_unref(pod->view);
			keep_free(pod, sizeof(*pod));
		}
	}
	hash_table_release(&store->pods);
	hash_table_release(&store->groups);
	label_index_release(&store->index);
}

/* Finding. */

struct search {
	const struct pod_store *store;
	const char *ns;
	const struct view_selector *selector;
	struct pod_list found;
	size_t cap;
};

static void add_group(struct search *search, const struct group *group)
{
	search->found.pods =
		xgrow(search->found.pods, &search->cap, search->found.count + group->count, sizeof(struct view_pod *));
	for (const struct pod *pod = group->first; pod != NULL; pod = pod->next) {
		search->found.pods[search->found.count++] = view_pod(pod->view);
	}
}

static void search_under(struct search *search, uint64_t hash)
{
	const struct label_link *link = label_index_first(&search->store->index, hash);

	for (; link != NULL; link = link->next) {
		const struct group *group = link->owner;
		const struct object_meta *meta = meta_of(group);

		if (strcmp(meta->ns, search->ns) == 0 &&
			view_selector_matches(search->selector, &meta->labels, false)) {
			add_group(search, group);
		}
	}
}

static int compare_names(const void *a, const void *b)
{
	const struct view_pod *const *left = a;
	const struct view_pod *const *right = b;

	return strcmp((*left)->view.meta.name, (*right)->view.meta.name);
}

/* In order and once each: a selector may name a value twice. */
static void finish(struct pod_list *found)
{
	size_t count = 0;

	if (found->count > 0) {
		qsort(found->pods, found->count, sizeof(*found->pods), compare_names);
	}
	for (size_t i = 0; i < found->count; i++) {
		if (i == 0 || found->pods[i] != found->pods[i - 1]) {
			found->pods[count++] = found->pods[i];
			view_ref(&found->pods[i]->view);
		}
	}
	found->count = count;
}

struct pod_list pod_store_find(const struct pod_store *store, const char *ns, const struct view_selector *selector)
{
	const struct label_choice choice = label_index_choose(&store->index, ns, selector);
	struct search search = {.store = store, .ns = ns, .selector = selector};

	for (uint32_t i = 0; i < label_choice_count(&choice); i++) {
		search_under(&search, label_choice_hash(&choice, i));
	}
	finish(&search.found);
	return search.found;
}
