/*
 * The /metrics page: the families of vLLM 0.32 by name, help, type and labels, as the captured
 * pages in test/fixtures have them.
 */
#ifndef STANDIN_PAGE_H
#define STANDIN_PAGE_H

#include "base/strbuf.h"
#include "metrics.h"

enum standin_names {
	NAMES_CURRENT,
	NAMES_V0_10, /* vllm:gpu_cache_usage_perc, before it became vllm:kv_cache_usage_perc */
};

#define PAGE_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

void standin_page(struct strbuf *page, const struct standin_metrics *metrics, const char *model,
	enum standin_names names);

#endif
