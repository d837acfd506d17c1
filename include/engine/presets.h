/*
 * Inference engines and their load signals: one row each.
 *
 * A row says where an engine serves its metrics page, how the page is recognised, how the engine's
 * version is learnt, and for each signal which series carry it (current and former names), how the
 * adapter must ask Prometheus for it, and the name under which the metrics API then serves it.
 * Nothing here is allocated; everything lives as long as the program.
 *
 * Units: requests, and percent for KVCache. What every query keeps to, and why:
 *
 * - It names its series itself, aggregated by <<.GroupBy>> (adapter/adapter_rule.h says why).
 * - Counts add up over the ranks in a pod, a fill level is the fullest rank's.
 * - "new or old": a pod has one value in the midst of an engine's upgrade too, never the sum of both.
 * - `>= 0` drops NaN, which the metrics API would turn into 0. No sample, no value: the
 *   HorizontalPodAutoscaler can tell "missing" from "idle" only then.
 * - A pod that is not ready (the label unready="true" of its scrape) has a value only while it has load.
 */
#ifndef ENGINE_PRESETS_H
#define ENGINE_PRESETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENGINE_PLACES_MAX 3
#define ENGINE_MARKS_MAX 3
#define ENGINE_SERIES_MAX 2
#define ENGINE_SIGNALS_MAX 4
#define ENGINE_RANKS_MAX 3
#define ENGINE_LIMITS_MAX 2
#define ENGINE_FLAGS_MAX 2
/* Bytes of an answer that tells a version and little more. */
#define ENGINE_VERSION_MAX 4096

/* Where a page may be. */
struct engine_place {
	int64_t port;
	const char *path;
};

/* What bounds a figure, for one rank. */
struct engine_limit {
	const char *flags
		[ENGINE_FLAGS_MAX]; /* of the command line, the spellings of one option; ended by NULL when fewer */
	const char *env; /* a variable that stands for it (view_env_is_read() knows it); NULL when none does */
};

/* A label that a scrape puts on the samples of a figure, by which the adapter's rule finds them (engine/custom.h). */
struct engine_tag {
	const char *label; /* NULL = none: the rule knows the series */
	const char *value; /* NULL = not known: that of the rule itself */
};

struct engine_signal {
	const char *name;   /* spec.requests.signal */
	const char *metric; /* in the metrics API */
	/* Any of these proves the signal, on a pod's page and in Prometheus: a name, or a selector
	 * name{label="value"}. Unused ones are NULL. */
	const char *series[ENGINE_SERIES_MAX];
	const char *series_query;  /* the adapter's discovery */
	const char *metrics_query; /* the adapter's template */
	/* What the template comes to on a page, where it reads samples by their tag; NULL = the template itself. */
	const char *page_query;
	struct engine_tag tag;
	int64_t default_target_milli;
	/* The options that bound the figure, each by itself; ended by one without flags when fewer. Their defaults are not
	 * told here: they differ from version to version. */
	struct engine_limit limits[ENGINE_LIMITS_MAX];
	/* The series in which a page tells what bounds the figure, added up over its samples: a name, or a
	 * selector; NULL when none does. */
	const char *limit_series;
	/* The number in the answer of the engine's version_path that bounds it; NULL when none does. */
	const char *limit_member;
	/* The one of `series` that a later version no longer has, and the words for that version; NULL
	 * when none goes. */
	const char *former;
	const char *gone_in;
};

struct engine {
	const char *type; /* spec.engine.type */
	/* The usual one first; ended by path NULL when fewer. */
	struct engine_place places[ENGINE_PLACES_MAX];
	/* Series that no other engine's page has; any of them will do. Ended by NULL when fewer. */
	const char *marks[ENGINE_MARKS_MAX];
	/* GET this path of the port that serves the page: a JSON object with the version in this
	 * member. NULL when the engine does not tell it there. */
	const char *version_path;
	const char *version_member;
	/* The most bytes of that answer, where it tells much more; 0 = ENGINE_VERSION_MAX. */
	size_t version_max;
	/* The histogram of the seconds that requests took, from first to last; NULL when there is none. */
	const char *latency;
	/* Options that say how many ranks a pod has, each with limits of its own; ended by NULL when
	 * fewer. */
	const char *ranks_flags[ENGINE_RANKS_MAX];
	/* An option that names a file of further options; NULL when there is none. */
	const char *config_flag;
	struct engine_signal signals[ENGINE_SIGNALS_MAX]; /* ended by name NULL when fewer */
};

extern const struct engine engines[];
extern const size_t engines_count;

/* What stands before a fleet of engines, and may report their figures as its own. */
struct router {
	const char *name;   /* for a message */
	const char *series; /* on its page */
	const char *
		label; /* of that series: the address of the engine that it speaks of; NULL = no engine has the series */
};

extern const struct router routers[];
extern const size_t routers_count;

/* NULL when unknown. */
const struct engine *engine_by_type(const char *type);
const struct engine_signal *engine_signal_by_name(const struct engine *engine, const char *name);
/* Of those that the adapter has a rule for. */
const struct engine_signal *engine_signal_by_metric(const char *metric);
/* Borrowed. */
const char *engine_page_query(const struct engine_signal *signal);

/* Whether the metric's unit is percent, as its name tells. */
bool engine_metric_is_percent(const char *metric);

/* What the engine can be scaled by, for a message: "Running, Waiting or InFlight". Heap, caller
 * owns. */
char *engine_signals_text(const struct engine *engine);

#endif
