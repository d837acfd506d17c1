/* The table of the chain's links, and the check along it. */
#include "chain/links.h"

#include <string.h>

#include "base/text.h"
#include "checks.h"

/* In the order of the chain. */
const struct link links[] = {
	{.type = "Accepted", .check = check_accepted},
	{.type = "TargetFound", .check = check_target_found},
	{.type = "TargetExclusive", .check = check_target_exclusive},
	{.type = "MetricsExposed",
		.check_page = check_page_exposed,
		.check_gpu = check_gpu_exposed,
		.arrives = "ReadByOthers"},
	{.type = "ScrapeSelected",
		.check_page = check_page_selected,
		.check_gpu = check_gpu_selected,
		.arrives = "SelectedByOthers",
		.of_prometheus = true},
	{.type = "ScrapeHealthy",
		.check_page = check_page_scraped,
		.check_gpu = check_gpu_scraped,
		.arrives = "ScrapedByOthers",
		.of_prometheus = true},
	{.type = "SeriesFresh", .check_page = check_page_fresh, .check_gpu = check_gpu_fresh, .of_prometheus = true},
	{.type = "SeriesRecorded", .check_gpu = check_gpu_recorded, .of_prometheus = true},
	{.type = "AdapterConfigured", .check = check_adapter_configured, .of_prometheus = true},
	{.type = "MetricServed", .check_page = check_metric_served, .check_gpu = check_metric_served},
	{.type = "ScalingActive", .check = check_scaling_active, .beyond_ready = true},
};

const size_t links_count = ARRAY_LEN(links);

bool link_applies(const struct link *link, const struct workload *w)
{
	const struct autoscaler *spec = w->spec;

	if (link->of_prometheus && w->direct) {
		return false;
	}
	return link->check != NULL || (link->check_page != NULL && autoscaler_uses_pages(spec)) ||
	       (link->check_gpu != NULL && autoscaler_uses_gpus(spec));
}

static const struct workload_signal *signal_of(const struct workload *w, bool gpu)
{
	for (size_t i = 0; i < w->signals_count; i++) {
		if (w->signals[i].gpu == gpu) {
			return &w->signals[i];
		}
	}
	return NULL;
}

/* After an edit values go on to arrive by the way of before: for as long as Prometheus may take to load a monitor. */
#define EDIT_SETTLES_MS (3 * 60 * 1000)

/* A Prometheus that does not select the monitor any more goes on scraping by it until it has loaded that. With a URL it
 * may be another that scrapes. */
static bool lost_selection(const struct facts *facts, const struct link *link, const struct view_condition *before)
{
	return link->check_page == check_page_selected && facts->settings->prometheus_url == NULL &&
	       !text_equal(before->reason, link->arrives);
}

/* Whether what arrives can only come by the chain as it is now: the link of this very spec worked until now, or is broken
 * for long enough, or was not reached because of one before it, which is settled. */
static bool is_settled(const struct facts *facts, const struct link *link, bool earlier)
{
	const struct view_condition *before = view_condition(&facts->object->status.conditions, link->type);

	if (before == NULL || before->observed_generation != facts->object->view.meta.generation) {
		return false;
	}
	if (strcmp(before->status, "False") == 0) {
		return facts->now_ms - before->transition_ms >= EDIT_SETTLES_MS;
	}
	return earlier || (strcmp(before->status, "True") == 0 && !lost_selection(facts, link, before));
}

/* `settled` = what arrives settled a link before this one; becomes true when it settles this one. */
static void check_page(const struct link *link, const struct facts *facts, bool *settled, struct verdict *verdict)
{
	const struct workload_signal *signal = signal_of(&facts->workload, false);

	link->check_page(facts, signal, verdict);
	if (link->arrives != NULL && !facts->workload.direct && verdict->status == VERDICT_FALSE &&
		values_arrive(facts, signal) && is_settled(facts, link, *settled)) {
		auto_free char *view = verdict->message;

		*settled = true;
		verdict->message = NULL;
		SAY(verdict, VERDICT_TRUE, link->arrives,
			"fresh values of each pod arrive at HorizontalPodAutoscaler '%s/%s', although not by a way that the "
			"operator sees: %s",
			facts->hpa->view.meta.ns, facts->hpa->view.meta.name, view);
	}
}

