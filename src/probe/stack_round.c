/* One look at what all GPU autoscalers share: the exporter's scrape and the recording rule. */
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "question.h"
#include "reading.h"
#include "round.h"

#define YAML ".yaml"
/* "-", a UID and ".yaml". */
#define UID_END_LEN (1 + 36 + sizeof(YAML) - 1)

struct stack_round {
	struct round_peers peers;
	json_t *wish;
	json_t *evidence;
	json_t *exporter; /* the document so far; NULL = recorded */
	json_t *jobs;     /* that serve any exporter's series */
	bool healthy;
	void (*done)(void *ctx, json_t *evidence_take);
	void *ctx;
};

static void ask(struct stack_round *round, char *target_take, json_t *(*index)(const json_t *),
	prometheus_done_fn *done)
{
	const struct prometheus_question question = {.base = json_path_string(round->wish, "prometheus", ""),
		.target = target_take,
		.index = index,
		.steady = index == question_rule_index};

	prometheus_ask(round->peers.prometheus, &question, round->healthy, done, round);
	free_indirect(&target_take);
}

static void round_end(struct stack_round *round)
{
	round->done(round->ctx, round->evidence);
	json_decref(round->wish);
	json_decref(round->jobs);
	free_indirect(&round);
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

/* Whether it is of our PrometheusRule; one that cannot be told apart is. */
static bool is_ours(const struct stack_round *round, const json_t *rule)
{
	auto_free char *object = rule_object(json_path_string(rule, "file", ""));
	auto_free char *ours = xstrdup(json_path_string(round->wish, "rule", ""));
	char *slash = strchr(ours, '/');

	if (slash != NULL) {
		*slash = '-';
	}
	return object[0] == '\0' || strcmp(object, ours) == 0;
}

static const json_t *own_rule(const struct stack_round *round, const json_t *rules)
{
	size_t i;
	json_t *rule;

	json_array_foreach((json_t *)rules, i, rule) {
		if (is_ours(round, rule)) {
			return rule;
		}
	}
	return NULL;
}

/* Those that record something else as ours: NAMESPACE-NAME of their PrometheusRules. */
static json_t *rivals_of(const struct stack_round *round, const json_t *own, const json_t *rules)
{
	json_t *rivals = json_array();
	size_t i;
	json_t *rule;

	json_array_foreach((json_t *)rules, i, rule) {
		if (!is_ours(round, rule) &&
			!json_equal(json_object_get(rule, "query"), json_object_get(own, "query"))) {
			auto_free char *object = rule_object(json_path_string(rule, "file", ""));

			json_array_append_new(rivals, json_string(object));
		}
	}
	return rivals;
}

static void on_rule(void *ctx, const struct prometheus_answer *answer)
{
	struct stack_round *round = ctx;
	const json_t *rules = json_object_get(answer->index, json_path_string(round->wish, "record", ""));
	const json_t *own = own_rule(round, rules);
	json_t *document = json_object();

	round_fail(document, answer);
	if (answer->error == NULL) {
		json_object_set_new(document, "loaded", json_boolean(own != NULL));
	}
	if (own != NULL) {
		json_object_set(document, "health", json_object_get(own, "health"));
		json_object_set_new(document, "rivals", rivals_of(round, own, rules));
	}
	if (json_object_get(own, "lastError") != NULL) {
		json_object_set(document, "lastError", json_object_get(own, "lastError"));
	}
	round_record(round->evidence, "rule", document, answer->at_ms);
	round_end(round);
}

/* 1. The exporter: its series, how many tell a workload, its scrape. */

static void exporter_end(struct stack_round *round, const struct prometheus_answer *answer)
{
	round_fail(round->exporter, answer);
	round_record(round->evidence, "exporter", round->exporter, answer->at_ms);
	round->exporter = NULL;
	ask(round, question_rule(json_path_string(round->wish, "record", "")), question_rule_index, on_rule);
}

static void on_pool(void *ctx, const struct prometheus_answer *answer)
{
	struct stack_round *round = ctx;

	round_blame(round->exporter, json_path_string(round->wish, "pool", ""), NULL, answer);
	exporter_end(round, &(struct prometheus_answer){.at_ms = answer->at_ms});
}

static void on_jobs(void *ctx, const struct prometheus_answer *answer)
{
	struct stack_round *round = ctx;
	const char *pool = json_path_string(round->wish, "pool", NULL);
	json_int_t up = 0;
	json_int_t down = 0;
	const char *job;
	json_t *scrapes;

	json_object_foreach((json_t *)answer->index, job, scrapes) {
		up += json_path_int(scrapes, "up", 0);
		down += json_path_int(scrapes, "down", 0);
	}
	json_object_set_new(round->exporter, "up", json_integer(up));
	json_object_set_new(round->exporter, "down", json_integer(down));
	if (down > 0 && pool != NULL) {
		ask(round, question_pool(pool), question_pool_index, on_pool);
	} else {
		exporter_end(round, answer);
	}
}

static const char *targets_of(const struct stack_round *round)
{
	return json_path_string(round->wish, "targets", "up");
}

/* The jobs that serve an exporter's series, and the one that is expected to. */
static json_t *scrape_jobs(const struct stack_round *round)
{
	json_t *jobs = json_copy(round->jobs);
	json_t *expected = json_object_get(round->wish, "job");
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
	struct stack_round *round = ctx;
	auto_json *jobs = scrape_jobs(round);

	if (answer->error != NULL) {
		exporter_end(round, answer);
		return;
	}
	json_object_set(round->exporter, "withPod", (json_t *)answer->index);
	if (json_array_size(jobs) == 0) {
		json_object_set_new(round->exporter, "up", json_integer(0));
		json_object_set_new(round->exporter, "down", json_integer(0));
		exporter_end(round, answer);
		return;
	}
	ask(round, question_jobs(jobs, targets_of(round)), question_jobs_index, on_jobs);
}

static void on_exporter(void *ctx, const struct prometheus_answer *answer)
{
	struct stack_round *round = ctx;
	json_int_t series = 0;
	const char *job;
	json_t *count;

	json_object_foreach(json_object_get(answer->index, "targets"), job, count) {
		series += json_integer_value(count);
	}
	/* In order, since Prometheus answers in none: what is said of them must not move. */
	round->jobs = json_sorted_keys(json_object_get(answer->index, "targets"));
	json_object_set_new(round->exporter, "jobs", json_sorted_keys(json_object_get(answer->index, "trusted")));
	json_object_set_new(round->exporter, "series", json_integer(series));
	if (answer->error != NULL) {
		exporter_end(round, answer);
		return;
	}
	ask(round, question_workloads(json_object_get(round->wish, "dcgm"), targets_of(round)),
		question_workloads_index, on_workloads);
}

void stack_round_start(const struct round_order *order)
{
	struct stack_round *round = xcalloc(1, sizeof(*round));
	const char *url = json_path_string(order->wish, "prometheus", NULL);

	*round = (struct stack_round){.peers = *order->peers,
		.wish = json_incref(order->wish),
		.evidence = json_pack("{s:O}", "asked", order->wish),
		.healthy = order->healthy,
		.done = order->done,
		.ctx = order->ctx};
	if (url == NULL) {
		round_end(round);
		return;
	}
	round->exporter = json_pack("{s:s}", "url", url);
	ask(round,
		question_exporter(json_object_get(order->wish, "dcgm"), json_path_string(order->wish, "trusted", "up"),
			targets_of(round)),
		question_exporter_index, on_exporter);
}
