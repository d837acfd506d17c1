/*
 * The chain from the target to the metrics API: one row per link, checked in order.
 */
#ifndef CHAIN_LINKS_H
#define CHAIN_LINKS_H

#include <stddef.h>

#include "chain/facts.h"

enum verdict_status { VERDICT_UNKNOWN, VERDICT_TRUE, VERDICT_FALSE };

struct verdict {
	enum verdict_status status;
	const char *reason; /* static, CamelCase */
	char *message;      /* heap, owned */
};

/* The reason of a link that waits for its first probe. */
#define REASON_PROBING "Probing"
/* The reason of a link that cannot be True yet, because something is new; it says for how long. */
#define REASON_WAITING "Waiting"
/* The reason of one that waits for the adapter. */
#define REASON_ROLLING_OUT "RollingOut"

struct link {
	const char *type; /* the condition's */
	/* Either the first, for all modes, or one per kind of signal: the mode decides which count. */
	void (*check)(const struct facts *facts, struct verdict *verdict);
	void (*check_page)(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict);
	void (*check_gpu)(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict);
	/* Of a link that lies before the values, a page's or the adapter's, and the GPUs': its reason when they arrive although
	 * the check says False. Then it is the operator's own view that is barred, by a NetworkPolicy say, and not the chain. NULL = what the
	 * check says stands. */
	const char *arrives;
	const char *arrives_gpu;
	bool of_prometheus; /* there is none where the figures come from our own metrics API */
	bool beyond_ready;  /* mirrored for people, does not count for Ready */
};

extern const struct link links[];
extern const size_t links_count;

/* Whether the autoscaler's mode and source have this link; what does not apply has no condition. */
bool link_applies(const struct link *link, const struct workload *workload);
/* Checks all links that apply into verdicts[links_count]; behind the first that is not True, all are Unknown.
 * Returns the index of that first one, or links_count when every link up to Ready is True. */
size_t links_check(const struct facts *facts, struct verdict *verdicts);
/* Whether all that applies is True and stays so while nothing but time goes on: no link waits, and none is True only
 * because something is too new to be missed yet. */
bool links_settled(const struct facts *facts, const struct verdict *verdicts);
/* Whether the target and the children's names are ours alone, asked outside the chain's order:
 * nothing is written while they are not. */
bool links_target_exclusive(const struct facts *facts);
/* Whether an older autoscaler has the target: then an HPA of ours is one too many. */
bool links_target_taken(const struct facts *facts);
/* Whether the links are checked alike by two probes of what the GPU autoscalers share, NULL = none, but for when they
 * were: what is young is checked again at an autoscaler's own probes. */
bool links_gpu_alike(const struct shared_evidence *before, const struct shared_evidence *now);
/*
 * Whether the links and lints of an autoscaler whose links are settled are checked alike by two of its probes, NULL =
 * none: whatever of them a check reads is the same, but for when it was seen.
 */
bool links_evidence_alike(const struct evidence *before, const struct evidence *now);
void verdicts_release(struct verdict *verdicts);
const char *verdict_status_text(enum verdict_status status);

#endif
