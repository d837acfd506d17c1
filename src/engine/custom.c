/* An engine of somebody's own. */
#include "engine/custom.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "base/strbuf.h"
#include "engine/spelling.h"

#define DIGITS 8

struct custom_engine {
	struct engine engine;
	struct custom_texts {
		char *series;
		char *page_query;
		char *tag;
	} texts[ENGINE_SIGNALS_MAX];
};

/* What the spec says of one figure. */
struct description {
	const char *series;
	const char *over;
	const char *unit;
};

static bool is_ratio(const struct description *described)
{
	return strcmp(described->unit, "Ratio") == 0;
}

static bool is_maximum(const struct description *described)
{
	return strcmp(described->over, "Max") == 0;
}

/* Counts add up over a pod's samples, a fill level is the fullest's, when the spec does not say it. */
static struct description read_description(const json_t *wanted, const struct engine_signal *signal)
{
	bool fill = engine_metric_is_percent(signal->metric);

	return (struct description){.series = json_path_string(wanted, "series", ""),
		.over = json_path_string(wanted, "over", fill ? "Max" : "Sum"),
		.unit = json_path_string(wanted, "unit", fill ? "Ratio" : "Requests")};
}

/* The name that a client library may write in other ways, as a pattern of them (engine/spelling.h). */
static char *pattern_of(const char *name)
{
	static const char *const prefixes[] = {"vllm", "sglang", "lmdeploy", "llamacpp"};
	struct strbuf pattern = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		size_t len = strlen(prefixes[i]);

		if (strncmp(name, prefixes[i], len) == 0 && (name[len] == ':' || name[len] == '_')) {
			strbuf_addstr(&pattern, i == 0 ? "(vllm|ray_vllm)" : prefixes[i]);
			strbuf_addstr(&pattern, "[:_]");
			name += len + 1;
			break;
		}
	}
	for (; *name != '\0'; name++) {
		strbuf_add(&pattern, *name == ':' ? "[:_]" : name, *name == ':' ? 4 : 1);
	}
	return strbuf_take(&pattern);
}

/* The first spelling, with ':' behind the prefix that has others. */
static char *first_spelling(const char *pattern)
{
	return spelling_first_name(pattern, strlen(pattern), 0);
}

/* What stands between the braces of a series, which may have none. Heap. */
static char *matchers_of(const char *series)
{
	const char *brace = strchr(series, '{');

	return brace != NULL ? xstrndup(brace + 1, strlen(brace) - 2) : xstrdup("");
}

/* The pattern of its name. Heap. */
static char *name_pattern_of(const char *series)
{
	auto_free char *name = xstrndup(series, strcspn(series, "{"));

	return pattern_of(spelling_without_ray(name));
}

/* What is summed up, or of what the maximum is, of ready pods or of others. */
static void add_samples(struct strbuf *query, const struct description *described, const char *pattern,
	const char *matchers, const char *unready)
{
	strbuf_addf(query, "%s%s(" SPELLING_BEGIN "%s\",unready=\"%s\",%s%s<<.LabelMatchers>>} >= 0) by (<<.GroupBy>>)",
		is_ratio(described) ? "100 * " : "", is_maximum(described) ? "max" : "sum", pattern, unready, matchers,
		matchers[0] != '\0' ? "," : "");
}

/* As the rules read it (custom_rules.c). Heap. */
static char *tag_of(const struct description *described)
{
	auto_free char *whole = xasprintf("%s\n%s\n%s\n", described->series, described->over, described->unit);
	auto_free char *digits = sha256_text(whole, DIGITS);

	return xasprintf("%s%s.%s", is_ratio(described) ? "ratio_" : "", is_maximum(described) ? "max" : "sum", digits);
}

static void make_signal(struct custom_engine *custom, size_t index, const struct engine_signal *signal,
	const struct description *described)
{
	auto_free char *matchers = matchers_of(described->series);
	auto_free char *pattern = name_pattern_of(described->series);
	auto_free char *first = first_spelling(pattern);
	struct custom_texts *texts = &custom->texts[index];
	struct engine_signal *own = &custom->engine.signals[index];
	struct strbuf query = STRBUF_INIT;

	strbuf_addstr(&query, "(");
	add_samples(&query, described, pattern, matchers, "true");
	strbuf_addstr(&query, ") > 0 or (");
	add_samples(&query, described, pattern, matchers, "");
	strbuf_addstr(&query, ")");
	*texts = (struct custom_texts){
		.series = matchers[0] != '\0' ? xasprintf("%s{%s}", first, matchers) : xstrdup(first),
		.page_query = strbuf_take(&query),
		.tag = tag_of(described),
	};
	*own = *signal;
	own->series[0] = texts->series;
	own->page_query = texts->page_query;
	own->tag.value = texts->tag;
}

struct custom_engine *custom_engine_new(const char *type, const json_t *signals)
{
	struct custom_engine *custom;
	size_t count = 0;

	if (type == NULL || strcmp(type, CUSTOM_ENGINE) != 0) {
		return NULL;
	}
	custom = xcalloc(1, sizeof(*custom));
	custom->engine = (struct engine){.type = CUSTOM_ENGINE, .places = {{0, "/metrics"}}};
	for (size_t i = 0; i < ENGINE_SIGNALS_MAX; i++) {
		const json_t *wanted = json_find(signals, "name", custom_rules.signals[i].name);

		if (wanted != NULL) {
			const struct description described = read_description(wanted, &custom_rules.signals[i]);

			make_signal(custom, count++, &custom_rules.signals[i], &described);
		}
	}
	return custom;
}

const struct engine *custom_engine(const struct custom_engine *custom)
{
	return &custom->engine;
}

void custom_engine_free(struct custom_engine *custom)
{
	for (size_t i = 0; custom != NULL && i < ENGINE_SIGNALS_MAX; i++) {
		struct custom_texts *texts = &custom->texts[i];

		free_indirect(&texts->series);
		free_indirect(&texts->page_query);
		free_indirect(&texts->tag);
	}
	free_indirect(&custom);
}

void custom_engine_free_indirect(struct custom_engine **custom)
{
	custom_engine_free(*custom);
	*custom = NULL;
}
