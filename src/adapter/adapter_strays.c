/* Rules of ours without their markers: recognised, and cut out of a text. */
#include "adapter_strays.h"

#include <string.h>

#include "adapter/adapter_rule.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"

/* The lines of the item that begins at `at`, behind its dash: what is indented more than the dash. */
static bool find_lines(const struct layout *layout, const char *text, size_t at, struct block *lines)
{
	size_t begin = layout_line_start(text, at);
	size_t end = layout_next_line(text, at);

	if (strspn(text + begin, " ") != layout->item_column || text[begin + layout->item_column] != '-') {
		return false;
	}
	while (text[end] != '\0' && layout_at_line_start(text, end) && strspn(text + end, " ") > layout->item_column) {
		end = layout_next_line(text, end);
	}
	*lines = (struct block){begin, end};
	return true;
}

char *strays_cut(const struct layout *layout, const char *text, const json_t *doc)
{
	const json_t *rules = json_object_get(doc, "rules");
	struct strbuf rest = STRBUF_INIT;
	size_t kept = 0; /* of the text, so far */
	bool any = false;
	size_t i;
	json_t *rule;

	if (layout->shape != LAYOUT_LIST || json_array_size(rules) != layout->item_count) {
		return NULL;
	}
	json_array_foreach((json_t *)(uintptr_t)rules, i, rule) {
		struct block lines;

		if (!adapter_rule_is_ours(rule)) {
			continue;
		}
		if (!find_lines(layout, text, layout->items[i], &lines)) {
			strbuf_release(&rest);
			return NULL;
		}
		strbuf_add(&rest, text + kept, lines.begin - kept);
		kept = lines.end;
		any = true;
	}
	strbuf_addstr(&rest, text + kept);
	if (!any) {
		strbuf_release(&rest);
		return NULL;
	}
	return strbuf_take(&rest);
}

/* Without the rules that are ours. New reference. */
static json_t *without_ours(const json_t *doc)
{
	json_t *copy = json_deep_copy(doc);
	json_t *foreign = json_array();
	size_t i;
	json_t *rule;

	json_array_foreach(json_object_get(copy, "rules"), i, rule) {
		if (!adapter_rule_is_ours(rule)) {
			json_array_append(foreign, rule);
		}
	}
	json_object_set_new(copy, "rules", foreign);
	return copy;
}

bool strays_are_cut(const json_t *before, const json_t *after)
{
	auto_json *wanted = without_ours(before);
	auto_json *got = json_deep_copy(after);

	if (json_is_null(json_object_get(got, "rules"))) {
		json_object_set_new(got, "rules", json_array());
	}
	return json_equal(wanted, got);
}
