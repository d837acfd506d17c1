/*
 * vLLM's metrics page: the families of vLLM 0.32 by name, help, type and labels, as the captured
 * pages in test/fixtures have them.
 */
#ifndef STANDIN_VLLM_PAGE_H
#define STANDIN_VLLM_PAGE_H

#include "base/strbuf.h"
#include "metrics.h"

/* The old generation has vllm:gpu_cache_usage_perc, before it became vllm:kv_cache_usage_perc. */
void vllm_page(struct strbuf *page, const struct standin_metrics *metrics, const char *model,
	enum standin_generation generation);

#endif
