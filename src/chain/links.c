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
		.arrives = "ReadByOthers",
		.arrives_gpu = "ReadByOthers"},
	{.type = "ScrapeSelected",
		.check_page = check_page_selected,
		.check_gpu = check_gpu_selected,
		.arrives = "SelectedByOthers",
		.arrives_gpu = "SelectedByOthers",
		.of_prometheus = true},
	{.type = "ScrapeHealthy",
		.check_page = check_page_scraped,
		.check_gpu = check_gpu_scraped,
		.arrives = "ScrapedByOthers",
		.arrives_gpu = "ScrapedByOthers",
		.of_prometheus = true},
	{.type = "SeriesFresh",
		.check_page = check_page_fresh,
		.check_gpu = check_gpu_fresh,
		.arrives_gpu = "ScrapedByOthers",
		.of_prometheus = true},
	{.type = "SeriesRecorded",
		.check_gpu = check_gpu_recorded,
		.arrives_gpu = "RecordedByOthers",
		.of_prometheus = true},
	{.type = "AdapterConfigured",
		.check = check_adapter_configured,
		.arrives = "ConfiguredByOthers",
		.of_prometheus = true},
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
		return facts->now_ms - view_condition_since_ms(before) >= EDIT_SETTLES_MS;
	}
	return earlier || (strcmp(before->status, "True") == 0 && !lost_selection(facts, link, before));
}

/* Where what is seen is not of the pods themselves, it must have been broken for as long, each time anew. */
static bool is_settled_slowly(const struct facts *facts, const struct link *link, const char *arrives, bool earlier)
{
	const struct view_condition *before = view_condition(&facts->object->status.conditions, link->type);

	if (before == NULL || before->observed_generation != facts->object->view.meta.generation) {
		return false;
	}
	return strcmp(before->status, "False") == 0 ? facts->now_ms - view_condition_since_ms(before) >= EDIT_SETTLES_MS
	                                            : earlier || text_equal(before->reason, arrives);
}

static bool holds(const char *const *reasons, const char *reason)
{
	while (*reasons != NULL && strcmp(*reasons, reason) != 0) {
		reasons++;
	}
	return *reasons != NULL;
}

/* What was seen clearly, and makes wrong values of those that arrive. */
static const char *const values_wrong[] = {"RouterNotEngine", "RecordedTwice", "ValuesDisagree", NULL};

/* What says that the adapter's rules are where the operator does not look. */
static const char *const rules_unseen[] = {"AdapterNotFound", "ConfigMapForbidden", "OtherConfigMounted", NULL};

/* Whether the link that looks broken is outweighed by what arrives behind it. */
static bool is_outweighed(const struct facts *facts, const struct workload_signal *signal,
	const struct verdict *verdict)
{
	return !facts->workload.direct && verdict->status == VERDICT_FALSE && !holds(values_wrong, verdict->reason) &&
	       values_arrive(facts, signal);
}

/* Says so instead, with what the operator sees. */
static void say_arrives(const struct facts *facts, const char *reason, struct verdict *verdict)
{
	auto_free char *view = verdict->message;

	verdict->message = NULL;
	SAY(verdict, VERDICT_TRUE, reason,
		"fresh values of each pod arrive at HorizontalPodAutoscaler '%s/%s', although not by a way that the "
		"operator sees: %s",
		facts->hpa->view.meta.ns, facts->hpa->view.meta.name, view);
}

/* `earlier` = what arrives settled a link before this one. Returns whether it settles this one. */
static bool check_page(const struct link *link, const struct facts *facts, const struct workload_signal *signal,
	bool earlier, struct verdict *verdict)
{
	link->check_page(facts, signal, verdict);
	if (link->arrives == NULL || !is_outweighed(facts, signal, verdict) || !is_settled(facts, link, earlier)) {
		return false;
	}
	say_arrives(facts, link->arrives, verdict);
	return true;
}

/* The verdict on one signal after another, and what both come to. */
struct fold {
	struct verdict verdict;
	size_t count;
	bool gpu; /* that the verdict is about the GPUs' signal */
};

/* What is as good is said too, unless it was said already. */
static void join(struct verdict *all, const struct verdict *one)
{
	char *both;

	if (strstr(all->message, one->message) == NULL) {
		both = xasprintf("%s; %s", all->message, one->message);
		free_indirect(&all->message);
		all->message = both;
	}
}

static unsigned badness(enum verdict_status status)
{
	return status == VERDICT_FALSE ? 2 : status == VERDICT_UNKNOWN ? 1 : 0;
}

