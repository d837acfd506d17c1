/*
 * The lint of an HPA controller that has no time to read each metric every 15 s.
 *
 * Each of its clients (of the targets' scales, of custom metrics) asks 20 times a second at most, by --kube-api-qps and
 * --kube-api-burst of kube-controller-manager, and five HPAs are looked at side by side.
 */
#include "chain/lints.h"
#include "lint.h"

enum lint_verdict lint_hpa_period_long(const struct facts *facts, struct strbuf *sentence)
{
	if (!facts->workload.direct) {
		return LINT_SILENT;
	}
	if (facts->hpa_period_s == 0) {
		return LINT_UNSEEN;
	}
	if (facts->hpa_period_s < HPA_PERIOD_NEAR_S) {
		return LINT_SILENT;
	}
	strbuf_addf(sentence,
		"on average the HPA controller reads a metric once in %lld s, or more seldom, where every 15 s is usual: load is "
		"answered as late. By default it reads 20 metrics a second, those of 300 HPAs in 15 s: raise --kube-api-qps (20) "
		"and --kube-api-burst (30) of kube-controller-manager; with few HPAs see its "
		"--horizontal-pod-autoscaler-sync-period (15s), and where pods answer slowly its "
		"--concurrent-horizontal-pod-autoscaler-syncs (5)",
		(long long)facts->hpa_period_s);
	return facts->hpa_period_s >= HPA_PERIOD_LONG_S ? LINT_REPORTED : LINT_STILL;
}
