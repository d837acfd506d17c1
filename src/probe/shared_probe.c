/* One probe of what all GPU autoscalers share: the exporters' scrapes and the recording rule. */
#include <string.h>

#include "base/memory.h"
#include "key_probe.h"
#include "question.h"
#include "reading.h"

#define YAML ".yaml"
/* "-", a UID and ".yaml". */
#define UID_END_LEN (1 + 36 + sizeof(YAML) - 1)

struct shared_probe {
	struct probe_context context;
	const struct shared_request *request;
	struct shared_evidence *evidence;
	const struct exporters_request *asked; /* the part of the request that is asked for */
	struct exporter_seen *seen;            /* what it found */
	bool healthy;
	void (*done)(void *ctx, struct shared_evidence *evidence_take);
	void *ctx;
};

static void ask(struct shared_probe *probe, char *target_take, const struct answer_type *type, prometheus_done_fn *done)
{
	const struct prometheus_question question = {.base = probe->request->prometheus,
		.target = target_take,
		.type = type};

	prometheus_ask(probe->context.prometheus, &question, probe->healthy, done, probe);
	free_indirect(&target_take);
}

static void shared_probe_end(struct shared_probe *probe)
{
	probe->done(probe->ctx, probe->evidence);
	free_indirect(&probe);
}

/* 2. The recording rule. */

/* NAMESPACE-NAME of the PrometheusRule that prometheus-operator wrote to the file, which it names
 * NAMESPACE-NAME-UID.yaml (pkg/prometheus/server/rules.go); "" when it is none of those. Heap. */
static char *rule_object(const char *file)
{
	const char *slash = strrchr(file, '/');
	const char *name = slash != NULL ? slash + 1 : file;
	size_t len = strlen(name);
	bool written =
		len > UID_END_LEN && name[len - UID_END_LEN] == '-' && strcmp(name + len - strlen(YAML), YAML) == 0;

	return xasprintf("%.*s", written ? (int)(len - UID_END_LEN) : 0, name);
}

/* Whether it is of our PrometheusRule; one that cannot be distinguished is. */
static bool is_ours(const struct shared_probe *probe, const struct rule_row *rule)
{
	auto_free char *object = rule_object(rule->file);
	auto_free char *ours = xstrdup(probe->request->rule != NULL ? probe->request->rule : "");
	char *slash = strchr(ours, '/');

	if (slash != NULL) {
		*slash = '-';
	}
	return object[0] == '\0' || strcmp(object, ours) == 0;
}

static const struct rule_row *own_rule(const struct shared_probe *probe, const struct rule_row *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (is_ours(probe, &rules[i])) {
			return &rules[i];
		}
	}
	return NULL;
}

/* Those that record something else as ours. */
static void find_rivals(const struct shared_probe *probe, const struct rule_row *own, const struct rule_row *rules,
	size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!is_ours(probe, &rules[i]) && strcmp(rules[i].query, own->query) != 0) {
			auto_free char *object = rule_object(rules[i].file);

			texts_add(&probe->evidence->rule.rivals, object);
		}
	}
}

static void on_rule(void *ctx, const struct prometheus_answer *answer)
{
	struct shared_probe *probe = ctx;
	const char *record = probe->request->record != NULL ? probe->request->record : "";
	struct rule_seen *seen = &probe->evidence->rule;
	size_t count;
	const struct rule_row *rules = table_find(answer->table, record, NULL, &count);
	const struct rule_row *own = own_rule(probe, rules, count);

	seen->seen_ms = answer->at_ms;
	probe_fail(&seen->failure, answer);
	seen->loaded = own != NULL;
	if (own != NULL) {
		seen->health = (enum rule_health)own->health;
		seen->last_error = xstrdup(own->last_error);
		find_rivals(probe, own, rules, count);
	}
	shared_probe_end(probe);
}

/* 1. The exporters: their series, how many tell a workload, their scrape; first of those that are believed about all pods. */

static void begin_exporters(struct shared_probe *probe, const struct exporters_request *asked,
	struct exporter_seen *seen);