/* The worst of all is the link's: False before Unknown before True, of several the first; and what arrives before what is
 * seen, since it is told by its reason. */
static void fold_take(struct fold *fold, struct verdict *one, bool gpu, bool arrives)
{
	if (fold->count++ == 0 || badness(one->status) > badness(fold->verdict.status)) {
		free_indirect(&fold->verdict.message);
		fold->verdict = *one;
		fold->gpu = gpu;
		return;
	}
	if (one->status == VERDICT_TRUE && fold->verdict.status == VERDICT_TRUE) {
		join(&fold->verdict, one);
		fold->verdict.reason = arrives ? one->reason : fold->verdict.reason;
	}
	free_indirect(&one->message);
}

/* Whether what arrives settled a link so far, of the pages and of the GPUs. */
struct settled {
	bool page;
	bool gpu;
};

/* The signals of the pages: one that is not known yet while the engine is not. */
static void check_pages(const struct link *link, const struct facts *facts, struct settled *settled, struct fold *fold)
{
	const struct workload *w = &facts->workload;
	bool earlier = settled->page;
	size_t i = 0;

	do {
		const struct workload_signal *signal =
			i < w->signals_count && !w->signals[i].gpu ? &w->signals[i] : NULL;
		struct verdict verdict = {VERDICT_UNKNOWN, NULL, NULL};

		bool arrives = check_page(link, facts, signal, earlier, &verdict);

		settled->page = arrives || settled->page;
		fold_take(fold, &verdict, false, arrives);
		i++;
	} while (i < w->signals_count && !w->signals[i].gpu);
}

static void check_gpus(const struct link *link, const struct facts *facts, struct settled *settled, struct fold *fold)
{
	const struct workload *w = &facts->workload;
	const struct workload_signal *signal = &w->signals[w->signals_count - 1];
	struct verdict verdict = {VERDICT_UNKNOWN, NULL, NULL};
	bool arrives;

	link->check_gpu(facts, signal, &verdict);
	arrives = link->arrives_gpu != NULL && is_outweighed(facts, signal, &verdict) &&
	          is_settled_slowly(facts, link, link->arrives_gpu, settled->gpu);
	if (arrives) {
		settled->gpu = true;
		say_arrives(facts, link->arrives_gpu, &verdict);
	}
	fold_take(fold, &verdict, true, arrives);
}

/* Without a Deployment nothing is known of its rules either. */
static bool adapter_is_unseen(const struct facts *facts, const struct verdict *verdict)
{
	return holds(rules_unseen, verdict->reason) ||
	       (facts->adapter_survey != NULL && facts->adapter_survey->replicas < 0);
}

/* One link for all signals; of the adapter's, all have to arrive. */
static void check_all(const struct link *link, const struct facts *facts, struct verdict *verdict)
{
	const struct workload *w = &facts->workload;

	link->check(facts, verdict);
	if (link->arrives == NULL) {
		return;
	}
	for (size_t i = 0; i < w->signals_count; i++) {
		if (!is_outweighed(facts, &w->signals[i], verdict)) {
			return;
		}
	}
	if (w->signals_count > 0 && adapter_is_unseen(facts, verdict) &&
		is_settled_slowly(facts, link, link->arrives, false)) {
		say_arrives(facts, link->arrives, verdict);
	}
}

static void check(const struct link *link, const struct facts *facts, struct settled *settled, struct verdict *verdict)
{
	bool page = link->check_page != NULL && autoscaler_uses_pages(facts->workload.spec);
	bool gpu = link->check_gpu != NULL && autoscaler_uses_gpus(facts->workload.spec);
	struct fold fold = {.count = 0};

	if (link->check != NULL) {
		check_all(link, facts, verdict);
		return;
	}
	if (page) {
		check_pages(link, facts, settled, &fold);
	}
	if (gpu) {
		check_gpus(link, facts, settled, &fold);
	}
	*verdict = fold.verdict;
	if (page && gpu && verdict->status != VERDICT_TRUE) {
		verdict->message = xasprintf("%s: %s", fold.gpu ? "GPU" : "requests", fold.verdict.message);
		free_indirect(&fold.verdict.message);
	}
}

size_t links_check(const struct facts *facts, struct verdict *verdicts)
{
	size_t first = links_count;
	struct settled settled = {false, false};

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
	/* A rule that is not loaded is not missed for a while (check_gpu_recorded()), and never where nobody lists it. */
	bool listed = facts->gpu == NULL || facts->gpu->rule.selected_by != NULL;
	bool rule_awaited = autoscaler_uses_gpus(facts->workload.spec) && !facts->workload.direct && listed &&
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
