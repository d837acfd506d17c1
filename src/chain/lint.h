/*
 * The single lints: facts → what they have to say.
 */
#ifndef CHAIN_LINT_H
#define CHAIN_LINT_H

#include "base/strbuf.h"
#include "chain/facts.h"

enum lint_verdict {
	LINT_SILENT,   /* all is well, or it does not apply */
	LINT_REPORTED, /* the sentence was appended: what, where, and the remedy */
	LINT_STILL,    /* likewise, but it is so near the limit that it counts only if it was said before */
	LINT_UNSEEN    /* it cannot be told now */
};

/* The page as it was read for today's question; NULL when it was not. */
const struct page_seen *lint_page(const struct facts *facts);
/* Whether so many requests were served that there is a slowest of 100. */
bool latency_is_known(const struct page_latency *latency);
bool any_gpu_is_shared(const struct series_seen *series);

enum lint_verdict lint_target_unreachable(const struct facts *facts, struct strbuf *sentence);
enum lint_verdict lint_replicas_kept(const struct facts *facts, struct strbuf *sentence);
enum lint_verdict lint_target_low(const struct facts *facts, struct strbuf *sentence);
enum lint_verdict lint_one_adapter_replica(const struct facts *facts, struct strbuf *sentence);
enum lint_verdict lint_relist_long(const struct facts *facts, struct strbuf *sentence);
enum lint_verdict lint_cold_start_long(const struct facts *facts, struct strbuf *sentence);
enum lint_verdict lint_drain_too_short(const struct facts *facts, struct strbuf *sentence);
enum lint_verdict lint_gpu_shared(const struct facts *facts, struct strbuf *sentence);
enum lint_verdict lint_hpa_period_long(const struct facts *facts, struct strbuf *sentence);
enum lint_verdict lint_name_leaves(const struct facts *facts, struct strbuf *sentence);

#endif
