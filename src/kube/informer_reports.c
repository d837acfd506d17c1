/*
 * What an informer's owner is told: its state, and what changed in its cache.
 *
 * A list of ten thousand that all differ must not hold the loop. So reports wait in a line, and a turn takes from it for a
 * few milliseconds; while some wait, each change goes to the end of the line, so that the owner sees all in order.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "informer_parts.h"

/* Of one turn; several informers may report in the same one. */
#define TURN_NS INT64_C(3000000)
/* Between two parts the loop goes on; a timer of no time at all would fire before it does. */
#define PAUSE_MS 1
/* A wait that the server asks for is told from here on: a few seconds are how it spreads its load, and pass unseen. */
#define REPORTED_WAIT_MS 10000

void informer_set_state(struct kube_informer *informer, bool synced, bool missing, struct error *err)
{
	struct error none = ERROR_INIT;
	const char *old = informer->error.message != NULL ? informer->error.message : "";
	const char *new = err != NULL && err->message != NULL ? err->message : "";
	bool differs = informer->synced != synced || informer->missing != missing || strcmp(old, new) != 0;

	informer->synced = synced;
	informer->missing = missing;
	error_move(&informer->error, err != NULL ? err : &none);
	if (differs && informer->hooks.state != NULL && !informer->closing) {
		informer->hooks.state(informer->hooks.ctx, informer);
	}
}

void informer_report_sent_away(struct kube_informer *informer, const struct error *err)
{
	auto_error copy = ERROR_INIT;

	if (err->retry_after_ms < REPORTED_WAIT_MS) {
		return;
	}
	error_copy(&copy, err);
	informer_set_state(informer, informer->synced, informer->missing, &copy);
}

static const void *keep(const struct kube_informer *informer, const void *decoded)
{
	return decoded != NULL ? informer->hooks.form.ref(decoded) : NULL;
}

static void give_back(const struct kube_informer *informer, const struct kube_difference *one)
{
	if (one->before != NULL) {
		informer->hooks.form.unref(one->before);
	}
	if (one->now != NULL) {
		informer->hooks.form.unref(one->now);
	}
}

static void call_hook(struct kube_informer *informer, const void *before, const void *now)
{
	if (informer->hooks.changed != NULL && !informer->closing) {
		informer->hooks.changed(informer->hooks.ctx, informer, before, now);
	}
}

static void join(struct kube_informer *informer, const void *before, const void *now)
{
	struct informer_reports *reports = &informer->reports;

	reports->items = xgrow(reports->items, &reports->cap, reports->count + 1, sizeof(*reports->items));
	reports->items[reports->count++] = (struct kube_difference){keep(informer, before), keep(informer, now)};
}

void informer_reports_release(struct kube_informer *informer)
{
	struct informer_reports *reports = &informer->reports;

	for (size_t i = reports->next; i < reports->count; i++) {
		give_back(informer, &reports->items[i]);
	}
	free(reports->items);
	*reports = (struct informer_reports){.items = NULL};
}

static void on_pace(uv_timer_t *timer);

/* The owner may close the informer in a report. */
static void report_some(struct kube_informer *informer)
{
	struct informer_reports *reports = &informer->reports;
	int64_t start = clock_worked_ns();

	while (reports->next < reports->count && !informer->closing && clock_worked_ns() - start < TURN_NS) {
		const struct kube_difference one = reports->items[reports->next++];

		call_hook(informer, one.before, one.now);
		give_back(informer, &one);
	}
	if (informer->closing) {
		return;
	}
	if (reports->next < reports->count) {
		uv_timer_start(&informer->pace, on_pace, PAUSE_MS, 0);
		return;
	}
	informer_reports_release(informer);
	if (informer->filled) {
		informer->filled = false;
		informer_set_state(informer, true, false, NULL);
	}
}

static void on_pace(uv_timer_t *timer)
{
	report_some(timer->data);
}

void informer_report(struct kube_informer *informer, const void *before, const void *now)
{
	if (informer->reports.count > 0) {
		join(informer, before, now);
	} else {
		call_hook(informer, before, now);
	}
}

void informer_report_list(struct kube_informer *informer, const struct kube_difference *all, size_t count)
{
	bool waits = informer->reports.count > 0;

	for (size_t i = 0; i < count; i++) {
		join(informer, all[i].before, all[i].now);
	}
	if (!waits) {
		report_some(informer);
	}
}
