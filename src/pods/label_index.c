/* Links by the hash of a label. */
#include "label_index.h"

#include "base/keep.h"
#include "base/memory.h"

struct label_posting {
	struct hash_item item;
	struct label_link *first;
	size_t count;
};

static struct label_posting *posting_at(struct hash_item *item)
{
	return item != NULL ? container_of(item, struct label_posting, item) : NULL;
}

void label_index_release(struct label_index *index)
{
	hash_table_release(&index->postings);
}

void label_index_add(struct label_index *index, struct label_link *link, uint64_t hash, void *owner)
{
	struct label_posting *posting = posting_at(hash_table_find(&index->postings, hash));

	if (posting == NULL) {
		posting = keep_new(sizeof(*posting));
		hash_table_add(&index->postings, &posting->item, hash);
	}
	*link = (struct label_link){.posting = posting, .next = posting->first, .owner = owner};
	if (link->next != NULL) {
		link->next->previous = link;
	}
	posting->first = link;
	posting->count++;
}

void label_index_remove(struct label_index *index, struct label_link *link)
{
	struct label_posting *posting = link->posting;

	if (link->next != NULL) {
		link->next->previous = link->previous;
	}
	if (link->previous != NULL) {
		link->previous->next = link->next;
	} else {
		posting->first = link->next;
	}
	if (--posting->count == 0) {
		hash_table_remove(&index->postings, &posting->item);
		keep_free(posting, sizeof(*posting));
	}
}

struct label_link *label_index_first(const struct label_index *index, uint64_t hash)
{
	const struct label_posting *posting = posting_at(hash_table_find(&index->postings, hash));

	return posting != NULL ? posting->first : NULL;
}

uint64_t label_hash_namespace(const char *ns)
{
	return hash_text(HASH_START, ns);
}

uint64_t label_hash(uint64_t ns_hash, const char *key, const char *value)
{
	return hash_text(hash_text(ns_hash, key), value);
}

uint32_t label_choice_count(const struct label_choice *choice)
{
	return choice->key != NULL ? choice->values_count : 1;
}

uint64_t label_choice_hash(const struct label_choice *choice, uint32_t i)
{
	return choice->key != NULL ? label_hash(choice->ns_hash, choice->key, choice->values[i]) : choice->ns_hash;
}

/* How many are looked up and found by it. */
static size_t cost_of(const struct label_index *index, const struct label_choice *choice)
{
	size_t cost = label_choice_count(choice);

	for (uint32_t i = 0; i < label_choice_count(choice); i++) {
		const struct label_posting *posting =
			posting_at(hash_table_find(&index->postings, label_choice_hash(choice, i)));

		cost += posting != NULL ? posting->count : 0;
	}
	return cost;
}

/* The i-th thing that the selector asks for, when it names values. */
static bool choice_at(const struct view_selector *selector, uint32_t i, struct label_choice *choice)
{
	if (i < selector->match_labels.count) {
		choice->key = selector->match_labels.items[i].key;
		choice->values = &selector->match_labels.items[i].value;
		choice->values_count = 1;
		return true;
	}
	const struct view_requirement *requirement = &selector->expressions[i - selector->match_labels.count];

	choice->key = requirement->key;
	choice->values = requirement->values;
	choice->values_count = requirement->values_count;
	return requirement->op == SELECTOR_IN && requirement->values_count > 0;
}

struct label_choice label_index_choose(const struct label_index *index, const char *ns,
	const struct view_selector *selector)
{
	struct label_choice best = {.ns_hash = label_hash_namespace(ns)};
	struct label_choice choice = best;
	size_t least = cost_of(index, &best);

	for (uint32_t i = 0; i < selector->match_labels.count + selector->expressions_count; i++) {
		size_t cost;

		if (!choice_at(selector, i, &choice)) {
			continue;
		}
		cost = cost_of(index, &choice);
		/* Of the same cost a label is better than all of the namespace, where more will be. */
		if (cost < least || (cost == least && best.key == NULL)) {
			best = choice;
			least = cost;
		}
	}
	return best;
}
