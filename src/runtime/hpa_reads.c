/* Counting, announcing, and adding up. */
#include "hpa_reads.h"

#include <string.h>

#include "announcements.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "cached_views.h"
#include "chain/lints.h"
#include "controller_parts.h"
#include "hpa_period.h"
#include "read_claim.h"
#include "read_counts.h"
#include "reconcile/registration.h"

/* From HPA_PERIOD_NEAR_S on all say anew what they say, every RENEW_ROUNDS; less is proven well by what was said long ago. */
#define RENEW_ROUNDS 5
#define FRESH_ROUNDS 10

struct hpa_reads {
	struct hpa_reads_options options;
	int64_t round_ms;
	uv_timer_t round;
	struct read_counts counts;
	struct read_claim claim; /* as it was announced last */
	struct hpa_period period;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

/* ---- who asks ---- */

/* With --use-service-account-credentials, as nearly everywhere, the controller has an account of its own; without, it is
 * kube-controller-manager itself. Under another name it is not known, and nothing is told. */
static const char *const controllers[] = {
	"system:serviceaccount:kube-system:horizontal-pod-autoscaler",
	"system:kube-controller-manager",
};

void hpa_reads_note(struct hpa_reads *r, const char *user)
{
	for (size_t i = 0; i < ARRAY_LEN(controllers); i++) {
		if (text_equal(user, controllers[i])) {
			read_counts_add(&r->counts);
			return;
		}
	}
}

/* ---- what is read ---- */

/* Where the metrics are not read what was read before stands in the status: when its target's scale cannot be read, or is
 * not within the bounds, as 0 is not. */
static bool reads_its_metrics(const struct view_hpa *hpa)
{
	return hpa->own_spec != NULL && strcmp(view_condition_status(&hpa->conditions, "ScalingActive"), "True") == 0 &&
	       strcmp(view_condition_status(&hpa->conditions, "AbleToScale"), "False") != 0 &&
	       hpa->current_replicas > 0 && hpa->current_replicas >= hpa->min_replicas &&
	       hpa->current_replicas <= hpa->max_replicas;
}

/* Metrics of HPAs of source Direct that were read when it was their turn last. */
static int64_t count_pairs(struct controller *c)
{
	struct world world = cached_world(c);
	const bool ours = registration_is_ours(&world);
	auto_view_list all = cached_views(controller_cache(c, KIND_AUTOSCALER), NULL);
	int64_t pairs = 0;

	for (size_t i = 0; i < all.count; i++) {
		const struct view_autoscaler *one = view_autoscaler(all.items[i]);
		const bool served = one->invalid.kind == ERROR_NONE && autoscaler_is_ours(&one->spec, c->settings);
		const enum source source = served ? autoscaler_source(&one->spec) : SOURCE_PROMETHEUS;
		const struct view_hpa *hpa =
			view_hpa(kube_cache_get(controller_cache(c, KIND_HPA), one->view.meta.ns, one->view.meta.name));

		if ((source == SOURCE_DIRECT || (source == SOURCE_AUTO && ours)) && hpa != NULL &&
			reads_its_metrics(hpa)) {
			pairs += hpa->averages_count;
		}
	}
	return pairs;
}

/* ---- what follows ---- */

static void announce(struct hpa_reads *r, int64_t counted, bool doubt, int64_t now_ms)
{
	if (read_claim_renew(&r->claim, counted, doubt, RENEW_ROUNDS * r->round_ms, now_ms)) {
		auto_free char *text = read_claim_text(&r->claim);

		announcements_set_note(r->options.announcements, text);
	}
}

static void conclude(struct hpa_reads *r, char *who_take, int64_t mean_s)
{
	if (hpa_period_round(&r->period, who_take, mean_s)) {
		auto_free char *seconds = xasprintf("%lld", (long long)r->period.believed_s);

		log_event(LOG_INFO, "how often the HPA's controller reads a metric is known", "seconds_at_least",
			seconds, NULL);
		controller_set_hpa_period(r->options.controller, r->period.believed_s);
	}
}

static void on_round(uv_timer_t *timer)
{
	struct hpa_reads *r = timer->data;
	int64_t now_ms = clock_wall_ms();
	int64_t pairs, counted, mean_s;
	struct read_claims claims;
	bool known;

	read_counts_end_round(&r->counts);
	if (!controller_ready(r->options.controller)) {
		return;
	}
	pairs = count_pairs(r->options.controller);
	counted = read_counts_most(&r->counts);
	claims = read_claims_add_up(announcements_entries(r->options.announcements), r->options.identity,
		counted >= 0 ? read_claim_round(counted) : -1, r->options.live, r->options.ctx);
	mean_s = hpa_period_mean_s(pairs, claims.reads, r->round_ms);
	known = mean_s < HPA_PERIOD_NEAR_S || read_claims_fresh(&claims, FRESH_ROUNDS * r->round_ms, now_ms);
	/* Where nobody has a metric of ours to read there is nothing to say of it. */
	if (pairs > 0 || r->claim.reads >= 0) {
		announce(r, counted, mean_s >= HPA_PERIOD_NEAR_S, now_ms);
	}
	conclude(r, claims.who, known ? mean_s : 0);
}

/* ---- life ---- */

struct hpa_reads *hpa_reads_new(uv_loop_t *loop, const struct hpa_reads_options *options)
{
	struct hpa_reads *r = xcalloc(1, sizeof(*r));

	*r = (struct hpa_reads){.options = *options,
		.round_ms = options->after_ms / (READ_COUNTS_WINDOW + HPA_PERIOD_LONGER_ROUNDS),
		.claim = READ_CLAIM_NONE};
	uv_timer_init(loop, &r->round);
	r->round.data = r;
	return r;
}

void hpa_reads_start(struct hpa_reads *r)
{
	uv_timer_start(&r->round, on_round, (uint64_t)r->round_ms, (uint64_t)r->round_ms);
}

static void on_closed(uv_handle_t *handle)
{
	struct hpa_reads *r = handle->data;
	void (*closed)(void *ctx) = r->closed;
	void *ctx = r->closed_ctx;

	hpa_period_release(&r->period);
	free_indirect(&r);
	closed(ctx);
}

void hpa_reads_close(struct hpa_reads *r, void (*closed)(void *ctx), void *ctx)
{
	r->closed = closed;
	r->closed_ctx = ctx;
	uv_close((uv_handle_t *)&r->round, on_closed);
}
