/*
 * What the probes saw last: of one autoscaler's chain, and of what the GPU autoscalers share.
 *
 * The links are checked from it (chain/), the probes make it (probe/), people see it as JSON (/explain), and golden worlds
 * give it so. Each part says when it was seen, in ms of the wall; 0 means not yet, and then nothing else of it counts. A
 * part that failed says why, and its other members are empty. Values are in thousandths, MILLI_NONE where there is none.
 */
#ifndef EVIDENCE_EVIDENCE_H
#define EVIDENCE_EVIDENCE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/shape.h"
#include "evidence/request.h"

#define MILLI_NONE (-1)

/* Of a failure, when it is one of those that have a remedy of their own. */
enum cause {
	CAUSE_NONE,
	/* of a target */
	CAUSE_NOT_FOUND,
	CAUSE_NOT_SCALABLE, /* its kind is not there, or has no scale subresource, or no selector in it */
	/* of the metrics API */
	CAUSE_NOT_REGISTERED,
	CAUSE_NOT_LISTED, /* it does not know the metric */
	CAUSE_NO_VALUE,
	CAUSE_UNAVAILABLE,
	/* of both */
	CAUSE_FORBIDDEN,
	CAUSE_FAILED,
	/* of Prometheus */
	CAUSE_UNAUTHORIZED,
	CAUSE_TLS,
	CAUSE_NOT_PROMETHEUS,
	/* of a page */
	CAUSE_PAGE_TOO_LARGE,
};

/* Why nothing was read. */
struct failure {
	char *text; /* a sentence; NULL = it did not fail */
	enum cause cause;
};

/* A target of a kind that is not watched, by its scale. */
struct target_seen {
	int64_t seen_ms;
	struct failure failure;
	int64_t replicas; /* wanted */
	int64_t current;
	char *selector; /* "a=b,c=d" */
};

/* A pod that was ready with the containers that it runs now, and is not. It counts while it has load. */
struct unready_pod {
	char *name;
	int64_t since_ms;
};

struct container_port {
	char *name; /* NULL = it has none */
	int64_t number;
	char *protocol; /* NULL = TCP */
};

/* The quickest way of a ready pod from its creation. */
struct pod_start {
	char *pod; /* NULL = none is known */
	int64_t seconds;
};

struct pods_seen {
	int64_t seen_ms;
	struct failure failure;
	int64_t total;
	int64_t ready;                              /* -1 = not known */
	struct LIST_OF(struct unready_pod) unready; /* five at most */
	struct texts foreign; /* that the selector matches but the target did not make; five at most */
	struct LIST_OF(struct container_port) ports; /* of the pod whose page is read */
	struct pod_start start;
};

/* Between which bounds the 99th percentile lies of all requests that the page's process has served. */
struct page_latency {
	int64_t requests; /* 0 = the page does not tell */
	int64_t over_ms;
	int64_t upto_ms; /* -1 = beyond the page's last bound */
};

/* The most that a signal of this pod can be. */
struct signal_limit {
	char *signal;
	int64_t most;
};

struct metric_value {
	char *metric;
	int64_t milli;
};

struct page_values {
	char *pod;
	struct LIST_OF(struct metric_value) values;
};

struct page_seen {
	int64_t seen_ms;
	struct failure failure;
	char *url;
	char *pod;
	int64_t port;
	char *path;
	char *engine;  /* whose page it is; NULL = nobody's that is known */
	char *router;  /* what it is, when it only passes on what engines report; NULL = it does not */
	char *version; /* NULL = it does not tell */
	char *image;   /* what the pod ran when it was asked for its version; NULL = it was not */
	struct texts series;
	struct page_latency latency;
	struct LIST_OF(struct signal_limit) limits;
	struct LIST_OF(struct page_values) values; /* of `pod` and a few others */
	bool unconfirmed; /* it is the page of before, since the read after it failed for the first time */
};

/* Of our metrics Service. */
struct scrape_seen {
	int64_t seen_ms;
	struct failure failure;
	char *url;
	int64_t up;
	int64_t down;
	char *last_error; /* Prometheus' words; NULL = none */
};

/* A pod's youngest sample in Prometheus. */
struct sample {
	char *pod;
	int64_t age_ms;
	int64_t time_ms; /* by Prometheus' clock */
	int64_t milli;   /* what the adapter would get */
	int64_t source;  /* of GPUs: what would be recorded now, in thousandths */
	bool shared;     /* of GPUs: they are others' too */
};

/* Of a request that is direct: what the pages say. */
struct series_seen {
	int64_t seen_ms;
	struct failure failure;
	int64_t pods;         /* that count and have a fresh sample */
	struct texts missing; /* ready for long enough to have one, and missed by the probe before too; five at most */
	struct texts unconfirmed; /* missed for the first time: they may have gone since they were listed */
	struct LIST_OF(struct sample) samples;
};

struct pod_value {
	char *pod;
	int64_t milli; /* MILLI_NONE: it was served, but is no number */
};

