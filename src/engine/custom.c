/* An engine of somebody's own. */
#include "engine/custom.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "base/strbuf.h"
#include "engine/spelling.h"

#define DIGITS 16

struct custom_engine {
	struct engine engine;
	struct custom_texts {
		char *metric;
		char *series;
		char *series_query;
		char *metrics_query;
	} texts[ENGINE_SIGNALS_MAX];
};

/* What each figure is, by its name. */
static const struct kind_of_figure {
	const char *name;
	const char *metric; /* the end of its metric's name */
	const char *over;   /* when the spec does not say it, as the next */
	const char *unit;
	int64_t default_target_milli;
} figures[ENGINE_SIGNALS_MAX] = {
	{"Running", "num_requests_running", "Sum", "Requests", 4000},
	{"Waiting", "num_requests_waiting", "Sum", "Requests", 1000},
	{"InFlight", "num_requests_in_flight", "Sum", "Requests", 4000},
	{"KVCache", "kv_cache_usage_percent", "Max", "Ratio", 80000},
};

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

/* What is summed up, or of what the maximum is, of ready pods or of others. */
static void add_samples(struct strbuf *query, const char *over, const char *unit, const char *pattern,
	const char *labels, const char *unready)
{
	strbuf_addf(query, "%s%s(" SPELLING_BEGIN "%s\",unready=\"%s\",%s%s<<.LabelMatchers>>} >= 0) by (<<.GroupBy>>)",
		strcmp(unit, "Ratio") == 0 ? "100 * " : "", strcmp(over, "Max") == 0 ? "max" : "sum", pattern, unready,
		labels, labels[0] != '\0' ? "," : "");
}

static void make_signal(struct custom_engine *custom, size_t index, const struct kind_of_figure *figure,
	const json_t *wanted)
{
	const char *series = json_path_string(wanted, "series", "");
	const char *over = json_path_string(wanted, "over", figure->over);
	const char *unit = json_path_string(wanted, "unit", figure->unit);
	const char *brace = strchr(series, '{');
	auto_free char *name = xstrndup(series, brace != NULL ? (size_t)(brace - series) : strlen(series));
	auto_free char *labels = brace != NULL ? xstrndup(brace + 1, strlen(brace) - 2) : xstrdup("");
	auto_free char *pattern = pattern_of(spelling_without_ray(name));
	auto_free char *first = first_spelling(pattern);
	auto_free char *whole = xasprintf("%s\n%s\n%s\n", series, over, unit);
	auto_free char *digits = sha256_text(whole, DIGITS);
	struct custom_texts *texts = &custom->texts[index];
	struct strbuf query = STRBUF_INIT;

	strbuf_addstr(&query, "(");
	add_samples(&query, over, unit, pattern, labels, "true");
	strbuf_addstr(&query, ") > 0 or (");
	add_samples(&query, over, unit, pattern, labels, "");
	strbuf_addstr(&query, ")");
	*texts = (struct custom_texts){
		.metric = xasprintf(CUSTOM_METRIC "%s_%s", digits, figure->metric),
		.series = labels[0] != '\0' ? xasprintf("%s{%s}", first, labels) : xstrdup(first),
		.series_query = xasprintf("{__name__=~\"^%s$\",%s%snamespace!=\"\",pod!=\"\"}", pattern, labels,
			labels[0] != '\0' ? "," : ""),
		.metrics_query = strbuf_take(&query),
	};
	custom->engine.signals[index] = (struct engine_signal){.name = figure->name,
		.metric = texts->metric,
		.series = {texts->series},
		.series_query = texts->series_query,
		.metrics_query = texts->metrics_query,
		.default_target_milli = figure->default_target_milli};
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
	for (size_t f = 0; f < ARRAY_LEN(figures); f++) {
		const json_t *wanted = json_find(signals, "name", figures[f].name);

		if (wanted != NULL) {
			make_signal(custom, count++, &figures[f], wanted);
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

		free_indirect(&texts->metric);
		free_indirect(&texts->series);
		free_indirect(&texts->series_query);
		free_indirect(&texts->metrics_query);
	}
	free_indirect(&custom);
}

void custom_engine_free_indirect(struct custom_engine **custom)
{
	custom_engine_free(*custom);
	*custom = NULL;
}
