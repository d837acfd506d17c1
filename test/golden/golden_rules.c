/* All of our rules in an adapter's configuration, as the one line that stands for them in the worlds and plans. */
#include "golden_rules.h"

#include <string.h>

#include "adapter/adapter_config.h"
#include "adapter/adapter_rules.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"

#define MARK "# OUR RULES\n"
#define BARE_MARK "# OUR RULES WITHOUT MARKERS\n"
#define HEAD "rules:\n"

/* Our block, at the end of a list that is not indented. Heap. */
static char *make_block(void)
{
	size_t count;
	auto_free struct adapter_rule *rules = adapter_rules_all(&count);
	auto_free char *config = adapter_config_splice(HEAD, rules, count, NULL, NULL);

	return xstrdup(config + strlen(HEAD));
}

/* The same as a tool writes it that knows no comments. Heap. */
static char *make_bare(void)
{
	size_t count;
	auto_free struct adapter_rule *rules = adapter_rules_all(&count);
	auto_strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < count; i++) {
		adapter_rule_block(&text, &rules[i], 0, "\n");
	}
	return strbuf_take(&text);
}

/* The text with `from` replaced; heap, NULL when it is not in it. */
static char *replaced(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	auto_strbuf result = STRBUF_INIT;

	if (at == NULL) {
		return NULL;
	}
	strbuf_add(&result, text, (size_t)(at - text));
	strbuf_addstr(&result, to);
	strbuf_addstr(&result, at + strlen(from));
	return strbuf_take(&result);
}

static void replace_all(json_t *value, const char *from, const char *to)
{
	const char *key;
	json_t *item;
	size_t i;

	if (json_is_string(value)) {
		auto_free char *text = replaced(json_string_value(value), from, to);

		if (text != NULL) {
			json_string_set(value, text);
		}
	}
	json_object_foreach(value, key, item) {
		replace_all(item, from, to);
	}
	json_array_foreach(value, i, item) {
		replace_all(item, from, to);
	}
}

void golden_rules_unfold(json_t *document)
{
	auto_free char *block = make_block();

	auto_free char *bare = make_bare();

	replace_all(document, MARK, block);
	replace_all(document, BARE_MARK, bare);
}

json_t *golden_rules_folded(const json_t *document)
{
	auto_free char *block = make_block();
	json_t *copy = json_deep_copy(document);

	replace_all(copy, block, MARK);
	return copy;
}
