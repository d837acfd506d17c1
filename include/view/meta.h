/*
 * What is kept of an object's metadata, and maps of texts such as labels.
 *
 * All of it is borrowed from the view that it is part of.
 */
#ifndef VIEW_META_H
#define VIEW_META_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct view_pair {
	const char *key;
	const char *value; /* NULL = it is no text */
};

/* Sorted by key. */
struct view_pairs {
	const struct view_pair *items;
	uint32_t count;
};

/* The key's value; NULL when absent. */
const char *view_pairs_get(const struct view_pairs *pairs, const char *key);
/* Whether each pair of `wanted` is in `observed`, as json_covers(). */
bool view_pairs_cover(const struct view_pairs *observed, const struct view_pairs *wanted);
bool view_pairs_equal(const struct view_pairs *a, const struct view_pairs *b);

/* As a JSON object, without those that are no texts. New reference. */
json_t *view_pairs_json(const struct view_pairs *pairs);

/* None of the texts is NULL: "" = not given. */
struct view_owner {
	const char *api_version;
	const char *kind;
	const char *name;
	const char *uid;
	bool controller;
	bool blocks_deletion;
};

struct object_meta {
	const char *ns; /* "" = of no namespace */
	const char *name;
	const char *uid; /* "" = not given, as the next */
	const char *resource_version;
	int64_t generation; /* 0 = not given */
	int64_t created_ms; /* wall; 0 = not given, or no time */
	const struct view_owner *owners;
	struct view_pairs labels;      /* of workloads none, which nobody reads */
	struct view_pairs annotations; /* those of ours */
	uint32_t owners_count;
	bool deleting;
	/* Which of its managedFields our create left, and no apply has claimed yet, counted from 1; 0 = none. Of the kinds that
	 * we make. */
	uint16_t created_entry;
};

/* NULL when absent. */
const char *meta_label(const struct object_meta *meta, const char *key);
/* Whether all of these are its labels; `labels` is an object, of a spec. */
bool meta_has_labels(const struct object_meta *meta, const json_t *labels);
const char *meta_annotation(const struct object_meta *meta, const char *key);
/* Whether one of its owners has this uid. */
bool meta_owned_by(const struct object_meta *meta, const char *uid);
/* The owner that made the object and keeps it; NULL when there is none. */
const struct view_owner *meta_controller(const struct object_meta *meta);
/* "ns/name", or "name"; heap, caller owns. */
char *meta_key(const struct object_meta *meta);

#endif
