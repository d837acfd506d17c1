/*
 * The engines that the stand-in can be, and a router before them: what each page looks like and where it is served.
 *
 * vLLM's page is whole (vllm_page.h). Of the others it has the gauges and the counters that tell of
 * load, as their sources write them (include/engine/presets.h says where those are), but neither
 * their histograms nor what the runtime of their language adds.
 */
#ifndef STANDIN_KINDS_H
#define STANDIN_KINDS_H

#include "base/strbuf.h"
#include "metrics.h"

#define KIND_NAMES "vllm, sglang, tgi, tensorrt-llm, triton, lmdeploy, nim, llamacpp or vllm-router"

struct kind_row;

/* Until the first request. */
enum kind_unused {
	UNUSED_SHOWN,     /* all is there, and zero */
	UNUSED_ANNOUNCED, /* HELP and TYPE are there, no sample */
	UNUSED_EMPTY,     /* the page is empty */
};

struct standin_kind {
	const char *name;
	enum standin_generation generation;
	int port;                 /* the usual one */
	const char *path;         /* of the metrics page */
	const char *version_path; /* NULL when it tells none on this port */
	const char *version;      /* the JSON answered there */
	const char *stats_path;   /* of figures that are JSON; NULL when it has none */
	enum kind_unused unused;
	bool python;                 /* how numbers are written */
	bool gap;                    /* an empty line after each family */
	const struct kind_row *rows; /* NULL is vLLM's page */
};

#define PAGE_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* NULL when there is none of this name. Where nothing changed both generations are one. */
const struct standin_kind *kind_find(const char *name, enum standin_generation generation);

void kind_page(struct strbuf *page, const struct standin_kind *kind, const struct standin_metrics *metrics,
	const char *model);
/* What TensorRT-LLM answers at stats_path: the last iteration. */
void kind_stats(struct strbuf *json, const struct standin_metrics *metrics);

#endif
