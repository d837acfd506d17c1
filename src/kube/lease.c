/*
 * Leader election on a Lease, by client-go's rules.
 *
 * Each try reads the Lease (a leader skips that: it knows what it wrote), checks it, and writes
 * it when it is ours, free or expired. Two timers: `retry` starts the next try, `deadline` ends
 * our leadership when no renewal got through in time, whatever a try is waiting for.
 *
 * Nothing fences a write that is already on its way when leadership is lost: what the leader
 * writes must be right when written twice.
 */
#include "kube/lease.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/memory.h"
#include "lease_record.h"
#include "timing.h"

#define RELEASE_TRIES 3

static const struct kube_resource lease_resource = {
	.group = "coordination.k8s.io",
	.version = "v1",
	.plural = "leases",
	.kind = "Lease",
	.namespaced = true,
};

struct kube_lease {
	struct kube_client *client;
	char *ns;
	char *name;
	char *identity;
	struct kube_lease_hooks hooks;
	struct lease_timing timing;
	struct kube_call *call;
	uv_timer_t retry;
	uv_timer_t deadline;        /* of our leadership; while closing, of the release */
	struct lease_record record; /* as last seen */
	int64_t sent_ms;            /* when the write under way was sent: our leadership counts from then */
	int64_t leads_until_ms;     /* unless renewed */
	bool looked;                /* the write under way follows a read */
	bool held;
	bool closing;
	int release_tries;
	int open_handles;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static void start_read(struct kube_lease *lease);
static void start_release(struct kube_lease *lease);

/* ---- leadership ---- */

static void lose(struct kube_lease *lease, const char *why)
{
	if (!lease->held) {
		return;
	}
	lease->held = false;
	uv_timer_stop(&lease->deadline);
	/* First of all: the owner stops writing. */
	if (lease->hooks.stopped != NULL) {
		lease->hooks.stopped(lease->hooks.ctx);
	}
	log_event(lease->closing ? LOG_INFO : LOG_WARN, "leadership lost", "lease", lease->name, "reason", why, NULL);
}

static void on_deadline(uv_timer_t *timer)
{
	struct kube_lease *lease = timer->data;

	lose(lease, "no renewal succeeded within the deadline");
	/* The hook may have closed us; then the call is cancelled already. */
	if (lease->call != NULL && !lease->closing) {
		kube_call_cancel(lease->call);
	}
}

static void win(struct kube_lease *lease)
{
	int64_t left_ms;

	lease->leads_until_ms = lease->sent_ms + lease->timing.deadline_ms;
	left_ms = lease->leads_until_ms - clock_monotonic_ms();
	uv_timer_start(&lease->deadline, on_deadline, (uint64_t)(left_ms > 0 ? left_ms : 0), 0);
	if (lease->held) {
		return;
	}
	lease->held = true;
	log_event(LOG_INFO, "leadership gained", "lease", lease->name, "identity", lease->identity, NULL);
	if (lease->hooks.started != NULL) {
		lease->hooks.started(lease->hooks.ctx);
	}
}

/* ---- tries ---- */

static bool is_ours(const struct kube_lease *lease)
{
	return strcmp(lease_record_holder(&lease->record), lease->identity) == 0;
}

/* Also one that is not there. */
static bool is_free(const struct kube_lease *lease)
{
	return lease_record_expires_ms(&lease->record, lease->timing.duration_ms) <= clock_monotonic_ms();
}

static void start_write(struct kube_lease *lease, bool looked);

static void on_retry(uv_timer_t *timer)
{
	struct kube_lease *lease = timer->data;

	if (lease->held) {
		start_write(lease, false);
	} else {
		start_read(lease);
	}
}

/*
 * A candidate looks more often than a leader writes, so that it is there soon after a release, and
 * again in the moment at which the holder's time is up. Its tries are spread so that many
 * candidates do not come together.
 */
static int64_t candidate_delay_ms(const struct kube_lease *lease)
{
	int64_t delay_ms = lease->timing.candidate_ms;
	int64_t left_ms = lease_record_expires_ms(&lease->record, lease->timing.duration_ms) - clock_monotonic_ms();
	uint32_t random = 0;

	uv_random(NULL, NULL, &random, sizeof(random), 0, NULL);
	delay_ms += delay_ms * (int64_t)(random % 1000) / 2000;
	return left_ms > 0 && left_ms < delay_ms ? left_ms : delay_ms;
}

static void schedule_next(struct kube_lease *lease)
{
	int64_t delay_ms = lease->held ? lease->timing.retry_ms : candidate_delay_ms(lease);

	if (!lease->closing) {
		uv_timer_start(&lease->retry, on_retry, (uint64_t)delay_ms, 0);
	}
}

/* After each completed call: true when the lease is being closed. */
static bool ended(struct kube_lease *lease)
{
	lease->call = NULL;
	if (lease->closing) {
		start_release(lease);
	}
	return lease->closing;
}

static void on_written(void *ctx, json_t *result, const struct error *err)
{
	struct kube_lease *lease = ctx;

	if (ended(lease)) {
		return;
	}
	if (err == NULL) {
		lease_record_observe(&lease->record, result);
		win(lease);
	} else if (!lease->looked && (err->kind == ERROR_CONFLICT || err->kind == ERROR_NOT_FOUND)) {
		/* Not as we left it: look before the next try, at once. */
		start_read(lease);
		return;
	} else if (err->kind != ERROR_CANCELLED && err->kind != ERROR_CONFLICT) {
		log_event(LOG_WARN, "lease cannot be written", "lease", lease->name, "error", err->message, NULL);
	}
	schedule_next(lease);
}

/* A leader writes on what it wrote last, without looking: one request a try instead of two. */
static void start_write(struct kube_lease *lease, bool looked)
{
	auto_json *object =
		lease_record_claim(&lease->record, lease->ns, lease->name, lease->identity, lease->timing.duration_ms);

	lease->looked = looked;
	lease->sent_ms = clock_monotonic_ms();
	if (lease->record.object != NULL) {
		lease->call = kube_replace(lease->client, &lease_resource, object, NULL, on_written, lease);
	} else {
		lease->call = kube_create(lease->client, &lease_resource, object, NULL, on_written, lease);
	}
}

static void on_read(void *ctx, json_t *result, const struct error *err)
{
	struct kube_lease *lease = ctx;

	if (ended(lease)) {
		return;
	}
	if (err == NULL) {
		lease_record_observe(&lease->record, result);
	} else if (err->kind == ERROR_NOT_FOUND) {
		lease_record_forget(&lease->record);
	} else {
		if (err->kind != ERROR_CANCELLED) {
			log_event(LOG_WARN, "lease cannot be read", "lease", lease->name, "error", err->message, NULL);
		}
		schedule_next(lease);
		return;
	}
	if (is_ours(lease) || is_free(lease)) {
		start_write(lease, true);
		return;
	}
	lose(lease, "another replica took the lease");
	schedule_next(lease);
}

static void start_read(struct kube_lease *lease)
{
	lease->call = kube_get(lease->client, &lease_resource, lease->ns, lease->name, on_read, lease);
}

/* ---- life ---- */

struct kube_lease *kube_lease_new(struct kube_client *client, const char *ns, const char *name, const char *identity,
	const struct kube_lease_hooks *hooks)
{
	struct kube_lease *lease = xcalloc(1, sizeof(*lease));

	*lease = (struct kube_lease){
		.client = client,
		.ns = xstrdup(ns),
		.name = xstrdup(name),
		.identity = xstrdup(identity),
		.hooks = *hooks,
		.timing = {.duration_ms = 15000,
			.deadline_ms = 10000,
			.retry_ms = 2000,
			.candidate_ms = 500,
			.release_ms = 5000},
		.open_handles = 2,
	};
	uv_timer_init(kube_client_loop(client), &lease->retry);
	uv_timer_init(kube_client_loop(client), &lease->deadline);
	lease->retry.data = lease->deadline.data = lease;
	return lease;
}

int lease_set_timing(struct kube_lease *lease, const struct lease_timing *timing)
{
	if (!lease_is_in_time(timing->duration_ms, timing->deadline_ms, timing->retry_ms)) {
		return -1;
	}
	lease->timing = *timing;
	return 0;
}

void kube_lease_set_times(struct kube_lease *lease, const struct kube_lease_times *times)
{
	lease->timing.duration_ms = times->duration_ms;
	lease->timing.deadline_ms = times->deadline_ms;
	lease->timing.retry_ms = times->retry_ms;
}

void kube_lease_start(struct kube_lease *lease)
{
	start_read(lease);
}

bool kube_lease_held(const struct kube_lease *lease)
{
	return lease->held && clock_monotonic_ms() < lease->leads_until_ms;
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct kube_lease *lease = handle->data;
	void (*closed)(void *ctx) = lease->closed;
	void *ctx = lease->closed_ctx;

	if (--lease->open_handles > 0) {
		return;
	}
	lease_record_release(&lease->record);
	free(lease->ns);
	free(lease->name);
	free(lease->identity);
	free(lease);
	if (closed != NULL) {
		closed(ctx);
	}
}

static void finish_close(struct kube_lease *lease)
{
	uv_close((uv_handle_t *)&lease->retry, on_handle_closed);
	uv_close((uv_handle_t *)&lease->deadline, on_handle_closed);
}

static void on_release_written(void *ctx, json_t *result, const struct error *err)
{
	struct kube_lease *lease = ctx;

	(void)result;
	lease->call = NULL;
	if (err != NULL && err->kind == ERROR_CONFLICT && lease->release_tries < RELEASE_TRIES) {
		start_release(lease);
		return;
	}
	if (err != NULL) {
		log_event(LOG_WARN, "lease cannot be released, it will expire", "lease", lease->name, "error",
			err->message, NULL);
	}
	finish_close(lease);
}

static void on_release_read(void *ctx, json_t *result, const struct error *err)
{
	struct kube_lease *lease = ctx;
	auto_json *object = NULL;

	lease->call = NULL;
	if (err == NULL) {
		lease_record_observe(&lease->record, result);
	}
	if (err != NULL || !is_ours(lease)) {
		finish_close(lease);
		return;
	}
	/* As client-go: nobody holds it, and a candidate that looks at the duration alone waits one
	 * second. */
	object = lease_record_claim(&lease->record, lease->ns, lease->name, "", 1000);
	lease->call = kube_replace(lease->client, &lease_resource, object, NULL, on_release_written, lease);
}

/* Reads first, if we ever wrote: a write we cancelled may have reached the server. */
static void start_release(struct kube_lease *lease)
{
	if (lease->sent_ms == 0) {
		finish_close(lease);
		return;
	}
	lease->release_tries++;
	lease->call = kube_get(lease->client, &lease_resource, lease->ns, lease->name, on_release_read, lease);
}

static void on_release_deadline(uv_timer_t *timer)
{
	struct kube_lease *lease = timer->data;

	/* No more tries: the call's end is the end. */
	lease->release_tries = RELEASE_TRIES;
	if (lease->call != NULL) {
		kube_call_cancel(lease->call);
	}
}

void kube_lease_close(struct kube_lease *lease, void (*closed)(void *ctx), void *ctx)
{
	lease->closing = true;
	lease->closed = closed;
	lease->closed_ctx = ctx;
	uv_timer_stop(&lease->retry);
	lose(lease, "closing");
	uv_timer_start(&lease->deadline, on_release_deadline, (uint64_t)lease->timing.release_ms, 0);
	if (lease->call != NULL) {
		kube_call_cancel(lease->call);
	} else {
		start_release(lease);
	}
}
