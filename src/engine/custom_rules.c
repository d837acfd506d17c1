/* The rules for engines of somebody's own: one for each figure, whatever the series. */
#include "engine/custom.h"

#define WHERE "<<.LabelMatchers>>"
#define BY " by (<<.GroupBy>>)"

/* As of the presets: see engine/presets.c. */
#define READY "unready=\"\","
#define UNREADY "unready=\"true\","
#define COUNTED(query_of, label) "(" query_of(UNREADY, label) ") > 0 or (" query_of(READY, label) ")"

/* The samples with a tag that begins so, without NaN. They are of any names, and a comparison keeps these, so that no two
 * samples become the same. */
#define TAGGED(pods, label, how) "{" label "=~\"" how ".*\"," pods WHERE "} >= 0"
/* Of each description by itself, and the larger one for the two intervals after an edit in which both are there. */
#define SUM(pods, label, how) "max(sum(" TAGGED(pods, label, how) ") by (<<.GroupBy>>, " label "))" BY
#define MAX(pods, label, how) "max(" TAGGED(pods, label, how) ")" BY
#define COUNT_OF(pods, label) SUM(pods, label, "sum") " or " MAX(pods, label, "max")
#define PERCENT_OF(pods, label)                                                                                        \
	"100 * (" SUM(pods, label, "ratio_sum") " or " MAX(pods, label, "ratio_max") ") or " COUNT_OF(pods, label)

#define DISCOVER(label) "{" label "!=\"\",namespace!=\"\",pod!=\"\"}"

#define RUNNING CUSTOM_TAGS "running"
#define WAITING CUSTOM_TAGS "waiting"
#define IN_FLIGHT CUSTOM_TAGS "in_flight"
#define KV_CACHE CUSTOM_TAGS "kv_cache"

const struct engine custom_rules = {
	.type = CUSTOM_ENGINE,
	.signals =
		{
			{
				.name = "Running",
				.metric = "custom_num_requests_running",
				.series_query = DISCOVER(RUNNING),
				.metrics_query = COUNTED(COUNT_OF, RUNNING),
				.tag = {.label = RUNNING},
				.default_target_milli = 4000,
			},
			{
				.name = "Waiting",
				.metric = "custom_num_requests_waiting",
				.series_query = DISCOVER(WAITING),
				.metrics_query = COUNTED(COUNT_OF, WAITING),
				.tag = {.label = WAITING},
				.default_target_milli = 1000,
			},
			{
				.name = "InFlight",
				.metric = "custom_num_requests_in_flight",
				.series_query = DISCOVER(IN_FLIGHT),
				.metrics_query = COUNTED(COUNT_OF, IN_FLIGHT),
				.tag = {.label = IN_FLIGHT},
				.default_target_milli = 4000,
			},
			{
				.name = "KVCache",
				.metric = "custom_kv_cache_usage_percent",
				.series_query = DISCOVER(KV_CACHE),
				.metrics_query = COUNTED(PERCENT_OF, KV_CACHE),
				.tag = {.label = KV_CACHE},
				.default_target_milli = 80000,
			},
		},
};
