/*
 * What a probe is to look at: one request for an autoscaler, one for what the GPU autoscalers share.
 *
 * A request is made whole, then never changed; whoever keeps it counts a reference. What a probe saw names the request
 * that it answers by that same pointer.
 */
#ifndef EVIDENCE_REQUEST_H
#define EVIDENCE_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/shape.h"

/* A place where the pods may serve their metrics. */
struct page_place {
	int64_t port;
	char *path;
};

struct page_places LIST_OF(struct page_place);

struct signal_request {
	char *name;   /* "Running" */
	char *metric; /* as the metrics API serves it */
	bool page;    /* its series come from the pods' page, else they are recorded */
	char *query;  /* what is read of it on a page; NULL = the metrics query of this metric */
	char *tag; /* the matcher of its samples in Prometheus, of which there may be other figures'; NULL = none is needed */
	struct texts series; /* PromQL selectors: any of them will do */
};

struct target_ref {
	char *api_version;
	char *kind;
	char *name;
};

struct probe_request {
	unsigned references;
	char *ns;
	char *name;
	struct target_ref target; /* whose pods these are */
	char *selector;           /* of the pods; NULL: the target's scale subresource is asked for it */
	struct page_places pages; /* in order of likelihood; none: no page is read */
	char *scheme;             /* of the page */
	char *engine;             /* NULL = not known */
	bool direct;      /* the figures are read on the pages when our own metrics API is asked, without Prometheus */
	char *prometheus; /* base URL; NULL = none is known */
	char *service;    /* the metrics Service, which is the job of its scrape; NULL = no page is scraped */
	char *pool;       /* that scrape's pool; with service */
	int64_t interval_ms; /* of the scrape; direct: of the HPA's readings */
	char *trusted;       /* PromQL of the targets that are believed about all pods' GPUs; NULL = no GPUs */
	struct LIST_OF(struct signal_request) signals;
	size_t packed; /* by probe_request_pack(), into so many bytes; 0 = it is not */
};

/* Of so many exporters' scrapes is asked at once. */
#define EXPORTERS_JOBS_MAX 64

/* Exporters whose figures are believed about the same pods. */
struct exporters_request {
	char *targets;     /* PromQL of their targets (engine/gpu.h); NULL = there are none */
	struct texts jobs; /* whose scrapes are theirs, as far as it is known; EXPORTERS_JOBS_MAX at most */
	char *pool;        /* of a ServiceMonitor of ours; NULL = it is not ours */
};

struct shared_request {
	unsigned references;
	char *prometheus;                  /* base URL; NULL = none is known */
	int64_t interval_ms;               /* of the exporter's scrape, and of the rule */
	struct texts dcgm;                 /* names of series, any of them will do */
	struct exporters_request believed; /* about all pods */
	struct exporters_request own;      /* each about those of its namespace alone */
	char *record;                      /* name of the recorded series */
	char *rule;                        /* "ns/name" of the PrometheusRule; NULL = none is selected */
};

/* Empty, with one reference. */
struct probe_request *probe_request_new(void);
/* A copy to be kept for long, in one heap block, with one reference. */
struct probe_request *probe_request_pack(const struct probe_request *request);
struct probe_request *probe_request_ref(const struct probe_request *request);
/* NULL is allowed. */
void probe_request_unref(struct probe_request *request);
/* NULL is allowed, and equals NULL alone. */
bool probe_request_equal(const struct probe_request *one, const struct probe_request *other);
/* For people and golden tests; new reference. */
json_t *probe_request_encode(const struct probe_request *request);

struct shared_request *shared_request_new(void);
struct shared_request *shared_request_ref(const struct shared_request *request);
void shared_request_unref(struct shared_request *request);
bool shared_request_equal(const struct shared_request *one, const struct shared_request *other);
json_t *shared_request_encode(const struct shared_request *request);

/* Copies the path. */
void page_places_add(struct page_places *places, int64_t port, const char *path);
void page_places_release(struct page_places *places);
bool page_places_equal(const struct page_places *one, const struct page_places *other);
bool page_place_equal(const struct page_place *one, const struct page_place *other);
bool target_ref_equal(const struct target_ref *one, const struct target_ref *other);

/* Adds a place, a signal. */
void probe_request_add_page(struct probe_request *request, int64_t port, const char *path);
/* Its series are added by texts_add(). */
struct signal_request *probe_request_add_signal(struct probe_request *request, const char *name, const char *metric,
	bool page);
/* The signal of this metric; NULL when it is not asked for. */
const struct signal_request *probe_request_signal(const struct probe_request *request, const char *metric);
bool signal_request_equal(const struct signal_request *one, const struct signal_request *other);

#endif
