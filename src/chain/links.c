/* The table of the chain's links, and the walk along it. */
#include "chain/links.h"

#include <string.h>

#include "judges.h"

/* In the order of the chain. */
const struct link links[] = {
	{.type = "Accepted", .judge = judge_accepted},
	{.type = "TargetFound", .judge = judge_target_found},
	{.type = "TargetExclusive", .judge = judge_target_exclusive},
	{.type = "MetricsExposed", .judge_page = judge_page_exposed, .judge_gpu = judge_gpu_exposed},
	{.type = "ScrapeSelected", .judge_page = judge_page_selected, .judge_gpu = judge_gpu_selected},
	{.type = "ScrapeHealthy", .judge_page = judge_page_scraped, .judge_gpu = judge_gpu_scraped},
	{.type = "SeriesFresh", .judge_page = judge_page_fresh, .judge_gpu = judge_gpu_fresh},
	{.type = "SeriesRecorded", .judge_gpu = judge_gpu_recorded},
	{.type = "AdapterConfigured", .judge = judge_adapter_configured},
	{.type = "MetricServed", .judge_page = judge_metric_served, .judge_gpu = judge_metric_served},
	{.type = "ScalingActive", .judge = judge_scaling_active, .beyond_ready = true},
};

const size_t links_count = ARRAY_LEN(links);

bool link_applies(const struct link *link, const struct autoscaler *spec)
{
	return link->judge != NULL || (link->judge_page != NULL && autoscaler_uses_pages(spec)) ||
	       (link->judge_gpu != NULL && autoscaler_uses_gpus(spec));
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

/* The worse of both is the link's: False before Unknown before True, the pages' before the GPUs'. */
static void judge_both(const struct link *link, const struct facts *facts, struct verdict *verdict)
{
	struct verdict page = {VERDICT_UNKNOWN, NULL, NULL};
	struct verdict gpu = {VERDICT_UNKNOWN, NULL, NULL};
	bool page_worse;

	link->judge_page(facts, signal_of(&facts->workload, false), &page);
	link->judge_gpu(facts, signal_of(&facts->workload, true), &gpu);
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

static void judge(const struct link *link, const struct facts *facts, struct verdict *verdict)
{
	bool page = link->judge_page != NULL && autoscaler_uses_pages(facts->workload.spec);
	bool gpu = link->judge_gpu != NULL && autoscaler_uses_gpus(facts->workload.spec);

	if (link->judge != NULL) {
		link->judge(facts, verdict);
	} else if (page && gpu) {
		judge_both(link, facts, verdict);
	} else if (page) {
		link->judge_page(facts, signal_of(&facts->workload, false), verdict);
	} else {
		link->judge_gpu(facts, signal_of(&facts->workload, true), verdict);
	}
}

size_t links_judge(const struct facts *facts, struct verdict *verdicts)
{
	size_t first = links_count;

	for (size_t i = 0; i < links_count; i++) {
		if (!link_applies(&links[i], facts->workload.spec)) {
			continue;
		}
		if (first < i) {
			bool broken = verdicts[first].status == VERDICT_FALSE;

			SAY(&verdicts[i], VERDICT_UNKNOWN, broken ? "UpstreamBroken" : "UpstreamPending",
				"%s comes first", links[first].type);
			continue;
		}
		judge(&links[i], facts, &verdicts[i]);
		if (verdicts[i].status != VERDICT_TRUE && !links[i].beyond_ready) {
			first = i;
		}
	}
	return first;
}

bool links_target_exclusive(const struct facts *facts)
{
	struct verdict verdict = {VERDICT_UNKNOWN, NULL, NULL};

	judge_target_owned(facts, &verdict);
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
