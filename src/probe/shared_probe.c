/* One probe of what all GPU autoscalers share: the exporter's scrape and the recording rule. */
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "key_probe.h"
#include "question.h"
#include "reading.h"

#define YAML ".yaml"
/* "-", a UID and ".yaml". */
#define UID_END_LEN (1 + 36 + sizeof(YAML) - 1)

struct shared_probe {
	struct probe_context context;
	json_t *request;
	json_t *evidence;
	json_t *exporter; /* the document so far; NULL = recorded */
	json_t *jobs;     /* that serve any exporter's series */
	bool healthy;
	void (*done)(void *ctx, json_t *evidence_take);
	void *ctx;
};

static void ask(struct shared_probe *probe, char *target_take, json_t *(*index)(const json_t *),
	prometheus_done_fn *done)
{
	const struct prometheus_question question = {.base = json_path_string(probe->request, "prometheus", ""),
		.target = target_take,
		.index = index,
		.steady = index == question_rule_index};

	prometheus_ask(probe->context.prometheus, &question, probe->healthy, done, probe);
	free_indirect(&target_take);
}

static void shared_probe_end(struct shared_probe *probe)
{
	probe->done(probe->ctx, probe->evidence);
	json_decref(probe->request);
	json_decref(probe->jobs);
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
static bool is_ours(const struct shared_probe *probe, const json_t *rule)
{
	auto_free char *object = rule_object(json_path_string(rule, "file", ""));
	auto_free char *ours = xstrdup(json_path_string(probe->request, "rule", ""));
	char *slash = strchr(ours, '/');

	if (slash != NULL) {
		*slash = '-';
	}
	return object[0] == '\0' || strcmp(object, ours) == 0;
}

static const json_t *own_rule(const struct shared_probe *probe, const json_t *rules)
{
	size_t i;
	json_t *rule;

	json_array_foreach((json_t *)rules, i, rule) {
		if (is_ours(probe, rule)) {
			return rule;
		}
	}
	return NULL;
}

/* Those that record something else as ours: NAMESPACE-NAME of their PrometheusRules. */
static json_t *rivals_of(const struct shared_probe *probe, const json_t *own, const json_t *rules)
{
	json_t *rivals = json_array();
	size_t i;
	json_t *rule;

	json_array_foreach((json_t *)rules, i, rule) {
		if (!is_ours(probe, rule) &&
			!json_equal(json_object_get(rule, "query"), json_object_get(own, "query"))) {
			auto_free char *object = rule_object(json_path_string(rule, "file", ""));

			json_array_append_new(rivals, json_string(object));
		}
	}
	return rivals;
}

static void on_rule(void *ctx, const struct prometheus_answer *answer)
{
	struct shared_probe *probe = ctx;
	const json_t *rules = json_object_get(answer->index, json_path_string(probe->request, "record", ""));
	const json_t *own = own_rule(probe, rules);
	json_t *document = json_object();

	probe_fail(document, answer);
	if (answer->error == NULL) {
		json_object_set_new(document, "loaded", json_boolean(own != NULL));
	}
	if (own != NULL) {
		json_object_set(document, "health", json_object_get(own, "health"));
		json_object_set_new(document, "rivals", rivals_of(probe, own, rules));
	}
	if (json_object_get(own, "lastError") != NULL) {
		json_object_set(document, "lastError", json_object_get(own, "lastError"));
	}
	probe_record(probe->evidence, "rule", document, answer->at_ms);
	shared_probe_end(probe);
}

/* 1. The exporter: its series, how many tell a workload, its scrape. */

static void exporter_end(struct shared_probe *probe, const struct prometheus_answer *answer)
{
	probe_fail(probe->exporter, answer);
	probe_record(probe->evidence, "exporter", probe->exporter, answer->at_ms);
	probe->exporter = NULL;
	ask(probe, question_rule(json_path_string(probe->request, "record", "")), question_rule_index, on_rule);
}

static void on_pool(void *ctx, const struct prometheus_answer *answer)
{
	struct shared_probe *probe = ctx;

	probe_blame(probe->exporter, json_path_string(probe->request, "pool", ""), NULL, answer);
	exporter_end(probe, &(struct prometheus_answer){.at_ms = answer->at_ms});
}

static void on_jobs(void *ctx, const struct prometheus_answer *answer)
{
	struct shared_probe *probe = ctx;
	const char *pool = json_path_string(probe->request, "pool", NULL);
	json_int_t up = 0;
	json_int_t down = 0;
	const char *job;
	json_t *scrapes;

	json_object_foreach((json_t *)answer->index, job, scrapes) {
		up += json_path_int(scrapes, "up", 0);
		down += json_path_int(scrapes, "down", 0);
	}
	json_object_set_new(probe->exporter, "up", json_integer(up));
	json_object_set_new(probe->exporter, "down", json_integer(down));
	if (down > 0 && pool != NULL) {
		ask(probe, question_pool(pool), question_pool_index, on_pool);
	} else {
		exporter_end(probe, answer);
	}
}

static const char *targets_of(const struct shared_probe *probe)
{
	return json_path_string(probe->request, "targets", "up");
}

/* The jobs that serve an exporter's series, and the one that is expected to. */
static json_t *scrape_jobs(const struct shared_probe *probe)
{
	json_t *jobs = json_copy(probe->jobs);
	json_t *expected = json_object_get(probe->request, "job");
	size_t i;
	json_t *job;

	json_array_foreach(jobs, i, job) {
		if (json_equal(job, expected)) {
			return jobs;
		}
	}
	if (json_string_value(expected) != NULL) {
		json_array_append(jobs, expected);
	}
	return jobs;
}

static void on_workloads(void *ctx, const struct prometheus_answer *answer)
{
	struct shared_probe *probe = ctx;
	auto_json *jobs = scrape_jobs(probe);

	if (answer->error != NULL) {
		exporter_end(probe, answer);
		return;
	}
	json_object_set(probe->exporter, "withPod", (json_t *)answer->index);
	if (json_array_size(jobs) == 0) {
		json_object_set_new(probe->exporter, "up", json_integer(0));
		json_object_set_new(probe->exporter, "down", json_integer(0));
		exporter_end(probe, answer);
		return;
	}
	ask(probe, question_jobs(jobs, targets_of(probe)), question_jobs_index, on_jobs);
}

static void on_exporter(void *ctx, const struct prometheus_answer *answer)
{
	struct shared_probe *probe = ctx;
	json_int_t series = 0;
	const char *job;
	json_t *count;

	json_object_foreach(json_object_get(answer->index, "targets"), job, count) {
		series += json_integer_value(count);
	}
	/* In order, since Prometheus answers in none: what is said of them must not move. */
	probe->jobs = json_sorted_keys(json_object_get(answer->index, "targets"));
	json_object_set_new(probe->exporter, "jobs", json_sorted_keys(json_object_get(answer->index, "trusted")));
	json_object_set_new(probe->exporter, "series", json_integer(series));
	if (answer->error != NULL) {
		exporter_end(probe, answer);
		return;
	}
	ask(probe, question_workloads(json_object_get(probe->request, "dcgm"), targets_of(probe)),
		question_workloads_index, on_workloads);
}

void shared_probe_start(const struct probe_task *task)
{
	struct shared_probe *probe = xcalloc(1, sizeof(*probe));
	const char *url = json_path_string(task->request, "prometheus", NULL);

	*probe = (struct shared_probe){.context = *task->context,
		.request = json_incref(task->request),
		.evidence = json_pack("{s:O}", "asked", task->request),
		.healthy = task->healthy,
		.done = task->done,
		.ctx = task->ctx};
	if (url == NULL) {
		shared_probe_end(probe);
		return;
	}
	probe->exporter = json_pack("{s:s}", "url", url);
	ask(probe,
		question_exporter(json_object_get(task->request, "dcgm"),
			json_path_string(task->request, "trusted", "up"), targets_of(probe)),
		question_exporter_index, on_exporter);
}