static void exporters_end(struct shared_probe *probe, const struct prometheus_answer *answer)
{
	const struct shared_request *request = probe->request;

	probe_fail(&probe->seen->failure, answer);
	probe->seen->seen_ms = answer->at_ms;
	if (probe->asked != &request->own && request->own.targets != NULL) {
		begin_exporters(probe, &request->own, &probe->evidence->own);
	} else {
		ask(probe, question_rule(request->record != NULL ? request->record : ""), &answer_rule, on_rule);
	}
}

static void on_pool(void *ctx, const struct prometheus_answer *answer)
{
	struct shared_probe *probe = ctx;

	probe->seen->last_error = probe_blame(probe->asked->pool, NULL, answer);
	exporters_end(probe, &(struct prometheus_answer){.at_ms = answer->at_ms});
}

static void on_jobs(void *ctx, const struct prometheus_answer *answer)
{
	struct shared_probe *probe = ctx;
	struct exporter_seen *seen = probe->seen;
	size_t count;
	const struct scrapes_row *rows = table_find(answer->table, "", NULL, &count);

	for (size_t i = 0; i < count; i++) {
		seen->up += rows[i].up;
		seen->down += rows[i].down;
	}
	if (seen->down > 0 && probe->asked->pool != NULL) {
		ask(probe, question_pool(probe->asked->pool), &answer_pool, on_pool);
	} else {
		exporters_end(probe, answer);
	}
}

static const char *targets_of(const struct shared_probe *probe)
{
	return probe->asked->targets != NULL ? probe->asked->targets : "up";
}

/* The jobs that are expected to serve such series, and those that do. */
static struct texts all_jobs(const struct shared_probe *probe)
{
	struct texts jobs = {NULL, 0};
	const struct texts *parts[] = {&probe->asked->jobs, &probe->seen->jobs};

	for (size_t p = 0; p < ARRAY_LEN(parts); p++) {
		for (size_t i = 0; i < parts[p]->count && jobs.count < EXPORTERS_JOBS_MAX; i++) {
			if (!texts_hold(&jobs, parts[p]->items[i])) {
				texts_add(&jobs, parts[p]->items[i]);
			}
		}
	}
	return jobs;
}

static void on_workloads(void *ctx, const struct prometheus_answer *answer)
{
	struct shared_probe *probe = ctx;
	size_t count;
	const struct count_row *row = table_find(answer->table, "", NULL, &count);
	struct texts jobs;

	if (answer->error != NULL) {
		exporters_end(probe, answer);
		return;
	}
	probe->seen->with_pod = row != NULL ? row->count : 0;
	jobs = all_jobs(probe);
	if (jobs.count == 0) {
		exporters_end(probe, answer);
	} else {
		ask(probe, question_jobs(&jobs, targets_of(probe)), &answer_jobs, on_jobs);
	}
	texts_release(&jobs);
}

static void on_series(void *ctx, const struct prometheus_answer *answer)
{
	struct shared_probe *probe = ctx;
	struct exporter_seen *seen = probe->seen;
	size_t count;
	const struct count_row *rows = table_find(answer->table, "", NULL, &count);

	if (answer->error != NULL) {
		exporters_end(probe, answer);
		return;
	}
	/* They are sorted, since Prometheus answers in no order: what is said of them must not move. */
	for (size_t i = 0; i < count; i++) {
		seen->series += rows[i].count;
		texts_add(&seen->jobs, rows[i].job);
	}
	ask(probe, question_workloads(&probe->request->dcgm, targets_of(probe)), &answer_workloads, on_workloads);
}

static void begin_exporters(struct shared_probe *probe, const struct exporters_request *asked,
	struct exporter_seen *seen)
{
	probe->asked = asked;
	probe->seen = seen;
	seen->url = xstrdup(probe->request->prometheus);
	ask(probe, question_exporter(&probe->request->dcgm, targets_of(probe)), &answer_exporter, on_series);
}

void shared_probe_start(const struct shared_task *task)
{
	struct shared_probe *probe = xcalloc(1, sizeof(*probe));
	const struct shared_request *request = task->request;

	*probe = (struct shared_probe){.context = *task->context,
		.request = request,
		.evidence = shared_evidence_new(shared_request_ref(request)),
		.healthy = task->healthy,
		.done = task->done,
		.ctx = task->ctx};
	if (request->prometheus == NULL) {
		shared_probe_end(probe);
		return;
	}
	begin_exporters(probe, &request->believed, &probe->evidence->exporter);
}
