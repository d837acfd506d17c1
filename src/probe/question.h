/*
 * What Prometheus is asked, and what its answers hold: targets ("/api/v1/…", heap, the caller owns) and, for each, how
 * its answer is read into the table that its readers look things up in.
 *
 * A question never names an autoscaler: that is what lets many share its answer. The one exception
 * is the reason of a failing scrape, asked only while it fails.
 *
 * The answer about all pods may be too large. Then it is asked for in parts, each of the pods whose names end with some
 * letters: QUESTION_PART_LETTERS stands for them in the target of a part.
 */
#ifndef PROBE_QUESTION_H
#define PROBE_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/texts.h"
#include "body_read.h"
#include "evidence/request.h"

/* As it stands in a target; nothing else in a target is encoded so. */
#define QUESTION_PART_LETTERS "%01"
#define QUESTION_PARTS 8

/* The letters of a part, from 0 on; static. */
const char *question_part_letters(unsigned part);
/* The target of this part; heap. */
char *question_part(const char *target, unsigned part);

/* Rows; none of their texts is NULL, if not said otherwise. Their keys are their first two texts. */

struct scrapes_row {
	const char *ns;
	const char *job;
	int64_t up;
	int64_t down;
};

/* Of a pod: its youngest sample, as struct sample (evidence/evidence.h). */
struct sample_row {
	const char *ns;
	const char *pod;
	int64_t age_ms;
	int64_t time_ms; /* by Prometheus' clock; -1 = there is none, then `age_ms` says nothing */
	int64_t milli;   /* MILLI_NONE, as the next */
	int64_t source;
	int64_t shared; /* 1 = the pod's GPU is others' too */
};

struct scraper_row {
	const char *ns;
	const char *pod;
	const char *job;
};

struct target_row {
	const char *pool;
	const char *pod; /* "" = it is no pod's */
	const char *error;
};

struct count_row {
	const char *part;
	const char *job;
	int64_t count;
};

struct rule_row {
	const char *name;
	const char *file; /* of its group */
	const char *query;
	const char *last_error; /* NULL = none */
	int64_t health;         /* enum rule_health */
};

/* The scrapes of all metrics Services of ours: struct scrapes_row. */
char *question_scrapes(void);
extern const struct answer_type answer_scrapes;
/* Whether two such answers say another thing of a job. NULL is allowed: that there is an answer, or none any more, is
 * news to everybody, and `job` NULL = any. */
bool answer_scrapes_differ(const struct table *before, const struct table *now, const char *ns, const char *job);
/* The youngest sample of any of the signal's series (of their names, where it has a tag), and what they come to for the metric
 * as the adapter would ask for it: struct sample_row. `milli` is what is recorded when it is the GPUs', and `source` then
 * what the expression comes to that is recorded of the `trusted` targets (engine/gpu.h; NULL = not known). A metric
 * that the adapter has no rule for has neither. `part`: of a part. */
char *question_samples(const struct signal_request *asked, const char *trusted, bool part);
extern const struct answer_type answer_samples;
/* Whose scrapes have these series: struct scraper_row, sorted by job too; asked only while a pod's values do not
 * agree. */
char *question_scrapers(const struct signal_request *asked, bool part);
extern const struct answer_type answer_scrapers;
/* The last errors of a scrape pool's targets: struct target_row, of others too where the pool is no filter (Thanos). */
char *question_pool(const char *pool);
extern const struct answer_type answer_pool;

/* How many of the series the targets of exporters have (engine/gpu.h), by job: struct count_row of the part "". */
char *question_exporter(const struct texts *series, const char *targets);
extern const struct answer_type answer_exporter;
/* How many of the targets' series tell the workload's pod: one struct count_row of the part "". */
char *question_workloads(const struct texts *series, const char *targets);
extern const struct answer_type answer_workloads;
/* The scrapes of these jobs, as far as they are of the targets: struct scrapes_row of the namespace "". `jobs` is not
 * empty. */
char *question_jobs(const struct texts *jobs, const char *targets);
extern const struct answer_type answer_jobs;
/* The recording rules of a name: struct rule_row. A Prometheus that does not filter by name tells of others too. */
char *question_rule(const char *record);
extern const struct answer_type answer_rule;

#endif
