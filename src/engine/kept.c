/* What a scrape keeps of an engine's page. */
#include "engine/kept.h"

#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "base/texts.h"
#include "engine/custom.h"
#include "engine/spelling.h"

/* The names and patterns of all its queries, each once. */
static struct texts patterns_of(const struct engine *engine)
{
	struct texts patterns = {NULL, 0};

	for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engine->signals[i].name != NULL; i++) {
		const char *at = engine_page_query(&engine->signals[i]);
		const char *name;
		size_t len;

		while ((name = spelling_next(&at, &len)) != NULL) {
			auto_free char *pattern = xstrndup(name, len);

			if (!texts_hold(&patterns, pattern)) {
				texts_add(&patterns, pattern);
			}
		}
	}
	return patterns;
}

/* A regular expression. Heap. */
static char *names_of(const struct engine *engine)
{
	struct texts patterns = patterns_of(engine);
	struct strbuf names = STRBUF_INIT;

	for (size_t i = 0; i < patterns.count; i++) {
		strbuf_addf(&names, "%s%s", i > 0 ? "|" : "", patterns.items[i]);
	}
	texts_release(&patterns);
	return strbuf_take(&names);
}

static json_t *keep_names(const struct engine *engine)
{
	auto_free char *names = names_of(engine);

	return json_pack("[{s:s, s:[s], s:s}]", "action", "keep", "sourceLabels", "__name__", "regex", names);
}

/* What a page itself calls so is no tag. */
static json_t *keep_tagged(const struct engine *engine)
{
	json_t *relabelings = json_pack("[{s:s, s:s}]", "action", "labeldrop", "regex", CUSTOM_TAGS ".*");
	json_t *labels = json_array();

	for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engine->signals[i].name != NULL; i++) {
		json_array_append_new(relabelings, custom_tag_relabeling(&engine->signals[i]));
		json_array_append_new(labels, json_string(engine->signals[i].tag.label));
	}
	json_array_append_new(relabelings,
		json_pack("{s:s, s:o, s:s}", "action", "keep", "sourceLabels", labels, "regex", ";*[^;].*"));
	return relabelings;
}

json_t *kept_relabelings(const struct engine *engine)
{
	return engine->signals[0].tag.label != NULL ? keep_tagged(engine) : keep_names(engine);
}

/* Adds the series that a pattern stands for; one that Ray writes is the same. */
static void add_series(struct texts *series, const char *pattern)
{
	size_t i = 0;
	char *name;

	while ((name = spelling_first_name(pattern, strlen(pattern), i++)) != NULL) {
		const char *own = spelling_without_ray(name);

		if (!texts_hold(series, own)) {
			texts_add(series, own);
		}
		free_indirect(&name);
	}
}

size_t kept_samples_max(const struct engine *engine)
{
	struct texts patterns = patterns_of(engine);
	struct texts series = {NULL, 0};
	size_t count;

	for (size_t i = 0; i < patterns.count; i++) {
		add_series(&series, patterns.items[i]);
	}
	count = series.count;
	texts_release(&patterns);
	texts_release(&series);
	return count * PAGE_SAMPLES_MAX;
}