/* The worse of both is the link's: False before Unknown before True, the pages' before the GPUs'. */
static void check_both(const struct link *link, const struct facts *facts, bool *settled, struct verdict *verdict)
{
	struct verdict page = {VERDICT_UNKNOWN, NULL, NULL};
	struct verdict gpu = {VERDICT_UNKNOWN, NULL, NULL};
	bool page_worse;

	check_page(link, facts, settled, &page);
	link->check_gpu(facts, signal_of(&facts->workload, true), &gpu);
	page_worse = page.status == VERDICT_FALSE || (page.status == VERDICT_UNKNOWN && gpu.status != VERDICT_FALSE);
	if (page.status == VERDICT_TRUE && gpu.status == VERDICT_TRUE) {
		SAY(verdict, VERDICT_TRUE, page.reason, "%s; %s", page.message, gpu.message);
	} else if (page_worse) {
		SAY(verdict, page.status, page.reason, "requests: %s", page.message);
	} else {
		SAY(verdict, gpu.status, gpu.reason, "GPU: %s", gpu.message);
	}
	free_indirect(&page.message);
	free_indirect(&gpu.message);
}

static void check(const struct link *link, const struct facts *facts, bool *settled, struct verdict *verdict)
{
	bool page = link->check_page != NULL && autoscaler_uses_pages(facts->workload.spec);
	bool gpu = link->check_gpu != NULL && autoscaler_uses_gpus(facts->workload.spec);

	if (link->check != NULL) {
		link->check(facts, verdict);
	} else if (page && gpu) {
		check_both(link, facts, settled, verdict);
	} else if (page) {
		check_page(link, facts, settled, verdict);
	} else {
		link->check_gpu(facts, signal_of(&facts->workload, true), verdict);
	}
}

size_t links_check(const struct facts *facts, struct verdict *verdicts)
{
	size_t first = links_count;
	bool settled = false;

	for (size_t i = 0; i < links_count; i++) {
		if (!link_applies(&links[i], &facts->workload)) {
			continue;
		}
		if (first < i) {
			bool broken = verdicts[first].status == VERDICT_FALSE;

			SAY(&verdicts[i], VERDICT_UNKNOWN, broken ? "UpstreamBroken" : "UpstreamPending",
				"%s comes first", links[first].type);
			continue;
		}
		check(&links[i], facts, &settled, &verdicts[i]);
		if (verdicts[i].status != VERDICT_TRUE && !links[i].beyond_ready) {
			first = i;
		}
	}
	return first;
}

bool links_settled(const struct facts *facts, const struct verdict *verdicts)
{
	/* A rule that is not loaded is not missed for a while (check_gpu_recorded()). */
	bool rule_awaited = autoscaler_uses_gpus(facts->workload.spec) && !facts->workload.direct &&
	                    (facts->shared == NULL || !facts->shared->rule.loaded);

	for (size_t i = 0; i < links_count; i++) {
		if (link_applies(&links[i], &facts->workload) && verdicts[i].status != VERDICT_TRUE) {
			return false;
		}
	}
	return !rule_awaited;
}

bool links_target_exclusive(const struct facts *facts)
{
	struct verdict verdict = {VERDICT_UNKNOWN, NULL, NULL};

	check_target_owned(facts, &verdict);
	free_indirect(&verdict.message);
	return verdict.status == VERDICT_TRUE;
}

bool links_target_taken(const struct facts *facts)
{
	return older_owner(facts) != NULL;
}

void verdicts_release(struct verdict *verdicts)
{
	for (size_t i = 0; i < links_count; i++) {
		free_indirect(&verdicts[i].message);
	}
}

const char *verdict_status_text(enum verdict_status status)
{
	static const char *const texts[] =
		{[VERDICT_UNKNOWN] = "Unknown", [VERDICT_TRUE] = "True", [VERDICT_FALSE] = "False"};

	return texts[status];
}