struct metric_seen {
	int64_t seen_ms;
	struct failure failure;
	int64_t http; /* the answer's status; 0 = there was none */
	int64_t pods; /* that count and have a value */
	struct texts missing;
	struct texts unconfirmed;
	struct LIST_OF(struct pod_value) values;
	bool by_hpa; /* not we read it but the HPA, as its status tells: there are no values by pod. Perhaps an operator
		      * before us did (probe/metric_trust.h), at about that time */
	int64_t unconfirmed_ms; /* since when a failure after this good answer is not believed; 0 = there was none */
};

/*
 * Two neighbouring hops that have not said the same for how long (probe/comparison.h). `values` and `series` are the
 * least and the most that each side said.
 */
struct mismatch {
	int64_t looks; /* values of the one side; 0 = the hops agree */
	int64_t since_ms;
	int64_t samples; /* different ones of Prometheus, on the other side */
	int64_t near[2]; /* looks within half a second before and after a scrape */
	int64_t values[2];
	int64_t series[2];
	int64_t sample_time_ms; /* of the last, by Prometheus' clock */
	int64_t sample_ms;      /* of the last, by ours */
};

struct pod_mismatch {
	char *pod;
	struct mismatch mismatch;
};

/* Of which pods Prometheus and a neighbour have not said the same. */
struct mismatches {
	struct LIST_OF(struct pod_mismatch) page;
	struct LIST_OF(struct pod_mismatch) record; /* what would be recorded */
	struct LIST_OF(struct pod_mismatch) metric; /* the metrics API */
	struct mismatch hpa; /* the HPA's average is not between the values that the metrics API serves */
};

/* Who gives Prometheus samples of a pod whose page it does not agree with. */
struct scrapers {
	char *pod;
	struct texts jobs;
};

struct signal_seen {
	char *metric;
	struct series_seen series;
	struct metric_seen value;
	struct mismatches mismatches;
	struct LIST_OF(struct scrapers) scrapers;
};

struct evidence {
	struct probe_request *asked; /* counted; NULL: of a world written by hand, it answers whatever is asked */
	struct target_seen target;   /* only of a request without a selector */
	struct pods_seen pods;
	struct page_seen page;
	struct scrape_seen scrape;
	struct LIST_OF(struct signal_seen) signals;
	int64_t hpa_silent_ms; /* when its HPA was last seen silent of what is asked (chain/hpa_says.h); 0 = never */
	int64_t awaited_ms;    /* how long nothing else is awaited than the HPA's first reading; 0 = something is */
	int64_t again_ms;      /* how soon another probe is wanted; 0 = at its time */
	size_t packed;         /* by evidence_pack(), into so many bytes; 0 = it is not */
};

struct exporter_seen {
	int64_t seen_ms;
	struct failure failure;
	char *url;
	struct texts jobs; /* that have such series now */
	int64_t up;
	int64_t down;
	char *last_error;
	int64_t series;
	int64_t with_pod; /* series that tell their workload */
};

enum rule_health { RULE_HEALTH_NONE, RULE_HEALTH_OK, RULE_HEALTH_UNKNOWN, RULE_HEALTH_ERR };

struct rule_seen {
	int64_t seen_ms;
	struct failure failure;
	bool loaded;
	enum rule_health health;
	char *last_error;
	struct texts rivals; /* NAMESPACE-NAME of other PrometheusRules that record something else by the same name */
};

struct shared_evidence {
	struct shared_request *asked;  /* counted; NULL as in struct evidence */
	struct exporter_seen exporter; /* all that are believed about all pods */
	struct exporter_seen own;      /* all others, which are asked for by somebody in their namespace */
	struct rule_seen rule;
};

/* Empty; takes the reference. */
struct evidence *evidence_new(struct probe_request *asked_take);
/* The same in one heap block, which is less than half: not to be changed from now on. */
struct evidence *evidence_pack(struct evidence *evidence_take);
/* NULL is allowed. */
void evidence_free(struct evidence *evidence);
/* New reference. */
json_t *evidence_encode(const struct evidence *evidence);
/* `now_ms`: when a part was seen that does not tell. */
struct evidence *evidence_decode(const json_t *document, int64_t now_ms);
/* NULL when it was not asked for, or was not reached. `evidence` may be NULL. */
struct signal_seen *evidence_find_signal(const struct evidence *evidence, const char *metric);
struct signal_seen *evidence_add_signal(struct evidence *evidence, const char *metric);

struct shared_evidence *shared_evidence_new(struct shared_request *asked_take);
void shared_evidence_free(struct shared_evidence *evidence);
json_t *shared_evidence_encode(const struct shared_evidence *evidence);
struct shared_evidence *shared_evidence_decode(const json_t *document, int64_t now_ms);

/* "NotListed"; NULL for CAUSE_NONE. */
const char *cause_name(enum cause cause);
/* Makes the failure; what was said before is forgotten. Takes the text. */
void failure_set(struct failure *failure, enum cause cause, char *text_take);

/* The shapes of the parts, for shape_copy(), shape_add() and their like. */
extern const struct shape shape_pods_seen, shape_page_seen, shape_metric_seen, shape_series_seen;
extern const struct shape shape_unready_pod, shape_container_port, shape_signal_limit, shape_metric_value,
	shape_page_values, shape_sample, shape_pod_value, shape_pod_mismatch, shape_scrapers, shape_mismatch;

/* Whether no hop has mismatched with its neighbour lately. */
bool evidence_matches(const struct mismatches *mismatches);

#endif
