/* What may be missing only because something is new: not seen yet is not broken. */
#include "checks.h"

#include <string.h>

/* From an object of prometheus-operator to its effect: the kubelet brings a changed Secret into the pod
 * within 90 s (a pod is synced every minute, or up to half of it later), and discovery looks every 5 s. */
#define LOADING_MS 95000
#define LOADING_INTERVALS 2
/* From a series to its metric: the adapter relists every minute at most, or is told that it should. */
#define RELIST_MS 75000
/* The API server still sends to a pod of the adapter that ended a moment ago. */
#define RESTART_MS 15000
/* Until a replica of ours is ready again, or for the first time, and the API server has noticed: it looks every 30 s. */
#define OWN_API_MS 45000
/* From an autoscaler to the target that is applied along with it, in whatever order. */
#define TARGET_MS 5000
/* From a target to its first pod. */
#define FIRST_POD_MS 15000
/* Until the HPA controller comes to an HPA again: every 15 s, but its five workers need 110 s for fifty when
 * the adapter takes 11 s for each answer, as has been seen with so many. */
#define HPA_SYNC_MS 120000
/* Until the HPA controller comes to an HPA for the first time: at the usual 20 requests a second and four for each
 * HPA, it has come to 1,500 meanwhile. */
#define HPA_FIRST_MS 300000

/* Whether this was seen while what is there since then was younger than `lasts_ms`; 0 = it is to come, -1 = that
 * is not known. An age below zero is of clocks that differ. */
static bool seen_in_grace(int64_t seen_ms, int64_t since_ms, int64_t lasts_ms)
{
	int64_t age = seen_ms - since_ms;

	return since_ms == 0 || (since_ms > 0 && age < lasts_ms && age > -lasts_ms);
}

/* Since when the link of this type works; now when it does only since this very probe. */
static int64_t works_since(const struct facts *facts, const char *type)
{
	const struct view_condition *before = view_condition(&facts->object->status.conditions, type);

	return worked_before(facts, type) ? view_condition_since_ms(before) : facts->now_ms;
}

/* When the adapter's last rollout ended; -1 = not known. */
static int64_t adapter_since(const struct facts *facts)
{
	return facts->adapter_survey != NULL ? facts->adapter_survey->since_ms : -1;
}

bool grace_of_object(int64_t seen_ms, int64_t made_ms, int64_t interval_ms)
{
	return seen_in_grace(seen_ms, made_ms, LOADING_MS + LOADING_INTERVALS * interval_ms);
}

bool grace_of_pods(const struct series_seen *series)
{
	return series->seen_ms != 0 && series->failure.text == NULL && series->pods == 0 && series->missing.count == 0;
}

bool grace_of_metric(const struct facts *facts, int64_t seen_ms, bool gpu)
{
	return seen_in_grace(seen_ms, works_since(facts, gpu ? "SeriesRecorded" : "SeriesFresh"), RELIST_MS) ||
	       seen_in_grace(seen_ms, adapter_since(facts), RELIST_MS);
}

bool grace_of_reading(const struct facts *facts, const struct view_condition *condition)
{
	int64_t failing_since = view_condition_since_ms(condition);

	return grace_of_hpa(facts) || seen_in_grace(facts->now_ms, works_since(facts, "MetricServed"), HPA_SYNC_MS) ||
	       (failing_since > 0 && seen_in_grace(facts->now_ms, failing_since, HPA_SYNC_MS));
}

bool grace_of_hpa(const struct facts *facts)
{
	int64_t made_ms = facts->hpa != NULL ? facts->hpa->view.meta.created_ms : 0;

	return made_ms <= 0 || seen_in_grace(facts->now_ms, made_ms, HPA_FIRST_MS);
}

bool grace_of_registration(const struct facts *facts, int64_t seen_ms)
{
	return facts->api_reason == NULL && facts->api_since_ms > 0 &&
	       seen_in_grace(seen_ms, facts->api_since_ms, RELIST_MS);
}

bool grace_of_restart(const struct facts *facts, int64_t seen_ms)
{
	return seen_in_grace(seen_ms, adapter_since(facts), RESTART_MS);
}

bool grace_of_own_api(const struct facts *facts)
{
	return facts->api_away && facts->api_since_ms > 0 &&
	       seen_in_grace(facts->now_ms, facts->api_since_ms, OWN_API_MS);
}

bool grace_of_autoscaler(const struct facts *facts)
{
	int64_t made_ms = facts->object->view.meta.created_ms;

	return made_ms > 0 && seen_in_grace(facts->now_ms, made_ms, TARGET_MS);
}

bool grace_of_target(const struct facts *facts, int64_t seen_ms)
{
	int64_t made_ms = facts->target->view.meta.created_ms;

	return made_ms > 0 && seen_in_grace(seen_ms, made_ms, FIRST_POD_MS);
}
